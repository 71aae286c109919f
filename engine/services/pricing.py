"""What a meter's tariff says of it today: version in force, energy used in the step cycle, prices.

Local days are the site's. Written into no row here; the changes at a boundary are in
engine.services.price_changes.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import lru_cache

from engine import clock
from engine.config import Config
from engine.domain.measurement import MeterReading
from engine.domain.tariff_meter import Capacity, held
from engine.domain.tariffs import Plan, cycle_start, parse_plan
from engine.services import calendars
from models.accounts import Installation
from models.base import tuples
from models.metering import Latest
from models.site import Meter
from models.tariffs import StepCycle, Tariff, TariffVersion

Values = dict[str, str | int]
CAPACITY = Capacity()


def plan_of(meter: Meter, on: dt.date, config: Config) -> Plan | None:  # noqa: ARG001 (signature)
    """What the meter's tariff says on the local day `on`; None: no tariff, or not yet in force."""
    version = version_of(meter.tariff, on)
    return None if version is None else plan_from(version)


def version_of(tariff: str | None, on: dt.date) -> TariffVersion | None:
    """The newest version of that tariff that is valid from `on` or before, and not withdrawn."""
    if not tariff:
        return None
    found: TariffVersion | None = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(
            Tariff.name == tariff,
            TariffVersion.valid_from <= on.isoformat(),
            TariffVersion.withdrawn_at.is_null(),
        )
        .order_by(TariffVersion.valid_from.desc())
        .first()
    )
    return found


def plan_from(version: TariffVersion) -> Plan:
    return parsed(version.prices, version.schedule, version.steps, version.cycle)


@lru_cache(maxsize=256)
def parsed(prices: tuple[Decimal, ...], schedule: str, steps: str, cycle: str) -> Plan:
    """The same texts again and again, for every meter of a tariff. Raises BadTariff."""
    return parse_plan(prices, schedule, steps, cycle)


def default_plan(config: Config) -> Plan:
    """The site's prices, for meters without a tariff: the meter's own schedule is left alone."""
    return Plan(config.defaults.prices)


def wanted(meter: Meter, config: Config, now: dt.datetime | None = None) -> Values:
    """The PRICES (names of engine.domain.wanted) that the meter is to hold at `now`."""
    return wanted_of_all([meter], config, now)[meter.id]


def wanted_of_all(
    meters: Iterable[Meter], config: Config, now: dt.datetime | None = None
) -> dict[int, Values]:
    """The same of many, by their ids, in a few queries whatever their number."""
    meters, today = list(meters), local_day(now or clock.now(), config)
    calendar, versions = calendars.calendar(), in_force(today)
    site = held(default_plan(config), calendar, today, 0, CAPACITY)
    plans = {name: plan_from(version) for name, version in versions.items()}
    begun = {name: cycle_day(versions[name], today) for name in plans if plans[name].steps}
    used = _used_of_all({meter.id for meter in meters if meter.tariff in begun})
    by_step: dict[tuple[str, int], Values] = {}  # all that differs within a tariff
    found: dict[int, Values] = {}
    for meter in meters:
        name = meter.tariff or ""
        if name not in plans:
            found[meter.id] = dict(site)
            continue
        used_wh = used.get((meter.id, begun[name].isoformat()), 0) if name in begun else 0
        key = (name, plans[name].step_number(used_wh))
        if key not in by_step:
            by_step[key] = held(plans[name], calendar, today, used_wh, CAPACITY)
        found[meter.id] = dict(by_step[key])
    return found


def in_force(today: dt.date) -> dict[str, TariffVersion]:
    """By the tariff's name, on the local day `today`."""
    query = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(TariffVersion.valid_from <= today.isoformat(), TariffVersion.withdrawn_at.is_null())
        .order_by(TariffVersion.valid_from)
    )
    return {version.tariff.name: version for version in query}


def cycle_day(version: TariffVersion, today: dt.date) -> dt.date:
    """The first day of the step cycle that `today` is in.

    A version with the same cycle as the one before goes on counting in it; with another, it
    begins to count on its own day.
    """
    plan, begins = plan_from(version), dt.date.fromisoformat(version.valid_from)
    day = cycle_start(plan, today)
    if day >= begins:
        return day
    before = version_of(version.tariff.name, begins - dt.timedelta(days=1))
    same = before is None or plan_from(before).cycle == plan.cycle
    return day if same else begins


def _used_of_all(ids: Collection[int]) -> dict[tuple[int, str], int]:
    """Wh used by meter and cycle (its first day), of the tenants they have now."""
    if not ids:
        return {}
    texts = tuples(
        Latest.select(Latest.meter_id, Latest.reading).where(Latest.reading.is_null(False))
    )
    energy = {id_: int(json.loads(text)["energy_wh"]) for id_, text in texts if id_ in ids}
    cycles = StepCycle.select().join(Installation).where(Installation.closed_at.is_null())
    return {
        (each.__data__["meter"], each.starts_on): used_wh(each, energy[each.__data__["meter"]])
        for each in cycles
        if each.__data__["meter"] in energy
    }


def cycle_of(installation: Installation, starts_on: dt.date) -> StepCycle | None:
    found: StepCycle | None = StepCycle.get_or_none(
        (StepCycle.installation == installation) & (StepCycle.starts_on == starts_on.isoformat())
    )
    return found


def used_wh(cycle: StepCycle, energy_wh: int) -> int:
    """In the cycle, when the meter's register says `energy_wh`."""
    return max(0, energy_wh - int(cycle.start_wh)) + int(cycle.carried_wh)


def newest_wh(meter_id: int) -> int | None:
    """The energy register at the newest accepted reading."""
    text = Latest.select(Latest.reading).where(Latest.meter_id == meter_id).scalar()
    return reading_of(text).energy_wh if text else None


def reading_of(text: str) -> MeterReading:
    """A reading as it is kept."""
    return MeterReading.from_json(text)


def local_day(at: dt.datetime, config: Config) -> dt.date:
    return at.astimezone(config.site.zone).date()


def midnight(day: dt.date, config: Config) -> dt.datetime:
    """The instant at which the local `day` begins (the first 00:00, where it comes twice)."""
    return dt.datetime.combine(day, dt.time(), tzinfo=config.site.zone).astimezone(dt.UTC)
