"""Deposits (押金): what each tenant has deposited, and every time it was taken or given back."""

from dataclasses import asdict, dataclass
from typing import Any

import peewee as pw

from models.accounts import Account
from models.base import tuples
from models.deposits import Deposit
from models.enums import AccountKind, EntryKind, PayKind
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Operator


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A tenant with a deposit."""

    number: str
    name: str
    held_fen: int

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DepositMove:
    """One taking or giving back."""

    deposit: int
    request_id: str
    kind: EntryKind
    tenant: str
    amount_fen: int
    pay: PayKind
    why: str
    operator: str
    approver: str | None
    at: str  # ISO 8601, UTC

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def held() -> list[HeldRow]:
    """Tenants with anything deposited, by number."""
    given: Any = (
        LedgerAccount.select(
            LedgerAccount.key,
            Account.name,
            pw.fn.SUM(
                pw.Case(
                    None,
                    [(LedgerEntry.credit == LedgerAccount.id, LedgerEntry.amount_fen)],
                    LedgerEntry.amount_fen * -1,
                )
            ),
        )
        .join(
            LedgerEntry,
            on=(LedgerEntry.credit == LedgerAccount.id) | (LedgerEntry.debit == LedgerAccount.id),
        )
        .switch(LedgerAccount)
        .join(Account, on=Account.number == LedgerAccount.key)
        .where(LedgerAccount.kind == AccountKind.DEPOSIT)
        .group_by(LedgerAccount.key, Account.name)
        .order_by(LedgerAccount.key)
    )
    return [HeldRow(*row) for row in tuples(given) if row[2]]


def moves_of(number: str) -> list[DepositMove]:
    """Of one tenant, newest first."""
    query = Deposit.select().join(Account).where(Account.number == number)
    return [move_of(made) for made in query.order_by(Deposit.id.desc())]


def move_of(made: Deposit) -> DepositMove:
    approver: Operator | None = made.approver
    return DepositMove(
        made.id,
        made.request_id,
        made.kind,
        made.account.number,
        made.amount_fen,
        made.pay,
        made.why,
        made.operator.name,
        approver.name if approver else None,
        made.created_at.isoformat(timespec="milliseconds"),
    )
