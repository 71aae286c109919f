"""How a money command is shown in a list."""

from typing import Any

from console import words
from console.widgets.columns import Cell, Column, width
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.views.sales import Sale
from models.enums import CommandKind, CommandState

STATE_STYLES = {
    CommandState.QUEUED: "",
    CommandState.SENT: "",
    CommandState.UNKNOWN: "alarm2",
    CommandState.APPLIED: "good",
    CommandState.REFUSED: "bad",
    CommandState.VOIDED: "dim",
    CommandState.SUSPENSE: "bad",
}


def state_cell(row: Sale) -> Cell:
    return Cell(t(f"state.command.{row.state}"), STATE_STYLES[row.state])


def state_width() -> int:
    return words.widest(t(f"state.command.{state}") for state in CommandState)


def kind_width() -> int:
    return words.widest(t(f"state.kind.{kind}") for kind in CommandKind if kind.counted)


KIND: Column[Any] = Column("kind", kind_width, lambda row: Cell(t(f"state.kind.{row.kind}")))
AMOUNT: Column[Any] = Column(
    "credit", width(10), lambda row: Cell(yuan_text(row.amount_fen), "strong"), right=True
)
OUTCOME: Column[Any] = Column("outcome", state_width, state_cell)
TENANT: Column[Any] = Column("tenant", width(14), lambda row: Cell(row.tenant or words.NOTHING))
SHOP: Column[Any] = Column("shop", width(8), lambda row: Cell(row.shop))
SERIAL: Column[Any] = Column("serial", width(12), lambda row: Cell(row.serial))
REASON: Column[Any] = Column(
    "reason", width(40), lambda row: Cell(words.reason(row.reason)), shrinks=True
)
