"""What each ending of a counted command does to state, money and meter, in one transaction."""

import datetime as dt

from engine import clock
from engine.domain.counted import PurchaseState, check_delay_s
from engine.services import audit, ledger, meters, receipts, transferring, transitions
from models.commands import Command
from models.enums import AccountKind, CommandKind, CommandState, EntryKind
from models.ledger import LedgerAccount, LedgerEntry
from models.site import Meter


def give_back(command: Command) -> None:
    """What was in flight, from there to where it came from; nothing is, of what lowers a meter.

    A till whose shift is closed takes no more entries: the money then waits to be paid out.
    """
    if command.kind.raises:
        flight = ledger.in_flight(command.serial)
        paid_fen = command.amount_fen + command.fee_fen
        ledger.post(flight, origin_of(command), paid_fen, EntryKind.RETURNED, command=command)


def origin_of(command: Command) -> LedgerAccount:
    """Where the money of a command that came to nothing belongs now."""
    if command.transfer is not None:
        return ledger.clearing(command.transfer)
    assert command.shift is not None, command.id
    if command.shift.closed_at is not None:
        return ledger.refund_payable()
    return ledger.till_of(command)


def confirm(command: Command, after: PurchaseState | None, epoch: int, zone: dt.tzinfo) -> Command:
    assert after is not None, "only what was read back is confirmed"
    applied = transitions.end(
        command, transitions.ON_THE_WIRE, CommandState.APPLIED, after, None, epoch
    )
    post_applied(applied, ledger.in_flight(command.serial))
    receipts.issue(applied, zone)
    return applied


def post_applied(command: Command, held: LedgerAccount) -> None:
    """The entries of a command that is in the meter; `held` is where its money waited, if any."""
    match command.kind:
        case CommandKind.SELL | CommandKind.TRANSFER_IN:
            _post_raised(command, held)
        case CommandKind.REFUND:
            _post_lowered(command, ledger.refund_payable(), EntryKind.REFUND)
        case CommandKind.REVERSE:
            _post_reversed(command)
        case CommandKind.TRANSFER_OUT:
            _post_lowered(command, origin_of(command), EntryKind.TRANSFER_OUT)
        case CommandKind.CLEAR:
            _post_cleared(command)
    transferring.ended(command)


def _post_raised(command: Command, held: LedgerAccount) -> None:
    credit = ledger.meter_credit(command.serial)
    ledger.post(held, credit, command.amount_fen, EntryKind.CREDIT, command=command)
    if command.fee_fen:
        fee = ledger.fee_income()
        ledger.post(held, fee, command.fee_fen, EntryKind.FEE, command=command)
    Meter.update(mirror_count=command.seq).where(Meter.id == command.meter.id).execute()


def _post_lowered(
    command: Command,
    to: LedgerAccount,
    kind: EntryKind,
    *,
    reverses: LedgerEntry | None = None,
) -> None:
    credit = ledger.meter_credit(command.serial)
    ledger.post(credit, to, command.amount_fen, kind, command=command, reverses=reverses)


def _post_reversed(command: Command) -> None:
    """Entry for entry the opposite of the sale's, each naming the one it undoes."""
    sale = command.reverses
    entries = {
        entry.kind: entry for entry in LedgerEntry.select().where(LedgerEntry.command == sale)
    }
    payable = ledger.refund_payable()
    undone = entries.get(EntryKind.CREDIT) or entries.get(EntryKind.DECIDED)
    _post_lowered(command, payable, EntryKind.REVERSAL, reverses=undone)
    if command.fee_fen:
        ledger.post(
            ledger.fee_income(),
            payable,
            command.fee_fen,
            EntryKind.FEE_REVERSAL,
            command=command,
            reverses=entries.get(EntryKind.FEE),
        )


def _post_cleared(command: Command) -> None:
    """What was left is a rounding; what was owed is written off."""
    credit = ledger.meter_credit(command.serial)
    assert command.base_balance_fen is not None, command.id
    if command.base_balance_fen > 0:
        rounding = ledger.account(AccountKind.ROUNDING)
        ledger.post(credit, rounding, command.amount_fen, EntryKind.CLEAR, command=command)
    else:
        lost = ledger.account(AccountKind.WRITE_OFF)
        ledger.post(lost, credit, command.amount_fen, EntryKind.CLEAR, command=command)


def refuse(
    command: Command,
    after: PurchaseState | None,
    reason: str | None,
    epoch: int,
    *,
    states: tuple[CommandState, ...] = transitions.ON_THE_WIRE,
) -> Command:
    refused = transitions.end(command, states, CommandState.REFUSED, after, reason, epoch)
    give_back(command)
    transferring.ended(refused)
    detail = {"command": command.id, "reason": reason}
    audit.write(audit.SYSTEM, "refused", command.serial, detail)
    return refused


def suspend(
    command: Command,
    after: PurchaseState | None,
    reason: str | None,
    epoch: int,
    *,
    states: tuple[CommandState, ...] = transitions.ON_THE_WIRE,
) -> Command:
    reason = reason or CommandState.SUSPENSE.value
    suspended = transitions.end(command, states, CommandState.SUSPENSE, after, reason, epoch)
    if command.kind.raises:
        ledger.post(
            ledger.in_flight(command.serial),
            ledger.suspense(command.serial),
            command.amount_fen + command.fee_fen,
            EntryKind.SUSPENSE,
            command=command,
        )
    meters.freeze(command.meter)
    detail = {"command": command.id, "reason": reason}
    audit.write(audit.SYSTEM, "suspense", command.serial, detail)
    return suspended


def keep(command: Command, reason: str | None, epoch: int) -> Command:
    delay = dt.timedelta(seconds=check_delay_s(command.checks))
    return transitions.move(
        command.id,
        transitions.ON_THE_WIRE,
        epoch,
        state=CommandState.UNKNOWN,
        reason=reason,
        checks=command.checks + 1,
        next_check_at=clock.now() + delay,
    )
