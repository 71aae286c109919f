"""What a meter holds beside what it is to hold: which names differ, since when, who minds."""

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

from engine.domain.resolving import Value, Values
from engine.domain.wanted import same


@dataclass(frozen=True, slots=True)
class Differing:
    """One name that differs. `since`: when this difference was first known."""

    wanted: Value
    held: Value
    since: dt.datetime
    accepted: bool = False  # a person has said that it may stay so
    told: bool = False  # a read-back showed it, and an event said so


Drift = dict[str, Differing]


def compared(
    wanted: Values,
    held: Values,
    accepted: Mapping[str, str],
    before: Drift,
    *,
    at: dt.datetime,
    read_back: bool,
) -> Drift:
    """What differs now. Names that the meter does not show (its model has none) do not.

    `accepted`: held values by name, as text, that a person took as they are. `before`: what
    differed so far; a difference in the same two values goes on, another one begins at `at`.
    `read_back`: the meter was asked just now, so what differs has been shown.
    """
    found = {}
    for name, value in wanted.items():
        if name not in held or same(name, value, held):
            continue
        last = before.get(name)
        goes_on = last is not None and (last.wanted, last.held) == (value, held[name])
        found[name] = Differing(
            value,
            held[name],
            since=last.since if last is not None and goes_on else at,
            accepted=accepted.get(name) == str(held[name]),
            told=read_back or (last is not None and goes_on and last.told),
        )
    return found


def news(before: Drift, now: Drift) -> list[str]:
    """Names whose difference a read-back has shown for the first time, and nobody accepted."""
    return [
        name
        for name, found in now.items()
        if found.told
        and not found.accepted
        and not (
            (last := before.get(name)) is not None
            and last.told
            and (last.wanted, last.held) == (found.wanted, found.held)
        )
    ]


def minded(drift: Drift) -> frozenset[str]:
    """The names that nobody accepted."""
    return frozenset(name for name, found in drift.items() if not found.accepted)


def accept(drift: Drift, names: Collection[str]) -> Drift:
    """The same with `names` accepted."""
    return {
        name: replace(found, accepted=True) if name in names else found
        for name, found in drift.items()
    }


def to_json(drift: Drift) -> str | None:
    """None where nothing differs."""
    if not drift:
        return None
    found = {name: asdict(each) | {"since": each.since.isoformat()} for name, each in drift.items()}
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str | None) -> Drift:
    if not text:
        return {}
    return {
        name: Differing(**fields | {"since": dt.datetime.fromisoformat(fields["since"])})
        for name, fields in json.loads(text).items()
    }
