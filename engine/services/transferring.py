"""金额转入: credit from one meter to another, two legs through clearing, one after the other.

The first leg lowers the old meter; when it is proved, the credit stands in clearing and the second
leg is queued, by whoever settles the first. A transfer is finished when clearing is empty again.
"""

import peewee as pw

from engine import clock
from engine.config import MoneySection
from engine.domain.errors import (
    BadAmount,
    CommandOpen,
    DomainError,
    NotTransferable,
    RequestIdReused,
)
from engine.domain.units import yuan_text
from engine.services import alone, audit, commands, ledger, meters, operators, queueing
from engine.services.approving import checked_reason, require_second
from models import base
from models.base import write_transaction
from models.cases import Exchange
from models.commands import OPEN_STATES, Command, Transfer
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, Right, TransferPurpose
from models.people import Operator
from models.site import Meter

FAILED = (CommandState.REFUSED, CommandState.VOIDED)


def begin(
    source: str,
    target: str | None,
    amount_fen: int | None,
    why: str,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    purpose: TransferPurpose = TransferPurpose.MOVE,
    approver: Operator | None = None,
) -> Transfer:
    """Take `amount_fen` (None: all) out of meter `source`; it goes to `target` once that is known.

    A meter exchange may take from a frozen meter. Raises Forbidden, NoReason, NotTransferable,
    ApprovalNeeded, NotApprovable, CommandOpen, RequestIdReused, and what `sell` raises of a meter.
    """
    why = checked_reason(why)
    with write_transaction():
        if earlier := Transfer.get_or_none(Transfer.request_id == request_id):
            return _same_or_error(earlier, source, target, amount_fen, by)
        exchange = purpose is TransferPurpose.EXCHANGE
        operators.require(by, Right.EXCHANGE if exchange else Right.TRANSFER)
        if source == target:
            raise NotTransferable(serial=source, why="same_meter")
        meter = meters.living(source)
        if not exchange:
            queueing.require_movable(meter)
        moved_fen = limit_fen = _transferable(meter, amount_fen)
        if not exchange:
            if alone.is_beyond_books(meter, moved_fen, drift_limit_fen=money.drift_limit_fen):
                require_second(by, approver, moved_fen, 0)
            limit_fen += alone.taken_out_fen(meter)
            require_second(by, approver, limit_fen, money.approve_refund_fen)
        to = None
        if target is not None:
            to = meters.living(target)
            queueing.require_movable(to)
            queueing.require_under_ceiling(to, moved_fen, money.ceiling_fen)
        transfer: Transfer = Transfer.create(
            request_id=request_id, purpose=purpose, source=meter, target=to,
            amount_fen=amount_fen, why=why, operator=by, approver=approver, created_at=clock.now(),
        )  # fmt: skip
        queueing.queue(
            meter,
            CommandKind.TRANSFER_OUT,
            by,
            f"{request_id}:out",
            amount_fen=amount_fen or 0,
            whole=amount_fen is None,
            transfer=transfer,
            approver=approver,
            why=why,
        )
        detail = {"transfer": transfer.id, "to": target, "amount_fen": amount_fen, "why": why}
        audit.write(by.name, "transfer", source, detail)
        return transfer


def _same_or_error(
    earlier: Transfer, source: str, target: str | None, amount_fen: int | None, by: Operator
) -> Transfer:
    aimed = earlier.target.serial if earlier.target else None
    origin = earlier.source.serial if earlier.source else None
    legs = legs_of(earlier)
    asked_fen = None if legs and legs[0].whole else earlier.amount_fen
    if (origin, aimed, asked_fen, earlier.operator) != (source, target, amount_fen, by):
        raise RequestIdReused(request_id=earlier.request_id)
    return earlier


def _transferable(meter: Meter, amount_fen: int | None) -> int:
    """The amount that decides whether a second person is needed. Raises NotTransferable."""
    if amount_fen is not None and amount_fen <= 0:
        raise BadAmount(text=yuan_text(amount_fen), why="not_positive")
    balance_fen = meters.known_balance_fen(meter)
    if balance_fen is not None and (balance_fen <= 0 or (amount_fen or 0) > balance_fen):
        raise NotTransferable(
            serial=meter.serial,
            balance=yuan_text(balance_fen),
            amount=yuan_text(amount_fen or 0),
            why="nothing_left" if balance_fen <= 0 else "too_much",
        )
    return amount_fen or balance_fen or 0


def aim(
    transfer_id: int,
    serial: str,
    by: Operator,
    *,
    money: MoneySection,
    approver: Operator | None = None,
) -> Transfer:
    """Say where a transfer whose target was not known, or whose second leg failed, goes to.

    A move to another meter than was agreed on needs a second person like the move itself. Raises
    Forbidden, ApprovalNeeded, NotApprovable, NotTransferable(why `unknown`, `finished`,
    `under_way`), and what a meter may be.
    """
    with write_transaction():
        transfer = Transfer.get_or_none(Transfer.id == transfer_id)
        if transfer is None:
            raise NotTransferable(serial=serial, why="unknown", transfer=transfer_id)
        rights = {TransferPurpose.MOVE: Right.TRANSFER}
        operators.require(by, rights.get(transfer.purpose, Right.EXCHANGE))
        if transfer.finished_at is not None:
            raise NotTransferable(serial=serial, why="finished", transfer=transfer_id)
        if _second_legs(transfer, *OPEN_STATES, CommandState.SUSPENSE):
            raise NotTransferable(serial=serial, why="under_way", transfer=transfer_id)
        meter = meters.living(serial)
        queueing.require_movable(meter)
        if transfer.target != meter:
            _require_other_target(transfer, meter, by, approver, money)
        Transfer.update(target=meter, approver=approver or transfer.approver).where(
            Transfer.id == transfer_id
        ).execute()
        audit.write(by.name, "transfer_aim", serial, {"transfer": transfer_id})
        transfer = Transfer.get_by_id(transfer_id)
        _queue_second(transfer)
        return transfer


