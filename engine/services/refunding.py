"""退电 and 冲正: credit taken out of a meter first, money out of the till last."""

import peewee as pw

from engine.config import MoneySection
from engine.domain.errors import (
    BadAmount,
    CommandOpen,
    NothingPayable,
    NotRefundable,
    NotReversible,
    RequestIdReused,
)
from engine.domain.units import yuan_text
from engine.services import (
    alone,
    audit,
    commands,
    ledger,
    meters,
    operators,
    paying,
    queueing,
)
from engine.services.approving import checked_reason, require_second
from models.base import next_rev, write_transaction
from models.commands import Command
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, PayKind, Right
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Operator


def refund(
    serial: str,
    amount_fen: int | None,
    pay: PayKind,
    why: str,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    approver: Operator | None = None,
) -> Command:
    """Give back unused credit (退电): `amount_fen`, or None for all that the meter holds.

    Nothing is posted until the read-back has proved the lower balance; `pay_out` follows. Raises
    Forbidden, NoReason, NoSuchMeter, MeterRetired, NotPrepaid, NotOpened, MeterFrozen,
    NotRefundable, ApprovalNeeded, NotApprovable, CommandOpen, PayKindOff, RequestIdReused.
    """
    why = checked_reason(why)
    with write_transaction():
        if first := queueing.earlier(request_id, CommandKind.REFUND, serial, by):
            asked_fen = None if first.whole else first.amount_fen
            if (asked_fen, first.pay) != (amount_fen, pay):
                raise RequestIdReused(request_id=request_id, command=first.id)
            return first
        operators.require(by, Right.REFUND)
        paying.require_taken(pay, money)
        meter = meters.living(serial)
        queueing.require_movable(meter)
        limit_fen = _refundable(serial, amount_fen, meters.known_balance_fen(meter))
        if alone.is_beyond_books(meter, limit_fen, drift_limit_fen=money.drift_limit_fen):
            require_second(by, approver, limit_fen, 0)
        limit_fen += alone.taken_out_fen(meter)
        require_second(by, approver, limit_fen, money.approve_refund_fen)
        command = queueing.queue(
            meter,
            CommandKind.REFUND,
            by,
            request_id,
            amount_fen=amount_fen or 0,
            whole=amount_fen is None,
            pay=pay,
            shift=operators.current_shift(by),
            approver=approver,
            why=why,
        )
        _log(command, "refund")
        return command


def _refundable(serial: str, amount_fen: int | None, balance_fen: int | None) -> int:
    """The amount that decides whether a second person is needed. Raises NotRefundable, BadAmount.

    A meter never read is asked by the executor, who then wants the second person too.
    """
    if amount_fen is not None and amount_fen <= 0:
        raise BadAmount(text=yuan_text(amount_fen), why="not_positive")
    if balance_fen is not None and (balance_fen <= 0 or (amount_fen or 0) > balance_fen):
        raise NotRefundable(
            serial=serial,
            balance=yuan_text(balance_fen),
            amount=yuan_text(amount_fen or 0),
            why="nothing_left" if balance_fen <= 0 else "",
        )
    return amount_fen or balance_fen or 0


def reverse(
    command_id: int,
    why: str,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    approver: Operator | None = None,
) -> Command:
    """Undo one sale that should not have been (冲正): whole, once, the meter's latest purchase.

    The executor asks the meter again: its count must still be the sale's, its balance at least
    the amount. The fee goes back too. Raises as `refund` does, NoSuchCommand, NotReversible(why).
    """
    why = checked_reason(why)
    with write_transaction():
        sale = commands.get(command_id)
        if first := queueing.earlier(request_id, CommandKind.REVERSE, sale.serial, by):
            if first.__data__["reverses"] != command_id:
                raise RequestIdReused(request_id=request_id, command=first.id)
            return first
        operators.require(by, Right.REVERSE)
        _require_reversible(sale)
        meter = meters.living(sale.serial)
        queueing.require_movable(meter)
        paid_fen = sale.amount_fen + sale.fee_fen
        require_second(by, approver, paid_fen, money.approve_reversal_fen)
        open_id = commands.open_counted(meter)
        if open_id is not None:
            raise CommandOpen(serial=meter.serial, command=open_id)
        command = queueing.queue(
            meter,
            CommandKind.REVERSE,
            by,
            request_id,
            amount_fen=sale.amount_fen,
            fee_fen=sale.fee_fen,
            pay=sale.pay,
            shift=operators.current_shift(by),
            approver=approver,
            why=why,
            reverses=sale,
        )
        _log(command, "reverse", sale=sale.id)
        return command


