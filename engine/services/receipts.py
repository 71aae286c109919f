"""A number for what a meter has proved, and the short code that vouches for it."""

import datetime as dt

import peewee as pw

from engine import clock, security
from engine.domain import receipt_code
from engine.domain.errors import NoReceipt, NoSuchCommand, NoSuchReceipt
from engine.domain.receipt_code import Facts
from engine.services import printing
from models.commands import Command, Payment, Receipt
from models.enums import CommandKind, CommandState

WITH_RECEIPT = (
    CommandKind.SELL, CommandKind.REFUND, CommandKind.REVERSE, CommandKind.TRANSFER_IN,
)  # fmt: skip


def issue(command: Command, zone: dt.tzinfo) -> Receipt | None:
    """The next number of the site, `20261123-000123`, inside the transaction that confirms.

    A part of a payment gets the payment's own, which its first proved part brings about. The
    paper is queued with it. None where nothing changes hands: the first leg of a transfer, a
    balance that was cleared.
    """
    if command.kind not in WITH_RECEIPT:
        return None
    if found := of(command):
        return found
    now = clock.now()
    last = int(Receipt.select(pw.fn.MAX(Receipt.id)).scalar() or 0)
    receipt: Receipt = Receipt.create(
        number=f"{now.astimezone(zone):%Y%m%d}-{last + 1:06d}",
        command=None if command.payment else command,
        payment=command.payment,
        issued_at=now,
    )
    printing.queue(receipt)
    return receipt


def of(command: Command) -> Receipt | None:
    """Its receipt, or that of the payment it is a part of."""
    if command.payment is not None:
        found: Receipt | None = Receipt.get_or_none(Receipt.payment == command.payment)
    else:
        found = Receipt.get_or_none(Receipt.command == command)
    return found


def find(named: str) -> Receipt:
    """By its number, or by a command's. Raises NoSuchReceipt, NoSuchCommand, NoReceipt."""
    named = named.strip()
    if not (named.isascii() and named.isdigit()):
        receipt: Receipt | None = Receipt.get_or_none(Receipt.number == named)
        if receipt is None:
            raise NoSuchReceipt(number=named)
        return receipt
    command = Command.get_or_none(Command.id == int(named[:18]))
    if command is None:
        raise NoSuchCommand(command=named)
    return require(command)


def require(command: Command) -> Receipt:
    """The receipt of `command`. Raises NoReceipt."""
    receipt = of(command)
    if receipt is None:
        raise NoReceipt(command=command.id)
    return receipt


def commands_of(receipt: Receipt) -> list[Command]:
    """What it is for: one command, or all sales of its payment in the order they were asked."""
    payment: Payment | None = receipt.payment
    if payment is not None:
        return list(Command.select().where(Command.payment == payment).order_by(Command.id))
    assert receipt.command is not None, receipt.number
    return [receipt.command]


def code(receipt: Receipt) -> str:
    """What it says as it is drawn now, signed; "" where a code cannot carry it.

    The code of a payment counts the sales that are proved by now: later ones, later codes.
    """
    proved = [each for each in commands_of(receipt) if each.state is CommandState.APPLIED]
    if not proved:
        return ""
    first = proved[0]
    facts = Facts(
        number=receipt.number,
        kind="payment" if receipt.payment else first.kind.value,
        serial=first.serial,
        meters=len(proved),
        amount_fen=sum(each.amount_fen for each in proved),
        fee_fen=sum(each.fee_fen for each in proved),
        count_after=first.after_count,
        issued_at=receipt.issued_at,
    )
    try:
        return receipt_code.write(facts, security.receipt_key(security.chain_key()))
    except ValueError:  # a meter whose number has letters
        return ""
