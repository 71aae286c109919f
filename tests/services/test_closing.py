"""The end of an account, step by step: what is next, what holds it up, what the statement says."""

import pytest

from engine.config import MoneySection, SiteSection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalNeeded,
    CommandOpen,
    Forbidden,
    MeterInExchange,
    NotClosable,
    NotOpened,
    TenantClosed,
)
from engine.services import (
    accounts,
    closing,
    commands,
    deposits,
    ledger,
    meters,
    operators,
    paper,
    statements,
    verify,
)
from engine.services.closing_steps import Step as Next
from models import base
from models.accounts import Account, Installation
from models.cases import Exchange
from models.commands import Command
from models.enums import CommandKind, CommandState, MeterKind, PayKind, Role
from models.site import Meter
from tests.services.conftest import ZONE

MONEY = MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000)
FORCED_OFF = 0b1000


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def advance(meter, chief):
    """Close the tenant of `meter` as far as it goes now."""

    def one(**more: object):
        return closing.advance("T0001", chief, money=MONEY, zone=ZONE, **more)

    return one


@pytest.fixture
def apply(lease, settle):
    """Carry a queued command to its meter: the balance is what it is to be."""

    def one(command: Command, balance_fen: int, count: int = 4) -> Command:
        if not command.counted:
            return commands.finish_uncounted(command.id, CommandState.APPLIED, None, lease)
        before = PurchaseState(count, balance_fen, 1000)
        sent = commands.mark_sent(command.id, before, lease, "this boot", 4711)
        return settle(sent, Step.CONFIRM, PurchaseState(count, sent.target_fen, 1000))

    return one


def newest(kind: CommandKind) -> Command:
    return Command.select().where(Command.kind == kind).order_by(Command.id.desc()).get()


def step_of(plan) -> Next:
    return plan.meters[0].step


def test_each_step_follows_from_what_is_stored(meter, advance, poll, apply, clock):
    assert step_of(closing.plan("T0001")) is Next.READ
    assert step_of(advance()) is Next.WAIT
    apply(newest(CommandKind.READ), 500)
    poll(meter, balance_fen=30_000)
    assert step_of(closing.plan("T0001")) is Next.TAKE_OUT

    assert step_of(advance(why="搬走")) is Next.WAIT
    refund = apply(newest(CommandKind.REFUND), 30_000)
    assert (refund.why, refund.amount_fen) == ("搬走", 30_000)
    clock.advance(seconds=1)
    poll(meter, balance_fen=0, status1=0, status2=0)
    assert step_of(closing.plan("T0001")) is Next.TRIP

    advance()
    clock.advance(seconds=1)
    apply(newest(CommandKind.TRIP), 0)
    poll(meter, balance_fen=0, status1=FORCED_OFF, status2=0)
    assert step_of(closing.plan("T0001")) is Next.RELEASE

    plan = advance()
    assert (plan.closed, plan.meters, plan.payable) == (True, (), ())
    assert Meter.get_by_id(meter.id).epoch == 2
    assert ledger.balance_of(ledger.refund_payable()) == 0
    assert verify.faults() == []
    with pytest.raises(TenantClosed):
        advance()


def test_a_reading_from_before_the_refund_is_no_final_one(meter, advance, poll, apply, clock):
    poll(meter, balance_fen=30_000)
    clock.advance(seconds=1)
    advance()
    apply(newest(CommandKind.REFUND), 30_000)

    assert step_of(closing.plan("T0001")) is Next.READ


def test_an_old_reading_is_no_final_one(meter, advance, poll, clock):
    poll(meter, balance_fen=0)
    clock.advance(minutes=6)

    assert step_of(closing.plan("T0001")) is Next.READ


def test_what_was_used_is_revenue_and_a_few_fen_stay_for_the_next(
    meter, advance, poll, chief, clock
):
    poll(meter, balance_fen=500)
    clock.advance(hours=1)
    poll(meter, 2000, balance_fen=-3, status1=FORCED_OFF, status2=0)

    assert advance().closed

    ended = Installation.get(Installation.meter == meter)
    assert (ended.last_energy_wh, ended.last_balance_fen, ended.shop) == (2000, -3, "A-101")
    credit = ledger.meter_credit(meter.serial)
    assert ledger.balance_of(credit) == -3
    assert verify.faults() == []

    accounts.register("T900", "下一家", "", chief)
    with base.write_transaction():
        Installation.create(
            meter=meter, account=Account.get(number="T900"), opened_at=clock.advance(hours=2)
        )
    poll(meter, 2000, balance_fen=-3, status1=FORCED_OFF, status2=0)
    assert meters.installation_of(meter).taken_over
    assert ledger.balance_of(credit) == -3  # not taken over twice
    assert verify.faults() == []


def test_a_command_that_is_none_of_the_closings_own_is_named(meter, advance, poll, sell, picture):
    poll(meter)
    sale = sell()
    before = picture()

    with pytest.raises(CommandOpen) as refused:
        advance()

    assert refused.value.params["command"] == sale.id
    assert picture() == before


def test_a_large_refund_needs_a_second_person(meter, advance, poll, picture):
    poll(meter, balance_fen=50_000)
    before = picture()

    with pytest.raises(ApprovalNeeded):
        advance()

    assert picture() == before


def test_arrears_hold_the_closing_up_until_two_write_them_off(meter, advance, poll, clock):
    poll(meter, balance_fen=-700)

    assert step_of(advance()) is Next.PAY_ARREARS
    assert Command.select().count() == 0
    with pytest.raises(ApprovalNeeded):
        advance(write_off=True)
    boss = operators.create("赵敏", "correct horse", Role.SUPERVISOR, at=clock.at)
    assert step_of(advance(write_off=True, approver=boss)) is Next.WAIT
    assert newest(CommandKind.CLEAR).approver.name == "赵敏"


