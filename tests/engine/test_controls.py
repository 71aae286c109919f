"""Downloads, switches and clocks over real sockets, against the practice meters."""

import datetime as dt
import json

import pytest

from engine import clock
from engine.control_turn import NotNow
from engine.control_works import require_clear
from engine.domain.measurement import MeterReading
from engine.services import downloads, locking, queueing
from models.base import write_transaction
from models.commands import Attempt, Command
from models.enums import CommandKind, CommandState
from models.metering import Latest
from models.site import Meter
from tests.engine.conftest import BLIND, CHECKED

EVERYTHING = {
    "price_sharp": "1.3000", "price_peak": "1.1000", "price_flat": "0.8000",
    "price_valley": "0.3500", "schedule1": "00:00 valley, 08:30 flat, 23:00 valley",
    "schedule2": "00:00 flat", "zones": "01-01 1, 07-01 2, 10-01 1", "multi_rate": 1,
    "money_control": 1, "alarm1_fen": 3000, "alarm2_fen": 700, "overdraft_fen": 100,
    "overload_w": 9000, "overload_trips_max": 7, "overload_recovery_min": 9,
    "time_control": "00:00 off, 06:00 on; Sat Sun 00:00 on",
}  # fmt: skip


def download(values, serial=CHECKED, **more):
    with write_transaction():
        meter = Meter.get(Meter.serial == serial)
        return downloads.queue_values(
            meter, values, None, f"d{Command.select().count()}", **more
        ).id


def switch(kind, serial=CHECKED, **more):
    with write_transaction():
        meter = Meter.get(Meter.serial == serial)
        return queueing.queue(meter, kind, None, f"s{Command.select().count()}", **more).id


def lock(practice, serial=CHECKED):
    return locking.place(serial, "换表箱", practice.chief)


def held(serial=CHECKED):
    row = Latest.get(Latest.meter_id == Meter.get(Meter.serial == serial).id)
    return json.loads(row.held or "{}")


def writes(command):
    query = Attempt.select().where(Attempt.command == command, Attempt.step == "write")
    return [bytes(each.request) for each in query.order_by(Attempt.id)]


async def test_all_a_meter_can_hold_is_written_and_read_back(practice):
    command_id = download(EVERYTHING)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason, command.left) == (CommandState.APPLIED, None, "")
    assert {name: held()[name] for name in EVERYTHING} == EVERYTHING
    meter = practice.meters.meter(CHECKED)
    assert [load.limit_w for load in meter.overload.phases] == [9000]
    assert meter.times[0].free_days == 0b1100_0000
    assert json.loads(command.found)["alarm1_fen"] == 2000


async def test_only_what_differs_is_written_and_then_nothing(practice):
    first, again = download({"alarm1_fen": 3000, "overdraft_fen": 0}), None

    async with practice.engine():
        first = await practice.ended(first)
        again = await practice.ended(download({"alarm1_fen": 3000}))

    assert len(writes(first)) == 1
    assert writes(again) == []
    assert (again.state, again.writes) == (CommandState.APPLIED, 0)


async def test_prices_are_written_between_two_readings(practice):
    command_id = download({"price_flat": "0.9000"})

    async with practice.engine():
        command = await practice.ended(command_id)

    frames = [
        bytes(each.request)[1:4].hex()
        for each in Attempt.select().where(Attempt.command == command).order_by(Attempt.id)
    ]
    write = frames.index("200200")
    assert "030200" in frames[:write]
    assert "030200" in frames[write:]


async def test_a_number_the_register_cannot_hold_is_refused_before_anything_leaves(practice):
    command_id = download({"price_flat": "0.90001", "alarm1_fen": 3000})

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "does_not_fit")
    assert writes(command) == []


async def test_nothing_that_may_close_is_written_to_a_locked_meter(practice):
    lock(practice)
    prices = download({"price_flat": "0.9000"})
    closing = [download({"overdraft_fen": 5000})]
    closing += [switch(kind) for kind in (CommandKind.HOLD, CommandKind.RECONNECT)]
    practice.meters.meter(CHECKED).force_active = True
    practice.meters.meter(CHECKED).force_trip = True
    practice.meters.meter(CHECKED).decide()

    async with practice.engine():
        ended = [await practice.ended(each) for each in closing]
        allowed = await practice.ended(prices)

    assert {(each.state, each.reason) for each in ended} == {(CommandState.REFUSED, "locked_out")}
    assert [writes(each) for each in ended] == [[], [], []]
    assert allowed.state is CommandState.APPLIED


async def test_a_sale_to_a_meter_locked_meanwhile_gives_the_money_back(practice):
    sale = practice.sell()
    lock(practice)

    async with practice.engine():
        command = await practice.ended(sale)

    assert (command.state, command.reason) == (CommandState.REFUSED, "locked_out")
    assert practice.bought() == []


