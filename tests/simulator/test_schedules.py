"""Both daily schedules and the yearly zones: written and read as the reference has them, obeyed."""

import datetime as dt
import json

import pytest

from engine.bus.registers import load_map
from engine.bus.simulator.meter import SimMeter
from tests.lone_meter import DAY_MS, HOUR_MS, LoneMeter

SINGLE, THREE = "DDSY1352-NK", "DTSY1352-NK"
SLOTS = "04 00 00 03 00 07 02 00 0A 03 00 0F 02 00 12 01 00 13 02 00 15 04 00 17" + " 00" * 18
ZONES = "01 01 01 02 01 07 01 01 0A 00 00 00"  # 1 Jan: 1, 1 Jul: 2, 1 Oct: 1
REFUSED = b"\x01\x90\x03"
ALL_SHARP, ALL_VALLEY = "01 00 00" + " 00" * 39, "04 00 00" + " 00" * 39


def at(month: int, day: int, hour: int = 0) -> int:
    """Unix milliseconds of an hour in China, 2026."""
    zone = dt.timezone(dt.timedelta(hours=8))
    return int(dt.datetime(2026, month, day, hour, tzinfo=zone).timestamp()) * 1000


def used(meter: SimMeter) -> list[int]:
    return meter.rate_wh


@pytest.mark.parametrize(
    ("model", "frame", "reply", "register"),
    [
        pytest.param(
            SINGLE,
            f"01 10 20 06 00 15 2A {SLOTS} BF 0B",
            "01 10 20 06 00 15 EA 07",
            0x2006,
            id="one phase",
        ),
        pytest.param(
            THREE, f"01 10 20 00 00 15 2A {SLOTS} DC 20", "01 10 20 00 00 15", 0x2000, id="three"
        ),
    ],
)
def test_schedule_1_is_taken_and_shown_where_its_family_has_it(
    model: str, frame: str, reply: str, register: int
) -> None:
    bench = LoneMeter(model)
    bench.write(0x10, register, ALL_SHARP)

    assert bench.ask(frame).startswith(bytes.fromhex(reply))

    assert bench.read(register, 21) == bytes.fromhex(SLOTS)


@pytest.mark.parametrize(("model", "register"), [(SINGLE, 0x201B), (THREE, 0x2015)])
def test_schedule_2_is_taken_and_shown_where_its_family_has_it(model: str, register: int) -> None:
    bench = LoneMeter(model)

    reply = bench.write(0x10, register, ALL_VALLEY)

    assert reply[:6] == b"\x01\x10" + register.to_bytes(2) + b"\x00\x15"
    assert bench.read(register, 21) == bytes.fromhex(ALL_VALLEY)
    first = 0x2006 if model == SINGLE else 0x2000
    assert bench.read(first, 21) == bytes.fromhex(SLOTS)


@pytest.mark.parametrize(
    ("model", "frame", "register"),
    [
        pytest.param(SINGLE, f"01 10 20 00 00 06 0C {ZONES} 2A 42", 0x2000, id="one phase"),
        pytest.param(THREE, f"01 10 00 28 00 06 0C {ZONES} 2D 96", 0x0028, id="three"),
    ],
)
def test_zones_are_taken_and_shown_where_their_family_has_them(
    model: str, frame: str, register: int
) -> None:
    bench = LoneMeter(model)

    assert bench.ask(frame)[:6] == bytes.fromhex(frame)[:6]

    assert bench.read(register, 6) == bytes.fromhex(ZONES)


@pytest.mark.parametrize(
    ("model", "frame"),
    [
        pytest.param(SINGLE, f"01 10 20 00 00 15 2A {SLOTS} DC 20", id="schedule 1 to one phase"),
        pytest.param(SINGLE, f"01 10 00 28 00 06 0C {ZONES} 2D 96", id="zones to one phase"),
        pytest.param(THREE, f"01 10 20 00 00 06 0C {ZONES} 2A 42", id="zones to three phases"),
        pytest.param(THREE, f"01 10 20 06 00 15 2A {SLOTS} BF 0B", id="schedule 1 to three"),
    ],
)
def test_the_other_familys_place_is_an_illegal_address(model: str, frame: str) -> None:
    bench = LoneMeter(model)
    before = bench.meter.memory()

    assert bench.ask(frame)[:3] == b"\x01\x90\x02"

    assert bench.meter.memory() == before