def _require_reversible(sale: Command) -> None:
    def refuse(why: str, **params: object) -> NotReversible:
        return NotReversible(command=sale.id, why=why, **params)

    if sale.kind is not CommandKind.SELL:
        raise refuse("not_a_sale")
    if sale.state is not CommandState.APPLIED:
        raise refuse("not_applied")
    before = (
        Command.select(Command.id)
        .where(Command.reverses == sale)
        .where(Command.state.not_in([CommandState.REFUSED, CommandState.VOIDED]))
        .scalar()
    )
    if before is not None:
        raise refuse("reversed", by=before)
    if meters.expected_count(sale.meter) != sale.seq or sale.meter.epoch != sale.meter_epoch:
        raise refuse("not_latest")
    balance_fen = meters.known_balance_fen(sale.meter)
    if balance_fen is not None and balance_fen < sale.amount_fen:
        raise refuse("spent", balance=yuan_text(balance_fen), amount=yuan_text(sale.amount_fen))


def _log(command: Command, action: str, **more: object) -> None:
    assert command.operator is not None, command.id
    detail = {
        "command": command.id,
        "amount_fen": None if command.whole else command.amount_fen,
        "why": command.why,
        "approver": command.approver.name if command.approver else None,
        **more,
    }
    audit.write(command.operator.name, action, command.serial, detail)


def pay_out(command_id: int, pay: PayKind, by: Operator, *, money: MoneySection) -> Command:
    """The money that a proved refund or reversal, or a sale that came to nothing, left to be paid.

    From refund payable to the till of `by`'s shift, once. Raises Forbidden, NoSuchCommand,
    NothingPayable, PayKindOff.
    """
    with write_transaction():
        operators.require(by, Right.REFUND)
        paying.require_taken(pay, money)
        command = commands.get(command_id)
        amount_fen = payable_fen(command)
        if not amount_fen:
            paid = _entries(command, EntryKind.PAYOUT)
            raise NothingPayable(command=command_id, why="paid" if paid else "")
        shift = operators.current_shift(by)
        ledger.post(
            ledger.refund_payable(),
            ledger.till(shift, pay),
            amount_fen,
            EntryKind.PAYOUT,
            command=command,
            by=by,
            shift=shift,
        )
        Command.update(rev=next_rev(Command)).where(Command.id == command_id).execute()
        detail = {"command": command_id, "amount_fen": amount_fen, "pay": pay}
        audit.write(by.name, "pay_out", command.serial, detail)
        return commands.get(command_id)


def payable_fen(command: Command) -> int:
    """What of `command` still waits to be paid out."""
    account = ledger.refund_payable()
    total = pw.fn.SUM(LedgerEntry.amount_fen)
    of_it = LedgerEntry.select(total).where(LedgerEntry.command == command)
    came = of_it.where(LedgerEntry.credit == account).scalar() or 0
    went = of_it.where(LedgerEntry.debit == account).scalar() or 0
    return int(came) - int(went)


def payable() -> list[Command]:
    """Commands whose money waits to be paid out, oldest first."""
    account = (
        LedgerAccount.select(LedgerAccount.id)
        .where(LedgerAccount.kind == AccountKind.REFUND_PAYABLE)
        .scalar()
    )
    if account is None:
        return []
    paid = LedgerEntry.select(LedgerEntry.command).where(LedgerEntry.debit == account)
    came = (
        LedgerEntry.select(LedgerEntry.command)
        .where(LedgerEntry.credit == account)
        .where(LedgerEntry.command.not_in(paid))
    )
    return list(Command.select().where(Command.id.in_(came)).order_by(Command.id))


def _entries(command: Command, kind: EntryKind) -> bool:
    found = LedgerEntry.select().where(LedgerEntry.command == command, LedgerEntry.kind == kind)
    return bool(found.exists())
