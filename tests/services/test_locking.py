"""检修挂牌: placed whatever is under way, taken off by its holder or by two persons."""

import pytest

from engine.config import Config, MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    AlreadyLockedOut,
    Forbidden,
    LockHeld,
    MeterLockedOut,
    NoReason,
    NotApprovable,
    NotLockedOut,
)
from engine.services import locking, opening, operators, selling, switching, transferring
from models import base
from models.accounts import Account
from models.commands import Command, Transfer
from models.control import LockOut
from models.enums import CommandKind, CommandState, PayKind, Role
from models.people import AuditEntry
from models.site import Meter
from tests.conftest import MORNING


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def other(db, clock):
    return operators.create("钱工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


def test_a_lock_stops_every_verb_that_closes_and_none_that_opens(meter, engineer, sell):
    locking.place(meter.serial, "换断路器", engineer)

    with pytest.raises(MeterLockedOut) as refused:
        sell()
    assert refused.value.params["holder"] == "赵工"
    for kind in (CommandKind.HOLD, CommandKind.RESUME, CommandKind.RECONNECT):
        with pytest.raises(MeterLockedOut):
            switching.request(meter.serial, kind, "试", engineer, f"x-{kind}")
    tripped = switching.request(meter.serial, CommandKind.TRIP, "断电", engineer, "x-trip")
    assert tripped.state is CommandState.QUEUED
    assert Command.select().where(Command.kind != CommandKind.TRIP).count() == 0


def test_a_lock_is_placed_in_the_middle_of_a_sale_and_says_what_to_wait_for(
    meter, engineer, sell, send
):
    command = send(sell())

    placed = locking.place(meter.serial, "换断路器", engineer)

    assert [each.id for each in placed.under_way] == [command.id]
    assert placed.stopped == ()


def test_a_queued_sale_is_named_as_one_that_will_be_stopped(meter, engineer, sell):
    command = sell()

    placed = locking.place(meter.serial, "换断路器", engineer)

    assert (placed.under_way, [each.id for each in placed.stopped]) == ((), [command.id])


def test_only_its_holder_takes_a_lock_off_alone(meter, engineer, other, picture):
    locking.place(meter.serial, "换断路器", engineer)
    before = picture()

    with pytest.raises(LockHeld) as refused:
        locking.release(meter.serial, other)
    assert (refused.value.params["holder"], picture()) == ("赵工", before)

    locking.release(meter.serial, engineer)
    assert not locking.locked(Meter.get_by_id(meter.id))


def test_two_persons_take_anothers_lock_off_and_the_log_names_all_three(
    meter, engineer, other, chief
):
    locking.place(meter.serial, "换断路器", engineer)

    locking.release(meter.serial, other, chief)

    lock = LockOut.get()
    assert (lock.holder, lock.released_by, lock.second) == (engineer, other, chief)
    logged = AuditEntry.get(AuditEntry.action == "lock_release")
    assert logged.operator == "钱工"
    assert '"holder":"赵工"' in logged.detail
    assert '"second":"王强"' in logged.detail


def test_the_second_person_is_another_one_who_may_approve(
    meter, engineer, other, chief, operator, clock, picture
):
    locking.place(meter.serial, "换断路器", engineer)
    third = operators.create("孙工", "correct horse", Role.ENGINEER, at=clock.at)
    before = picture()

    with pytest.raises(NotApprovable):
        locking.release(meter.serial, chief, chief)
    with pytest.raises(NotApprovable):
        locking.release(meter.serial, other, third)
    with pytest.raises(Forbidden):
        locking.release(meter.serial, operator, chief)
    assert picture() == before
    locking.release(meter.serial, other, engineer)  # the holder stands beside him


def test_a_second_lock_on_a_meter_and_a_lock_without_a_reason_or_a_right_are_refused(
    meter, engineer, other, operator, picture
):
    with pytest.raises(NoReason):
        locking.place(meter.serial, " \n", engineer)
    with pytest.raises(Forbidden):
        locking.place(meter.serial, "试", operator)
    with pytest.raises(NotLockedOut):
        locking.release(meter.serial, engineer)
    locking.place(meter.serial, "换断路器", engineer)
    before = picture()

    with pytest.raises(AlreadyLockedOut):
        locking.place(meter.serial, "我也在", other)
    assert picture() == before


def test_the_second_leg_of_a_transfer_waits_in_clearing_until_the_lock_is_off(
    meter, add_meter, engineer, chief, send, settle, poll
):
    poll(meter, balance_fen=10_500)
    target = add_meter("202611230002", tenant="李记面馆")
    transfer = transferring.begin(
        meter.serial, target.serial, 3_000, "搬店", chief, "t1", money=MoneySection()
    )
    locking.place(target.serial, "换断路器", engineer)
    prove_out(transferring.legs_of(transfer)[0], send, settle)

    assert transferring.go_on() == 0
    assert transferring.second_of(transfer) is None
    assert Transfer.get_by_id(transfer.id).finished_at is None

    locking.release(target.serial, engineer)
    assert transferring.go_on() == 1
    assert transferring.second_of(transfer).amount_fen == 3_000


def prove_out(leg, send, settle):
    send(leg, PurchaseState(4, 10_500, 1000))
    settle(leg, Step.CONFIRM, PurchaseState(4, 7_500, 1000))


def test_a_queued_sale_to_a_locked_meter_can_still_be_voided(meter, engineer, sell, operator):
    command = sell()
    locking.place(meter.serial, "换断路器", engineer)

    selling.void(command.id, operator, undo_s=60)

    assert Command.get_by_id(command.id).state is CommandState.VOIDED


def test_nothing_is_opened_behind_a_lock(add_meter, engineer, operator, clock, picture):
    meter = add_meter("202611230009", tenant="")
    Account.create(number="T9", name="新租户", opened_at=clock.at)
    locking.place(meter.serial, "换断路器", engineer)
    before = picture()

    with pytest.raises(MeterLockedOut):
        opening.open_account(
            "T9", [meter.serial], operator, "o1", config=Config(),
            amount_fen=10_000, pay=PayKind.CASH,
        )  # fmt: skip
    with pytest.raises(MeterLockedOut):
        opening.open_account("T9", [meter.serial], operator, "o2", config=Config())
    assert picture() == before


def test_a_lock_goes_on_with_an_exchange_and_where_the_new_meter_has_its_own_that_is_enough(
    meter, add_meter, engineer, other
):
    new, third = add_meter("202611230002", tenant=""), add_meter("202611230003", tenant="")
    locking.place(meter.serial, "换断路器", engineer)
    locking.place(third.serial, "我也在", other)
    with base.write_transaction():
        locking.go_on(meter, new)

    assert locking.lock_of(new).holder == engineer
    with base.write_transaction():
        locking.go_on(new, third)
        Meter.update(retired_at=MORNING).where(Meter.id == new.id).execute()
    assert locking.lock_of(third).holder == other
    locking.release(new.serial, engineer)  # also of one that is retired
    assert not locking.locked(new)
