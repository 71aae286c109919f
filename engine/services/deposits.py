"""押金: a tenant's deposit, apart from the credit in its meters."""

from engine import clock
from engine.config import MoneySection
from engine.domain.errors import (
    BadAmount,
    DepositTooSmall,
    NoSuchTenant,
    RequestIdReused,
    TenantClosed,
)
from engine.domain.units import yuan_text
from engine.services import accounts, alone, approving, audit, ledger, operators, paying
from models.accounts import Account
from models.base import write_transaction
from models.deposits import Deposit
from models.enums import AccountKind, EntryKind, PayKind, Right
from models.people import Operator


def take_deposit(
    number: str,
    amount_fen: int,
    pay: PayKind,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
) -> Deposit:
    """Into the till of `by`, owed to tenant `number`. A repeated `request_id` takes nothing more.

    Raises Forbidden, BadAmount, PayKindOff, NoSuchTenant, TenantClosed, RequestIdReused.
    """
    asked = (EntryKind.DEPOSIT, number, amount_fen, pay, by)
    with write_transaction():
        if earlier := _earlier(request_id, asked):
            return earlier
        operators.require(by, Right.ACCOUNTS)
        _require_amount(amount_fen)
        paying.require_taken(pay, money)
        account = _account(number)
        if account.closed_at is not None:
            raise TenantClosed(number=number)
        return _move(account, amount_fen, pay, by, request_id, EntryKind.DEPOSIT)


def return_deposit(
    number: str,
    amount_fen: int,
    pay: PayKind,
    why: str,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    approver: Operator | None = None,
) -> Deposit:
    """Out of the till of `by`, at most what the tenant has deposited; a closed account too.

    From `money.approve_refund_fen` on with a second person. A repeated `request_id` gives
    nothing more back. Raises Forbidden, BadAmount, NoReason, PayKindOff, NoSuchTenant,
    DepositTooSmall, ApprovalNeeded, NotApprovable, RequestIdReused.
    """
    asked = (EntryKind.DEPOSIT_RETURNED, number, amount_fen, pay, by)
    with write_transaction():
        if earlier := _earlier(request_id, asked):
            return earlier
        operators.require(by, Right.REFUND)
        _require_amount(amount_fen)
        reason = approving.checked_reason(why)
        paying.require_taken(pay, money)
        account = _account(number)
        held = held_fen(number)
        if amount_fen > held:
            raise DepositTooSmall(number=number, held=yuan_text(held), amount=yuan_text(amount_fen))
        in_all_fen = amount_fen + alone.deposit_returned_fen(account)
        approving.require_second(by, approver, in_all_fen, money.approve_refund_fen)
        kind = EntryKind.DEPOSIT_RETURNED
        return _move(account, amount_fen, pay, by, request_id, kind, why=reason, second=approver)


def held_fen(number: str) -> int:
    """What tenant `number` has deposited now."""
    return ledger.balance_at(AccountKind.DEPOSIT, number)


def _move(
    account: Account,
    amount_fen: int,
    pay: PayKind,
    by: Operator,
    request_id: str,
    kind: EntryKind,
    *,
    why: str = "",
    second: Operator | None = None,
) -> Deposit:
    shift = operators.current_shift(by)
    debit, credit = ledger.till(shift, pay), ledger.deposit(account.number)
    if kind is EntryKind.DEPOSIT_RETURNED:
        debit, credit = credit, debit
    entry = ledger.post(debit, credit, amount_fen, kind, by=by, shift=shift)
    made: Deposit = Deposit.create(
        request_id=request_id,
        kind=kind,
        account=account,
        amount_fen=amount_fen,
        pay=pay,
        why=why,
        operator=by,
        approver=second,
        shift=shift,
        entry=entry,
        created_at=clock.now(),
    )
    detail = {
        "deposit": made.id,
        "amount_fen": amount_fen,
        "pay": pay,
        "why": why,
        "approver": second.name if second else None,
    }
    audit.write(by.name, kind.value, account.number, detail)
    accounts.touch(account)
    return made


def _earlier(
    request_id: str, asked: tuple[EntryKind, str, int, PayKind, Operator]
) -> Deposit | None:
    """What this request id made, if the same is asked."""
    found: Deposit | None = Deposit.get_or_none(Deposit.request_id == request_id)
    if found is None:
        return None
    first = (found.kind, found.account.number, found.amount_fen, found.pay, found.operator)
    if first != asked:
        raise RequestIdReused(request_id=request_id)
    return found


def _require_amount(amount_fen: int) -> None:
    if amount_fen <= 0:
        raise BadAmount(text=yuan_text(amount_fen), why="not_positive")


def _account(number: str) -> Account:
    found: Account | None = Account.get_or_none(Account.number == number)
    if found is None:
        raise NoSuchTenant(number=number)
    return found
