"""What one person has given back without a second one lately: parts count as a whole."""

import datetime as dt

import peewee as pw

from engine import clock
from engine.services import ledger, meters
from models.accounts import Account
from models.commands import Command, Transfer
from models.deposits import Deposit
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, TransferPurpose
from models.site import Meter

WITHIN = dt.timedelta(hours=24)
CAME_TO_NOTHING = (CommandState.REFUSED, CommandState.VOIDED)


def taken_out_fen(meter: Meter) -> int:
    """Refunds and transfers out of `meter` that nobody approved; exchanges apart."""
    moves = Transfer.select(Transfer.id).where(Transfer.purpose == TransferPurpose.MOVE)
    query = Command.select(pw.fn.SUM(Command.amount_fen)).where(
        Command.meter == meter,
        (Command.kind == CommandKind.REFUND)
        | ((Command.kind == CommandKind.TRANSFER_OUT) & Command.transfer.in_(moves)),
        Command.approver.is_null(),
        Command.state.not_in(CAME_TO_NOTHING),
        Command.created_at > clock.now() - WITHIN,
    )
    return int(query.scalar() or 0)


def is_beyond_books(meter: Meter, amount_fen: int, *, drift_limit_fen: int) -> bool:
    """Would more leave `meter` than the books know to be in it? No use explains that.

    Somebody wrote a balance with another program, say: one person does not pay it out.
    """
    installation = meters.installation_of(meter)
    if installation is None or not installation.taken_over:
        return False
    books_fen = ledger.balance_at(AccountKind.METER_CREDIT, meter.serial)
    return amount_fen > books_fen + drift_limit_fen


def deposit_returned_fen(account: Account) -> int:
    """What of its deposit went back that nobody approved."""
    query = Deposit.select(pw.fn.SUM(Deposit.amount_fen)).where(
        Deposit.account == account,
        Deposit.kind == EntryKind.DEPOSIT_RETURNED,
        Deposit.approver.is_null(),
        Deposit.created_at > clock.now() - WITHIN,
    )
    return int(query.scalar() or 0)
