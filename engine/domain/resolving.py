"""Which setting holds for a meter: its own, else its model's, its building's, the site's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.enums import DefaultScope

Values = dict[str, str | int]
Value = str | int
OWN = (  # a meter's columns, by the names they have as settings too
    "alarm1_fen", "alarm2_fen", "overdraft_fen", "overload_w", "overload_trips_max",
    "overload_recovery_min", "time_control",
)  # fmt: skip
TEXTS = frozenset({"time_control"})  # the others of OWN are numbers
METER, SITE, TARIFF = "meter", "site", "tariff"  # sources besides those of DefaultScope
LIMIT = "limit"  # of power, for a time: over all of them while it stands


class Sourced(NamedTuple):
    """What is desired, and who says so: METER, a DefaultScope, SITE or TARIFF."""

    value: Value
    source: str


@dataclass(frozen=True)
class Defaults:
    """What is desired of meters that say nothing themselves."""

    site: Values
    scoped: Mapping[tuple[DefaultScope, str], Values]

    def resolved(self, own: Values, *, model: str, building: str) -> dict[str, Sourced]:
        """By name; what nobody says anything of is not in it."""
        return {
            name: Sourced(value, source)
            for source, values in self._layers(own, model, building)
            for name, value in values.items()
        }

    def values(self, own: Values, *, model: str, building: str) -> Values:
        """The same without who says so."""
        found: Values = {}
        for _, values in self._layers(own, model, building):
            found |= values
        return found

    def _layers(self, own: Values, model: str, building: str) -> tuple[tuple[str, Values], ...]:
        """The most general first: each is over those before it."""
        return (
            (SITE, self.site),
            (DefaultScope.BUILDING.value, self.scoped.get((DefaultScope.BUILDING, building), {})),
            (DefaultScope.MODEL.value, self.scoped.get((DefaultScope.MODEL, model), {})),
            (METER, own),
        )


def own(row: object) -> Values:
    """What a meter's own row says."""
    return {name: value for name in OWN if (value := getattr(row, name)) is not None}


def site_values(*, alarm1_fen: int, alarm2_fen: int, overdraft_fen: int, overload_w: int) -> Values:
    """Of config.toml. An overload of 0 there means: nobody looks after it, so it is not named."""
    found: Values = {
        "alarm1_fen": alarm1_fen, "alarm2_fen": alarm2_fen, "overdraft_fen": overdraft_fen,
    }  # fmt: skip
    if overload_w:
        found["overload_w"] = overload_w
    return found


def scoped_values(
    rows: Iterable[tuple[DefaultScope, str, str, str]],
) -> dict[tuple[DefaultScope, str], Values]:
    """Stored rows (scope, key, name, text) as the values they stand for."""
    found: dict[tuple[DefaultScope, str], Values] = {}
    for scope, key, name, text in rows:
        found.setdefault((DefaultScope(scope), key), {})[name] = typed(name, text)
    return found


def typed(name: str, text: str) -> Value:
    """A stored text as the value it stands for."""
    return text if name in TEXTS else int(text)