def test_a_remainder_too_small_to_refund_is_cleared(meter, advance, poll, lease):
    poll(meter, balance_fen=2)
    advance()
    commands.refuse_unsent(newest(CommandKind.REFUND).id, "too_little", lease)
    assert step_of(closing.plan("T0001")) is Next.CLEAR

    advance()
    commands.refuse_unsent(newest(CommandKind.CLEAR).id, "too_little", lease)
    assert step_of(closing.plan("T0001")) is Next.TRIP


def test_what_failed_is_said_and_tried_again(meter, advance, poll, lease):
    poll(meter, balance_fen=500)
    advance()
    commands.refuse_unsent(newest(CommandKind.REFUND).id, "no_reply", lease)

    plan = closing.plan("T0001").meters[0]
    assert (plan.step, plan.reason) == (Next.TAKE_OUT, "no_reply")
    assert step_of(advance()) is Next.WAIT
    assert Command.select().where(Command.kind == CommandKind.REFUND).count() == 2


def test_two_who_close_at_once_ask_once(meter, advance, poll):
    poll(meter, balance_fen=500)
    advance()
    advance()

    assert Command.select().count() == 1


def test_a_stopped_meter_waits_for_a_person(meter, advance, poll):
    poll(meter, balance_fen=500)
    with base.write_transaction():
        meters.freeze(meter)

    plan = advance().meters[0]
    assert (plan.step, plan.reason) == (Next.BLOCKED, "meter_frozen")


def test_a_meter_in_an_exchange_is_not_closed(meter, advance, chief, clock, picture):
    with base.write_transaction():
        Exchange.create(request_id="x", old=meter, operator=chief, started_at=clock.at)
    before = picture()

    with pytest.raises(MeterInExchange):
        advance()

    assert picture() == before


def test_a_protected_meter_is_never_tripped(meter, advance, poll):
    with base.write_transaction():
        Meter.update(protected=True).where(Meter.id == meter.id).execute()
    poll(meter, balance_fen=0, status1=0, status2=0)

    assert advance().closed


def test_an_ordinary_meter_is_released_as_it_is(add_meter, chief):
    ordinary = add_meter("202611230009", kind=MeterKind.ORDINARY)

    number = meters.installation_of(ordinary).account.number
    assert closing.advance(number, chief, money=MONEY, zone=ZONE).closed


def test_credit_goes_to_no_meter_that_is_closed_with_it(meter, advance, picture):
    before = picture()

    with pytest.raises(NotClosable):
        advance(transfer_to=meter.serial)

    assert picture() == before


def test_who_may_only_look_closes_nothing(meter, clock, picture):
    viewer = operators.create("只看", "correct horse", Role.VIEWER, at=clock.at)
    before = picture()

    with pytest.raises(Forbidden):
        closing.advance("T0001", viewer, money=MONEY, zone=ZONE)
    with pytest.raises(Forbidden):
        closing.release(meter.serial, viewer, money=MONEY, zone=ZONE)

    assert picture() == before


def test_a_meter_of_nobody_is_not_released(add_meter, chief):
    vacant = add_meter("202611230002", tenant="")

    with pytest.raises(NotOpened):
        closing.release(vacant.serial, chief, money=MONEY, zone=ZONE)


def test_a_released_meter_refunds_what_waits_to_be_paid_out(meter, chief, poll, apply, clock):
    poll(meter, balance_fen=30_000)
    closing.release(meter.serial, chief, money=MONEY, zone=ZONE)
    apply(newest(CommandKind.REFUND), 30_000)
    clock.advance(seconds=1)
    poll(meter, balance_fen=0, status1=FORCED_OFF, status2=0)

    assert closing.release(meter.serial, chief, money=MONEY, zone=ZONE).step is Next.DONE
    plan = closing.plan("T0001")
    assert not plan.closed
    assert [command.amount_fen for command in plan.payable] == [30_000]


@pytest.mark.parametrize("back", [True, False])
def test_a_deposit_goes_back_with_the_rest_or_is_named(meter, advance, poll, chief, back):
    deposits.take_deposit("T0001", 40_000, PayKind.CASH, chief, "d1", money=MONEY)
    poll(meter, balance_fen=0, status1=FORCED_OFF, status2=0)

    plan = advance(return_deposit=back)

    assert (plan.closed, plan.deposit_fen) == (True, 0 if back else 40_000)
    assert verify.faults() == []
    if not back:
        assert "400.00" in statements.text("T0001", "en", 48, site=SiteSection())


@pytest.mark.parametrize("width", [32, 48, 80])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_statement_fits_its_paper_and_says_all(
    meter, advance, poll, apply, clock, width, language
):
    with base.write_transaction():
        Account.update(name="重庆小面" * 25).execute()
    poll(meter, 1_000_000, balance_fen=30_000)
    clock.advance(days=1)
    poll(meter, 1_234_560, balance_fen=20_000, status1=FORCED_OFF, status2=0)
    advance()
    apply(newest(CommandKind.REFUND), 20_000)
    clock.advance(seconds=1)
    poll(meter, 1_234_560, balance_fen=0, status1=FORCED_OFF, status2=0)
    assert advance().closed

    text = statements.text("T0001", language, width, site=SiteSection())

    assert max(map(paper.columns, text.splitlines())) <= width
    assert "".join(text.split()).count("重庆小面") >= 20
    for value in ("1000.00 kWh", "1234.56 kWh", "234.56 kWh", "300.00", "100.00", "200.00"):
        assert value in text
