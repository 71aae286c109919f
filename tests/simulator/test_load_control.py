"""Load control by phase: kept as sent, read back as the reference has it, tripping the meter."""

import pytest

from tests.lone_meter import DAY_MS, MINUTE_MS, LoneMeter

THREE = "DTSY1352-NK"
LIMIT_8_KW = (
    "01 20 04 00 00 0D 1A 01 01 01 1F 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 F3 E4"
)
RESET = "01 20 04 10 00 04 08 00 00 00 00 00 00 01 00 48 A1"
ALL_ITEMS = (  # on, 6.000 kW, malignant 0x0102 and 0x0304, 3 min, 4 trips, unnamed 0x0506 and 07
    "01 01 01 17 70 01 02 03 04 01 03 01 00 04 01 05 06 01 07 00 00 00 00 00 00 00"
)


def of_trips(bench: LoneMeter) -> tuple[int, int]:
    """Registers 0222 and 0223."""
    main = bench.read(0x0200, 48)
    return int.from_bytes(main[68:70]), int.from_bytes(main[70:72])


def test_one_phase_is_read_back_at_0480() -> None:
    bench = LoneMeter()

    assert bench.ask(LIMIT_8_KW)[:6] == bytes.fromhex("01 20 04 00 00 0D")

    assert bench.read(0x0480, 7).hex(" ") == "00 01 1f 40 00 00 00 00 00 00 00 0a 05 00"


def test_every_item_is_kept_and_shown_unchanged() -> None:
    bench = LoneMeter()

    bench.write(0x20, 0x0400, ALL_ITEMS)

    assert bench.read(0x0480, 7).hex(" ") == "00 01 17 70 01 02 03 04 05 06 00 04 03 07"


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        pytest.param("01 00", "00 00 17 70 01 02 03 04 05 06 00 04 03 07", id="off"),
        pytest.param(
            "00 00 01 00 64 00 01 00 02",
            "00 01 00 64 00 01 00 02 05 06 00 04 03 07",
            id="limit and malignant load together",
        ),
        pytest.param(
            "00" * 9 + "01 09", "00 01 17 70 01 02 03 04 05 06 00 04 09 07", id="recovery"
        ),
        pytest.param(
            "00" * 11 + "01 01 00", "00 01 17 70 01 02 03 04 05 06 01 00 03 07", id="trips"
        ),
        pytest.param("00" * 26, "00 01 17 70 01 02 03 04 05 06 00 04 03 07", id="nothing"),
    ],
)
def test_what_has_no_flag_stays(item: str, shown: str) -> None:
    bench = LoneMeter(load_w=0)
    bench.write(0x20, 0x0400, ALL_ITEMS)

    bench.write(0x20, 0x0400, bytes.fromhex(item).ljust(26, b"\0"))

    assert bench.read(0x0480, 7).hex(" ") == shown


@pytest.mark.parametrize(
    ("register", "enable", "places"),
    [
        pytest.param(0x0400, 0b0011, (0,), id="L1"),
        pytest.param(0x040D, 0b0101, (1,), id="L2"),
        pytest.param(0x041A, 0b0110, (2,), id="L3"),
    ],
)
def test_a_phase_of_three_is_set_alone(register: int, enable: int, places: tuple[int]) -> None:
    bench = LoneMeter(THREE)
    assert bench.read(0x0480, 19)[:2].hex() == "000f"  # a set bit is off

    bench.write(0x20, register, ALL_ITEMS)

    shown = bench.read(0x0480, 19)
    assert int.from_bytes(shown[:2]) == enable
    untouched, written = "0000 0000 0000 0000 000a 05 00", "1770 0102 0304 0506 0004 03 07"
    for place in range(3):
        expected = written if place in places else untouched
        assert shown[2 + 12 * place : 14 + 12 * place] == bytes.fromhex(expected)


def test_ff_is_for_all_phases() -> None:
    bench = LoneMeter(THREE)

    bench.write(0x20, 0x0400, "FF" + ALL_ITEMS[2:])

    assert bench.read(0x0480, 19) == bytes(2) + 3 * bytes.fromhex("1770 0102 0304 0506 0004 03 07")
    assert bench.status[1] & 0x0F00 == 0x0F00


@pytest.mark.parametrize("register", [0x040D, 0x041A])
def test_one_phase_has_no_others(register: int) -> None:
    assert LoneMeter().write(0x20, register, ALL_ITEMS)[:3] == b"\x01\xa0\x02"


def test_another_apply_flag_is_refused_and_changes_nothing() -> None:
    bench = LoneMeter(THREE)
    before = bench.meter.memory()

    assert bench.write(0x20, 0x0400, "02" + ALL_ITEMS[2:])[:3] == b"\x01\xa0\x03"

    assert bench.meter.memory() == before


