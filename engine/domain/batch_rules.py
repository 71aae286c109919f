"""What a batch may do to a meter, and whether it has to: the rules, one meter at a time."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.domain.measurement import RATES, MeterSettings
from engine.domain.states import LOST_AFTER
from engine.domain.wanted import may_close, same
from models.enums import BatchVerb, Planned, Relay

Values = Mapping[str, str | int | None]
CLOCK_GOOD_S = 5  # a clock that is off by no more is left alone
CLOCK_KNOWN = dt.timedelta(days=1)  # and only where it was looked at since
HARMLESS = (BatchVerb.READ, BatchVerb.EXPORT)  # change nothing in a meter
DOWNLOADS = (BatchVerb.PRICE, BatchVerb.SETTINGS)
CLOSING = (BatchVerb.HOLD, BatchVerb.RESUME, BatchVerb.RECONNECT, BatchVerb.CLOCK)
FORCE_WANTED = {BatchVerb.TRIP: "off", BatchVerb.HOLD: "on", BatchVerb.RESUME: "none"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a meter when a batch is planned."""

    prepaid: bool = True
    opened: bool = True
    protected: bool = False
    failed_attempts: int = 0
    read_at: dt.datetime | None = None
    line_down: bool = False
    force: str = "none"  # as the meter's own words say: none, on, off
    relay: Relay = Relay.UNKNOWN
    arrears: bool = False
    balance_fen: int | None = None
    power_w: int | None = None
    held: Values = field(default_factory=dict)  # as last read back
    held_at: dt.datetime | None = None
    locks: frozenset[str] = frozenset()  # of LOCKS
    temporary: frozenset[str] = frozenset()  # hold, limit: until a time that is set


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator has said in so many words."""

    unopened: bool = False  # also meters on nobody's account
    override: bool = False  # also against a hold that stands
    fresh: bool = False  # of an export: read first


@dataclass(frozen=True, slots=True)
class Verdict:
    planned: Planned
    reason: str | None
    was: Values
    wanted: Values
    loses_power: bool = False


LOCKS: Mapping[str, tuple[BatchVerb, ...]] = {  # what stands in the way of which verbs
    "batch": tuple(BatchVerb),  # another one whose verb is against this one: asked before
    "exchange": tuple(verb for verb in BatchVerb if verb not in HARMLESS),
    "open_sale": tuple(verb for verb in BatchVerb if verb not in (*HARMLESS, BatchVerb.CLOCK)),
    "open_switch": tuple(verb for verb in BatchVerb if verb.switch),
    "locked_out": CLOSING,
}


def against(one: BatchVerb, other: BatchVerb) -> bool:
    """May these two not run over one meter at once?"""
    if one in HARMLESS or other in HARMLESS:
        return False
    return one is other or (one.switch and other.switch)


def judge(
    verb: BatchVerb, facts: Facts, wanted: Values, allowed: Allowed, now: dt.datetime
) -> Verdict:
    """`wanted` is what a download is to bring, empty for the other verbs."""
    was, aim = seen_and_aimed(verb, facts, wanted)
    loses = loses_power(verb, facts, aim)
    planned, reason = Planned.CHANGE, None
    if reason := refusal(verb, facts, aim, allowed, loses=loses):
        planned = Planned.REFUSED
    elif reason := _silence(verb, facts, allowed):
        planned = Planned.UNREACHABLE
    elif is_so(verb, facts, was, aim, now):
        planned = Planned.SAME
    elif reason := _obstacle(verb, facts, aim):
        planned = Planned.LOCKED
    return Verdict(planned, reason, was, aim, loses and planned is Planned.CHANGE)


def seen_and_aimed(verb: BatchVerb, facts: Facts, wanted: Values) -> tuple[Values, Values]:
    """(what the meter was last seen to hold, what it is to hold), by name."""
    if verb in HARMLESS:
        return {}, {}
    if verb is BatchVerb.CLOCK:
        off = facts.held.get("clock_off_s")
        return ({} if off is None else {"clock_off_s": off}), {"clock_off_s": 0}
    if verb in DOWNLOADS:
        return {name: facts.held[name] for name in wanted if name in facts.held}, wanted
    was = {"force": facts.force, "relay": facts.relay.value}
    if verb is BatchVerb.RECONNECT:
        return was, {"force": "none", "relay": Relay.CLOSED.value}
    stays_open = verb is BatchVerb.TRIP or (verb is BatchVerb.RESUME and facts.arrears)
    relay = Relay.OPEN if stays_open else Relay.CLOSED
    return was, {"force": FORCE_WANTED[verb], "relay": relay.value}


def refusal(
    verb: BatchVerb, facts: Facts, aim: Values, allowed: Allowed, *, loses: bool
) -> str | None:
    """Why the rules forbid it, whatever the meter says."""
    if verb in HARMLESS:
        return None
    if verb is BatchVerb.CLOCK:
        return None
    if not facts.prepaid:
        return "ordinary"
    if not (facts.opened or allowed.unopened or verb is BatchVerb.TRIP):
        return "not_opened"
    if verb in DOWNLOADS and not aim:
        return "nothing_desired"
    if facts.protected and (verb is BatchVerb.TRIP or loses):
        return "protected"
    return None if allowed.override else _standing_order(verb, facts, aim)


def _standing_order(verb: BatchVerb, facts: Facts, aim: Values) -> str | None:
    """What somebody has ordered of this meter, and this verb would undo."""
    if verb is BatchVerb.TRIP and facts.force == "on":
        return "held_on"
    if verb is BatchVerb.RESUME and "hold" in facts.temporary:
        return "temporary"
    if verb is BatchVerb.SETTINGS and "overload_w" in aim and "limit" in facts.temporary:
        return "temporary"
    if verb is BatchVerb.RECONNECT and facts.arrears and facts.force != "on":
        return "arrears"  # the meter would open again at once
    return None


def _silence(verb: BatchVerb, facts: Facts, allowed: Allowed) -> str | None:
    """Why nobody answers there now."""
    if verb is BatchVerb.EXPORT and not allowed.fresh:
        return None  # what is known goes into the file, lost meters too
    if facts.line_down:
        return "line_down"
    if facts.read_at is None:
        return "never_read"  # also a meter whose model nobody knows here
    return "lost" if facts.failed_attempts >= LOST_AFTER else None


def is_so(verb: BatchVerb, facts: Facts, was: Values, aim: Values, now: dt.datetime) -> bool:
    """Does the meter hold it already, by what was last read back?"""
    if verb in HARMLESS:
        return False
    if verb is BatchVerb.CLOCK:
        off = was.get("clock_off_s")
        known = facts.held_at is not None and now - facts.held_at <= CLOCK_KNOWN
        return known and isinstance(off, int) and abs(off) <= CLOCK_GOOD_S
    if verb in DOWNLOADS:
        return holds(was, aim)
    if verb is BatchVerb.RECONNECT:
        return facts.relay is Relay.CLOSED
    return facts.force == aim["force"]


def held_of(held: str | None, settings: str | None) -> Values:
    """By name, of what is stored as JSON; the money block alone where no more was ever read."""
    if held:
        found: Values = json.loads(held)
        return found
    if not settings:
        return {}
    money = MeterSettings.from_json(settings)
    prices = zip(RATES, money.prices, strict=True)
    return {
        "money_control": int(money.money_control),
        **{f"price_{rate}": str(price) for rate, price in prices},
        "alarm1_fen": money.alarm1_fen,
        "alarm2_fen": money.alarm2_fen,
        "overdraft_fen": money.overdraft_fen,
    }


def holds(was: Values, aim: Values) -> bool:
    held = {name: value for name, value in was.items() if value is not None}
    return all(value is not None and same(name, value, held) for name, value in aim.items())


def _obstacle(verb: BatchVerb, facts: Facts, aim: Values) -> str | None:
    """Who has the meter in hand."""
    for lock, verbs in LOCKS.items():
        if lock in facts.locks and verb in verbs:
            return lock
    closes = verb is BatchVerb.SETTINGS and may_close(aim)
    return "locked_out" if closes and "locked_out" in facts.locks else None


def loses_power(verb: BatchVerb, facts: Facts, aim: Values) -> bool:
    """Does the light go out by it, at once? An unknown relay counts as closed."""
    if facts.relay is Relay.OPEN:
        return False
    if verb is BatchVerb.TRIP:
        return facts.force != "off"
    if verb is BatchVerb.RESUME:
        return facts.force == "on" and facts.arrears
    return verb is BatchVerb.SETTINGS and facts.force != "on" and _cut_by_settings(facts, aim)


def _cut_by_settings(facts: Facts, aim: Values) -> bool:
    limit_w, power_w = aim.get("overload_w"), facts.power_w
    if isinstance(limit_w, int) and limit_w and power_w is not None and power_w > limit_w:
        return not holds(facts.held, {"overload_w": limit_w})
    overdraft = aim.get("overdraft_fen", facts.held.get("overdraft_fen", 0))
    governed = aim.get("money_control", facts.held.get("money_control", 1))
    told = {"overdraft_fen", "money_control"} & aim.keys()
    changed = not holds(facts.held, {name: aim[name] for name in told})
    if not (changed and governed and isinstance(overdraft, int)):
        return False
    return facts.balance_fen is not None and facts.balance_fen <= -overdraft
