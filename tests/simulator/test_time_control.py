"""Time control (时控): slots taken and shown as the reference has them, and kept to the minute."""

import json

import pytest

from tests.lone_meter import DAY_MS, HOUR_MS, LoneMeter

THREE = "DTSY1352-NK"
NIGHT_OFF = (  # work days: on 00:00, off 06:00, on 23:00
    "01 20 03 00 00 1C 38 01 01 01 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 00 00 00 00 00 01 00 00 00 00 06 01 00 17 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 FB B0"
)
TRIP, HOLD, RESUME = (
    "01 10 00 57 00 02 04 00 01 00 01 27 75",
    "01 10 00 57 00 02 04 00 01 00 00 E6 B5",
    "01 10 00 57 00 02 04 00 00 00 00 B7 75",
)


def order(*, free: str = "", work: str = "", mask: int = 0, apply: int = 1, on: int = 1) -> bytes:
    """The data of a whole TimeControl, with unnamed bytes A1 and A2."""
    head = bytes((apply, on, 1, 0, mask, 0xA1, 0xA2, 1))
    return head + b"".join(bytes.fromhex(each).ljust(24, b"\0") for each in (free, work))


def relay_at(bench: LoneMeter, hours: list[int]) -> list[bool]:
    """Whether the relay is closed at these hours of the day that has just begun."""
    start_ms, closed = bench.now_ms, []
    for hour in hours:
        bench.live_until(start_ms + hour * HOUR_MS)
        closed.append(bench.meter.relay_closed)
    return closed


def test_the_reference_frame_is_taken_and_read_back() -> None:
    bench = LoneMeter()

    assert bench.ask(NIGHT_OFF)[:6] == bytes.fromhex("01 20 03 00 00 1C")

    shown = bench.read(0x0420, 27)
    assert shown[3:6] == bytes(3)
    assert shown[6:30] == bytes(24)
    assert shown[30:] == bytes.fromhex("01 00 00 00 00 06 01 00 17").ljust(24, b"\0")
    assert bench.status[1] & 0x00F0 == 0x0090  # active, output of L1 closed


def test_the_relay_opens_and_closes_exactly_at_the_slots() -> None:
    bench = LoneMeter()
    bench.ask(NIGHT_OFF)
    midnight_ms = bench.now_ms

    bench.live(6 * HOUR_MS - 1)
    assert bench.meter.relay_closed
    bench.live(1)
    assert not bench.meter.relay_closed
    assert bench.status[1] & 0x00F0 == 0x0080
    bench.live(17 * HOUR_MS - 1)
    assert not bench.meter.relay_closed
    bench.live(1)
    assert bench.meter.relay_closed
    bench.live_until(midnight_ms + DAY_MS)

    assert bench.meter.energy_wh == 7000


def test_energy_stops_in_the_instant_of_the_slot_however_seldom_one_looks() -> None:
    bench = LoneMeter(load_w=None)
    seldom = LoneMeter(load_w=None)
    for each in (bench, seldom):
        each.ask(NIGHT_OFF)

    for _ in range(3 * 1440):
        bench.live(60_000)
    seldom.live(3 * DAY_MS)

    assert seldom.meter.memory() == bench.meter.memory()


def test_chosen_weekdays_go_by_the_free_days_list() -> None:
    bench = LoneMeter(balance_fen=1_000_000)  # from a Wednesday on
    work, free = "01 00 08 00 00 14", "01 00 0A 00 00 16"  # 08:00 to 20:00; 10:00 to 22:00
    bench.write(0x20, 0x0300, order(free=free, work=work, mask=0b1100_0000))  # Sunday, Saturday

    days = [relay_at(bench, [7, 9, 19, 21, 24]) for _ in range(6)]

    work_day, free_day = [False, True, True, False, False], [False, False, True, True, False]
    assert days == [work_day, work_day, work_day, free_day, free_day, work_day]


@pytest.mark.parametrize(
    ("mask", "days_on"),
    [
        pytest.param(0b0000_1000, 0, id="Wednesday"),
        pytest.param(0b0001_0000, 1, id="Thursday"),
        pytest.param(0b1000_0000, 4, id="Sunday"),
        pytest.param(0b0000_0010, 5, id="Monday"),
    ],
)
def test_each_bit_of_the_mask_is_its_weekday(mask: int, days_on: int) -> None:
    bench = LoneMeter()
    bench.write(0x20, 0x0300, order(free="01 00 00", work="00 00 00 00 01 00", mask=mask))

    closed = [relay_at(bench, [12, 24])[0] for _ in range(7)]

    assert closed == [day == days_on for day in range(7)]


def test_off_at_midnight_may_come_before_other_slots() -> None:
    bench = LoneMeter()
    bench.write(0x20, 0x0300, order(work="00 00 00 01 00 08 00 00 16"))

    assert relay_at(bench, [0, 7, 8, 21, 22, 24]) == [False, False, True, True, False, False]


