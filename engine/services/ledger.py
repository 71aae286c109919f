"""The only writer of entries: money moves from one account to another, or not at all."""

import peewee as pw

from engine import clock
from engine.services import chain
from models.commands import Command, Transfer
from models.enums import AccountKind, EntryKind, PayKind
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Operator, Shift

DEBIT_KINDS = frozenset(  # these grow by debits
    {AccountKind.CASH, AccountKind.TAKE_OVER, AccountKind.WRITE_OFF, AccountKind.CASH_DIFFERENCE}
)


def account(kind: AccountKind, key: str = "") -> LedgerAccount:
    """The account of that kind and key, made when first needed."""
    found = LedgerAccount.get_or_none(kind=kind, key=key)
    return found or LedgerAccount.create(kind=kind, key=key)


def till(shift: Shift, pay: PayKind) -> LedgerAccount:
    """What a shift holds of one kind of payment, its float apart."""
    return account(AccountKind.CASH, f"{shift.id}:{pay.value}")


def till_of(sale: Command) -> LedgerAccount:
    """Where its payment lies: the cash of its shift and kind of payment."""
    assert sale.shift is not None, sale.id
    assert sale.pay is not None, sale.id
    return till(sale.shift, sale.pay)


def in_flight(serial: str) -> LedgerAccount:
    return account(AccountKind.IN_FLIGHT, serial)


def meter_credit(serial: str) -> LedgerAccount:
    return account(AccountKind.METER_CREDIT, serial)


def fee_income() -> LedgerAccount:
    return account(AccountKind.FEE_INCOME)


def suspense(serial: str) -> LedgerAccount:
    return account(AccountKind.SUSPENSE, serial)


def take_over() -> LedgerAccount:
    return account(AccountKind.TAKE_OVER)


def refund_payable() -> LedgerAccount:
    return account(AccountKind.REFUND_PAYABLE)


def clearing(transfer: Transfer) -> LedgerAccount:
    return account(AccountKind.CLEARING, str(transfer.id))


def deposit(number: str) -> LedgerAccount:
    """Of the tenant with that number: apart from credit."""
    return account(AccountKind.DEPOSIT, number)


def adjustment(serial: str) -> LedgerAccount:
    return account(AccountKind.ADJUSTMENT, serial)


def post(
    debit: LedgerAccount,
    credit: LedgerAccount,
    amount_fen: int,
    kind: EntryKind,
    *,
    command: Command | None = None,
    by: Operator | None = None,
    shift: Shift | None = None,
    reverses: LedgerEntry | None = None,
) -> LedgerEntry:
    """Move `amount_fen` (> 0), inside the caller's write_transaction, for whose command it is.

    `by` and `shift` are the command's where they are not given.

    A stage of a command is posted once: a second time is peewee.IntegrityError, and the whole
    transaction falls.
    """
    assert debit != credit, kind
    return chain.append(
        LedgerEntry(
            debit=debit,
            credit=credit,
            amount_fen=amount_fen,
            kind=kind,
            command=command,
            reverses=reverses,
            operator=by or (command.operator if command else None),
            shift=shift or (command.shift if command else None),
            posted_at=clock.now(),
        )
    )


def balance_of(of: LedgerAccount) -> int:
    """Fen on the account, summed from its rows: debits less credits for cash and take-over."""
    debits, credits_ = (_sum_fen(side == of) for side in (LedgerEntry.debit, LedgerEntry.credit))
    return debits - credits_ if of.kind in DEBIT_KINDS else credits_ - debits


def balance_at(kind: AccountKind, key: str = "") -> int:
    """The same by name, 0 where no such account was ever needed; makes none."""
    found = LedgerAccount.get_or_none(kind=kind, key=key)
    return balance_of(found) if found else 0


def _sum_fen(where: pw.Expression) -> int:
    total = LedgerEntry.select(pw.fn.SUM(LedgerEntry.amount_fen)).where(where).scalar()
    return int(total or 0)
