"""The plan of a batch: every meter that is meant, and what would become of it. Writes nothing."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from math import ceil

from engine.config import Config
from engine.domain import line_time
from engine.domain.batch_rules import DOWNLOADS, Allowed, Values, judge
from engine.domain.errors import BadBatch
from engine.domain.resolving import OWN
from engine.domain.selection import Selection, select
from engine.domain.wanted import PRICES, SETTINGS
from engine.services import batch_facts, desired
from engine.services.batch_facts import Subject
from engine.services.batch_rows import Plan, PlanRow
from models.base import tuples
from models.enums import BatchVerb, Planned
from models.settings import AcceptedSetting
from models.site import Meter

Options = Mapping[str, str | int | None]
OPTIONS = {  # which verb takes which
    "names": DOWNLOADS,
    "unopened": tuple(BatchVerb),
    "override": tuple(BatchVerb),
    "until": (BatchVerb.HOLD,),
    "fresh": (BatchVerb.EXPORT,),
}


def make(
    verb: BatchVerb,
    selection: Selection,
    options: Options,
    *,
    config: Config,
    now: dt.datetime,
    apart_from: int | None = None,
) -> Plan:
    """`apart_from` is a batch whose own hold on its meters does not count."""
    given = checked_options(verb, options, now)
    only = selection.serials if selection.only_few else ()
    chosen = select(selection, batch_facts.all_meters(verb, apart_from=apart_from, only=only))
    wanted = _wanted(verb, [each.meter_id for each in chosen], given, config)
    allowed = Allowed(
        unopened=bool(given.get("unopened")),
        override=bool(given.get("override")),
        fresh=bool(given.get("fresh")),
    )
    rows = tuple(_row(verb, each, wanted.get(each.meter_id, {}), allowed, now) for each in chosen)
    by_line = {} if _is_instant(verb, allowed) else _line_times(verb, chosen, rows)
    return Plan(
        verb, selection, given, rows, max(by_line.values(), default=0), now, by_line_s=by_line
    )


def checked_options(verb: BatchVerb, options: Options, now: dt.datetime) -> dict[str, str | int]:
    """What was given, and only that. Raises BadBatch."""
    given = {name: value for name, value in options.items() if value not in (None, "", 0, False)}
    for name in given:
        if verb not in OPTIONS.get(name, ()):
            raise BadBatch(why="option", option=name[:40], verb=verb.value)
    if "names" in given:
        _require_names(verb, str(given["names"]))
    if "until" in given:
        _require_later(str(given["until"]), now)
    return {name: value for name, value in given.items() if value is not None}


def names_of(options: Options, verb: BatchVerb) -> frozenset[str]:
    """The values that a download is about."""
    every = PRICES if verb is BatchVerb.PRICE else SETTINGS
    named = str(options.get("names") or "")
    return every & {each.strip() for each in named.split(",")} if named else every


def _require_names(verb: BatchVerb, named: str) -> None:
    every = PRICES if verb is BatchVerb.PRICE else SETTINGS
    for name in (each.strip() for each in named.split(",")):
        if name not in every:
            known = ", ".join(sorted(every))
            raise BadBatch(why="name", option=name[:40], verb=verb.value, known=known)


def _require_later(until: str, now: dt.datetime) -> None:
    """An instant with its offset, not past. The longest hold is for who holds to say."""
    try:
        at = dt.datetime.fromisoformat(until)
    except ValueError:
        raise BadBatch(why="until", option=until[:40], verb="") from None
    if at.tzinfo is None or at <= now:
        raise BadBatch(why="until", option=until[:40], verb="")


def _wanted(
    verb: BatchVerb, meter_ids: Collection[int], options: Options, config: Config
) -> Mapping[int, Values]:
    if verb not in DOWNLOADS:
        return {}
    names, accepted = names_of(options, verb), {} if options.get("names") else _accepted()
    return {
        meter_id: {
            name: value
            for name, value in values.items()
            if name in names and name not in accepted.get(meter_id, ())
        }
        for meter_id, values in desired.of_all(_meters(meter_ids), config).items()
    }


def _accepted() -> dict[int, set[str]]:
    """What a person lets a meter hold although something else is desired: only by its name."""
    found: dict[int, set[str]] = defaultdict(set)
    for meter_id, name in tuples(
        AcceptedSetting.select(AcceptedSetting.meter, AcceptedSetting.name)
    ):
        found[meter_id].add(name)
    return found


def _meters(meter_ids: Collection[int]) -> list[Meter]:
    """As far as what is desired of them is asked of their rows."""
    columns = (Meter.id, Meter.tariff, Meter.model, Meter.building)
    own = [getattr(Meter, name) for name in OWN]
    wanted = frozenset(meter_ids)
    return [meter for meter in Meter.select(*columns, *own) if meter.id in wanted]


def _row(
    verb: BatchVerb, subject: Subject, wanted: Values, allowed: Allowed, now: dt.datetime
) -> PlanRow:
    facts = subject.facts
    verdict = judge(verb, facts, wanted, allowed, now)
    by_read_back = verb in DOWNLOADS or verb is BatchVerb.CLOCK
    return PlanRow(
        meter_id=subject.meter_id,
        serial=subject.serial,
        line=subject.line,
        address=subject.address,
        shop=subject.shop,
        tenant=subject.tenant,
        planned=verdict.planned,
        was=verdict.was,
        wanted=verdict.wanted,
        loses_power=verdict.loses_power,
        reason=verdict.reason,
        seen_at=facts.held_at if by_read_back else facts.read_at,
    )


def _is_instant(verb: BatchVerb, allowed: Allowed) -> bool:
    return verb is BatchVerb.EXPORT and not allowed.fresh


def _line_times(
    verb: BatchVerb, chosen: Collection[Subject], rows: Collection[PlanRow]
) -> dict[str, int]:
    """Seconds by line, of what would be changed."""
    found: dict[str, float] = defaultdict(float)
    cost = {wire: line_time.meter_s(verb, wire) for wire in {each.wire for each in chosen}}
    for subject, row in zip(chosen, rows, strict=True):
        if row.planned is Planned.CHANGE:
            found[row.line] += cost[subject.wire]
    return {line: ceil(seconds) for line, seconds in found.items()}


def living(serials: Collection[str]) -> tuple[str, ...]:
    """Those that are still there: a batch may be gone on with after a meter was taken out."""
    wanted = frozenset(serials)
    query = Meter.select(Meter.serial).where(Meter.retired_at.is_null())
    return tuple(serial for (serial,) in tuples(query) if serial in wanted)
