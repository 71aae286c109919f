"""What a meter does with each write: functions 10, 20, AA and AB (hex) of reference section 5."""

import datetime as dt
import struct
from collections.abc import Callable
from functools import partial

from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.orders_by_phase import (
    LOAD_AT,
    LOAD_COUNT,
    TIME_AT,
    TIME_COUNT,
    power_control,
    time_control,
)
from engine.bus.simulator.refusal import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal

Order = Callable[[SimMeter, bytes], None]


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4])


def _i32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], signed=True)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])


def purchase(meter: SimMeter, data: bytes) -> None:
    """20 @ 0100 (5.1): amount, new count, zero."""
    amount_fen, count = struct.unpack_from(">IH", data)
    if not meter.purchase(amount_fen, count):
        raise Refusal(ILLEGAL_VALUE)


def money_control(meter: SimMeter, data: bytes) -> None:
    """20 @ 0200 (5.2): each item behind its apply flag. The energy item is refused outright."""
    if data[10]:
        raise Refusal(ILLEGAL_VALUE)  # writing the energy register is not a thing to practise
    if data[0]:
        meter.money_control = bool(data[1])
    if data[2]:
        meter.balance_fen, meter.owed = _i32(data, 3), 0
    if data[7]:
        meter.count = _u16(data, 8)
    if data[15]:
        meter.base_energy_wh = _u32(data, 16) * 10 * meter.pt_ratio * meter.ct_ratio
    if data[20]:
        meter.alarm1_fen, meter.alarm2_fen = _u32(data, 21), _u32(data, 25)
    if data[29]:
        meter.prices = [_u32(data, at) for at in (30, 34, 38, 42)]
    if data[46]:
        meter.overdraft_fen = _u32(data, 47)
    _label(meter, data)
    meter.decide()


def _label(meter: SimMeter, data: bytes) -> None:
    """Of money control: what no figure depends on."""
    if data[51]:
        meter.unnamed_0418 = data[52]
    if data[53]:
        meter.number = data[54:60].hex()


def reset_trips(meter: SimMeter, data: bytes) -> None:
    """20 @ 0410 (5.6): flag and count for L1, L2, L3, all."""
    pairs = [data[at : at + 2] for at in (0, 2, 4, 6)]
    chosen = [count for flag, count in pairs if flag]
    if chosen:
        meter.overload.reset(chosen[-1])
        meter.decide()


def clock(meter: SimMeter, data: bytes) -> None:
    """20 @ 0354 (5.8): second, minute, hour, weekday, day, month, year - 2000."""
    second, minute, hour, _, day, month, year = data[:7]
    try:
        wall = dt.datetime(2000 + year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError:
        raise Refusal(ILLEGAL_VALUE) from None
    meter.clock.set(int(wall.timestamp()) * 1000, meter.at_ms)
    meter.decide()


def prepay_parameters(meter: SimMeter, data: bytes) -> None:
    """AA @ 0046 (5.9): all at once, no flags; it zeroes the force switch too."""
    meter.alarm1_fen, meter.alarm2_fen, meter.overdraft_fen = (_u32(data, at) for at in (0, 4, 8))
    meter.count = _u16(data, 16)
    meter.balance_fen, meter.owed = _i32(data, 18), 0
    meter.money_control = bool(data[30])
    meter.force_active = meter.force_trip = False
    meter.prices = [_u32(data, at) for at in (38, 42, 46, 50)]
    for phase in meter.overload.phases:
        phase.limit_w = _u16(data, 54)
    meter.decide()


def key(meter: SimMeter, data: bytes) -> None:
    """AB @ 6601 (5.11): a new cipher key, in clear and without the old one."""
    meter.key = data.hex()


def force_switch(meter: SimMeter, data: bytes) -> None:
    """10 @ 0057 (5.3): force on, trip."""
    active, trip = _u16(data, 0), _u16(data, 2)
    if active > 1 or trip > 1:
        raise Refusal(ILLEGAL_VALUE)
    meter.force_active, meter.force_trip = bool(active), bool(trip)
    meter.decide()


def run_state(meter: SimMeter, data: bytes) -> None:
    meter.run_state = data[1]


def meter_number(meter: SimMeter, data: bytes) -> None:
    meter.number = data.hex()


def ratios(meter: SimMeter, data: bytes) -> None:
    """10 @ 0037: PT, CT (reference Q12)."""
    if not (_u16(data, 0) and _u16(data, 2)):
        raise Refusal(ILLEGAL_VALUE)
    meter.pt_ratio, meter.ct_ratio = _u16(data, 0), _u16(data, 2)


CONTROL_CODE = 0x20
BY_PHASE = ((power_control, LOAD_AT, LOAD_COUNT), (time_control, TIME_AT, TIME_COUNT))
CONTROL: dict[tuple[int, int], Order] = {  # function 20: (register, count)
    (0x0100, 4): purchase,
    (0x0200, 30): money_control,
    (0x0410, 4): reset_trips,
    (0x0354, 5): clock,
}
PREPAY: dict[tuple[int, int], Order] = {(0x0046, 28): prepay_parameters}
KEY: dict[tuple[int, int], Order] = {(0x6601, 4): key}
WRITE: dict[tuple[int, int], Order] = {
    (0x0022, 1): run_state,
    (0x0037, 2): ratios,
    (0x0043, 3): meter_number,
    (0x0057, 2): force_switch,
}


def order_for(meter: SimMeter, function: int, register: int, count: int) -> Order:
    """What this write does. Raises Refusal where the meter knows no such write."""
    if function == CONTROL_CODE:
        for by_phase, places, size in BY_PHASE:
            if count == size and register in places[: meter.plate.phases]:
                return partial(by_phase, phase=places.index(register))
    tables = {0x10: WRITE, CONTROL_CODE: CONTROL, 0xAA: PREPAY, 0xAB: KEY}
    order = tables[function].get((register, count))
    if order is None:
        raise Refusal(ILLEGAL_ADDRESS)
    return order
