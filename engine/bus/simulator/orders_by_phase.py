"""Load control, time control and the tables of the day and the year, as a meter takes them."""

from collections.abc import Callable

from engine.bus.simulator import tou
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.refusal import ILLEGAL_VALUE, Refusal
from engine.bus.simulator.time_control import switches_of

LOAD_AT, LOAD_COUNT = (0x0400, 0x040D, 0x041A), 13  # L1, L2, L3
TIME_AT, TIME_COUNT = (0x0300, 0x031C, 0x0338), 28
THIS_PHASE, ALL_PHASES = 1, 0xFF


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])


def _chosen(meter: SimMeter, data: bytes, phase: int) -> range:
    """The phases an order is for, by its first byte; without that flag on and off stay."""
    if data[0] not in (0, THIS_PHASE, ALL_PHASES):
        raise Refusal(ILLEGAL_VALUE)
    return range(meter.plate.phases) if data[0] == ALL_PHASES else range(phase, phase + 1)


def power_control(meter: SimMeter, data: bytes, *, phase: int) -> None:
    """20 @ 0400 (5.5): load control; the malignant-load values are kept and not played."""
    for place in _chosen(meter, data, phase):
        load = meter.overload.phases[place]
        if data[0]:
            load.enabled = bool(data[1])
        if data[2]:
            load.limit_w = _u16(data, 3)
            load.malignant_step, load.malignant_factor = _u16(data, 5), _u16(data, 7)
        if data[9]:
            load.recovery_min = data[10]
        if data[11]:
            load.trips_max = _u16(data, 12)
        if data[14]:
            load.unnamed_word = _u16(data, 15)
        if data[17]:
            load.unnamed_byte = data[18]
    if not meter.overload.enabled:
        meter.overload.recover_at_ms = None  # nobody looks: nothing holds it open
    meter.decide()


def time_control(meter: SimMeter, data: bytes, *, phase: int) -> None:
    """20 @ 0300 (5.7): the hours of work days and of free days."""
    free_slots, work_slots = data[8:32].hex(), data[32:56].hex()
    try:
        switches_of(free_slots)
        switches_of(work_slots)
    except ValueError:
        if data[7]:
            raise Refusal(ILLEGAL_VALUE) from None
    for place in _chosen(meter, data, phase):
        times = meter.times[place]
        if data[0]:
            times.enabled = bool(data[1])
        if data[2]:
            times.free_days, times.unnamed = data[4], data[5:7].hex()
        if data[7]:
            times.free_slots, times.work_slots = free_slots, work_slots
    meter.decide()


def schedule1(meter: SimMeter, rows: str) -> None:
    """10 (section 8): 14 slots; a day without any rate is none."""
    meter.schedule = tou.schedule_of(rows) or _refused()


def schedule2(meter: SimMeter, rows: str) -> None:
    """10 (section 8): may be left empty while no zone begins it."""
    schedule = tou.schedule_of(rows)
    if not schedule and any(number == 2 for number, _, _ in meter.zones):
        _refused()
    meter.schedule2 = schedule


def zones(meter: SimMeter, rows: str) -> None:
    """10 (section 8): which schedule from which date."""
    found = tou.zones_of(rows)
    if not meter.schedule2 and any(number == 2 for number, _, _ in found):
        _refused()
    meter.zones = found


def _refused() -> tou.Schedule:
    raise Refusal(ILLEGAL_VALUE)


TABLES: dict[str, Callable[[SimMeter, str], None]] = {  # by the map's name of order and point
    "schedule1": schedule1,
    "schedule2": schedule2,
    "zones": zones,
}


def take_table(meter: SimMeter, name: str, rows: str) -> None:
    """Keep one of TABLES, or refuse it whole."""
    try:
        TABLES[name](meter, rows)
    except ValueError:
        raise Refusal(ILLEGAL_VALUE) from None
