"""Credit between two meters that waits: out of one, in no other, and nothing under way."""

from dataclasses import dataclass

import peewee as pw

from models.base import tuples
from models.cases import Exchange
from models.commands import OPEN_STATES, Command, Transfer
from models.enums import AccountKind, CommandState
from models.ledger import LedgerAccount, LedgerEntry
from models.site import Meter


@dataclass(frozen=True, slots=True)
class Waiting:
    """One transfer; `source` None: an old meter of another system, `target` None: not said yet."""

    transfer: int
    source: str | None
    target: str | None
    amount_fen: int
    command: int | None  # its last leg


def in_clearing() -> list[Waiting]:
    """Oldest first."""
    under_way = Command.select(Command.transfer).where(
        Command.transfer.is_null(False),
        Command.state.in_((*OPEN_STATES, CommandState.SUSPENSE.value)),
    )
    exchanges = Exchange.select(Exchange.transfer).where(  # these have a place of their own
        Exchange.transfer.is_null(False), Exchange.finished_at.is_null()
    )
    source, target = Meter.alias(), Meter.alias()
    last = Command.select(pw.fn.MAX(Command.id)).where(Command.transfer == Transfer.id)
    query = (
        Transfer.select(Transfer.id, source.serial, target.serial, last)
        .join(source, pw.JOIN.LEFT_OUTER, on=Transfer.source == source.id)
        .switch(Transfer)
        .join(target, pw.JOIN.LEFT_OUTER, on=Transfer.target == target.id)
        .where(Transfer.finished_at.is_null(), Transfer.id.not_in(under_way))
        .where(Transfer.id.not_in(exchanges))
        .order_by(Transfer.id)
    )
    rows = tuples(query)
    held_fen = _held_fen([str(row[0]) for row in rows])
    return [
        Waiting(number, origin, aim, held_fen[str(number)], command)
        for number, origin, aim, command in rows
        if held_fen.get(str(number), 0) > 0
    ]


def _held_fen(transfers: list[str]) -> dict[str, int]:
    """Transfer -> fen on its clearing account."""
    of_them = (LedgerAccount.kind == AccountKind.CLEARING) & LedgerAccount.key.in_(transfers)
    held_fen: dict[str, int] = {}
    for side, sign in ((LedgerEntry.credit, 1), (LedgerEntry.debit, -1)):
        query = (
            LedgerEntry.select(LedgerAccount.key, pw.fn.SUM(LedgerEntry.amount_fen))
            .join(LedgerAccount, on=side == LedgerAccount.id)
            .where(of_them)
            .group_by(LedgerAccount.key)
        )
        for key, fen in tuples(query):
            held_fen[key] = held_fen.get(key, 0) + sign * fen
    return held_fen
