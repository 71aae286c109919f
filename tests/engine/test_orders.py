"""Orders for a time over real sockets: taken back once, whatever ends in between."""

import asyncio
import datetime as dt

from engine import clock
from engine.services import ledger, locking, operators, temporary
from models.base import write_transaction
from models.commands import Command
from models.control import Temporary
from models.enums import CommandKind, CommandState, Role, TemporaryPurpose, TemporaryState
from tests.engine.conftest import CHECKED


def hold(practice, request_id="h1"):
    """By an engineer, who may sell nothing."""
    by = operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.now())
    until = clock.now() + dt.timedelta(hours=1)
    return temporary.hold(
        CHECKED, until, TemporaryPurpose.EMERGENCY, "冷柜", by, request_id, config=practice.config
    )


def state(order):
    return Temporary.get_by_id(order.id).state


def its_time_has_come(order):
    with write_transaction():
        Temporary.update(until=clock.now()).where(Temporary.id == order.id).execute()


async def test_a_hold_ends_once_by_another_engine_than_the_one_that_began_it(practice):
    meter = practice.meters.meter(CHECKED)
    order = hold(practice)
    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.HELD)
    assert (meter.force_active, meter.force_trip) == (True, False)
    meter.balance_fen = -1_235

    its_time_has_come(order)
    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.ENDED)

    ended = Temporary.get_by_id(order.id)
    assert not meter.force_active
    assert (ended.before_balance_fen, ended.after_balance_fen, ended.debt_fen) == (
        8_765,
        -1_235,
        1_235,
    )
    resumes = Command.select().where(Command.kind == CommandKind.RESUME)
    assert [each.state for each in resumes] == [CommandState.APPLIED]


async def test_an_engine_that_stops_between_asking_and_sending_takes_back_all_the_same(practice):
    order = hold(practice)
    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.HELD)
    its_time_has_come(order)
    async with practice.engine():
        await practice.until(lambda: state(order) is not TemporaryState.HELD)

    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.ENDED)

    assert not practice.meters.meter(CHECKED).force_active
    assert Command.select().where(Command.kind == CommandKind.RESUME).count() == 1


async def test_a_limit_goes_back_to_what_is_desired_by_then(practice):
    chief = practice.chief
    until = clock.now() + dt.timedelta(hours=1)
    order = temporary.limit(CHECKED, 2_000, until, "限电", chief, "l1", config=practice.config)
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.HELD)
        assert meter.overload.limit_w == 2_000
        its_time_has_come(order)
        await practice.until(lambda: state(order) is TemporaryState.ENDED)

    assert not meter.overload.enabled or meter.overload.limit_w == 0


async def test_a_sale_still_queued_when_the_lock_is_hung_is_never_sent_and_its_money_goes_back(
    practice,
):
    fitter = operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.now())
    number = practice.sell()
    placed = locking.place(CHECKED, "换断路器", fitter)
    assert [each.id for each in placed.stopped] == [number]

    async with practice.engine():
        ended = await practice.ended(number)

    assert (ended.state, ended.reason, ended.writes) == (CommandState.REFUSED, "locked_out", 0)
    assert practice.bought() == []
    assert ledger.balance_of(ledger.in_flight(CHECKED)) == 0


async def test_the_return_waits_for_the_lock_and_goes_by_itself_when_it_is_off(practice):
    order = hold(practice)
    async with practice.engine():
        await practice.until(lambda: state(order) is TemporaryState.HELD)
        fitter = operators.create("钱工", "correct horse", Role.ENGINEER, at=clock.now())
        locking.place(CHECKED, "换断路器", fitter)
        its_time_has_come(order)
        await asyncio.sleep(1.5)
        assert state(order) is TemporaryState.HELD
        locking.release(CHECKED, fitter)
        await practice.until(lambda: state(order) is TemporaryState.ENDED)

    assert not practice.meters.meter(CHECKED).force_active
