"""Reading meters that are due, over real sockets, with what may go wrong on the way."""

import asyncio
import datetime as dt

from engine import clock
from engine.domain.measurement import MeterReading, MeterSettings
from engine.services import commands
from models.base import readings_transaction, write_transaction
from models.commands import Command
from models.enums import CommandState, EventKind, LineState
from models.metering import Latest, LineHealth, MeterEvent, Reading, Sweep
from models.site import Line, Meter
from tests.engine.conftest import BALANCE_FEN, BLIND, CHECKED, COUNT, FAR, HURRY, OTHER, PLACES

ALL = set(PLACES)


def latest(serial):
    return Latest.get_or_none(Latest.meter_id == Meter.get(Meter.serial == serial).id)


def reading(serial):
    return MeterReading.from_json(latest(serial).reading)


def read_serials():
    ids = [row.meter_id for row in Latest.select().where(Latest.read_at.is_null(False))]
    return {meter.serial for meter in Meter.select().where(Meter.id.in_(ids))}


def make_due(serial):
    """As if its last attempt were of another day."""
    meter = Meter.get(Meter.serial == serial)
    with readings_transaction():
        Latest.update(attempted_at=clock.now() - dt.timedelta(days=2)).where(
            Latest.meter_id == meter.id
        ).execute()


def swept():
    return Sweep.select().count()


async def test_the_first_sweep_reads_every_meter_and_leaves_a_row(practice):
    async with practice.engine():
        await practice.until(swept)

    assert read_serials() == ALL
    assert reading(CHECKED).balance_fen == BALANCE_FEN
    assert Reading.select().count() == len(ALL)
    sweep = Sweep.get()
    assert (sweep.read, sweep.failed) == (len(ALL), 0)
    assert sweep.started_at <= sweep.finished_at


async def test_wire_time_is_that_of_the_busiest_lines_bytes(practice):
    """Three single-phase meters at 9600 baud, no gap: 3 x (8 + 101) x 10 / 9600 s, and no less."""
    async with practice.engine():
        await practice.until(swept)

    assert 340 <= Sweep.get().wire_ms < 1000


async def test_a_second_reading_of_a_slot_is_the_newest_but_no_row_of_its_own(practice):
    async with practice.engine():
        await practice.until(swept)
    practice.meters.meter(CHECKED).balance_fen = 1

    async with practice.engine():
        await practice.until(lambda: swept() == 2)

    assert Reading.select().count() == len(ALL)
    assert Reading.get(Reading.meter_id == latest(CHECKED).meter_id).balance_fen == BALANCE_FEN
    assert reading(CHECKED).balance_fen == 1


async def test_a_meter_that_is_due_again_is_read_alone(practice):
    async with practice.engine():
        await practice.until(swept)
        practice.meters.meter(CHECKED).balance_fen = 1
        make_due(CHECKED)
        await practice.until(lambda: swept() == 2)

    assert Sweep.select().order_by(Sweep.id.desc()).get().read == 1
    assert reading(CHECKED).balance_fen == 1


async def test_a_dead_meter_costs_its_neighbours_nothing_and_is_tried_a_second_time(practice):
    fault = practice.meters.inject(f"meter:{BLIND}", "lost_request", count=0)

    async with practice.engine():
        await practice.until(swept)
        tries = fault.suffered

    assert read_serials() == ALL - {BLIND}
    assert (Sweep.get().read, Sweep.get().failed) == (len(ALL) - 1, 1)
    assert latest(BLIND).failed_attempts == 1
    assert latest(BLIND).reading is None
    assert tries == 2


async def test_one_lost_reply_is_made_good_at_the_end_of_the_sweep(practice):
    practice.meters.inject(f"meter:{BLIND}", "no_reply", count=1)

    async with practice.engine():
        await practice.until(swept)

    assert read_serials() == ALL
    assert (Sweep.get().read, Sweep.get().failed) == (len(ALL), 0)
    assert latest(BLIND).failed_attempts == 0


