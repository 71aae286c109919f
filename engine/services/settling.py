"""What each ending of a counted command does to state, money and meter, in one transaction."""

import datetime as dt

from engine import clock
from engine.domain.counted import PurchaseState, check_delay_s
from engine.services import audit, ledger, meters, receipts, transitions
from models.commands import Command
from models.enums import CommandState, EntryKind
from models.site import Meter


def give_back(command: Command) -> None:
    """The whole payment, from in flight to the till it came from."""
    ledger.post(
        ledger.in_flight(command.serial),
        ledger.till_of(command),
        command.amount_fen + command.fee_fen,
        EntryKind.RETURNED,
        command=command,
    )


def confirm(command: Command, after: PurchaseState | None, epoch: int, zone: dt.tzinfo) -> Command:
    assert after is not None, "only what was read back is confirmed"
    applied = transitions.end(
        command, transitions.ON_THE_WIRE, CommandState.APPLIED, after, None, epoch
    )
    flight = ledger.in_flight(command.serial)
    credit = ledger.meter_credit(command.serial)
    ledger.post(flight, credit, command.amount_fen, EntryKind.CREDIT, command=command)
    if command.fee_fen:
        fee = ledger.fee_income()
        ledger.post(flight, fee, command.fee_fen, EntryKind.FEE, command=command)
    Meter.update(mirror_count=command.seq).where(Meter.id == command.meter.id).execute()
    receipts.issue(applied, zone)
    return applied


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
    detail = {"command": command.id, "reason": reason}
    audit.write(audit.SYSTEM, "refused", command.serial, detail)
    return refused


def suspend(
    command: Command, after: PurchaseState | None, reason: str | None, epoch: int
) -> Command:
    reason = reason or CommandState.SUSPENSE.value
    suspended = transitions.end(
        command, transitions.ON_THE_WIRE, CommandState.SUSPENSE, after, reason, epoch
    )
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