def _require_other_target(
    transfer: Transfer, meter: Meter, by: Operator, approver: Operator | None, money: MoneySection
) -> None:
    """May it go to `meter`, which nobody agreed on? Of an exchange only to its new meter."""
    match transfer.purpose:
        case TransferPurpose.MOVE:
            require_second(by, approver, _amount_fen(transfer), money.approve_refund_fen)
        case TransferPurpose.CONVERSION:
            limit_fen = money.approve_adjustment_fen
            require_second(by, approver, _amount_fen(transfer), limit_fen, what="adjustment")
        case TransferPurpose.EXCHANGE:
            new = Exchange.select().where(Exchange.transfer == transfer, Exchange.new == meter)
            if not new.exists():
                raise NotTransferable(serial=meter.serial, why="exchange", transfer=transfer.id)


def _amount_fen(transfer: Transfer) -> int:
    """What it moves; of all that a meter holds, what that is by its newest reading."""
    held_fen = ledger.balance_of(ledger.clearing(transfer))
    if held_fen or transfer.amount_fen is not None:
        return held_fen or transfer.amount_fen or 0
    return (meters.known_balance_fen(transfer.source) or 0) if transfer.source else 0


def ended(command: Command) -> None:
    """What the end of a leg means for its transfer, inside the transaction that settles it."""
    transfer: Transfer | None = command.transfer
    if transfer is None:
        return
    if command.state is CommandState.APPLIED and command.kind is CommandKind.TRANSFER_OUT:
        Transfer.update(amount_fen=command.amount_fen).where(Transfer.id == transfer.id).execute()
        if transfer.target is not None:
            _try_second(Transfer.get_by_id(transfer.id))
    elif not ledger.balance_of(ledger.clearing(transfer)):
        over = command.state in (CommandState.APPLIED, *FAILED)
        if over:
            Transfer.update(finished_at=clock.now()).where(Transfer.id == transfer.id).execute()


def go_on() -> int:
    """Queue the second legs that could not be queued when the first was proved; how many."""
    with write_transaction():
        return sum(_try_second(transfer) for transfer in waiting())


def waiting() -> list[Transfer]:
    """Credit in clearing whose target is known, with no second leg yet: nobody has tried."""
    tried = Command.select(Command.transfer).where(Command.kind == CommandKind.TRANSFER_IN)
    query = Transfer.select().where(
        Transfer.finished_at.is_null(),
        Transfer.target.is_null(False),
        Transfer.id.not_in(tried),
    )
    return [
        each
        for each in query
        if ledger.balance_at(AccountKind.CLEARING, str(each.id)) > 0
        and goes_to_whom_it_was_for(each)
    ]


def goes_to_whom_it_was_for(transfer: Transfer) -> bool:
    """Is the target still the meter of the tenant who had it when this was asked for?

    Else its credit waits in clearing until a person says where it goes: nobody meant the next one.
    """
    installation = meters.installation_of(transfer.target) if transfer.target else None
    return installation is not None and installation.opened_at <= transfer.created_at


def _try_second(transfer: Transfer) -> bool:
    """Queue the second leg, unless the new meter cannot take it now, or is another tenant's."""
    if not goes_to_whom_it_was_for(transfer):
        return False
    try:
        with base.core.atomic():  # a savepoint: what a refusal left behind is undone
            _queue_second(transfer)
    except DomainError:
        return False  # it waits in clearing, in sight, until `go_on` or a person finds it free
    return True


def _queue_second(transfer: Transfer) -> Command | None:
    """Clearing -> in flight, with its command. None where nothing waits. Raises DomainError."""
    amount_fen = ledger.balance_of(ledger.clearing(transfer))
    meter = transfer.target
    if amount_fen <= 0 or meter is None:
        return None
    queueing.require_movable(meter)
    if (open_id := commands.open_counted(meter)) is not None:
        raise CommandOpen(serial=meter.serial, command=open_id)
    place = Command.select().where(Command.transfer == transfer).count()
    command = queueing.queue(
        meter,
        CommandKind.TRANSFER_IN,
        transfer.operator,
        f"{transfer.request_id}:in{place}",
        amount_fen=amount_fen,
        transfer=transfer,
        approver=transfer.approver,
        why=transfer.why,
    )
    flight = ledger.in_flight(meter.serial)
    ledger.post(
        ledger.clearing(transfer), flight, amount_fen, EntryKind.TRANSFER_IN, command=command
    )
    return command


def _second_legs(transfer: Transfer, *states: str) -> bool:
    found = Command.select().where(
        Command.transfer == transfer,
        Command.kind == CommandKind.TRANSFER_IN,
        Command.state.in_(states),
    )
    return bool(found.exists())


def legs_of(transfer: Transfer) -> list[Command]:
    """Both legs, and every try of the second, oldest first."""
    query: pw.ModelSelect[Command] = Command.select().where(Command.transfer == transfer)
    return list(query.order_by(Command.id))


def second_of(transfer: Transfer) -> Command | None:
    """The latest try of its second leg; None where there was none."""
    legs = [leg for leg in legs_of(transfer) if leg.kind is CommandKind.TRANSFER_IN]
    return legs[-1] if legs else None
