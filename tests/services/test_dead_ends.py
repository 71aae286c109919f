"""Meters that nothing could be sold to, or taken from, for ever."""

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import CreditCeilingExceeded
from engine.services import commands, deciding, operators, selling, transferring, verify
from engine.views import cases
from models.commands import Transfer
from models.enums import CommandState, Role
from models.site import Meter
from tests.services.conftest import EPOCH


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def boss(db, clock):
    return operators.create("赵经理", "correct horse", Role.SUPERVISOR, at=clock.at)


def test_a_meter_whose_count_was_reset_is_sold_to_again_once_it_is_freed(
    meter, sell, prove, poll, send, chief, boss, clock
):
    poll(meter, count=0)
    clock.advance(seconds=10)
    prove(sell("r1"), PurchaseState(0, 500, 1000))
    clock.advance(minutes=1)
    poll(meter, balance_fen=10_500, count=0)
    assert Meter.get_by_id(meter.id).frozen
    clock.advance(minutes=1)
    poll(meter, balance_fen=10_500, count=0)
    deciding.free(meter.serial, "厂家修过", chief, "f1", approver=boss)

    sent = send(sell("r2"), PurchaseState(0, 10_500, 1000))

    assert (sent.state, sent.seq) == (CommandState.SENT, 1)
    assert verify.faults() == []


def test_a_sale_that_cannot_leave_is_taken_back_by_a_supervisor_after_the_window(
    meter, sell, operator, chief, clock
):
    command = sell()
    clock.advance(days=3)

    voided = selling.void(command.id, chief, undo_s=60)

    assert voided.state is CommandState.VOIDED
    assert verify.faults() == []


def test_a_transfer_that_cannot_leave_is_taken_back(meter, add_meter, chief, clock):
    other = add_meter("202611230002", "李记面馆")
    transfer = transferring.begin(
        meter.serial, other.serial, 300, "换铺", chief, "t1", money=MoneySection()
    )
    (out,) = transferring.legs_of(transfer)
    clock.advance(days=3)

    selling.void(out.id, chief, undo_s=60)

    assert Transfer.get_by_id(transfer.id).finished_at is not None


def test_credit_in_clearing_lies_in_the_tray_until_it_is_sent_on(
    meter, add_meter, chief, send, settle, prove, clock
):
    other = add_meter("202611230002", "李记面馆")
    transfer = transferring.begin(
        meter.serial, other.serial, 300, "换铺", chief, "t1", money=MoneySection()
    )
    sent = send(transferring.legs_of(transfer)[0])
    settle(sent, Step.CONFIRM, PurchaseState(4, sent.target_fen, 1000))
    commands.refuse_unsent(transferring.legs_of(transfer)[1].id, "no_reply", EPOCH)
    assert [(case.kind, case.amount_fen, case.serial) for case in cases.tray()] == [
        (cases.CaseKind.CLEARING, 300, other.serial)
    ]

    transferring.aim(transfer.id, other.serial, chief, money=MoneySection())

    assert [case.kind for case in cases.tray()] == [cases.CaseKind.UNDECIDED]
    prove(transferring.legs_of(transfer)[-1])
    assert cases.tray() == []


def test_no_credit_leaves_a_meter_for_one_that_cannot_hold_it(
    meter, add_meter, chief, poll, picture
):
    other = add_meter("202611230002", "李记面馆")
    poll(other, balance_fen=999_900)
    before = picture()

    with pytest.raises(CreditCeilingExceeded):
        transferring.begin(
            meter.serial, other.serial, 300, "换铺", chief, "t1", money=MoneySection()
        )

    assert picture() == before
