"""Step cycles (阶梯周期): from which reading the energy of an installation's cycle is counted."""

import datetime as dt
from dataclasses import dataclass

from engine.config import Config
from engine.services import audit, pricing, transitions
from models.accounts import Installation
from models.base import tuples, write_transaction
from models.metering import Latest, Reading
from models.site import Line, Meter
from models.tariffs import StepCycle

NEAR = (dt.timedelta(hours=2), dt.timedelta(hours=48))  # how far a reading may be looked for
AHEAD = dt.timedelta(minutes=10)  # no reading was taken later than now
SLOTS_MAX = 3000  # by name each is one seek, a span would read every meter's


@dataclass(frozen=True, slots=True)
class Seen:
    """What a meter had counted at one moment."""

    at: dt.datetime
    energy_wh: int
    rates_wh: tuple[int, ...]  # empty where the model has one register


def around(meter_id: int, at: dt.datetime, config: Config) -> tuple[Seen | None, Seen | None]:
    """The last kept reading at `at` or before, and the first after it, as far as they are near.

    The newest accepted one counts, whether its half hour kept it or not.
    """
    before = after = None
    for near in NEAR:
        found = between(meter_id, at - near, at + near, config)
        before = max((each for each in found if each.at <= at), key=_at, default=None)
        after = min((each for each in found if each.at > at), key=_at, default=None)
        if before and after:
            break
    if after is None and (latest := newest(meter_id)) is not None and latest.at > at:
        after = latest
    return before, after


def between(meter_id: int, since: dt.datetime, until: dt.datetime, config: Config) -> list[Seen]:
    """Kept readings of that time and the newest one, in order of time."""
    rates = (Reading.sharp_wh, Reading.peak_wh, Reading.flat_wh, Reading.valley_wh)
    query = Reading.select(Reading.read_at, Reading.energy_wh, *rates).where(
        Reading.slot.in_(_slots(meter_id, since, until, config)),
        Reading.meter_id == meter_id,
        Reading.read_at.between(since, until),
    )
    found = [
        Seen(at, energy_wh, tuple(each for each in of_rates if each is not None))
        for at, energy_wh, *of_rates in tuples(query)
    ]
    latest = newest(meter_id)
    if latest is not None and since <= latest.at <= until:
        found.append(latest)
    return sorted(found, key=_at)


def _slots(meter_id: int, since: dt.datetime, until: dt.datetime, config: Config) -> list[int]:
    """Where readings of that time stand, at the interval the meter has."""
    query = Meter.select(Meter.interval_s, Line.interval_s).join(Line).where(Meter.id == meter_id)
    own, of_line = tuples(query)[0]
    every = own or of_line or config.collection.interval_s
    first = int(since.timestamp()) // every * every
    return list(range(first, int(until.timestamp()) + 1, every))[-SLOTS_MAX:]


def newest(meter_id: int) -> Seen | None:
    row = Latest.get_or_none(Latest.meter_id == meter_id)
    if row is None or row.reading is None or row.read_at is None:
        return None
    reading = pricing.reading_of(row.reading)
    return Seen(row.read_at, reading.energy_wh, reading.energy_by_rate_wh)


def ensure(installation: Installation, starts_on: dt.date, config: Config) -> StepCycle | None:
    """The row of the cycle that began on `starts_on`; made, in the caller's write_transaction,
    when its first reading is known. None: there is none yet.

    Counted from the opening reading where the tenant came within the cycle, else from the
    reading nearest to its first midnight: `start_at` says which.
    """
    if found := pricing.cycle_of(installation, starts_on):
        return found
    begins = pricing.midnight(starts_on, config)
    if installation.opened_at >= begins:
        if installation.first_energy_wh is None:
            return None
        return _create(
            installation, starts_on, installation.first_energy_wh, installation.opened_at
        )
    before, after = around(installation.meter.id, begins, config)
    if after is None:
        return None
    nearest = min((each for each in (before, after) if each), key=lambda one: abs(one.at - begins))
    return _create(installation, starts_on, nearest.energy_wh, nearest.at)


def forget_ahead(now: dt.datetime, epoch: int) -> None:
    """Cycles that were begun under a clock that ran ahead: each is begun anew in its time.

    A transaction of its own, where there is one. Raises StaleEngine.
    """
    ahead = (StepCycle.start_at > now + AHEAD) & (StepCycle.carried_wh == 0)
    if not StepCycle.select().where(ahead).exists():
        return
    with write_transaction():
        transitions.require_lease(epoch)
        for row in StepCycle.select().where(ahead):
            row.delete_instance()
            detail = {"starts_on": row.starts_on, "start_wh": row.start_wh, "why": "clock_ahead"}
            audit.write(audit.SYSTEM, "step_cycle_gone", row.meter.serial, detail)


def carry_over(
    ended: Installation, begun: Installation, last_wh: int | None, first_wh: int, at: dt.datetime
) -> StepCycle | None:
    """换表: the shop's cycle goes on with the new meter, from what the old one had used of it.

    Inside the caller's write_transaction. A change of tenant begins anew and does not come here.
    """
    cycle: StepCycle | None = (
        StepCycle.select()
        .where(StepCycle.installation == ended)
        .order_by(StepCycle.starts_on.desc())
        .first()
    )
    if cycle is None or last_wh is None:
        return None
    made: StepCycle = StepCycle.create(
        meter=begun.meter,
        installation=begun,
        starts_on=cycle.starts_on,
        start_wh=first_wh,
        start_at=at,
        carried_wh=pricing.used_wh(cycle, last_wh),
    )
    return made


def count_on(meter: Meter, last_wh: int, now_wh: int, at: dt.datetime, epoch: int) -> None:
    """The register went from `last_wh` to `now_wh` by no use: the cycle goes on from what it was.

    A transaction of its own, after the reading's. Raises StaleEngine.
    """
    query = StepCycle.select().join(Installation)
    of_it = (StepCycle.meter == meter) & Installation.closed_at.is_null()
    cycle = query.where(of_it).order_by(StepCycle.starts_on.desc()).first()
    if cycle is None:
        return
    with write_transaction():
        transitions.require_lease(epoch)
        carried_wh = pricing.used_wh(cycle, last_wh)
        values = {"start_wh": now_wh, "start_at": at, "carried_wh": carried_wh}
        StepCycle.update(**values).where(StepCycle.id == cycle.id).execute()
        detail = {"starts_on": cycle.starts_on, "start_wh": now_wh, "carried_wh": carried_wh}
        audit.write(audit.SYSTEM, "step_cycle", meter.serial, detail)


def _create(
    installation: Installation, starts_on: dt.date, start_wh: int, at: dt.datetime
) -> StepCycle:
    made: StepCycle = StepCycle.create(
        meter=installation.meter,
        installation=installation,
        starts_on=starts_on.isoformat(),
        start_wh=start_wh,
        start_at=at,
    )
    detail = {"starts_on": made.starts_on, "start_wh": start_wh, "read_at": at.isoformat()}
    audit.write(audit.SYSTEM, "step_cycle", installation.meter.serial, detail)
    return made


def _at(seen: Seen) -> dt.datetime:
    return seen.at
