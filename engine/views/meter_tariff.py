"""A meter's tariff as it stands now: version, prices of the step, rate in force, next boundary."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import Capacity, held
from engine.domain.tariff_schedule import Rate
from engine.domain.tariffs import next_boundary
from engine.views import tariffs as views
from engine.views.tariffs import Steps, VersionRow, VersionState
from models.site import Meter
from models.tariffs import SpecialDay


@dataclass(frozen=True, slots=True)
class MeterTariff:
    version: VersionRow
    prices: tuple[Decimal, ...]  # of the present step, by RATES; yuan/kWh
    rate: Rate | None  # in force at this moment; None: the meter's own schedule says
    steps: Steps | None
    boundary: dt.date | None  # at whose local midnight schedule or cycle changes next


def of_meter(meter_id: int, now: dt.datetime) -> MeterTariff | None:
    """`now` in the site's zone. None: no tariff, or no version of it in force."""
    name, today = Meter.get_by_id(meter_id).tariff, now.date()
    if not name:
        return None
    rows = views.versions(today, name)
    version = next((each for each in rows if each.state is VersionState.IN_FORCE), None)
    if version is None:
        return None
    plan, calendar = version.plan, _calendar()
    steps = views.steps_of(meter_id, today)
    day = plan.day_schedule(today, calendar)
    future = [row.valid_from for row in rows if row.state is VersionState.FUTURE]
    boundary = next_boundary(plan, calendar, today)
    days = [*map(dt.date.fromisoformat, future), *([boundary] if boundary else [])]
    return MeterTariff(
        version,
        steps.prices if steps else plan.prices_at(0),
        day.rate_at(now.hour * 60 + now.minute) if plan.parts else None,
        steps,
        min(days, default=None),
    )


def scheduled(tariff: str | None, today: dt.date) -> set[str]:
    """What the tariff's version in force, if any, has in its meters beside the four prices."""
    rows = views.versions(today, tariff) if tariff else []
    for row in rows:
        if row.state is VersionState.IN_FORCE:
            names = held(row.plan, _calendar(), today, 0, Capacity()).keys()
            return {name for name in names if not name.startswith("price_")}
    return set()


def _calendar() -> Calendar:
    rows = SpecialDay.select()
    return Calendar.of((dt.date.fromisoformat(row.day), row.kind) for row in rows)
