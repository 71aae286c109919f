"""Does each reversal undo one proved sale of its meter, to the fen, and its entries theirs?"""

import peewee as pw

from models import base
from models.commands import Command
from models.enums import CommandKind, CommandState, EntryKind
from models.ledger import LedgerEntry

UNDOES = {  # an entry of a reversal -> the one of the sale it may name
    EntryKind.REVERSAL: (EntryKind.CREDIT,),
    EntryKind.FEE_REVERSAL: (EntryKind.FEE,),
}
Found = tuple[str, dict[str, object]]  # code and params of `error.verify.<code>`


def faults() -> list[Found]:
    """Inside the caller's read transaction."""
    wrong = sorted({*_commands(), *_entries()})
    return [("reversal_differs", {"command": command}) for command in wrong]


def _commands() -> list[int]:
    sale = Command.alias()
    query = (
        Command.select(Command.id)
        .join(sale, pw.JOIN.LEFT_OUTER, on=Command.reverses == sale.id)
        .where(Command.kind == CommandKind.REVERSE, Command.state == CommandState.APPLIED)
        .where(
            sale.id.is_null()
            | (sale.kind != CommandKind.SELL)
            | (sale.state != CommandState.APPLIED)
            | (sale.serial != Command.serial)
            | (sale.amount_fen != Command.amount_fen)
            | (sale.fee_fen != Command.fee_fen)
        )
    )
    return [number for (number,) in base.core.execute(query)]


def _entries() -> list[int]:
    """Of a proved reversal each entry names the one it undoes, of the sale it reverses."""
    undone = LedgerEntry.alias()
    query = (
        LedgerEntry.select(
            LedgerEntry.command, Command.reverses, LedgerEntry.kind, undone.command, undone.kind
        )
        .join(Command)
        .switch(LedgerEntry)
        .join(undone, pw.JOIN.LEFT_OUTER, on=LedgerEntry.reverses == undone.id)
        .where(LedgerEntry.kind.in_(list(UNDOES)))
    )
    return [
        command
        for command, sale, kind, of, what in base.core.execute(query)
        if of is None or of != sale or what not in UNDOES[EntryKind(kind)]
    ]
