"""What of a tariff a meter holds by itself, and what the engine does at a boundary."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from engine.domain.tariff_calendar import YEAR, Calendar, DayKind
from engine.domain.tariff_schedule import RATES, SWITCHES_MAX, DaySchedule, schedule_for
from engine.domain.tariffs import Plan

DECIMALS = Decimal("0.0001")
Held = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a meter model has room for (reference section 8). It knows no day kinds, no steps."""

    schedules: int = 2
    zones: int = 4  # entries "from this month-day, this schedule"
    slots: int = SWITCHES_MAX


@dataclass(frozen=True, slots=True)
class Runs:
    """Who does what. All False: the meter needs nobody once the tariff is in it."""

    seasons_by_meter: bool
    days_by_engine: bool  # at midnights it writes the day's schedule
    steps_by_engine: bool  # where a step begins, and where the cycle does, it writes the prices


@dataclass(frozen=True, slots=True)
class Year:
    """A whole year as the meter's own tables: its schedules, and the zones that select them."""

    schedules: tuple[DaySchedule, ...]
    zones: str


@lru_cache(maxsize=256)
def whole_year(plan: Plan, capacity: Capacity) -> Year | None:
    """None where the year does not fit: day kinds in use, or too many schedules or zones.

    The first zone always begins on 01-01, so nothing depends on what precedes the first entry.
    """
    schedules: list[DaySchedule] = []
    zones: list[tuple[str, int]] = []
    for day in YEAR:
        of_kinds = {schedule_for(plan.parts, day, kind) for kind in DayKind}
        if len(of_kinds) > 1:
            return None
        schedule = of_kinds.pop()
        if schedule not in schedules:
            schedules.append(schedule)
        number = schedules.index(schedule) + 1
        if not zones or zones[-1][1] != number:
            zones.append((str(day), number))
    if len(schedules) > capacity.schedules:
        return None
    if len(schedules) > 1 and len(zones) > capacity.zones:
        return None
    return Year(tuple(schedules), ", ".join(f"{day} {number}" for day, number in zones))


def held(plan: Plan, calendar: Calendar, today: date, used_wh: int, capacity: Capacity) -> Held:
    """The PRICES that a meter is to hold now: `used_wh` in this cycle, `today` the local day.

    Always the four prices, those of the step. Without parts nothing else: the meter's own
    schedule is left alone. With parts:

    - The whole year is one schedule: it stands in both of the meter's, so whatever its zones
      select is right, and they are not named.
    - The whole year fits (seasons, no day kinds in use): both schedules and the zones, the same
      every day. A line that is down at a season's boundary does no harm.
    - Else the engine runs it day by day: both schedules are today's, zones are not named. A
      day that differs from the one before is a download at midnight.
    """
    prices = zip(RATES, plan.prices_at(used_wh), strict=True)
    wanted: Held = {f"price_{rate}": price_text(price) for rate, price in prices}
    if not plan.parts or capacity.schedules == 0:
        return wanted
    year = whole_year(plan, capacity)
    if year is None:
        year = Year((plan.day_schedule(today, calendar),), "")
    wanted["schedule1"] = str(year.schedules[0])
    if capacity.schedules > 1:
        wanted["schedule2"] = str(year.schedules[-1])
    if len(year.schedules) > 1:
        wanted["zones"] = year.zones
    wanted["multi_rate"] = 1
    return wanted


def runs(plan: Plan, capacity: Capacity) -> Runs:
    """For an operator who asks what still works while a line is down."""
    year = whole_year(plan, capacity) if plan.parts else None
    return Runs(
        seasons_by_meter=year is not None and len(year.schedules) > 1,
        days_by_engine=bool(plan.parts) and year is None,
        steps_by_engine=len(plan.steps) > 1,
    )


def price_text(price: Decimal) -> str:
    """`1.2000`: four decimals, more only where the price has more."""
    return format(price if price % DECIMALS else price.quantize(DECIMALS), "f")
