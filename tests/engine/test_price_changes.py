"""Tariffs over real sockets: at a boundary prices change once, read back, whatever happens."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from engine import agenda, clock
from engine.services import calendars, commands, downloads, pricing, tariffs
from models.commands import Command
from models.enums import ChangeCause, CommandKind, CommandState, SpecialDayKind
from models.metering import Latest
from models.site import Meter
from models.tariffs import PriceChange, StepCycle
from tests.engine.conftest import CHECKED, OTHER

FLAT, DEARER = [Decimal("0.7")] * 4, [Decimal("0.9")] * 4
TOU = [Decimal("1.2"), Decimal("1.0"), Decimal("0.7"), Decimal("0.4")]
HELD = {"0.7": [7000] * 4, "0.9": [9000] * 4}
STEPS = "0-0.05: +0; 0.05-: +0.2"  # kWh: a meter at rest may rise by no more in a moment
AT_MIDDAY = 12
QUIET_S = 1.5  # three looks of the agenda


@pytest.fixture(autouse=True)
def site_clock(monkeypatch):
    """The engine's wall clock, a moment that goes on from noon at the site; a test may shift it."""
    true = clock.now
    shift = dt.timedelta(0)

    class Shifted:
        def __init__(self) -> None:
            self.shift = shift

        def __call__(self) -> dt.datetime:
            return true() + self.shift

        def to(self, local: dt.datetime) -> None:
            self.shift += local - self()

    shifted = Shifted()
    monkeypatch.setattr("engine.clock.now", shifted)
    return shifted


@pytest.fixture
def day(practice, site_clock) -> dt.date:
    """Today at the site, which is a Wednesday."""
    zone = practice.config.site.zone
    today = clock.now().astimezone(zone).date()
    wednesday = today + dt.timedelta(days=(2 - today.weekday()) % 7 + 7)
    site_clock.to(dt.datetime.combine(wednesday, dt.time(AT_MIDDAY), tzinfo=zone))
    return wednesday


def midnight(practice, day: dt.date) -> dt.datetime:
    return pricing.midnight(day, practice.config)


def publish(practice, day, prices=FLAT, schedule="", steps="", cycle="", asked=()):
    tariffs.publish(
        "商铺", day, prices, schedule, steps, cycle, "", practice.chief,
        config=practice.config, asked=asked,
    )  # fmt: skip


async def told(practice, serial=CHECKED) -> None:
    """The meter has the tariff, a reading, and its prices in it; by an engine that has run."""
    tariffs.assign([serial], "商铺", practice.chief)
    read = commands.request_read(serial, f"first-{serial}", expires_s=60)
    number = downloads.request(serial, practice.chief, f"hand-{serial}", config=practice.config).id
    assert (await practice.ended(number)).state is CommandState.APPLIED
    await practice.ended(read.id)
    await practice.until(lambda: Latest.get_or_none(Latest.meter_id == meter_id(serial)))


async def read(practice, serial=CHECKED) -> None:
    """Two that agree: a rise that looks too fast is believed."""
    for _ in range(2):
        number = Command.select().count()
        await practice.ended(commands.request_read(serial, f"read-{number}").id)


def meter_id(serial=CHECKED) -> int:
    return Meter.get(Meter.serial == serial).id


def applied() -> bool:
    rows = list(PriceChange.select())
    return bool(rows) and all(row.late_wh is not None for row in rows)


def downloads_of(serial=CHECKED) -> list[CommandState]:
    query = Command.select().where(Command.kind == CommandKind.DOWNLOAD, Command.serial == serial)
    return [each.state for each in query.order_by(Command.id)]


async def test_a_version_reaches_its_meters_at_its_midnight_and_is_read_back(
    practice, day, site_clock
):
    publish(practice, day)
    publish(practice, day + dt.timedelta(days=1), DEARER)
    meter, other = practice.meters.meter(CHECKED), practice.meters.meter(OTHER)
    async with practice.engine():
        await told(practice)
        assert meter.prices == HELD["0.7"]
        site_clock.to(midnight(practice, day + dt.timedelta(days=1)) - dt.timedelta(seconds=1))
        await practice.until(applied)
        await asyncio.sleep(QUIET_S)

    (change,) = PriceChange.select()
    assert meter.prices == HELD["0.9"]
    assert other.prices == [12_000, 10_000, 7_000, 4_000]  # on the site's prices: left to people
    assert (change.cause, change.late_wh, change.late_fen) == (ChangeCause.VERSION, 0, 0)
    assert change.balance_fen == meter.balance_fen
    assert 0 <= (change.applied_at - change.due_at).total_seconds() < 20
    assert downloads_of() == [CommandState.APPLIED] * 2
    assert Latest.get(Latest.meter_id == meter_id()).held.count('"0.9000"') == 4


async def test_a_step_that_is_crossed_changes_the_prices_once(practice, day):
    publish(practice, day, FLAT, "", STEPS, "monthly")
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        await practice.until(_cycle_known)
        meter.energy_wh += 70
        meter.rate_wms[2] += 70 * 3_600_000
        await read(practice)
        await practice.until(applied)
        await read(practice)
        await asyncio.sleep(QUIET_S)

    (change,) = PriceChange.select()
    assert meter.prices == HELD["0.9"]
    assert change.cause is ChangeCause.STEP
    assert (change.late_wh, change.late_fen, change.estimated) == (20, 0, False)
    assert downloads_of() == [CommandState.APPLIED] * 2


