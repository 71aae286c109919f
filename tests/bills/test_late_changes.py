"""A change that comes late: what the practice meter deducted and the difference make the bill."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.bus.simulator.meter import SimMeter
from engine.domain.tariff_bill import Use, bill, difference_fen, late_fen
from engine.domain.tariff_calendar import Calendar, DayKind
from engine.domain.tariff_meter import held
from engine.domain.tariff_schedule import RATES, parse_day
from engine.domain.tariffs import Plan, parse_plan
from tests.bills.practice import CAPACITY, CREDIT_FEN, download, ms, new_meter

ZONE = ZoneInfo("Asia/Shanghai")
PRICES = [Decimal(price) for price in ("1.2", "1.0", "0.7", "0.4")]
MIDNIGHT = datetime(2026, 9, 30, 16, tzinfo=UTC)  # 1 October begins
HOUR = timedelta(hours=1)
CALENDAR = Calendar({MIDNIGHT.astimezone(ZONE).date(): DayKind.HOLIDAY})


def told(meter: SimMeter, plan: Plan, at: datetime, used_wh: int) -> None:
    download(meter, held(plan, CALENDAR, at.astimezone(ZONE).date(), used_wh, CAPACITY))


def test_a_step_told_three_hours_late() -> None:
    """239 kWh used, 1 kW: one hour at 0.70, then 0.75 is due and told after three more hours."""
    plan = parse_plan(PRICES, "00:00 flat", "0-240: +0; 240-: +0.05", "monthly")
    meter = new_meter(MIDNIGHT, 1)
    meter.load_w = 1000
    told(meter, plan, MIDNIGHT, 239_000)
    meter.advance(ms(MIDNIGHT + HOUR))
    before = meter.rate_wh
    meter.advance(ms(MIDNIGHT + 4 * HOUR))
    rate_wh = [now - then for now, then in zip(meter.rate_wh, before, strict=True)]
    late = difference_fen(plan, 240_000, 243_000, rate_wh, PRICES)
    told(meter, plan, MIDNIGHT, 243_000)
    meter.advance(ms(MIDNIGHT + 6 * HOUR))

    used = [Use(MIDNIGHT, MIDNIGHT + 6 * HOUR, 1000)]
    deducted = CREDIT_FEN - meter.balance_fen
    assert (deducted, late) == (280 + 150, 15)
    assert deducted + late == bill(plan, CALENDAR, ZONE, used, 239_000).cost_fen == 445


def test_a_holiday_told_two_hours_late() -> None:
    """2 kW: two hours flat at 0.70 that should have been valley at 0.40, then valley."""
    plan = parse_plan(PRICES, "00:00 flat; holidays 00:00 valley")
    meter = new_meter(MIDNIGHT - HOUR, 1)
    meter.load_w = 2000
    told(meter, plan, MIDNIGHT - HOUR, 0)
    meter.advance(ms(MIDNIGHT))
    at_midnight_wh = meter.energy_wh
    done = MIDNIGHT + 2 * HOUR
    meter.advance(ms(done))
    late = late_fen(
        plan,
        CALENDAR,
        ZONE,
        Use.of_wh(MIDNIGHT, done, meter.energy_wh - at_midnight_wh),
        used_from_wh=0,
        charged=PRICES,
        schedule=parse_day("00:00 flat"),
    )
    told(meter, plan, done, 0)
    meter.advance(ms(MIDNIGHT + 3 * HOUR))

    used = [Use(MIDNIGHT - HOUR, MIDNIGHT + 3 * HOUR, 2000)]
    deducted = CREDIT_FEN - meter.balance_fen
    assert meter.rate_wh == [0, 0, 6000, 2000]
    assert (deducted, late) == (140 + 280 + 80, -120)
    assert deducted + late == bill(plan, CALENDAR, ZONE, used).cost_fen == 380
    assert bill(plan, CALENDAR, ZONE, used).rate_wh(RATES[3]) == 6000
