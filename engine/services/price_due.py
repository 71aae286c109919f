"""Has a boundary of its tariff passed since a meter was last told its prices, and which?

A boundary: a version comes into force, a step cycle begins, a midnight brings another schedule,
a step is crossed. Who assigns a tariff or repairs drift sends the prices himself; from then on
the engine does, at each boundary, once. A boundary whose prices were sent by hand is served.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

from engine.config import Config
from engine.domain.measurement import RATES, MeterSettings
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import held, runs
from engine.domain.tariffs import Plan, next_step_wh
from engine.domain.wanted import PRICES, differing
from engine.services import calendars, closing_steps, exchange_rows, pricing, stepping
from engine.services.pricing import CAPACITY, Values
from models.accounts import Installation
from models.base import tuples
from models.commands import OPEN_STATES, Command
from models.enums import ChangeCause, CommandKind, CommandState, MeterKind
from models.metering import Latest
from models.site import Meter
from models.tariffs import PriceChange, StepCycle, TariffVersion

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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a meter stands in it."""

    rule: Rule
    cycle: StepCycle | None
    energy_wh: int | None
    held: Values  # as last read back

    @property
    def used_wh(self) -> int:
        if self.cycle is None or self.energy_wh is None:
            return 0
        return pricing.used_wh(self.cycle, self.energy_wh)

    @property
    def wanted(self) -> Values:
        rule = self.rule
        return held(rule.plan, rule.calendar, rule.today, self.used_wh, CAPACITY)

    @property
    def next_register_wh(self) -> int | None:
        """What the register says where the next step begins; None: there is none, or not known."""
        next_wh = next_step_wh(self.rule.plan, self.used_wh)
        return None if next_wh is None or self.cycle is None else self.register_wh(next_wh)

    def register_wh(self, used_wh: int) -> int:
        assert self.cycle is not None, self.rule.version.id
        return used_wh - int(self.cycle.carried_wh) + int(self.cycle.start_wh)


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
    return Rule(version, plan, calendar, today, cycle_on, tuple(found))


def standing(meter: Meter, installation: Installation, rule: Rule, config: Config) -> Standing:
    """Makes the cycle's row where its first reading is known: inside a write_transaction."""
    cycle = stepping.ensure(installation, rule.cycle_on, config) if rule.plan.steps else None
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    reading = pricing.reading_of(latest.reading) if latest and latest.reading else None
    return Standing(rule, cycle, reading.energy_wh if reading else None, held_by(latest))


def due(
    meter: Meter,
    installation: Installation,
    stands: Standing,
    now: dt.datetime,
    config: Config,
) -> Due | None:
    """The change that is to be made of this meter now; None: none, or it was made already."""
    told = told_of(meter, now) or stands.held
    wanted = stands.wanted
    if says(told, wanted):
        return None
    since = baseline(meter, installation, now)
    if since is None:
        return None
    crossed = _crossed(meter, stands, config)
    all_of_them = (*stands.rule.boundaries, *([crossed] if crossed else []))
    passed = [each for each in all_of_them if since < each.at <= now]
    if not passed:
        return None
    latest = max(passed, key=lambda each: (each.at, RANK.index(each.cause)))
    former = _prices_in({**told, **stands.held})
    found = Due(meter, installation, stands.rule.version, latest, wanted, former)
    made = PriceChange.get_or_none(PriceChange.once == found.once)
    return found if made is None or made.queued_at > now + FUTURE else None


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
    rule, number = stands.rule, stands.rule.plan.step_number(stands.used_wh)
    if number == 0 or stands.cycle is None:
        return None
    register_wh = stands.register_wh(rule.plan.steps[number].start_wh)
    at = crossing(meter.id, register_wh, config)
    if at is None:
        return None
    mark = f"{rule.version.id}:{stands.cycle.starts_on}:{number + 1}"
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
    """The prices it was last told; empty where nobody has told it any."""
    texts = (
        Command.select(Command.desired)
        .where(
            Command.meter == meter,
            Command.kind == CommandKind.DOWNLOAD,
            Command.state.not_in(NOT_TOLD),
            Command.desired.contains('"price_'),
            Command.created_at <= now + FUTURE,
        )
        .order_by(Command.id.desc())
        .limit(1)
    )
    found = tuples(texts)
    return _prices_in(json.loads(found[0][0])) if found else {}


def held_by(latest: Latest | None) -> Values:
    """Prices and schedule as last read back; empty where nothing was."""
    values: Values = {}
    if latest is not None and latest.settings:
        prices = MeterSettings.from_json(latest.settings).prices
        pairs = zip(RATES, prices, strict=False)
        values |= {f"price_{rate}": str(price) for rate, price in pairs}
    if latest is not None and latest.held:
        values |= json.loads(latest.held)
    return _prices_in(values)


def _prices_in(values: Values) -> Values:
    return {name: value for name, value in values.items() if name in PRICES}


def says(told: Mapping[str, str | int], wanted: Mapping[str, str | int]) -> bool:
    """Is everything that is wanted as it was told? Prices by what they are worth."""
    return not differing(wanted, told)


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


def left_alone(meter: Meter, installation: Installation) -> bool:
    """Ordinary, retired, being exchanged, or on its way out of the account just now."""
    if meter.kind is not MeterKind.PREPAID or meter.retired_at is not None:
        return True
    if installation.closed_at is not None or exchange_rows.is_in_one(meter):
        return True
    leaving = Command.select(Command.id).where(
        Command.meter == meter,
        Command.state.in_(OPEN_STATES),
        Command.request_id.startswith(closing_steps.prefix(installation)),
    )
    return bool(leaving.exists())


def _at(seen: stepping.Seen) -> dt.datetime:
    return seen.at
