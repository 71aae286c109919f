"""What no read-back could decide, two persons do: an unknown command, a meter that was stopped.

A decision moves money as the proof would have done, and names both. It stops the meter until a
fresh reading was compared with the books (`free`): should a frame still lie somewhere, the count
that it makes is found as a foreign purchase.
"""

import datetime as dt
from dataclasses import dataclass

import peewee as pw

from engine import clock
from engine.domain.errors import NotDecidable, NotFreeable, RequestIdReused
from engine.services import (
    audit,
    commands,
    evidence,
    ledger,
    meters,
    operators,
    receipts,
    settling,
    transferring,
    transitions,
)
from engine.services.approving import checked_reason, require_second
from models.base import next_rev, write_transaction
from models.cases import Decision
from models.commands import Command
from models.enums import CommandState, EntryKind, Right, Verdict
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Operator
from models.site import Meter

FRESH = dt.timedelta(minutes=10)  # a meter is freed with a reading no older than this
DECIDABLE = (CommandState.UNKNOWN, CommandState.SUSPENSE)
ENDINGS = {
    Verdict.APPLIED: (CommandState.APPLIED, "decided_applied"),
    Verdict.NOT_APPLIED: (CommandState.REFUSED, "decided_not_applied"),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """Who decides, why, and under which request id."""

    request_id: str
    why: str
    by: Operator
    approver: Operator


def decide(
    command_id: int,
    verdict: Verdict,
    why: str,
    by: Operator,
    request_id: str,
    *,
    zone: dt.tzinfo,
    approver: Operator | None = None,
) -> Command:
    """Say what became of an unknown or suspended command; always with a second person.

    Where the engine settles the same command first, nothing is decided, and the other way
    round. Raises Forbidden, NoReason, NoSuchCommand, NotDecidable, ApprovalNeeded,
    NotApprovable, RequestIdReused; then nothing has changed.
    """
    why = checked_reason(why)
    with write_transaction():
        command = commands.get(command_id)
        if _is_repeated(request_id, command.meter, command, verdict, by):
            return command
        operators.require(by, Right.DECIDE)
        _require_decidable(command)
        require_second(by, approver, 0, 0, what="adjustment")
        assert approver is not None, "a second person was required"
        seen = evidence.text(evidence.of_command(command))
        decided = _end(command, verdict)
        _post(command, decided, zone)
        meters.freeze(command.meter)
        _keep(Signed(request_id, why, by, approver), command.meter, seen, command, verdict)
        return decided


def free(
    serial: str,
    why: str,
    by: Operator,
    request_id: str,
    *,
    approver: Operator | None = None,
) -> Meter:
    """Let sales to a stopped meter go on, from what it says now; always with a second person.

    Needs an accepted reading of the last minutes, later than every counted command. Its count
    is the expected one from here on; what it holds beyond what the books and its use explain is
    posted as an adjustment, either way. Raises Forbidden, NoReason, NoSuchMeter,
    MeterRetired, NotFreeable, ApprovalNeeded, NotApprovable, RequestIdReused.
    """
    why = checked_reason(why)
    with write_transaction():
        meter = meters.living(serial)
        if _is_repeated(request_id, meter, None, None, by):
            return meter
        operators.require(by, Right.DECIDE)
        newest = _require_freeable(meter)
        require_second(by, approver, 0, 0, what="adjustment")
        assert approver is not None, "a second person was required"
        seen = evidence.text(evidence.of_meter(meter))
        assert newest.count is not None, serial
        assert newest.balance_fen is not None, serial
        assert newest.energy_wh is not None, serial
        entry = _agree(meter, newest.balance_fen, newest.count, newest.energy_wh, by)
        rev = next_rev(Meter)
        epoch = meter.epoch + _uses_again(meter, newest.count)
        Meter.update(frozen=False, mirror_count=newest.count, epoch=epoch, rev=rev).where(
            Meter.id == meter.id
        ).execute()
        _keep(Signed(request_id, why, by, approver), meter, seen, entry=entry)
        return meters.living(serial)


def _is_repeated(
    request_id: str,
    meter: Meter,
    command: Command | None,
    verdict: Verdict | None,
    by: Operator,
) -> bool:
    """Was just this decided before under this id? Raises RequestIdReused where it was another."""
    first = Decision.get_or_none(Decision.request_id == request_id)
    if first is None:
        return False
    if (first.meter, first.command, first.verdict, first.operator) != (meter, command, verdict, by):
        raise RequestIdReused(request_id=request_id)
    return True


def _require_decidable(command: Command) -> None:
    if not command.counted or command.state in (CommandState.QUEUED, CommandState.SENT):
        raise NotDecidable(command=command.id, why="under_way" if command.counted else "")
    if command.state not in DECIDABLE:
        raise NotDecidable(command=command.id, why="ended")


def _end(command: Command, verdict: Verdict) -> Command:
    """One UPDATE that names the state which was looked at: the engine may look at it too."""
    state, reason = ENDINGS[verdict]
    try:
        moved = (
            Command.update(
                state=state,
                reason=reason,
                next_check_at=None,
                finished_at=clock.now(),
                rev=next_rev(Command),
            )
            .where(Command.id == command.id, Command.state == command.state)
            .execute()
        )
    except pw.IntegrityError:  # another purchase with this count was proved since
        raise NotDecidable(command=command.id, why="count_used") from None
    assert moved == 1, "the write lock is held since the state was read"
    return commands.get(command.id)


def _post(command: Command, decided: Command, zone: dt.tzinfo) -> None:
    """Move the money as the proof would have; `command` is as it was before the decision."""
    held = ledger.in_flight(command.serial)
    if command.state is CommandState.SUSPENSE:
        held = ledger.suspense(command.serial)
    if decided.state is CommandState.APPLIED:
        found = meters.expected_count(command.meter)
        settling.post_applied(decided, held)
        if command.state is CommandState.SUSPENSE:  # what a poll found since counts, not our wish
            Meter.update(mirror_count=found).where(Meter.id == command.meter.id).execute()
        receipts.issue(decided, zone)
        return
    if command.kind.raises:  # of what lowers a meter nothing was posted
        kind = EntryKind.RETURNED if command.state is CommandState.UNKNOWN else EntryKind.DECIDED
        paid_fen = command.amount_fen + command.fee_fen
        ledger.post(held, _home(command), paid_fen, kind, command=command)
    transferring.ended(decided)


def _home(command: Command) -> LedgerAccount:
    """Where money that is in no meter waits: in clearing, or to be paid out to the payer."""
    if command.transfer is not None:
        return ledger.clearing(command.transfer)
    return ledger.refund_payable()


def _require_freeable(meter: Meter) -> evidence.Values:
    """The reading that frees it."""

    def refuse(why: str, **params: object) -> NotFreeable:
        return NotFreeable(serial=meter.serial, why=why, **params)

    if not meter.frozen:
        raise refuse("not_frozen")
    undecided = (
        Command.select(Command.id)
        .where(Command.meter == meter, Command.counted == True)  # noqa: E712 (SQL)
        .where(Command.state.in_([*transitions.OPEN, CommandState.SUSPENSE]))
        .order_by(Command.id)
        .scalar()
    )
    if undecided is not None:
        raise refuse("undecided", command=undecided)
    newest = evidence.newest_of(meter)
    if newest.at is None or newest.count is None or newest.balance_fen is None:
        raise refuse("no_reading")
    told = Decision.select().where(Decision.meter == meter, Decision.at >= newest.at)
    fresh = clock.now() - newest.at <= FRESH and not told.exists()
    if not fresh or commands.counted_since(meter, newest.at):
        raise refuse("old_reading", minutes=int(FRESH.total_seconds()) // 60)
    return newest


def _uses_again(meter: Meter, count: int) -> bool:
    """Will the meter count purchases again that it had counted? It was reset: a new epoch then."""
    used = Command.select().where(
        Command.meter == meter, Command.meter_epoch == meter.epoch, Command.seq > count
    )
    return bool(used.exists())


def _agree(
    meter: Meter, balance_fen: int, count: int, energy_wh: int, by: Operator
) -> LedgerEntry | None:
    """Bring the books to what `meter` holds, use not yet posted apart; None where they agree.

    Credit in a meter that is nobody's is taken over when it is opened, and not before.
    """
    if meters.installation_of(meter) is None:
        return None
    if meters.take_over(meter, balance_fen=balance_fen, count=count, energy_wh=energy_wh):
        return None
    credit, adjustment = ledger.meter_credit(meter.serial), ledger.adjustment(meter.serial)
    difference_fen = evidence.difference_fen(meter)
    if not difference_fen:
        return None
    sides = (adjustment, credit) if difference_fen > 0 else (credit, adjustment)
    return ledger.post(*sides, abs(difference_fen), EntryKind.ADJUSTMENT, by=by)


def _keep(
    signed: Signed,
    meter: Meter,
    seen: str,
    command: Command | None = None,
    verdict: Verdict | None = None,
    *,
    entry: LedgerEntry | None = None,
) -> None:
    """The decision with what both saw, and a line of the log."""
    made = Decision.create(
        request_id=signed.request_id,
        command=command,
        meter=meter,
        verdict=verdict,
        why=signed.why,
        evidence=seen,
        entry=entry,
        operator=signed.by,
        approver=signed.approver,
        at=clock.now(),
    )
    detail: dict[str, object] = {
        "decision": made.id,
        "why": signed.why,
        "approver": signed.approver.name,
    }
    if command is not None:
        detail |= {"command": command.id, "verdict": verdict, "state": command.state}
    if entry is not None:
        detail |= {"entry": entry.id, "amount_fen": entry.amount_fen}
    audit.write(signed.by.name, "decide" if command else "free", meter.serial, detail)