def test_a_phase_over_its_limit_trips_the_meter() -> None:
    bench = LoneMeter(THREE, load_w=15_000)
    bench.write(0x20, 0x041A, "01 01 01 10 00" + "00" * 21)  # 4.096 kW on L3 alone: about 5 drawn

    bench.live(MINUTE_MS)

    assert of_trips(bench) == (1, 10)
    assert bench.status[0] & 0xE010 == 0x0010
    assert bench.status[1] & 0x0F00 == 0x0800


def test_behind_transformers_the_limit_is_secondary() -> None:
    bench = LoneMeter(THREE, load_w=24_000, ct_ratio=20)
    bench.write(0x20, 0x0400, "FF 01 01 01 F4" + "00" * 21)  # 0.5 kW, real 10 kW a phase
    bench.live(MINUTE_MS)
    assert of_trips(bench) == (0, 10)

    bench.meter.load_w = 40_000
    bench.live(MINUTE_MS)

    assert of_trips(bench) == (1, 10)


def test_a_trip_is_counted_and_recovers_after_the_time_that_was_set() -> None:
    bench = LoneMeter(load_w=9000)
    bench.write(0x20, 0x0400, ALL_ITEMS)  # 6 kW, back after 3 minutes, 4 trips
    bench.live(2 * MINUTE_MS)
    assert of_trips(bench) == (1, 4)
    assert not bench.meter.relay_closed

    bench.meter.load_w = 5000
    bench.live(MINUTE_MS + 3000)

    assert bench.meter.relay_closed
    assert of_trips(bench) == (1, 4)


def test_when_the_trips_are_used_up_only_a_reset_helps() -> None:
    bench = LoneMeter(load_w=9000)
    bench.write(0x20, 0x0400, ALL_ITEMS)
    bench.live(DAY_MS)
    assert of_trips(bench) == (4, 4)
    bench.meter.load_w = 100
    bench.meter.purchase(10_000, 6)
    bench.live(DAY_MS)
    assert not bench.meter.relay_closed

    assert bench.ask(RESET)[:6] == bytes.fromhex("01 20 04 10 00 04")
    bench.live(3000)

    assert of_trips(bench) == (0, 4)
    assert bench.meter.relay_closed


def test_a_reset_to_no_trips_left_resets_nothing() -> None:
    bench = LoneMeter(load_w=9000)
    bench.write(0x20, 0x0400, ALL_ITEMS)
    bench.live(DAY_MS)

    bench.write(0x20, 0x0410, "00 00 00 00 00 00 01 04")
    bench.live(3000)

    assert of_trips(bench) == (4, 4)
    assert not bench.meter.relay_closed


def test_load_control_switched_off_holds_nothing_open() -> None:
    bench = LoneMeter(load_w=9000)
    bench.write(0x20, 0x0400, ALL_ITEMS)
    bench.live(DAY_MS)

    bench.write(0x20, 0x0400, "01 00" + "00" * 24)
    bench.live(3000)

    assert bench.meter.relay_closed
    assert bench.status[1] & 0x0900 == 0


def test_a_held_meter_does_not_trip() -> None:
    bench = LoneMeter(load_w=9000)
    bench.write(0x20, 0x0400, ALL_ITEMS)
    bench.ask("01 10 00 57 00 02 04 00 01 00 00 E6 B5")

    bench.live(DAY_MS)

    assert bench.meter.relay_closed
    assert of_trips(bench) == (0, 4)


def test_prepay_parameters_write_and_show_the_limit() -> None:
    bench = LoneMeter()
    data = bytearray(bench.read(0x0046, 28))
    data[54:56] = bytes.fromhex("1F 40")

    bench.write(0xAA, 0x0046, bytes(data))

    assert bench.read(0x0046, 28)[54:56].hex() == "1f40"
    assert bench.read(0x0480, 7)[2:4].hex() == "1f40"


def test_a_memory_from_before_limits_were_by_phase_still_loads() -> None:
    bench = LoneMeter(THREE, load_w=0)
    kept = bench.meter.memory()
    kept["overload"] = {
        "enabled": True, "limit_w": 9000, "recovery_min": 7, "trips": 2, "trips_max": 4,
        "recover_at_ms": None,
    }  # fmt: skip
    for name in ("times", "time_cut", "clock", "schedule2", "zones", "unnamed_0418"):
        del kept[name]
    kept["clock_offset_ms"] = 8 * 3_600_000 + 60_000

    bench.meter.remember(kept)

    assert of_trips(bench) == (2, 4)
    assert bench.read(0x0480, 19)[2:4] == (3000).to_bytes(2)
    assert bench.read(0x0200, 48)[84:87] == bytes((0, 1, 0))