async def test_a_line_that_is_down_is_no_fault_of_its_meters(practice):
    practice.meters.inject("line:L1", "refuse_connections", delay_s=60.0)

    async with practice.engine():
        await practice.until(swept)
        line = Line.get(Line.name == "L1")
        await practice.until(
            lambda: LineHealth.select().where(
                LineHealth.line_id == line.id, LineHealth.state == LineState.DOWN
            ).count()
        )  # fmt: skip
        message = LineHealth.get(LineHealth.line_id == line.id).message

    assert read_serials() == {FAR}
    assert (Sweep.get().read, Sweep.get().failed) == (1, 0)
    assert latest(CHECKED) is None
    assert message == "connect_failed"


async def test_a_line_that_comes_back_is_read_then(practice):
    practice.meters.inject("line:L1", "refuse_connections", delay_s=0.5)

    async with practice.engine():
        await practice.until(lambda: read_serials() == ALL)

    assert all(row.failed_attempts == 0 for row in Latest.select())


async def test_health_of_a_line_is_written_and_unknown_when_the_engine_has_left(practice):
    async with practice.engine():
        await practice.until(
            lambda: LineHealth.select().where(LineHealth.state == LineState.UP).count() == 2
        )
        await practice.until(swept)
        await practice.until(
            lambda: LineHealth.select().where(LineHealth.last_good_at.is_null(False)).count() == 2
        )

    assert {row.state for row in LineHealth.select()} == {LineState.UNKNOWN}
    assert all(row.requests > 0 for row in LineHealth.select())


async def test_number_and_prices_are_read_after_the_sweep(practice):
    async with practice.engine():
        await practice.until(
            lambda: Latest.select().where(Latest.settings.is_null(False)).count() == 4
        )

    settings = MeterSettings.from_json(latest(CHECKED).settings)
    prices = practice.meters.meter(CHECKED).prices
    assert [int(price * 10_000) for price in settings.prices] == prices


async def test_a_meter_with_another_number_is_believed_nothing_more(practice):
    practice.meters.meter(CHECKED).number = "209912310009"
    async with practice.engine():
        await practice.until(lambda: latest(CHECKED) and latest(CHECKED).seen_serial)
        was_read_at = latest(CHECKED).read_at
        make_due(CHECKED)
        await practice.until(lambda: latest(CHECKED).failed_attempts)
        assert latest(CHECKED).read_at == was_read_at
        practice.meters.meter(CHECKED).number = CHECKED
        make_due(CHECKED)
        await practice.until(lambda: latest(CHECKED).seen_serial is None)

    assert latest(CHECKED).read_at > was_read_at
    assert [event.kind for event in MeterEvent.select()] == [EventKind.OTHER_METER]
    assert latest(CHECKED).seen_serial is None


async def test_a_register_that_falls_is_believed_when_a_second_reading_agrees(practice):
    practice.meters.meter(CHECKED).energy_wh = 5_000_000
    async with practice.engine():
        await practice.until(swept)
        meter = practice.meters.meter(CHECKED)
        meter.energy_wh, meter.rate_wms = 1_000, [0, 0, 0, 0]
        make_due(CHECKED)
        await practice.until(lambda: reading(CHECKED).energy_wh == 1_000)
        await practice.until(lambda: swept() == 2)

    kinds = [event.kind for event in MeterEvent.select().order_by(MeterEvent.id)]
    assert kinds == [EventKind.QUARANTINE, EventKind.REGISTER_FELL]


async def test_somebody_elses_purchase_is_noticed_by_the_next_poll(practice):
    async with practice.engine():
        await practice.until(lambda: Meter.get(Meter.serial == CHECKED).mirror_count == COUNT)
        practice.meters.inject(f"meter:{CHECKED}", "foreign_purchase", amount_fen=5000)
        make_due(CHECKED)
        await practice.until(lambda: Meter.get(Meter.serial == CHECKED).frozen)

    assert MeterEvent.get().kind is EventKind.FOREIGN_PURCHASE


async def read_now(practice, serial):
    command = commands.request_read(serial, f"fresh {serial}")
    await practice.until(lambda: Command.get_by_id(command.id).state is not CommandState.QUEUED)
    return Command.get_by_id(command.id)


async def test_a_fresh_read_is_stored_at_once(practice):
    async with practice.engine():
        await practice.until(swept)
        practice.meters.meter(CHECKED).balance_fen = 77
        command = await read_now(practice, CHECKED)

    assert command.state is CommandState.APPLIED
    assert reading(CHECKED).balance_fen == 77


