"""Has a boundary of its tariff passed since a meter was last told its prices, and which?

A boundary: a version comes into force, a step cycle begins, a midnight brings another schedule,
a step is crossed. Who assigns a tariff or repairs drift sends the prices himself; from then on
the engine does, at each boundary, once. A boundary whose prices were sent by hand is served.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.config import Config
from engine.domain.measurement import RATES, MeterSettings
from engine.domain.tariff_meter import held
from engine.domain.tariff_steps import Prices
from engine.domain.tariffs import Plan, next_step_wh
from engine.domain.wanted import PRICES, differing
from engine.services import closing_steps, exchange_rows, pricing, stepping
from engine.services.price_rules import Boundary, Rule
from engine.services.pricing import CAPACITY, Values
from models.accounts import Installation
from models.base import tuples
from models.commands import OPEN_STATES, Command
from models.enums import ChangeCause, CommandKind, CommandState, MeterKind
from models.metering import Latest
from models.site import Meter
from models.tariffs import PriceChange, StepCycle, TariffVersion

NOT_TOLD = (CommandState.REFUSED, CommandState.VOIDED)
FUTURE = dt.timedelta(hours=36)  # what is further ahead was written under a clock that was wrong
RANK = (ChangeCause.STEP, ChangeCause.DAY, ChangeCause.CYCLE, ChangeCause.VERSION)


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
    passed = [each for each in stands.rule.boundaries if since < each.at <= now]
    crossed = _crossed(meter, stands, told, config)
    if crossed is not None and _begun(meter, installation) < crossed.at <= now:
        passed.append(crossed)  # also where it is found after a midnight that was served since
    if (anew := _anew(meter, installation, stands, told)) is not None:
        passed.append(anew)
    if not passed:
        return None
    latest = max(passed, key=lambda each: (each.at, RANK.index(each.cause)))
    former = _prices_in({**told, **stands.held})
    found = Due(meter, installation, stands.rule.version, latest, wanted, former)
    made = PriceChange.get_or_none(PriceChange.once == found.once)
    return found if made is None or made.queued_at > now + FUTURE else None


def _crossed(meter: Meter, stands: Standing, told: Values, config: Config) -> Boundary | None:
    """Where the first step began that the meter was not told; None: it knows them all."""
    rule, number = stands.rule, stands.rule.plan.step_number(stands.used_wh)
    if number == 0 or stands.cycle is None:
        return None
    first = min(_step_told(rule.plan, told, number) + 1, number)
    register_wh = stands.register_wh(rule.plan.steps[first].start_wh)
    at = crossing(meter.id, register_wh, config)
    if at is None:
        return None
    mark = f"{rule.version.id}:{stands.cycle.starts_on}:{number + 1}"
    return Boundary(at, ChangeCause.STEP, mark, register_wh)


def _anew(
    meter: Meter, installation: Installation, stands: Standing, told: Values
) -> Boundary | None:
    """A tenant who took the meter over begins with the first step: it still holds a later one."""
    plan, opened_at = stands.rule.plan, installation.opened_at
    number = plan.step_number(stands.used_wh)
    later = plan.steps[number + 1 :]
    if _begun(meter, installation) != opened_at or not any(
        says(told, _prices_of(each.of(plan.prices))) for each in later
    ):
        return None
    since = told_at(meter)
    if since is not None and since >= opened_at:
        return None
    return Boundary(opened_at, ChangeCause.CYCLE, f"opened:{stands.rule.cycle_on.isoformat()}")


def _prices_of(prices: Prices) -> Values:
    return {f"price_{rate}": str(price) for rate, price in zip(RATES, prices, strict=True)}


def _step_told(plan: Plan, told: Values, number: int) -> int:
    """The newest step up to `number` whose prices it was told; none of them: the one before."""
    for step in range(number, -1, -1):
        if says(told, _prices_of(plan.steps[step].of(plan.prices))):
            return step
    return number - 1


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
    found = tuples(_telling(meter).where(Command.created_at <= now + FUTURE))
    return _prices_in(json.loads(found[0][0])) if found else {}


def told_at(meter: Meter) -> dt.datetime | None:
    found = tuples(_telling(meter))
    at: dt.datetime | None = found[0][1] if found else None
    return at


def is_being_told(meter: Meter) -> bool:
    """Is the newest download of prices still under way?"""
    found = tuples(_telling(meter).select(Command.state))
    return bool(found) and found[0][0].open


def _telling(meter: Meter) -> Any:
    """(desired, created at) of the newest download of prices that has not failed."""
    query = Command.select(Command.desired, Command.created_at).where(
        Command.meter == meter,
        Command.kind == CommandKind.DOWNLOAD,
        Command.state.not_in(NOT_TOLD),
        Command.desired.contains('"price_'),
    )
    return query.order_by(Command.id.desc()).limit(1)


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
    since = _begun(meter, installation)
    return since if served is None else max(since, served.due_at)


def _begun(meter: Meter, installation: Installation) -> dt.datetime:
    """Since when the tariff says anything of this tenant's meter."""
    begun: dt.datetime = max(installation.opened_at, meter.tariff_at or installation.opened_at)
    return begun


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
