"""What the engine changed at boundaries of tariffs, and what a delay cost."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import peewee as pw

from models.commands import Command
from models.enums import ChangeCause, CommandState
from models.people import Operator
from models.site import Meter
from models.tariffs import PriceChange


class ChangeState(StrEnum):
    """Texts: `tariff.change_state.<value>`."""

    WAITING = "waiting"  # written down, not in the meter yet
    REFUSED = "refused"  # by the meter, or it is silent: told again
    APPLIED = "applied"
    SUPERSEDED = "superseded"  # the next one came first


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A price change; `late_fen` above 0: the tenant paid too little."""

    id: int
    serial: str
    shop: str
    cause: ChangeCause
    state: ChangeState
    former: Mapping[str, Any]
    wanted: Mapping[str, Any]
    due_at: dt.datetime
    applied_at: dt.datetime | None
    due_energy_wh: int | None
    energy_wh: int | None
    balance_fen: int | None
    late_wh: int | None
    late_fen: int | None
    estimated: bool
    settled_at: dt.datetime | None
    settled_by: str
    note: str
    command: int | None

    @property
    def open(self) -> bool:
        """A difference that nobody has settled."""
        return bool(self.late_fen) and self.settled_at is None

    def as_json(self) -> dict[str, object]:
        times = ("due_at", "applied_at", "settled_at")
        return {**asdict(self), **{name: _iso(getattr(self, name)) for name in times}}


def changes(
    *, serial: str | None = None, only_open: bool = False, limit: int = 200
) -> list[ChangeRow]:
    """The engine's price changes, the newest first; `only_open`: differences to be settled."""
    later = PriceChange.alias()
    superseded = later.select().where(
        later.installation == PriceChange.installation, later.id > PriceChange.id
    )
    query = (
        PriceChange.select(
            PriceChange, Command, Meter, Operator, pw.fn.EXISTS(superseded).alias("superseded")
        )
        .join(Meter)
        .join_from(PriceChange, Command, pw.JOIN.LEFT_OUTER)
        .join_from(
            PriceChange, Operator, pw.JOIN.LEFT_OUTER, on=PriceChange.settled_by == Operator.id
        )
        .order_by(PriceChange.id.desc())
        .limit(limit)
    )
    if serial is not None:
        query = query.where(PriceChange.serial == serial)
    if only_open:
        query = query.where(
            PriceChange.settled_at.is_null(),
            PriceChange.late_fen.is_null(False),
            PriceChange.late_fen != 0,
        )
    return [_change(row) for row in query]


def _change(row: Any) -> ChangeRow:
    refused = row.command is not None and row.command.state is CommandState.REFUSED
    if row.applied_at is not None:
        state = ChangeState.APPLIED
    elif row.superseded:
        state = ChangeState.SUPERSEDED
    else:
        state = ChangeState.REFUSED if refused else ChangeState.WAITING
    return ChangeRow(
        row.id, row.serial, row.meter.shop, row.cause, state,
        json.loads(row.former), json.loads(row.wanted), row.due_at, row.applied_at,
        row.due_energy_wh, row.energy_wh, row.balance_fen, row.late_wh, row.late_fen,
        row.estimated, row.settled_at, row.settled_by.name if row.settled_by else "", row.note,
        row.command.id if row.command else None,
    )  # fmt: skip


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
