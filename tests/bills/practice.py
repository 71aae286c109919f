"""A worked bill driven through a practice meter: told at every boundary what it is to hold."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.bus.simulator.meter import WMS_A_WH, Nameplate, SimMeter
from engine.bus.simulator.trades import TRADES, Load
from engine.domain.tariff_bill import Use
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import Capacity, held
from engine.domain.tariff_schedule import RATES, parse_day
from engine.domain.tariffs import Plan, cycle_start, next_step_wh

CAPACITY = Capacity()
CREDIT_FEN = 9_000_000
MINUTE_MS = 60_000
Held = dict[str, str | int]


def ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def new_meter(start: datetime, ct_ratio: int) -> SimMeter:
    plate = Nameplate("260000000001", 1, "DDSY1352", 0, 1, Load(TRADES[0], 1, 1), 1)
    return SimMeter(
        plate,
        ms(start),
        plate.serial,
        balance_fen=CREDIT_FEN,
        money_control=True,
        ct_ratio=ct_ratio,
    )


def set_clock(meter: SimMeter, zone: ZoneInfo) -> None:
    """To local time, as the engine does where the zone's clock goes forward or back."""
    offset = datetime.fromtimestamp(meter.at_ms / 1000, zone).utcoffset()
    assert offset is not None
    meter.clock.offset_ms = offset // timedelta(milliseconds=1)


def download(meter: SimMeter, wanted: Held) -> None:
    """Write what is named, as the registers would hold it; the rest stays as it is."""
    scale = Decimal("0.0001")
    meter.prices = [int(Decimal(wanted[f"price_{rate}"]) / scale) for rate in RATES]
    for name in ("schedule1", "schedule2"):
        if name in wanted:
            switches = parse_day(str(wanted[name])).switches
            slots = tuple((rate.place, minute) for minute, rate in switches)
            setattr(meter, name.removesuffix("1"), slots)
    if "zones" in wanted:
        entries = [entry.split() for entry in str(wanted["zones"]).split(", ")]
        meter.zones = tuple((int(number), *map(int, day.split("-"))) for day, number in entries)
    if "multi_rate" in wanted:
        meter.run_state |= 1


def drive(
    meter: SimMeter,
    plan_on: Callable[[date], Plan],
    calendar: Calendar,
    zone: ZoneInfo,
    uses: list[Use],
    used_wh: int,
) -> list[Held]:
    """Live through `uses` (ascending, without gaps). What was downloaded, only where it differs."""
    sent: list[Held] = []
    cycle: Any = None
    from_wms = -used_wh * WMS_A_WH  # the meter's energy when the cycle began

    def used_wms() -> int:
        return meter.energy_wms - from_wms

    def tell(day: date) -> None:
        wanted = held(plan_on(day), calendar, day, used_wms() // WMS_A_WH, CAPACITY)
        if not sent or wanted != sent[-1]:
            download(meter, wanted)
            sent.append(wanted)

    for use in uses:
        meter.load_w = int(use.power_w)
        day = use.start.astimezone(zone).date()
        plan = plan_on(day)
        begun = (plan.cycle, cycle_start(plan, day)) if plan.cycle else None
        if cycle is not None and begun != cycle:
            from_wms = meter.energy_wms
        cycle = begun
        set_clock(meter, zone)
        tell(day)
        while (next_wh := next_step_wh(plan, used_wms() // WMS_A_WH)) is not None and use.power_w:
            crosses_ms = meter.at_ms - (used_wms() - next_wh * WMS_A_WH) // meter.load_w
            if crosses_ms > ms(use.end):
                break
            meter.advance(crosses_ms)
            if crosses_ms < ms(use.end):
                tell(day)
        meter.advance(ms(use.end))
    return sent
