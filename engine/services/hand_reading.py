"""Balances that were read by hand, or not at all any more: what they do to the books."""

import datetime as dt

from engine import clock
from engine.domain.errors import NotExchangeable
from engine.domain.units import yuan_text
from engine.services import freezing, ledger, meters
from models.cases import Exchange
from models.commands import Transfer
from models.enums import AccountKind, EntryKind, TransferPurpose
from models.people import Operator
from models.site import Meter


def post_by_hand(
    exchange: Exchange, energy_wh: int, balance_fen: int, by: Operator, zone: dt.tzinfo
) -> Transfer | None:
    """Bring the books to the balance that two persons vouch for, and out of the old meter.

    No frame can prove it. What the balance has fallen since the books last heard of it is
    revenue; the rest goes to clearing, for the new meter. Arrears are written off: no purchase
    can carry them on. None where nothing is left. Raises NotExchangeable(`more_than_books`);
    inside a write_transaction.
    """
    old = exchange.old
    credit = ledger.meter_credit(old.serial)
    _take_over_unseen(old, energy_wh, balance_fen)
    _require_in_books(old, balance_fen)
    close_day(old, energy_wh, balance_fen, zone)
    if balance_fen < 0:
        written_off = ledger.account(AccountKind.WRITE_OFF)
        ledger.post(written_off, credit, -balance_fen, EntryKind.CLEAR, by=by)
    if balance_fen <= 0:
        return None
    transfer: Transfer = Transfer.create(
        request_id=f"exchange:{exchange.id}:hand",
        purpose=TransferPurpose.EXCHANGE,
        source=old,
        amount_fen=balance_fen,
        why=exchange.why,
        operator=by,
        approver=exchange.approver,
        created_at=clock.now(),
    )
    ledger.post(credit, ledger.clearing(transfer), balance_fen, EntryKind.TRANSFER_OUT, by=by)
    return transfer


def close_day(meter: Meter, energy_wh: int, balance_fen: int, zone: dt.tzinfo) -> None:
    """The fall of `meter`'s balance becomes revenue for the last time: nobody reads it any more."""
    installation = meters.installation_of(meter)
    assert installation is not None, meter.serial
    freezing.final(
        installation, energy_wh=energy_wh, balance_fen=balance_fen, at=clock.now(), zone=zone
    )


def round_off(meter: Meter, by: Operator) -> None:
    """Leave nothing in the mirror: a few fen too small to be moved, or moved beyond the books."""
    credit, rounding = ledger.meter_credit(meter.serial), ledger.account(AccountKind.ROUNDING)
    left_fen = ledger.balance_of(credit)
    if left_fen > 0:
        ledger.post(credit, rounding, left_fen, EntryKind.CLEAR, by=by)
    elif left_fen < 0:
        ledger.post(rounding, credit, -left_fen, EntryKind.CLEAR, by=by)


def _require_in_books(meter: Meter, balance_fen: int) -> None:
    """Nobody reads more credit from a meter by hand than the books know to be in it."""
    books_fen = ledger.balance_of(ledger.meter_credit(meter.serial))
    if balance_fen > books_fen:
        raise NotExchangeable(
            serial=meter.serial,
            why="more_than_books",
            balance=yuan_text(balance_fen),
            books=yuan_text(books_fen),
        )


def _take_over_unseen(meter: Meter, energy_wh: int, balance_fen: int) -> None:
    """Where no reading ever was: the hand reading is the first that the books hear."""
    count = meter.mirror_count or 0
    meters.take_over(meter, balance_fen=balance_fen, count=count, energy_wh=energy_wh)
