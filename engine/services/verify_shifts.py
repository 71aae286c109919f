"""Of the books: tills of closed shifts hold what was counted, deposits have their requests.

Their entries have no command: `verify` asks here whether something else explains them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from models import base
from models.accounts import Account
from models.deposits import Deposit
from models.enums import AccountKind, EntryKind, PayKind
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Shift
from models.shifts import ShiftCount

Balances = Mapping[tuple[str, str], int]  # kind and key of an account -> credits less debits
Found = Iterator[tuple[str, dict[str, object]]]  # code and params of a fault


def faults(balances_fen: Balances) -> Found:
    yield from _tills(balances_fen)
    yield from _differences(balances_fen)
    yield from _deposits()
    yield from _negative_deposits(balances_fen)


def _tills(balances_fen: Balances) -> Found:
    """A closed shift takes no more entries: its till, with the float, is what was counted."""
    counted = {
        (shift, pay): fen
        for shift, pay, fen in base.core.execute(
            ShiftCount.select(ShiftCount.shift, ShiftCount.pay, ShiftCount.counted_fen)
        )
    }
    closed = Shift.select(Shift.id, Shift.number, Shift.float_fen)
    for shift, number, float_fen in base.core.execute(
        closed.where(Shift.closed_at.is_null(False)).order_by(Shift.id)
    ):
        for pay in PayKind:
            till_fen = -balances_fen.get((AccountKind.CASH.value, f"{shift}:{pay.value}"), 0)
            found_fen = till_fen + (float_fen if pay is PayKind.CASH else 0)
            expected_fen = counted.get((shift, pay.value), 0)
            if found_fen != expected_fen:
                params = {"shift": number, "pay": pay.value}
                yield (
                    "till_differs",
                    {**params, "expected_fen": expected_fen, "found_fen": found_fen},
                )


def _differences(balances_fen: Balances) -> Found:
    """What was posted as counted more or less is what the counts say."""
    expected: dict[str, int] = defaultdict(int)
    for shift, due_fen, counted_fen in base.core.execute(
        ShiftCount.select(ShiftCount.shift, ShiftCount.expected_fen, ShiftCount.counted_fen)
    ):
        expected[str(shift)] += counted_fen - due_fen
    kind = AccountKind.CASH_DIFFERENCE.value
    found = {key: fen for (what, key), fen in balances_fen.items() if what == kind}
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key, 0) != found.get(key, 0):
            params = {"expected_fen": expected.get(key, 0), "found_fen": found.get(key, 0)}
            yield "cash_difference_differs", {"shift": key, **params}


def _deposits() -> Found:
    """Each deposit entry was asked for once, for that amount, tenant and till."""
    debit, credit = LedgerAccount.alias(), LedgerAccount.alias()
    kinds = [EntryKind.DEPOSIT.value, EntryKind.DEPOSIT_RETURNED.value]
    entries = (
        LedgerEntry.select(
            LedgerEntry.id, LedgerEntry.kind, LedgerEntry.amount_fen,
            debit.kind, debit.key, credit.kind, credit.key,
        )
        .join(debit, on=LedgerEntry.debit == debit.id)
        .switch(LedgerEntry)
        .join(credit, on=LedgerEntry.credit == credit.id)
        .where(LedgerEntry.kind.in_(kinds))
    )  # fmt: skip
    found = {entry: tuple(rest) for entry, *rest in base.core.execute(entries)}
    rows = Deposit.select(
        Deposit.entry, Deposit.kind, Deposit.amount_fen, Deposit.shift, Deposit.pay, Account.number
    ).join(Account)
    asked = {}
    for entry, kind, amount_fen, shift, pay, number in base.core.execute(rows):
        till = (AccountKind.CASH.value, f"{shift}:{pay}")
        deposit = (AccountKind.DEPOSIT.value, number)
        sides = (*till, *deposit) if kind == EntryKind.DEPOSIT else (*deposit, *till)
        asked[entry] = (kind, amount_fen, *sides)
    for entry in sorted(found.keys() | asked.keys()):
        if found.get(entry) != asked.get(entry):
            yield "deposit_differs", {"entry": entry}


def _negative_deposits(balances_fen: Balances) -> Found:
    for (kind, key), fen in sorted(balances_fen.items(), key=str):
        if kind == AccountKind.DEPOSIT and fen < 0:
            yield "deposit_negative", {"number": key, "found_fen": fen}
