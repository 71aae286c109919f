"""Has a boundary of its tariff passed since a meter was last told its prices, and which?

A boundary: a version comes into force, a step cycle begins, a midnight brings another schedule,
a step is crossed. Who assigns a tariff or repairs drift sends the prices himself; from then on
the engine does, at each boundary, once. A boundary whose prices were sent by hand is served.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.config import Config
from engine.domain.measurement import RATES, MeterSettings
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import held, runs
from engine.domain.tariffs import Plan, next_step_wh
from engine.services import calendars, closing_steps, exchange_rows, pricing, stepping
from engine.services.pricing import CAPACITY, Values
from models.accounts import Installation
from models.commands import Command
from models.enums import ChangeCause, CommandKind, CommandState, MeterKind
from models.metering import Latest
from models.site import Meter
from models.tariffs import PriceChange, StepCycle, TariffVersion

NAMES = (*(f"price_{rate}" for rate in RATES), "schedule1", "schedule2", "zones", "multi_rate")
NOT_TOLD = (CommandState.REFUSED, CommandState.VOIDED)
DAY = dt.timedelta(days=1)
FUTURE = dt.timedelta(hours=36)  # what is further ahead was written under a clock that was wrong
DAYS_BACK = 400  # a schedule that has stood longer needs no boundary any more
RANK = (ChangeCause.STEP, ChangeCause.DAY, ChangeCause.CYCLE, ChangeCause.VERSION)


@dataclass(frozen=True, slots=True)
class Boundary:
    at: dt.datetime
    cause: ChangeCause
    mark: str  # within the installation, of this boundary alone
    energy_wh: int | None = None  # of a step: the register at which it begins


@dataclass(frozen=True, slots=True)
class Due:
    """One change that is to be made now."""

    meter: Meter
    installation: Installation
    version: TariffVersion
    boundary: Boundary
    wanted: Values
    former: Values

    @property
    def once(self) -> str:
        return f"{self.installation.id}:{self.boundary.cause}:{self.boundary.mark}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a meter stands in its plan today."""

    version: TariffVersion
    plan: Plan
    calendar: Calendar
    today: dt.date
    cycle: StepCycle | None
    energy_wh: int | None

    @property
    def used_wh(self) -> int:
        if self.cycle is None or self.energy_wh is None:
            return 0
        return pricing.used_wh(self.cycle, self.energy_wh)

    @property
    def wanted(self) -> Values:
        return held(self.plan, self.calendar, self.today, self.used_wh, CAPACITY)

    @property
    def next_register_wh(self) -> int | None:
        """What the register says where the next step begins; None: there is none, or not known."""
        next_wh = next_step_wh(self.plan, self.used_wh)
        return None if next_wh is None or self.cycle is None else self.register_wh(next_wh)

    def register_wh(self, used_wh: int) -> int:
        assert self.cycle is not None, self.version.id
        return used_wh - int(self.cycle.carried_wh) + int(self.cycle.start_wh)


def standing(
    meter: Meter, installation: Installation, now: dt.datetime, config: Config
) -> Standing | None:
    """Makes the cycle's row where its first reading is known: inside a write_transaction.

    None: its tariff says nothing today.
    """
    today = pricing.local_day(now, config)
    version = pricing.version_of(meter.tariff, today)
    if version is None:
        return None
    plan = pricing.plan_from(version)
    cycle = None
    if plan.steps:
        cycle = stepping.ensure(installation, pricing.cycle_day(version, today), config)
    calendar = calendars.calendar() if plan.parts else Calendar()
    return Standing(version, plan, calendar, today, cycle, pricing.newest_wh(meter.id))


def due(
    meter: Meter,
    installation: Installation,
    stands: Standing,
    now: dt.datetime,
    config: Config,
) -> Due | None:
    """The change that is to be made of this meter now; None: none, or it was made already."""
    told = told_of(meter, now)
    wanted = stands.wanted
    if says(told, wanted) or left_alone(meter, installation):
        return None
    since = baseline(meter, installation, now)
    if since is None:
        return None
    passed = [each for each in boundaries(meter, stands, config) if since < each.at <= now]
    if not passed:
        return None
    latest = max(passed, key=lambda each: (each.at, RANK.index(each.cause)))
    found = Due(meter, installation, stands.version, latest, wanted, former_of(meter, told))
    made = PriceChange.get_or_none(PriceChange.once == found.once)
    return found if made is None or made.queued_at > now + FUTURE else None


def boundaries(meter: Meter, stands: Standing, config: Config) -> Iterator[Boundary]:
    """The last of each cause, up to now."""
    yield from by_the_clock(stands, config)
    if crossed := _crossed(meter, stands, config):
        yield crossed


def by_the_clock(stands: Standing, config: Config) -> Iterator[Boundary]:
    """Those that need no reading."""
    version, plan = stands.version, stands.plan
    begins = pricing.midnight(dt.date.fromisoformat(version.valid_from), config)
    at = max(begins, version.published_at or begins)
    yield Boundary(at, ChangeCause.VERSION, str(version.id))
    if plan.steps:
        day = pricing.cycle_day(version, stands.today)
        yield Boundary(pricing.midnight(day, config), ChangeCause.CYCLE, day.isoformat())
    if day_changed := last_day_change(plan, stands.calendar, stands.today):
        at = pricing.midnight(day_changed, config)
        yield Boundary(at, ChangeCause.DAY, day_changed.isoformat())


