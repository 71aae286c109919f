"""What a plan over many meters is: a row a meter, and what it comes to. No database here."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.domain.selection import Selection
from models.enums import BatchVerb, Planned

Values = Mapping[str, str | int | None]
NUMBERED = (Planned.SAME, Planned.UNREACHABLE, Planned.LOCKED, Planned.REFUSED)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What would become of one meter. `was` and `wanted` are by the names of the vocabulary.

    A switch is about `force` (none, on, off) and `relay` (closed, open, unknown), a clock about
    `clock_off_s`. `was` None: never read back. `seen_at` is when `was` was read.
    """

    meter_id: int
    serial: str
    line: str
    address: int
    shop: str
    tenant: str | None
    planned: Planned
    was: Values
    wanted: Values
    loses_power: bool = False
    reason: str | None = None  # of every row that is left alone: `batch.reason.<reason>`
    seen_at: dt.datetime | None = None

    @property
    def changes(self) -> dict[str, tuple[str | int | None, str | int | None]]:
        """Only what differs: name -> (from, to)."""
        pairs = {name: (self.was.get(name), value) for name, value in self.wanted.items()}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True)
class Plan:
    """A verb over the meters that were selected, by line and address; nothing is written yet."""

    verb: BatchVerb
    selection: Selection
    options: Mapping[str, str | int | None]
    rows: tuple[PlanRow, ...]
    line_s: int  # on the busiest line
    planned_at: dt.datetime
    by_line_s: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def change(self) -> tuple[PlanRow, ...]:
        """What would be carried out, and must be confirmed by its number."""
        return self._of(Planned.CHANGE)

    @cached_property
    def same(self) -> tuple[PlanRow, ...]:
        return self._of(Planned.SAME)

    @cached_property
    def unreachable(self) -> tuple[PlanRow, ...]:
        return self._of(Planned.UNREACHABLE)

    @cached_property
    def locked(self) -> tuple[PlanRow, ...]:
        return self._of(Planned.LOCKED)

    @cached_property
    def refused(self) -> tuple[PlanRow, ...]:
        return self._of(Planned.REFUSED)

    @cached_property
    def loses_power(self) -> tuple[PlanRow, ...]:
        """Of `change`: whose lights go out by it."""
        return tuple(row for row in self.change if row.loses_power)

    @property
    def digest(self) -> str:
        """What an approver has seen, in short: the same plan made later has the same."""
        rows = [[row.serial, dict(row.wanted), row.loses_power] for row in self.change]
        text = json.dumps([self.verb, rows], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _of(self, planned: Planned) -> tuple[PlanRow, ...]:
        return tuple(row for row in self.rows if row.planned is planned)
