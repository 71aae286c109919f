"""What a meter that was held on owes in the end: used meanwhile, and paid by nobody yet."""

from engine.services import temporary_rows
from models.commands import Command
from models.control import Temporary
from models.enums import CommandState


def debt_fen(row: Temporary, after_fen: int | None) -> int | None:
    """Of what was used while it held, what is still below zero; None where too little is known.

    Credit that came or went meanwhile was no use.
    """
    if after_fen is None or row.before_balance_fen is None:
        return None
    used_fen = row.before_balance_fen + _credit_fen(row) - after_fen
    return max(0, min(used_fen, -after_fen))


def _credit_fen(row: Temporary) -> int:
    """Put into the meter less taken out of it since it was held."""
    found = Command.select().where(
        Command.meter == row.meter,
        Command.counted == True,  # noqa: E712 (SQL)
        Command.state == CommandState.APPLIED,
        Command.sent_at >= temporary_rows.began_at(row),
    )
    return sum(each.amount_fen if each.kind.raises else -each.amount_fen for each in found)
