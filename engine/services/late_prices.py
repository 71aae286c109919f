"""What it cost that a price change reached its meter after it was due."""

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal

from engine.config import Config
from engine.domain.tariff_bill import Use, difference_fen, late_fen
from engine.domain.tariff_schedule import ALL_FLAT, DaySchedule, parse_day
from engine.domain.tariffs import Plan
from engine.domain.wanted import PRICE_NAMES
from engine.services import calendars, pricing, stepping
from engine.services.pricing import Values
from models.commands import Command
from models.enums import ChangeCause
from models.metering import Latest
from models.tariffs import PriceChange

SECOND = dt.timedelta(seconds=1)
FRESH = dt.timedelta(minutes=1)  # a reading of the turn that ended the command is no older


@dataclass(frozen=True, slots=True)
class Point:
    """The register at a boundary or at its change; `exact` where it was read, not reckoned."""

    at: dt.datetime
    energy_wh: int
    exact: bool


def fill(change: PriceChange, command: Command, config: Config) -> None:
    """`change` is in its meter: when, at which reading, and what the delay cost, as far as known.

    Those before it that were never applied are reckoned too, each up to the next. Inside the
    caller's write_transaction; again with the next reading where none is near yet.
    """
    applied_at = command.finished_at
    values: dict[str, object] = {"applied_at": applied_at}
    end = _applied(change.meter.id, command, config)
    if end is not None:
        values |= {"energy_wh": end.energy_wh, "balance_fen": _balance_fen(change, command)}
    PriceChange.update(**values).where(PriceChange.id == change.id).execute()
    if end is None:
        return
    chain = _unapplied_before(change)
    former = json.loads((chain[0] if chain else change).former)
    for each in reversed([*chain, change]):  # the last ends where the meter changed
        begin = _boundary(each, end, config)
        _reckon(each, former, begin, end, config)
        end = begin


def _reckon(change: PriceChange, former: Values, begin: Point, end: Point, config: Config) -> None:
    late_wh = max(0, end.energy_wh - begin.energy_wh)
    cost_fen, exact = _cost(change, former, begin, end, config) if late_wh else (0, True)
    PriceChange.update(
        late_wh=late_wh,
        late_fen=cost_fen,
        estimated=not (exact and begin.exact and end.exact),
    ).where(PriceChange.id == change.id).execute()


def _applied(meter_id: int, command: Command, config: Config) -> Point | None:
    """What the meter read in the turn that changed it; else between the readings around it.

    None: there is none since.
    """
    ended_at = command.finished_at
    assert ended_at is not None, command.id
    seen = stepping.newest(meter_id)
    since = command.sent_at or ended_at - FRESH
    if seen is not None and seen.at >= since and abs(seen.at - ended_at) <= FRESH:
        return Point(ended_at, seen.energy_wh, exact=True)
    return _between(meter_id, ended_at, config)


def _balance_fen(change: PriceChange, command: Command) -> int | None:
    if command.after_balance_fen is not None:
        return int(command.after_balance_fen)
    text = Latest.select(Latest.reading).where(Latest.meter_id == change.meter.id).scalar()
    return pricing.reading_of(text).balance_fen if text else None


def _unapplied_before(change: PriceChange) -> list[PriceChange]:
    """Those superseded since the last that was applied, oldest first."""
    found: list[PriceChange] = []
    earlier = PriceChange.select().where(
        PriceChange.installation == change.installation, PriceChange.id < change.id
    )
    for each in earlier.order_by(PriceChange.id.desc()):
        if each.applied_at is not None:
            break
        found.insert(0, each)
    return found


def _boundary(change: PriceChange, end: Point, config: Config) -> Point:
    """The register when the change was due; as the earliest known after it where none is before."""
    if change.due_energy_wh is not None:
        return Point(change.due_at, change.due_energy_wh, exact=True)
    found = _between(change.meter.id, change.due_at, config) or end
    return Point(change.due_at, min(found.energy_wh, end.energy_wh), exact=found.exact)


def _between(meter_id: int, at: dt.datetime, config: Config) -> Point | None:
    """The register at `at`, evenly between the readings around it; None: none after it."""
    before, after = stepping.around(meter_id, at, config)
    if before is not None and before.at == at:
        return Point(at, before.energy_wh, exact=True)
    if after is None:
        return None
    if before is None:
        return Point(at, after.energy_wh, exact=False)
    part = (at - before.at) / (after.at - before.at)
    energy_wh = before.energy_wh + round((after.energy_wh - before.energy_wh) * part)
    return Point(at, energy_wh, exact=before.energy_wh == after.energy_wh)


def _cost(
    change: PriceChange, former: Values, begin: Point, end: Point, config: Config
) -> tuple[int | None, bool]:
    """(fen, exact): what that energy should have cost less what it did; None: not to be said."""
    assert change.version is not None, change.id
    plan = pricing.plan_from(change.version)
    wanted: Values = json.loads(change.wanted)
    if any(name not in former for name in PRICE_NAMES):
        return None, False
    charged = [Decimal(former[name]) for name in PRICE_NAMES]
    used_wh = _used(change, plan, begin, config)
    stood, due = _schedule(former), _schedule(wanted)
    if stood is None and len(set(charged)) == 1:
        stood = ALL_FLAT  # one price: at whatever hour
    added = {
        Decimal(wanted[name]) - price for name, price in zip(PRICE_NAMES, charged, strict=True)
    }
    same = due is None or stood == due
    if len(added) == 1 and (same or len(set(charged)) == 1):
        used_to_wh = used_wh + end.energy_wh - begin.energy_wh
        return difference_fen(plan, used_wh, used_to_wh, (0, 0, 1, 0), charged), True
    if stood is None:
        return None, False
    span = Use.of_wh(
        begin.at, max(end.at, begin.at + dt.timedelta(seconds=1)), end.energy_wh - begin.energy_wh
    )
    cost_fen = late_fen(
        plan,
        calendars.calendar(),
        config.site.zone,
        span,
        used_from_wh=used_wh,
        charged=charged,
        schedule=stood,
    )
    return cost_fen, same and _one_rate(stood, begin.at, end.at, config)


def _used(change: PriceChange, plan: Plan, begin: Point, config: Config) -> int:
    if not plan.steps or change.cause is ChangeCause.CYCLE or change.version is None:
        return 0
    starts_on = pricing.cycle_day(change.version, pricing.local_day(change.due_at, config))
    cycle = pricing.cycle_of(change.installation, starts_on)
    return pricing.used_wh(cycle, begin.energy_wh) if cycle else 0


def _schedule(values: Values) -> DaySchedule | None:
    text = values.get("schedule1")
    return parse_day(str(text)) if text else None


def _one_rate(schedule: DaySchedule, start: dt.datetime, end: dt.datetime, config: Config) -> bool:
    """Did the whole span fall into one rate of one day?"""
    first, last = (each.astimezone(config.site.zone) for each in (start, end))
    if first.date() != last.date():
        return False
    minutes = range(first.hour * 60 + first.minute, last.hour * 60 + last.minute + 1)
    return len({schedule.rate_at(minute) for minute in minutes}) == 1
