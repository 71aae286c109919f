"""What a second person is asked for when a closing needs one, and that it goes on from there."""

import pytest

from engine.config import Config, MoneySection, SiteSection
from engine.domain.errors import ApprovalNeeded
from engine.services import approvals, closing, closing_approval, deposits, operators
from engine.services.closing_steps import Step, Terms
from models.accounts import Account, Installation
from models.base import write_transaction
from models.commands import Command
from models.enums import CommandKind, PayKind, Role
from tests.services.conftest import ZONE

CONFIG = Config(
    site=SiteSection(timezone="Asia/Shanghai"),
    money=MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000),
)
TERMS = Terms(pay=PayKind.CASH, why="退租")


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def boss(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def rich(meter, poll, lease):
    """The meter holds 600 yuan, more than one person may refund."""
    poll(meter, balance_fen=60_000)
    return meter


def ask(asked, by):
    return approvals.attempt(asked.verb, asked.given, by, asked.request_id, config=CONFIG)


def test_a_refund_that_was_approved_is_the_closings_own(rich, chief, boss):
    with pytest.raises(ApprovalNeeded):
        closing.advance("T0001", chief, money=CONFIG.money, zone=ZONE, why="退租")
    asked = closing_approval.of("T0001", TERMS)
    waiting = ask(asked, chief)

    approvals.approve(waiting.id, boss, config=CONFIG)

    refund = Command.get(Command.kind == CommandKind.REFUND)
    assert (refund.operator, refund.approver, refund.why) == (chief, boss, "退租")
    (meter,) = closing.advance("T0001", chief, money=CONFIG.money, zone=ZONE).meters
    assert (meter.step, meter.command) == (Step.WAIT, refund.id)


def test_asked_again_with_the_same_words_it_is_the_same_request(rich, chief):
    first = ask(closing_approval.of("T0001", TERMS), chief)

    assert ask(closing_approval.of("T0001", TERMS), chief) == first


def test_what_was_declined_or_put_in_other_words_is_asked_anew(rich, chief, boss, add_meter):
    first = ask(closing_approval.of("T0001", TERMS), chief)
    approvals.decline(first.id, boss, "先核对")
    again = ask(closing_approval.of("T0001", TERMS), chief)
    other = closing_approval.of("T0001", Terms(why="退租", transfer_to="202611230002"))

    assert again.id != first.id
    assert other.verb == "transfer"
    assert other.request_id not in (first.request_id, again.request_id)


def test_a_deposit_that_goes_back_last_is_asked_for_by_itself(meter, chief, clock):
    deposits.take_deposit("T0001", 80_000, PayKind.CASH, chief, "d1", money=CONFIG.money)
    with write_transaction():
        Installation.update(closed_at=clock.at).execute()
    terms = Terms(pay=PayKind.CASH, why="退租", return_deposit=True)

    asked = closing_approval.of("T0001", terms)

    assert (asked.verb, asked.given["amount_fen"]) == ("return_deposit", 80_000)


def test_where_no_money_stands_before_it_nothing_is_asked(meter, chief):
    assert closing_approval.of("T0001", TERMS) is None  # it is to be read first
    assert Account.get().closed_at is None


def test_arrears_are_asked_for_only_where_they_are_written_off(meter, poll, lease):
    poll(meter, balance_fen=-1_000)

    assert closing_approval.of("T0001", TERMS) is None
    assert closing_approval.of("T0001", Terms(why="退租", write_off=True)).verb == "clear"