@pytest.mark.parametrize(
    "slots",
    [
        pytest.param("05 00 00", id="rate 5"),
        pytest.param("01 00 00 02 00 19", id="25:00"),
        pytest.param("01 00 00 02 00 18", id="24:00"),
        pytest.param("01 00 00 02 3C 07", id="07:60"),
        pytest.param("01 00 00 02 00 0A 03 00 09", id="descending"),
        pytest.param("01 00 00 02 00 0A 03 00 0A", id="the same time twice"),
        pytest.param("00 00 00 01 00 07", id="an unused slot before a used one"),
        pytest.param("01 00 00 00 00 07", id="a time without a rate"),
        pytest.param("", id="no slot at all"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_and_changes_nothing(slots: str) -> None:
    bench = LoneMeter()
    before = bench.meter.memory()

    reply = bench.write(0x10, 0x2006, bytes.fromhex(slots).ljust(42, b"\0"))

    assert reply[:3] == REFUSED
    assert bench.meter.memory() == before


@pytest.mark.parametrize(
    "zones",
    [
        pytest.param("03 01 01", id="schedule 3"),
        pytest.param("01 01 01 02 00 07", id="day 0"),
        pytest.param("01 1F 04", id="31 April"),
        pytest.param("01 1E 02", id="30 February"),
        pytest.param("01 01 0D", id="month 13"),
        pytest.param("01 01 07 02 01 01", id="descending"),
        pytest.param("01 01 07 02 01 07", id="the same date twice"),
        pytest.param("00 00 00 02 01 07", id="an unused zone before a used one"),
    ],
)
def test_zones_that_cannot_be_are_refused_and_change_nothing(zones: str) -> None:
    bench = LoneMeter()
    before = bench.meter.memory()

    reply = bench.write(0x10, 0x2000, bytes.fromhex(zones).ljust(12, b"\0"))

    assert reply[:3] == REFUSED
    assert bench.meter.memory() == before


def test_schedule_2_may_be_empty_only_while_no_zone_begins_it() -> None:
    bench = LoneMeter()
    assert bench.write(0x10, 0x201B, bytes(42))[1] == 0x10

    assert bench.write(0x10, 0x2000, ZONES)[:3] == REFUSED
    bench.write(0x10, 0x201B, ALL_VALLEY)
    assert bench.write(0x10, 0x2000, ZONES)[1] == 0x10
    assert bench.write(0x10, 0x201B, bytes(42))[:3] == REFUSED


def test_a_zone_begins_at_midnight_of_its_date() -> None:
    bench = LoneMeter(at_ms=at(6, 30, 23))
    bench.write(0x10, 0x2006, ALL_SHARP)
    bench.write(0x10, 0x201B, ALL_VALLEY)
    bench.write(0x10, 0x2000, ZONES)

    bench.live(3 * HOUR_MS)

    assert used(bench.meter) == [1000, 0, 0, 2000]
    assert bench.meter.balance_fen == 100_000 - 120 - 2 * 40


@pytest.mark.parametrize(
    ("month", "day", "expected"),
    [
        pytest.param(1, 1, 2, id="New Year: as the last zone left it"),
        pytest.param(3, 14, 2, id="the day before the first zone"),
        pytest.param(3, 15, 1, id="the first zone's day"),
        pytest.param(10, 31, 1, id="the day before the last zone"),
        pytest.param(11, 1, 2, id="the last zone's day"),
        pytest.param(12, 31, 2, id="New Year's Eve"),
    ],
)
def test_zones_wrap_over_new_year(month: int, day: int, expected: int) -> None:
    bench = LoneMeter(at_ms=at(month, day))
    bench.write(0x10, 0x2006, ALL_SHARP)
    bench.write(0x10, 0x201B, ALL_VALLEY)
    bench.write(0x10, 0x2000, "01 0F 03 02 01 0B 00 00 00 00 00 00")

    bench.live(DAY_MS)

    sharp_wh, _, _, valley_wh = used(bench.meter)
    assert (sharp_wh, valley_wh) == ((24_000, 0) if expected == 1 else (0, 24_000))


def test_without_zones_schedule_1_rules_all_year() -> None:
    bench = LoneMeter()
    bench.write(0x10, 0x2006, ALL_SHARP)
    bench.write(0x10, 0x201B, ALL_VALLEY)
    assert bench.write(0x10, 0x2000, bytes(12))[1] == 0x10

    bench.live(HOUR_MS)

    assert used(bench.meter) == [1000, 0, 0, 0]
    assert bench.read(0x2000, 6) == bytes(12)


def test_the_rate_follows_the_meters_own_clock() -> None:
    bench = LoneMeter()  # 00:00, valley until 07:00
    bench.write(0x20, 0x0354, "00 00 0A 03 0F 07 1A 00 00 00")  # it believes it is 10:00, peak

    bench.live(HOUR_MS)

    assert used(bench.meter) == [0, 1000, 0, 0]


def test_with_the_multi_rate_bit_off_all_is_flat() -> None:
    bench = LoneMeter()
    bench.ask("01 10 00 22 00 01 02 00 40")

    bench.live(DAY_MS)

    assert used(bench.meter) == [0, 0, 24_000, 0]
    assert bench.meter.balance_fen == 100_000 - 24 * 70


def test_the_maps_order_of_a_slot_and_a_zone_is_the_meters(tmp_path) -> None:
    file = tmp_path / "other.toml"
    file.write_text(
        'model = "OTHER"\nlike = "DDSY1352-NK"\n[choices]\n'
        'price_scale = "0.0001"\nmoney_scale = 1\nthreshold_scale = 1\nlimit_scale = 1\n'
        'demand_scale = 1\nslot_order = ["hour", "minute", "rate"]\n'
        'zone_order = ["month", "day", "schedule"]\n',
        encoding="utf-8",
    )
    bench = LoneMeter(meter_map=load_map(file))

    assert bench.write(0x10, 0x2000, "01 01 01 07 01 02 00 00 00 00 00 00")[1] == 0x10
    assert bench.meter.zones == ((1, 1, 1), (2, 7, 1))
    assert bench.read(0x2006, 21)[:6] == bytes.fromhex("00 00 04 07 00 03")


def test_schedules_and_zones_survive_a_state_file() -> None:
    bench = LoneMeter(at_ms=at(6, 30, 23))
    bench.write(0x10, 0x201B, ALL_VALLEY)
    bench.write(0x10, 0x2000, ZONES)
    kept = json.loads(json.dumps(bench.meter.memory()))
    other = LoneMeter(at_ms=at(6, 30, 23))

    other.meter.remember(kept)
    for each in (bench, other):
        each.live(DAY_MS)

    assert other.meter.memory() == bench.meter.memory()
    assert other.read(0x201B, 21) == bytes.fromhex(ALL_VALLEY)