def last_day_change(plan: Plan, calendar: Calendar, today: dt.date) -> dt.date | None:
    """The newest day whose schedule is not that of the day before; None: the meter knows itself."""
    if not runs(plan, CAPACITY).days_by_engine:
        return None
    for back in range(DAYS_BACK):
        day = today - back * DAY
        if plan.day_schedule(day, calendar) != plan.day_schedule(day - DAY, calendar):
            return day
    return None


def _crossed(meter: Meter, stands: Standing, config: Config) -> Boundary | None:
    number = stands.plan.step_number(stands.used_wh)
    if number == 0 or stands.cycle is None:
        return None
    register_wh = stands.register_wh(stands.plan.steps[number].start_wh)
    at = crossing(meter.id, register_wh, config)
    if at is None:
        return None
    mark = f"{stands.version.id}:{stands.cycle.starts_on}:{number + 1}"
    return Boundary(at, ChangeCause.STEP, mark, register_wh)


def crossing(meter_id: int, register_wh: int, config: Config) -> dt.datetime | None:
    """When the register passed `register_wh`, evenly between the readings on either side.

    Where the reading before is not near, the first one known on the far side.
    """
    latest = stepping.newest(meter_id)
    if latest is None or latest.energy_wh < register_wh:
        return None
    found: list[stepping.Seen] = []
    for near in stepping.NEAR:
        found = stepping.between(meter_id, latest.at - near, latest.at, config)
        if found[0].energy_wh < register_wh:
            break
    after = next(each for each in found if each.energy_wh >= register_wh)
    before = max((each for each in found if each.energy_wh < register_wh), key=_at, default=None)
    if before is None:
        return after.at
    part = (register_wh - before.energy_wh) / (after.energy_wh - before.energy_wh)
    return before.at + (after.at - before.at) * part


def told_of(meter: Meter, now: dt.datetime) -> Values:
    """The prices it was last told, or holds where nobody has told it any."""
    told = (
        Command.select(Command.desired)
        .where(_tells(meter), Command.created_at <= now + FUTURE)
        .order_by(Command.id.desc())
        .first()
    )
    values = json.loads(told.desired) if told else held_by(meter)
    return {name: value for name, value in values.items() if name in NAMES}


def held_by(meter: Meter) -> Values:
    """As last read back; empty where nothing was."""
    row = Latest.get_or_none(Latest.meter_id == meter.id)
    if row is None:
        return {}
    values: Values = {}
    if row.settings:
        prices = MeterSettings.from_json(row.settings).prices
        pairs = zip(RATES, prices, strict=False)
        values |= {f"price_{rate}": str(price) for rate, price in pairs}
    if row.held:
        values |= json.loads(row.held)
    return values


def former_of(meter: Meter, told: Values) -> Values:
    """What stood in it before: as read back, else as told."""
    known = {**told, **held_by(meter)}
    return {name: value for name, value in known.items() if name in NAMES}


def says(told: Mapping[str, str | int], wanted: Mapping[str, str | int]) -> bool:
    """Is everything that is wanted as it was told? Prices by what they are worth."""
    return all(name in told and _same(name, told[name], wanted[name]) for name in wanted)


def _same(name: str, one: str | int, other: str | int) -> bool:
    if name.startswith("price_"):
        return Decimal(one) == Decimal(other)
    return one == other


def baseline(meter: Meter, installation: Installation, now: dt.datetime) -> dt.datetime | None:
    """Boundaries up to this are none of the engine's, or were served. None: all are.

    That is so where a boundary was served that is still ahead: the clock was set back over it.
    What was written further ahead, under a wrong clock, does not count.
    """
    served = (
        PriceChange.select(PriceChange.due_at)
        .where(PriceChange.installation == installation, PriceChange.queued_at <= now + FUTURE)
        .order_by(PriceChange.due_at.desc())
        .first()
    )
    if served is not None and served.due_at > now:
        return None
    since: dt.datetime = max(installation.opened_at, meter.tariff_at or installation.opened_at)
    return since if served is None else max(since, served.due_at)


def _tells(meter: Meter) -> object:
    return (
        (Command.meter == meter)
        & (Command.kind == CommandKind.DOWNLOAD)
        & Command.state.not_in(NOT_TOLD)
        & Command.desired.contains('"price_')
    )


def left_alone(meter: Meter, installation: Installation) -> bool:
    """Ordinary, retired, being exchanged, or on its way out of the account just now."""
    if meter.kind is not MeterKind.PREPAID or meter.retired_at is not None:
        return True
    if installation.closed_at is not None or exchange_rows.is_in_one(meter):
        return True
    return any(each.state.open for each in closing_steps.own_commands(installation))


def _at(seen: stepping.Seen) -> dt.datetime:
    return seen.at