async def test_a_fresh_read_of_a_silent_meter_says_so(practice):
    async with practice.engine():
        await practice.until(swept)
        practice.meters.inject(f"meter:{CHECKED}", "no_reply", count=0)
        command = await read_now(practice, CHECKED)

    assert (command.state, command.reason) == (CommandState.REFUSED, "no_reply")
    assert reading(CHECKED).balance_fen == BALANCE_FEN
    assert latest(CHECKED).failed_attempts == 0


async def test_a_fresh_read_on_a_line_that_is_down_says_so(practice):
    async with practice.engine():
        await practice.until(swept)
        practice.meters.inject("line:L1", "refuse_connections", delay_s=60.0)
        practice.meters.inject("line:L1", "disconnect")
        await practice.until(
            lambda: LineHealth.select().where(LineHealth.state == LineState.DOWN).count()
        )
        command = await read_now(practice, CHECKED)

    assert (command.state, command.reason) == (CommandState.REFUSED, "line_down")


async def test_a_running_engine_sees_an_import(practice):
    with write_transaction():
        Meter.update(retired_at=clock.now()).where(Meter.serial == OTHER).execute()

    async with practice.engine():
        await practice.until(swept)
        assert read_serials() == ALL - {OTHER}
        with write_transaction():
            Meter.update(retired_at=None, rev=2).where(Meter.serial == OTHER).execute()
        await practice.until(lambda: read_serials() == ALL)


async def test_a_line_that_an_import_moved_is_connected_to_anew(practice):
    line = Line.get(Line.name == "L2")
    with write_transaction():
        Line.update(port=1).where(Line.id == line.id).execute()

    async with practice.engine():
        await practice.until(swept)
        assert FAR not in read_serials()
        with write_transaction():
            Line.update(port=line.port).where(Line.id == line.id).execute()
            Meter.update(rev=2).execute()
        await practice.until(lambda: read_serials() == ALL)


async def test_a_meter_of_a_model_without_a_map_is_left_out_and_the_others_are_read(practice):
    with write_transaction():
        Meter.update(model="NOBODY-1").where(Meter.serial == OTHER).execute()

    async with practice.engine():
        await practice.until(swept)

    assert read_serials() == ALL - {OTHER}


async def test_what_cannot_be_stored_stops_neither_engine_nor_the_other_line(practice):
    far = Meter.get(Meter.serial == FAR)
    with readings_transaction():
        Reading._meta.database.execute_sql(
            f"CREATE TRIGGER full BEFORE INSERT ON reading WHEN NEW.meter_id <> {far.id} "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )

    async with practice.engine() as engine:
        await practice.until(lambda: read_serials() == {FAR})
        with readings_transaction():
            Reading._meta.database.execute_sql("DROP TRIGGER full")
        await practice.until(lambda: read_serials() == ALL)

    assert engine.state == "stopped"


async def test_a_clock_that_is_set_back_makes_every_meter_due_once(practice, monkeypatch):
    wall = clock.now
    async with practice.engine():
        await practice.until(swept)
        monkeypatch.setattr("engine.clock.now", lambda: wall() - dt.timedelta(days=3))
        await practice.until(lambda: swept() == 2)
        await practice.until(
            lambda: Latest.select().where(Latest.attempted_at > clock.now()).count() == 0
        )
        await asyncio.sleep(5 * HURRY.tick_s)

    assert swept() == 2


async def test_a_lost_meter_is_tried_by_an_engine_that_starts_and_then_only_probed(practice):
    fault = practice.meters.inject(f"meter:{FAR}", "lost_request", count=0)
    yesterday = clock.now() - dt.timedelta(days=1)
    far = Meter.get(Meter.serial == FAR)
    with readings_transaction():
        Latest.create(
            meter_id=far.id, rev=1, failed_attempts=7, attempted_at=yesterday,
            first_failed_at=yesterday,
        )  # fmt: skip

    async with practice.engine():
        await practice.until(swept)
        await asyncio.sleep(5 * HURRY.tick_s)
        tries = fault.suffered

    assert tries == 1
    assert latest(FAR).failed_attempts == 8
    assert (Sweep.get().read, Sweep.get().failed) == (3, 1)
