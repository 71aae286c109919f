"""售电 and 撤单: selling credit to one meter or many, and taking back what has not left yet."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from engine import clock
from engine.config import MoneySection
from engine.domain.errors import (
    BadAmount,
    NoSuchTenant,
    NotOpened,
    NotVoidable,
    RequestIdReused,
    TenantClosed,
)
from engine.domain.units import yuan_text
from engine.services import (
    audit,
    commands,
    ledger,
    meters,
    operators,
    paying,
    queueing,
    settling,
    transferring,
)
from models.accounts import Account
from models.base import next_rev, write_transaction
from models.commands import Command, Payment
from models.enums import CommandKind, CommandState, EntryKind, PayKind, Right
from models.people import Operator
from models.site import Meter

VOIDABLE = (CommandKind.SELL, CommandKind.REFUND, CommandKind.REVERSE)


def sell(
    serial: str,
    paid_fen: int,
    pay: PayKind,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
) -> Command:
    """Record the sale of what `paid_fen` buys (售电); the executor carries it to the meter.

    The fee is split off first; the whole payment is *in flight* until the meter proves the
    credit. A repeated `request_id` returns the first command. Raises Forbidden, BadAmount,
    NoSuchMeter, MeterRetired, NotPrepaid, NotOpened, MeterFrozen, CommandOpen, PayKindOff,
    CreditCeilingExceeded, RequestIdReused; then nothing has changed.
    """
    with write_transaction():
        return sell_within(serial, paid_fen, pay, by, request_id, money=money)


def sell_within(
    serial: str,
    paid_fen: int,
    pay: PayKind,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    payment: Payment | None = None,
) -> Command:
    """The same inside the caller's write_transaction: what opens an account may sell with it."""
    if first := queueing.earlier(request_id, CommandKind.SELL, serial, by):
        if (first.amount_fen + first.fee_fen, first.pay) != (paid_fen, pay):
            raise RequestIdReused(request_id=request_id, command=first.id)
        return first
    operators.require(by, Right.SELL)
    paying.require_taken(pay, money)
    if paid_fen <= 0:
        raise BadAmount(text=yuan_text(paid_fen), why="not_positive")
    meter = meters.living(serial)
    queueing.require_movable(meter)
    amount_fen, fee_fen = paying.split(paid_fen, _fee_pct(meter, money))
    queueing.require_under_ceiling(meter, amount_fen, money.ceiling_fen)
    command = queueing.queue(
        meter,
        CommandKind.SELL,
        by,
        request_id,
        amount_fen=amount_fen,
        fee_fen=fee_fen,
        pay=pay,
        shift=operators.current_shift(by),
        payment=payment,
    )
    till, flight = ledger.till_of(command), ledger.in_flight(serial)
    ledger.post(till, flight, paid_fen, EntryKind.SALE, command=command)
    detail = {"command": command.id, "paid_fen": paid_fen, "pay": pay}
    audit.write(by.name, "sell", serial, detail)
    return command


def sell_to_tenant(
    number: str,
    parts: Mapping[str, int],
    pay: PayKind,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
) -> Payment:
    """One payment of a tenant over several of its meters: `parts` are fen paid by serial.

    Each part is a sale with its own outcome; one receipt lists all. All or nothing is written
    down. Raises what `sell` does, for the first part that cannot be; NoSuchTenant, TenantClosed,
    and NotOpened for a meter that is not this tenant's.
    """
    with write_transaction():
        if earlier := Payment.get_or_none(Payment.request_id == request_id):
            return _same_payment(earlier, number, parts, pay, by)
        account = _open_account(number)
        payment: Payment = Payment.create(
            request_id=request_id,
            account=account,
            paid_fen=sum(parts.values()),
            pay=pay,
            operator=by,
            shift=operators.current_shift(by),
            created_at=clock.now(),
        )
        if not parts:
            raise BadAmount(text="0.00", why="not_positive")
        for place, (serial, paid_fen) in enumerate(sorted(parts.items()), start=1):
            installation = meters.installation_of(meters.living(serial))
            if installation is None or installation.account != account:
                raise NotOpened(serial=serial)
            leg = f"{request_id}:{place}"
            sell_within(serial, paid_fen, pay, by, leg, money=money, payment=payment)
        return payment


def legs_of(payment: Payment) -> list[Command]:
    """The sales of a payment, in the order of their meters."""
    return list(Command.select().where(Command.payment == payment).order_by(Command.id))


def _open_account(number: str) -> Account:
    account: Account | None = Account.get_or_none(Account.number == number)
    if account is None:
        raise NoSuchTenant(number=number)
    if account.closed_at is not None:
        raise TenantClosed(number=number)
    return account


def _same_payment(
    earlier: Payment, number: str, parts: Mapping[str, int], pay: PayKind, by: Operator
) -> Payment:
    legs = {leg.serial: leg.amount_fen + leg.fee_fen for leg in legs_of(earlier)}
    first = (earlier.account.number, legs, earlier.pay, earlier.operator)
    if first != (number, dict(parts), pay, by):
        raise RequestIdReused(request_id=earlier.request_id, command=earlier.id)
    return earlier


def void(command_id: int, by: Operator, *, undo_s: int) -> Command:
    """Take back a sale (撤单) that is still queued, within `undo_s` of it; the money goes back.

    A refund or reversal that is still queued may be taken back as well: no money has moved. Who
    may decide takes back any money command that is still queued, however old: its line may never
    come back, and it holds its meter. Raises Forbidden, NoSuchCommand, NotVoidable(why:
    `not_a_sale`, `has_left`, `too_late`).
    """
    with write_transaction():
        operators.require(by, Right.SELL)
        command = commands.get(command_id)
        now = clock.now()
        decides = operators.has(by, Right.DECIDE)
        if command.kind not in VOIDABLE and not (decides and command.counted):
            raise NotVoidable(command=command_id, why="not_a_sale")
        if command.state is not CommandState.QUEUED:
            raise NotVoidable(command=command_id, why="has_left")
        if now > command.created_at + dt.timedelta(seconds=undo_s) and not decides:
            raise NotVoidable(command=command_id, why="too_late")
        voided = (
            Command.update(
                state=CommandState.VOIDED,
                reason=CommandState.VOIDED.value,
                finished_at=now,
                rev=next_rev(Command),
            )
            .where(Command.id == command_id, Command.state == CommandState.QUEUED)
            .execute()
        )
        assert voided == 1, "the write lock is held since the state was read"
        settling.give_back(command)
        transferring.ended(commands.get(command_id))
        audit.write(by.name, "void", command.serial, {"command": command_id})
        return commands.get(command_id)


def _fee_pct(meter: Meter, money: MoneySection) -> Decimal:
    installation = meters.installation_of(meter)
    assert installation is not None, meter.serial
    return paying.fee_pct_of(installation.account, money)