async def test_what_was_used_before_a_step_reached_the_meter_is_exact(practice, day, monkeypatch):
    """Nobody looks while 5 kWh go by at the old price: 5 x 0.20 yuan."""
    publish(practice, day, FLAT, "", STEPS, "monthly")
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        await practice.until(_cycle_known)
    with monkeypatch.context() as patch:
        patch.setattr(agenda, "STEPS", ())
        async with practice.engine():
            meter.energy_wh += 5050
            meter.rate_wms[2] += 5050 * 3_600_000
            await read(practice)
    assert PriceChange.select().count() == 0

    async with practice.engine():
        await practice.until(applied)

    (change,) = PriceChange.select()
    assert (change.late_wh, change.late_fen, change.estimated) == (5000, 100, False)


def _cycle_known() -> bool:
    return StepCycle.select().exists()


async def test_before_a_step_the_engine_reads_the_meter_by_itself(practice, day, site_clock):
    publish(practice, day, FLAT, "", "0-1: +0; 1-: +0.2", "monthly")
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        await practice.until(_cycle_known)
        meter.load_w, meter.energy_wh = 5000, meter.energy_wh + 900
        await read(practice)
        meter.load_w, meter.energy_wh = 0, meter.energy_wh + 110
        site_clock.shift += dt.timedelta(seconds=80)
        await practice.until(applied)

    assert meter.prices == HELD["0.9"]
    asked = Command.select().where(Command.request_id.startswith("step-"))
    assert asked.exists()


async def test_a_holiday_has_its_own_hours_from_its_midnight(practice, day, site_clock):
    holiday = day + dt.timedelta(days=1)
    calendars.set_days([(holiday, SpecialDayKind.HOLIDAY, "节")], practice.chief)
    publish(practice, day, TOU, "00:00 flat, 08:00 peak; holidays 00:00 valley")
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        assert len(meter.schedule) == 2
        site_clock.to(midnight(practice, holiday))
        await practice.until(applied)
        assert len(meter.schedule) == 1
        site_clock.to(midnight(practice, holiday + dt.timedelta(days=1)))
        await practice.until(lambda: PriceChange.select().count() == 2 and applied())

    assert len(meter.schedule) == len(meter.schedule2) == 2
    assert [row.cause for row in PriceChange.select()] == [ChangeCause.DAY] * 2


async def test_a_line_that_is_down_at_the_boundary_has_its_prices_when_it_is_back(
    practice, day, site_clock
):
    tomorrow = day + dt.timedelta(days=1)
    publish(practice, day)
    publish(practice, tomorrow, DEARER)
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        site_clock.to(midnight(practice, tomorrow) - dt.timedelta(minutes=1))
        await read(practice)
        practice.meters.inject("line:L1", "refuse_connections", delay_s=2.0)
        practice.meters.inject("line:L1", "disconnect")
        site_clock.to(midnight(practice, tomorrow))
        await practice.until(lambda: PriceChange.select().exists())
        assert meter.prices == HELD["0.7"]
        await practice.until(applied)

    (change,) = PriceChange.select()
    assert meter.prices == HELD["0.9"]
    assert (change.late_wh, change.late_fen) == (0, 0)


async def test_an_engine_that_stops_between_writing_down_and_sending_sends_it_once(
    practice, day, site_clock
):
    tomorrow = day + dt.timedelta(days=1)
    publish(practice, day)
    publish(practice, tomorrow, DEARER)
    meter = practice.meters.meter(CHECKED)
    async with practice.engine():
        await told(practice)
        practice.meters.inject("line:L1", "refuse_connections", delay_s=60.0)
        practice.meters.inject("line:L1", "disconnect")
        site_clock.to(midnight(practice, tomorrow))
        await practice.until(lambda: PriceChange.select().exists())
    assert meter.prices == HELD["0.7"]
    practice.meters.inject("line:L1", "clear")
    practice.meters.inject("line:L1", "refuse_connections", delay_s=0.0)

    async with practice.engine():
        await practice.until(applied)
        await asyncio.sleep(QUIET_S)

    assert meter.prices == HELD["0.9"]
    assert PriceChange.select().count() == 1
    assert downloads_of() == [CommandState.APPLIED] * 2


async def test_two_engines_and_a_clock_set_back_make_one_change(practice, day, site_clock):
    tomorrow = day + dt.timedelta(days=1)
    publish(practice, day)
    publish(practice, tomorrow, DEARER)
    async with practice.engine(), practice.engine():
        await told(practice)
        site_clock.to(midnight(practice, tomorrow))
        await practice.until(applied)
        site_clock.shift -= dt.timedelta(hours=1)
        await asyncio.sleep(QUIET_S)
        site_clock.shift += dt.timedelta(hours=1)
        await asyncio.sleep(QUIET_S)
    async with practice.engine():
        await asyncio.sleep(QUIET_S)

    assert practice.meters.meter(CHECKED).prices == HELD["0.9"]
    assert PriceChange.select().count() == 1
    assert downloads_of() == [CommandState.APPLIED] * 2