async def test_a_protected_meter_is_not_tripped_though_it_was_asked_for_before(practice):
    command_id = switch(CommandKind.TRIP)
    with write_transaction():
        Meter.update(protected=True).where(Meter.serial == CHECKED).execute()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "protected")
    assert practice.meters.meter(CHECKED).relay_closed


async def test_a_sale_to_the_same_meter_in_the_middle_of_a_download_is_right(practice):
    command_id = download(EVERYTHING)
    practice.meters.inject("line:L1", "late_reply", delay_s=0.02, count=0)

    async with practice.engine():
        await practice.until(lambda: practice.command(command_id).state is not CommandState.QUEUED)
        sale = await practice.ended(practice.sell())
        command = await practice.ended(command_id)

    assert (sale.state, command.state) == (CommandState.APPLIED, CommandState.APPLIED)
    assert practice.bought() == [(6, 10_000)]
    assert sale.finished_at < command.finished_at
    assert {name: held()[name] for name in EVERYTHING} == EVERYTHING


def tripped(practice, serial=CHECKED):
    meter = practice.meters.meter(serial)
    meter.force_active = meter.force_trip = True
    meter.relay_closed = False
    meter.decide()
    return meter


async def test_what_a_hand_opened_is_closed_again(practice):
    meter = tripped(practice)
    command_id = switch(CommandKind.RECONNECT)

    async with practice.engine():
        await practice.until(lambda: not meter.force_active)
        meter.relay_closed = True
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert len(writes(command)) == 1


async def test_one_in_arrears_stays_tripped_and_is_told_why(practice):
    meter = tripped(practice)
    meter.money_control, meter.balance_fen, meter.overdraft_fen = True, -5000, 0
    command_id = switch(CommandKind.RECONNECT)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "arrears")
    assert writes(command) == []
    assert meter.force_active


async def test_a_closed_one_needs_nothing(practice):
    command_id = switch(CommandKind.RECONNECT)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, writes(command)) == (CommandState.APPLIED, [])


async def test_a_clock_that_is_off_is_set_once_and_known_to_be_right(practice, monkeypatch):
    monkeypatch.setattr("engine.control_works.CLOCK_CLEAR_S", 0)  # whatever time it is here
    meter = practice.meters.meter(CHECKED)
    meter.clock.set_wrong(90 * 60, meter.at_ms)
    command_id = switch(CommandKind.CLOCK)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert abs(json.loads(command.found)["clock_off_s"] - 5400) < 120
    assert abs(held()["clock_off_s"]) <= 5
    assert len(writes(command)) == 1


@pytest.mark.parametrize(
    ("local", "shown", "waits"),
    [
        ("12:00:00", "12:00:10", False),
        ("23:59:30", "12:00:00", True),  # midnight of true time
        ("00:00:59", "12:00:00", True),
        ("12:00:00", "06:59:01", True),  # a switch time of the meter's own
        ("07:01:00", "07:01:10", False),
    ],
)
def test_no_clock_is_set_near_midnight_or_a_switch_time(monkeypatch, local, shown, waits):
    zone = dt.UTC
    monkeypatch.setattr(
        "engine.clock.now", lambda: dt.datetime.fromisoformat(f"2026-07-15T{local}+00:00")
    )
    reading = MeterReading(energy_wh=0, clock=f"2026-07-15T{shown}")

    if not waits:
        require_clear(frozenset({7 * 60}), reading, zone)
        return
    with pytest.raises(NotNow):
        require_clear(frozenset({7 * 60}), reading, zone)


async def test_a_clock_that_stands_still_at_midnight_is_given_up(practice, monkeypatch):
    def never(*_):
        raise NotNow

    monkeypatch.setattr("engine.control_works.require_clear", never)
    monkeypatch.setattr("engine.executor.NOT_NOW_S", 0.02)
    monkeypatch.setattr("engine.executor.NOT_NOW_TRIES", 3)
    meter = practice.meters.meter(CHECKED)
    meter.clock.set_wrong(90 * 60, meter.at_ms)
    command_id = switch(CommandKind.CLOCK)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "clock_near_switch")
    assert writes(command) == []


async def test_a_switch_that_waited_too_long_is_never_sent(practice):
    command_id = switch(CommandKind.TRIP, expires_at=clock.now() - dt.timedelta(seconds=1))

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "expired")


async def test_all_is_read_back_and_a_block_that_makes_no_sense_is_left_out(practice):
    practice.meters.meter(BLIND).run_state |= 0
    async with practice.engine():
        await practice.until(
            lambda: Latest.select().where(Latest.held_whole_at.is_null(False)).count() == 4
        )

    assert EVERYTHING.keys() <= held(BLIND).keys()
    assert "clock_off_s" in held(BLIND)
