"""Batches as lists and screens show them: how far each is, and what became of every meter."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee as pw

from engine.domain import selection as domain
from engine.domain.batch_rules import Values, held_of
from engine.domain.errors import NoSuchBatch
from engine.domain.selection import Selection
from engine.views.rows import MeterRow
from models.accounts import Account, Installation
from models.base import tuples
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, ItemState, LineState, Planned
from models.metering import Latest, LineHealth
from models.people import Operator
from models.site import Line, Meter

OPEN_MAX = 20  # at a time, as far as a screen tells of them


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
    found = _rows(Batch.id == batch_id)
    if not found:
        raise NoSuchBatch(batch=batch_id)
    alone = (
        BatchItem.select(BatchItem.planned, pw.fn.COUNT(BatchItem.id))
        .where(BatchItem.batch == batch_id, BatchItem.planned != Planned.CHANGE)
        .group_by(BatchItem.planned)
    )
    return Progress(found[0], _lines(batch_id), dict(tuples(alone)))


def items(batch_id: int) -> list[Item]:
    """Every meter of the plan, by line and address. Raises NoSuchBatch."""
    if not Batch.select().where(Batch.id == batch_id).exists():
        raise NoSuchBatch(batch=batch_id)
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        BatchItem.select(
            BatchItem.id, BatchItem.meter, BatchItem.serial, BatchItem.line, Meter.shop,
            Account.name, BatchItem.planned, BatchItem.was, BatchItem.wanted,
            BatchItem.loses_power, BatchItem.state, BatchItem.reason, BatchItem.command,
            BatchItem.finished_at,
        )
        .join(Meter)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(BatchItem.batch == batch_id)
        .order_by(BatchItem.id)
    )  # fmt: skip
    return [_item(*row) for row in tuples(query)]


def _item(*stored: Any) -> Item:
    row = list(stored)
    row[7:9] = json.loads(row[7]), json.loads(row[8])
    return Item(*row)


def list_batches(limit: int = 50) -> list[BatchRow]:
    """Newest first."""
    return _rows(None, limit)


def open_ones() -> list[BatchRow]:
    """Those that run or are paused, newest first."""
    return _rows(Batch.state.in_((BatchState.RUNNING, BatchState.PAUSED)), OPEN_MAX)


def held_by_meter() -> dict[int, Values]:
    """What each meter was last read back to hold, by name; of the others nothing."""
    query = Latest.select(Latest.meter_id, Latest.held, Latest.settings).where(
        Latest.held.is_null(False) | Latest.settings.is_null(False)
    )
    return {meter_id: held_of(held, settings) for meter_id, held, settings in tuples(query)}


def _rows(which: pw.Expression | None, limit: int = 1) -> list[BatchRow]:
    second = Operator.alias()
    query = (
        Batch.select(
            Batch.id, Batch.verb, Batch.state, Batch.stopped, Batch.why, Operator.name, second.name,
            Batch.created_at, Batch.expires_at, Batch.finished_at, Batch.line_s, Batch.retries,
        )
        .join(Operator, on=Batch.operator == Operator.id)
        .switch(Batch)
        .join(second, pw.JOIN.LEFT_OUTER, on=Batch.approver == second.id)
        .order_by(Batch.id.desc())
        .limit(limit)
    )  # fmt: skip
    rows = tuples(query if which is None else query.where(which))
    counts = _counts([row[0] for row in rows])
    return [_batch(*row, *counts.get(row[0], Counts())) for row in rows]


def _batch(*fields: Any) -> BatchRow:
    return BatchRow(*fields)


class Counts(NamedTuple):
    """Of the meters that a plan was to change."""

    total: int = 0
    done: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0


def _counts(batch_ids: Sequence[int]) -> dict[int, Counts]:
    by_state: dict[int, dict[ItemState, int]] = defaultdict(dict)
    query = (
        BatchItem.select(BatchItem.batch, BatchItem.state, pw.fn.COUNT(BatchItem.id))
        .where(BatchItem.batch.in_(list(batch_ids)), BatchItem.planned == Planned.CHANGE)
        .group_by(BatchItem.batch, BatchItem.state)
    )
    for batch_id, state, number in tuples(query):
        by_state[batch_id][state] = number
    return {batch_id: _summed(found) for batch_id, found in by_state.items()}


def _summed(found: Mapping[ItemState, int]) -> Counts:
    return Counts(
        total=sum(found.values()),
        done=found.get(ItemState.APPLIED, 0),
        failed=found.get(ItemState.REFUSED, 0) + found.get(ItemState.SKIPPED, 0),
        unknown=found.get(ItemState.UNKNOWN, 0),
        waiting=found.get(ItemState.WAITING, 0),
    )


def _lines(batch_id: int) -> tuple[LineProgress, ...]:
    by_line: dict[str, dict[ItemState, int]] = defaultdict(dict)
    query = (
        BatchItem.select(BatchItem.line, BatchItem.state, pw.fn.COUNT(BatchItem.id))
        .where(BatchItem.batch == batch_id, BatchItem.planned == Planned.CHANGE)
        .group_by(BatchItem.line, BatchItem.state)
    )
    for line, state, number in tuples(query):
        by_line[line][state] = number
    current = _in_hand(batch_id)
    down = _lines_down()
    return tuple(
        LineProgress(line, *_summed(found), current=current.get(line), down=line in down)
        for line, found in sorted(by_line.items())
    )


def _in_hand(batch_id: int) -> dict[str, str]:
    """Line -> the meter whose command is the oldest under way there."""
    query = (
        BatchItem.select(BatchItem.line, BatchItem.serial)
        .where(BatchItem.batch == batch_id, BatchItem.state == ItemState.QUEUED)
        .order_by(BatchItem.id.desc())
    )
    return dict(tuples(query))


def _lines_down() -> set[str]:
    query = LineHealth.select(LineHealth.line_id).where(LineHealth.state == LineState.DOWN)
    down = {row[0] for row in tuples(query)}
    return {name for line_id, name in tuples(Line.select(Line.id, Line.name)) if line_id in down}