def test_a_day_without_slots_is_on() -> None:
    bench = LoneMeter()
    bench.write(0x20, 0x0300, order())

    bench.live(DAY_MS)

    assert bench.meter.energy_wh == 24_000
    assert bench.status[1] & 0x00F0 == 0x0090


@pytest.mark.parametrize(
    "slots",
    [
        pytest.param("02 00 00", id="state 2"),
        pytest.param("01 00 19", id="25:00"),
        pytest.param("01 3C 08", id="08:60"),
        pytest.param("01 00 08 00 00 07", id="descending"),
        pytest.param("01 00 08 00 00 08", id="the same time twice"),
        pytest.param("01 00 08 00 00 00 00 00 14", id="a gap"),
    ],
)
@pytest.mark.parametrize("which", ["free", "work"])
def test_slots_that_cannot_be_are_refused_and_change_nothing(slots: str, which: str) -> None:
    bench = LoneMeter()
    bench.ask(NIGHT_OFF)
    before = bench.meter.memory()

    reply = bench.write(0x20, 0x0300, order(**{which: slots}))

    assert reply[:3] == b"\x01\xa0\x03"
    assert bench.meter.memory() == before


def test_what_has_no_flag_stays() -> None:
    bench = LoneMeter()
    bench.write(0x20, 0x0300, order(work="01 00 08 00 00 14", mask=0xC0))
    before = bench.read(0x0420, 27)

    bench.write(0x20, 0x0300, bytes((1, 0)) + bytes(54))

    assert bench.read(0x0420, 27)[3:] == before[3:]
    assert bench.status[1] & 0x00F0 == 0


def test_the_three_phases_are_set_alone_or_together() -> None:
    bench = LoneMeter(THREE)
    bench.write(0x20, 0x031C, order(work="01 00 08", mask=0x40))

    shown = bench.read(0x0420, 79)
    assert shown[2:54] == bytes(52)
    assert shown[54:58].hex(" ") == "00 40 a1 a2"
    assert shown[82:85] == bytes.fromhex("01 00 08")
    assert bench.status[1] & 0x00F0 == 0x00A0  # of L2 alone

    bench.write(0x20, 0x0338, order(work="01 00 09", apply=0xFF))

    shown = bench.read(0x0420, 79)
    assert [shown[at : at + 3].hex() for at in (30, 82, 134)] == ["010009"] * 3
    assert shown[:2] == bytes(2)  # no bit set: all on
    assert bench.status[1] & 0x00F0 == 0x00F0


def test_one_phase_has_no_others() -> None:
    assert LoneMeter().write(0x20, 0x031C, order())[:3] == b"\x01\xa0\x02"


@pytest.mark.parametrize(
    ("frame", "closed"),
    [
        pytest.param(HOLD, [True, True, True], id="held on, time does not matter"),
        pytest.param(TRIP, [False, False, False], id="tripped by hand, time does not matter"),
        pytest.param(RESUME, [True, False, True], id="left to itself, time decides"),
    ],
)
def test_force_comes_before_time(frame: str, closed: list[bool]) -> None:
    bench = LoneMeter()
    bench.ask(NIGHT_OFF)
    bench.ask(frame)

    assert relay_at(bench, [5, 12, 23]) == closed


def test_without_money_the_relay_stays_open_whatever_the_hour() -> None:
    bench = LoneMeter(balance_fen=0)
    bench.ask(NIGHT_OFF)

    assert relay_at(bench, [1, 12, 23]) == [False, False, False]


def test_a_purchase_while_time_keeps_it_open_waits_for_the_slot() -> None:
    bench = LoneMeter(balance_fen=0)
    bench.ask(NIGHT_OFF)
    bench.live(12 * HOUR_MS)

    bench.meter.purchase(10_000, 6)

    assert relay_at(bench, [1, 10, 11]) == [False, False, True]


def test_overload_keeps_open_what_time_would_close() -> None:
    bench = LoneMeter(load_w=9000)
    bench.ask(NIGHT_OFF)
    bench.write(0x20, 0x0400, "01 01 01 17 70 00 00 00 00 00 00 01 00 01" + "00" * 12)

    assert relay_at(bench, [5, 12, 23]) == [False, False, False]


def test_it_goes_by_the_meters_own_clock() -> None:
    bench = LoneMeter()
    bench.ask(NIGHT_OFF)

    bench.write(0x20, 0x0354, "00 00 0A 03 0F 07 1A 00 00 00")  # it believes it is 10:00

    assert not bench.meter.relay_closed
    assert relay_at(bench, [12, 13]) == [False, True]


def test_time_control_survives_a_state_file() -> None:
    bench = LoneMeter(THREE)
    bench.write(0x20, 0x0300, order(work="01 00 08 00 00 14", mask=0xC0, apply=0xFF))
    other = LoneMeter(THREE)

    other.meter.remember(json.loads(json.dumps(bench.meter.memory())))
    for each in (bench, other):
        each.live(3 * DAY_MS)

    assert other.meter.memory() == bench.meter.memory()
    assert other.read(0x0420, 79) == bench.read(0x0420, 79)
