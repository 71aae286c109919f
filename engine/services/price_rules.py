"""What each tariff says today, and when what it says last changed by the clock."""

import datetime as dt
from dataclasses import dataclass

from engine.config import Config
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import runs
from engine.domain.tariffs import Plan
from engine.services import calendars, pricing
from engine.services.pricing import CAPACITY
from models.enums import ChangeCause
from models.tariffs import SpecialDay, TariffVersion

DAY = dt.timedelta(days=1)
DAYS_BACK = 400  # a schedule that has stood longer needs no boundary any more


@dataclass(frozen=True, slots=True)
class Boundary:
    at: dt.datetime
    cause: ChangeCause
    mark: str  # within the installation, of this boundary alone
    energy_wh: int | None = None  # of a step: the register at which it begins


@dataclass(frozen=True, slots=True)
class Rule:
    """What a tariff says today, asked once for all meters that have it."""

    version: TariffVersion
    plan: Plan
    calendar: Calendar
    today: dt.date
    cycle_on: dt.date  # the day on which the step cycle began
    boundaries: tuple[Boundary, ...]  # those that need no reading, passed or not

    def last_at(self, now: dt.datetime) -> dt.datetime | None:
        """The newest of them that has passed."""
        return max((each.at for each in self.boundaries if each.at <= now), default=None)


def rules(now: dt.datetime, config: Config) -> dict[str, Rule]:
    """By the tariff's name, of those that are in force."""
    today, calendar = pricing.local_day(now, config), calendars.calendar()
    return {
        name: _rule(version, calendar, today, config)
        for name, version in pricing.in_force(today).items()
    }


def _rule(version: TariffVersion, calendar: Calendar, today: dt.date, config: Config) -> Rule:
    plan, cycle_on = pricing.plan_from(version), pricing.cycle_day(version, today)
    begins = pricing.midnight(dt.date.fromisoformat(version.valid_from), config)
    at = max(begins, version.published_at or begins)
    found = [Boundary(at, ChangeCause.VERSION, str(version.id))]
    if plan.steps:
        at = pricing.midnight(cycle_on, config)
        found.append(Boundary(at, ChangeCause.CYCLE, cycle_on.isoformat()))
    if changed := last_day_change(plan, calendar, today):
        at = pricing.midnight(changed, config)
        found.append(Boundary(at, ChangeCause.DAY, changed.isoformat()))
    if set_at := _set_today(plan, today, config):
        mark = f"{today.isoformat()}:{int(set_at.timestamp())}"
        found.append(Boundary(set_at, ChangeCause.DAY, mark))
    return Rule(version, plan, calendar, today, cycle_on, tuple(found))


def _set_today(plan: Plan, today: dt.date, config: Config) -> dt.datetime | None:
    """When somebody said, in the course of today, what kind of day it is."""
    if not runs(plan, CAPACITY).days_by_engine:
        return None
    row = SpecialDay.get_or_none(SpecialDay.day == today.isoformat())
    said = row is not None and row.set_at >= pricing.midnight(today, config)
    return row.set_at if row is not None and said else None


def last_day_change(plan: Plan, calendar: Calendar, today: dt.date) -> dt.date | None:
    """The newest day whose schedule is not that of the day before; None: the meter knows itself."""
    if not runs(plan, CAPACITY).days_by_engine:
        return None
    for back in range(DAYS_BACK):
        day = today - back * DAY
        if plan.day_schedule(day, calendar) != plan.day_schedule(day - DAY, calendar):
            return day
    return None
