"""Batches as lists and screens show them: how far each is, and what became of every meter."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from engine.domain import selection as domain
from engine.domain.selection import Selection
from engine.views.rows import MeterRow
from models.enums import BatchState, BatchVerb, ItemState, Planned


@dataclass(frozen=True, slots=True)
class LineProgress:
    """How far a batch is on one line. `current` is the meter in hand, None while it waits."""

    line: str
    total: int  # of the plan's changes
    done: int  # applied
    failed: int  # refused, or skipped since the plan
    unknown: int
    waiting: int  # not begun
    current: str | None
    down: bool


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as a list shows it; the numbers are of its changes."""

    batch: int
    verb: BatchVerb
    state: BatchState
    stopped: str
    why: str
    operator: str
    approver: str | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    finished_at: dt.datetime | None
    line_s: int
    retries: int | None
    total: int
    done: int
    failed: int
    unknown: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Progress:
    """One batch, in all and line by line."""

    batch: BatchRow
    lines: tuple[LineProgress, ...]
    left_alone: Mapping[Planned, int]  # what the plan set aside


@dataclass(frozen=True, slots=True)
class Item:
    """A meter of a batch: what was planned, and what became of it."""

    item: int
    meter_id: int
    serial: str
    line: str
    shop: str
    tenant: str | None
    planned: Planned
    was: Mapping[str, str | int | None]
    wanted: Mapping[str, str | int | None]
    loses_power: bool
    state: ItemState
    reason: str | None
    command: int | None
    finished_at: dt.datetime | None


def select(selection: Selection, rows: list[MeterRow]) -> list[MeterRow]:
    """The rows that are meant. Raises BadSelection, see engine.domain.selection."""
    return domain.select(selection, rows)


def progress(batch_id: int) -> Progress:
    """Raises NoSuchBatch."""
    raise NotImplementedError


def items(batch_id: int) -> list[Item]:
    """Every meter of the plan, by line and address. Raises NoSuchBatch."""
    raise NotImplementedError


def list_batches(limit: int = 50) -> list[BatchRow]:
    """Newest first."""
    raise NotImplementedError
