"""Entries that no command stands behind: credit taken over, read by hand, rounded in an exchange.

Revenue, deposits, differences and adjustments have their own subjects. Whoever can chain a row can
say anything in it; here it must be what a meter, a transfer or an exchange explains.
"""

from collections.abc import Iterator
from typing import NamedTuple

import peewee as pw

from models import base
from models.cases import Exchange
from models.commands import Command, Transfer
from models.enums import AccountKind, CommandKind, EntryKind, TransferPurpose
from models.ledger import LedgerAccount, LedgerEntry
from models.site import Meter

KINDS = (EntryKind.TAKE_OVER, EntryKind.TRANSFER_OUT, EntryKind.CLEAR)
COUNTED = tuple(kind for kind in CommandKind if kind.counted)
Found = tuple[str, dict[str, object]]  # code and params of `error.verify.<code>`


class Entry(NamedTuple):
    id: int
    kind: str
    fen: int
    giver: str
    giver_key: str
    taker: str
    taker_key: str

    @property
    def sides(self) -> tuple[str, str]:
        return self.giver, self.taker

    @property
    def serial(self) -> str:
        return self.giver_key if self.giver == AccountKind.METER_CREDIT else self.taker_key


def faults() -> list[Found]:
    """Inside the caller's read transaction."""
    wrong = {*_unexplained(), *_of_what_moves_nothing()}
    return [("stray_entry", {"entry": entry}) for entry in sorted(wrong)]


def _of_what_moves_nothing() -> Iterator[int]:
    """A read, a switch or a download moves no money; nor does a command that is not there."""
    query = (
        LedgerEntry.select(LedgerEntry.id)
        .join(Command, pw.JOIN.LEFT_OUTER)
        .where(LedgerEntry.command.is_null(False))
        .where(Command.kind.is_null() | Command.kind.not_in(COUNTED))
    )
    yield from (entry for (entry,) in base.core.execute(query))


def _unexplained() -> Iterator[int]:
    entries = [each for each in _entries() if each.kind in KINDS]
    conversions, exchanges = _conversions(), _by_hand()
    installed, after_fen = _installed(), _standing_after(entries)
    serials = {serial for (serial,) in base.core.execute(Meter.select(Meter.serial))}
    for entry in entries:
        match entry.kind, entry.sides:
            case EntryKind.TAKE_OVER, (
                (AccountKind.TAKE_OVER, AccountKind.METER_CREDIT)
                | (AccountKind.METER_CREDIT, AccountKind.TAKE_OVER)
            ):
                explained = entry.serial in serials
            case EntryKind.TAKE_OVER, (AccountKind.TAKE_OVER, AccountKind.CLEARING):
                explained = conversions.pop(entry.taker_key, None) == entry.fen
            case EntryKind.TRANSFER_OUT, (AccountKind.METER_CREDIT, AccountKind.CLEARING):
                explained = exchanges.pop((entry.serial, entry.taker_key), None) == entry.fen
            case EntryKind.CLEAR, (AccountKind.WRITE_OFF, AccountKind.METER_CREDIT):
                explained = exchanges.pop((entry.serial, ""), None) == -entry.fen
            case EntryKind.CLEAR, (
                (AccountKind.METER_CREDIT, AccountKind.ROUNDING)
                | (AccountKind.ROUNDING, AccountKind.METER_CREDIT)
            ):
                explained = installed.pop(entry.serial, False) and after_fen[entry.id] == 0
            case _:
                explained = False
        if not explained:
            yield entry.id


def _entries(where: pw.Expression | None = None) -> list[Entry]:
    debit, credit = LedgerAccount.alias(), LedgerAccount.alias()
    query = (
        LedgerEntry.select(
            LedgerEntry.id, LedgerEntry.kind, LedgerEntry.amount_fen,
            debit.kind, debit.key, credit.kind, credit.key,
        )
        .join(debit, on=LedgerEntry.debit == debit.id)
        .switch(LedgerEntry)
        .join(credit, on=LedgerEntry.credit == credit.id)
        .order_by(LedgerEntry.id)
    )  # fmt: skip
    if where is None:
        query = query.where(LedgerEntry.command.is_null())
    else:
        chosen = LedgerAccount.select(LedgerAccount.id).where(where)
        query = query.where(LedgerEntry.debit.in_(chosen) | LedgerEntry.credit.in_(chosen))
    return [Entry(*row) for row in base.core.execute(query)]


def _standing_after(entries: list[Entry]) -> dict[int, int]:
    """Entry -> fen in the credit of its meter after it, of meters whose rest was rounded."""
    rounded = {entry.serial for entry in entries if AccountKind.ROUNDING in entry.sides}
    after_fen: dict[int, int] = {}
    for serial in sorted(rounded):
        of_it = (LedgerAccount.kind == AccountKind.METER_CREDIT) & (LedgerAccount.key == serial)
        total_fen = 0
        for entry in _entries(of_it):
            gives = entry.giver == AccountKind.METER_CREDIT
            total_fen += -entry.fen if gives else entry.fen
            after_fen[entry.id] = total_fen
    return after_fen


def _conversions() -> dict[str, int]:
    """Transfer -> what another system's meter held, by the file."""
    query = Transfer.select(Transfer.id, Transfer.amount_fen).where(
        Transfer.purpose == TransferPurpose.CONVERSION
    )
    return {str(transfer): fen for transfer, fen in base.core.execute(query)}


def _by_hand() -> dict[tuple[str, str], int]:
    """(old meter, transfer or "") -> what two persons read from it."""
    query = (
        Exchange.select(Meter.serial, Exchange.transfer, Exchange.final_balance_fen)
        .join(Meter, on=Exchange.old == Meter.id)
        .where(Exchange.by_hand == True)  # noqa: E712 (SQL)
    )
    return {
        (serial, str(transfer or "")): fen or 0
        for serial, transfer, fen in base.core.execute(query)
    }


def _installed() -> dict[str, bool]:
    """Old meters whose exchange came so far that nothing of them stays in the books."""
    query = (
        Exchange.select(Meter.serial)
        .join(Meter, on=Exchange.old == Meter.id)
        .where(Exchange.first_energy_wh.is_null(False))
    )
    return {serial: True for (serial,) in base.core.execute(query)}
