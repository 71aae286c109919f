"""The life of a command: queued -> sent -> applied, refused, unknown or suspense.

Every transition is one UPDATE that names command, state and the lease's epoch, and must hit one
row, in the transaction that also moves the money. An engine that slept through its lease, or
believes in a state that is gone, hits none: StaleEngine, and nothing was written.
"""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Protocol

import peewee as pw

from engine import clock
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalNeeded,
    CountMoved,
    MeterFrozen,
    MeterProtected,
    NoSuchCommand,
    NotReversible,
    RequestIdReused,
    SwitchOvertaken,
)
from engine.domain.units import yuan_text
from engine.domain.wanted import may_close
from engine.services import (
    audit,
    evidence,
    ledger,
    locking,
    meters,
    operators,
    receipts,
    settling,
    transitions,
)
from models.base import next_rev, tuples, write_transaction
from models.commands import Attempt, Command
from models.enums import CommandKind, CommandState, Outcome, Right, TransferPurpose
from models.people import Operator
from models.site import Meter

OUTCOMES = {
    CommandState.QUEUED: Outcome.QUEUED,
    CommandState.SENT: Outcome.QUEUED,
    CommandState.UNKNOWN: Outcome.UNKNOWN,
    CommandState.APPLIED: Outcome.APPLIED,
    CommandState.REFUSED: Outcome.REFUSED,
    CommandState.VOIDED: Outcome.REFUSED,
    CommandState.SUSPENSE: Outcome.UNKNOWN,
}
AHEAD = dt.timedelta(minutes=1)  # of the clock: it was set back, by more than it ever drifts
NOTHING = (CommandState.REFUSED, CommandState.VOIDED)  # nothing has come of it, nothing will


class Exchange(Protocol):
    """A frame and what came back, as the bus records it."""

    @property
    def at(self) -> dt.datetime: ...
    @property
    def step(self) -> str: ...
    @property
    def request(self) -> bytes: ...
    @property
    def reply(self) -> bytes | None: ...
    @property
    def error(self) -> str | None: ...


def pending_counted() -> list[Command]:
    """Queued, sent and unknown ones, oldest first, each with its meter (and `meter.line_id`)."""
    query = (
        Command.select(Command, Meter)
        .join(Meter)
        .where(Command.counted == True, Command.state.in_(transitions.OPEN))  # noqa: E712 (SQL)
        .order_by(Command.id)
    )
    return list(query)


def open_counted(meter: Meter) -> int | None:
    """The number of the counted command that holds `meter`; None where it is free."""
    number: int | None = (
        Command.select(Command.id)
        .where(Command.meter == meter, Command.counted == True)  # noqa: E712 (SQL)
        .where(Command.state.in_(transitions.OPEN))
        .scalar()
    )
    return number


def counted_since(meter: Meter, at: dt.datetime) -> bool:
    """Is a counted command to `meter` open, or did one end at `at` or later?

    What was read then may be from before the credit, or from after it: it proves nothing.
    """
    ended_later = Command.finished_at.is_null(False) & (Command.finished_at >= at)
    return bool(
        Command.select()
        .where(
            Command.meter == meter,
            Command.counted == True,  # noqa: E712 (SQL)
            Command.state.in_(transitions.OPEN) | ended_later,
        )
        .exists()
    )


def mark_sent(
    command_id: int,
    base: PurchaseState,
    epoch: int,
    boot: str,
    pid: int,
    *,
    alone_fen: int | None = None,
) -> Command:
    """From queued to sent: with seq = base.count + 1, or with the balance it is to be lowered to.

    The credit found in a meter that was never read is taken over first, from `base`. From
    `alone_fen` on nobody moves all that a meter holds without a second person. Raises
    MeterFrozen, MeterLockedOut, CountMoved, NotReversible, ApprovalNeeded (then refuse the
    command: nothing has left) and StaleEngine.
    """
    with write_transaction():
        command = get(command_id)
        meter = command.meter
        if meter.frozen and not _may_be_frozen(command, base):
            raise MeterFrozen(serial=meter.serial)
        if command.kind.raises:
            locking.require_unlocked(meter)
        _require_second(command, base, alone_fen)
        meters.take_over(
            meter, balance_fen=base.balance_fen, count=base.count, energy_wh=base.energy_wh
        )
        expected = meters.expected_count(meter)
        if expected is not None and expected != base.count:
            raise CountMoved(serial=meter.serial, expected=expected, found=base.count)
        if command.reverses is not None and command.reverses.seq != base.count:
            raise NotReversible(command=command.reverses.id, why="not_latest")
        try:
            return transitions.move(
                command_id,
                (CommandState.QUEUED,),
                epoch,
                state=CommandState.SENT,
                lease_epoch=epoch,
                sender_boot=boot,
                sender_pid=pid,
                writes=1,
                sent_at=clock.now(),
                **_aim(command, base),
            )
        except pw.IntegrityError:  # the count was used before: it went backwards
            raise CountMoved(serial=meter.serial, expected=expected, found=base.count) from None


def _may_be_frozen(command: Command, base: PurchaseState) -> bool:
    """An exchange empties a meter that nobody may sell to any more.

    But not of more than the books have in it, nor of less than use explains: what a stranger put
    there, or a decision got wrong, would be lost in rounding and revenue. It is freed first.
    """
    transfer = command.transfer
    if transfer is None or transfer.purpose is not TransferPurpose.EXCHANGE:
        return False
    books_fen = ledger.balance_of(ledger.meter_credit(command.serial))
    return base.balance_fen <= books_fen and not evidence.difference_fen(command.meter)


def _require_second(command: Command, base: PurchaseState, alone_fen: int | None) -> None:
    """All of a meter may be more than was known when its refund or transfer was asked for."""
    if alone_fen is None or not command.whole or command.approver is not None:
        return
    transfer = command.transfer
    moves = transfer is not None and transfer.purpose is TransferPurpose.MOVE
    leaves = command.kind is CommandKind.REFUND or (
        command.kind is CommandKind.TRANSFER_OUT and moves
    )
    if leaves and base.balance_fen >= alone_fen:
        amount, limit = yuan_text(base.balance_fen), yuan_text(alone_fen)
        raise ApprovalNeeded(amount=amount, limit=limit, why="")


def _aim(command: Command, base: PurchaseState) -> dict[str, int]:
    """What a command's first frame, and a lowering one's next, is reckoned from."""
    seen = {
        "base_count": base.count,
        "base_balance_fen": base.balance_fen,
        "base_energy_wh": base.energy_wh,
    }
    if command.kind.raises:
        return {**seen, "seq": base.count + 1}
    if command.whole:
        return {**seen, "amount_fen": abs(base.balance_fen), "target_fen": 0}
    return {**seen, "target_fen": base.balance_fen - command.amount_fen}


def mark_rewrite(
    command_id: int, epoch: int, boot: str, pid: int, *, base: PurchaseState | None = None
) -> Command:
    """Back to sent: the same wish goes out once more, after proof that nothing arrived.

    A purchase with the same seq and amount; an absolute balance with a target recomputed from
    `base`, the look that showed the old balance still there. Raises MeterLockedOut: then it
    stays as it is until the lock is taken off.
    """
    with write_transaction():
        command = get(command_id)
        if command.kind.raises:
            locking.require_unlocked(command.meter)
        assert command.kind.raises or base is not None, "an old target is never written again"
        again = {} if command.kind.raises or base is None else _aim(command, base)
        return transitions.move(
            command_id,
            transitions.ON_THE_WIRE,
            epoch,
            state=CommandState.SENT,
            lease_epoch=epoch,
            sender_boot=boot,
            sender_pid=pid,
            writes=Command.writes + 1,
            sent_at=clock.now(),
            **again,
        )


def settle(
    command_id: int,
    step: Step,
    after: PurchaseState | None,
    reason: str | None,
    epoch: int,
    *,
    zone: dt.tzinfo,
) -> Command:
    """What the executor's `step` means for state, money and meter, in one transaction.

    CONFIRM posts credit and fee, issues the receipt (dated in `zone`) and moves the expected
    count; repeated after a crash it changes nothing. REFUSE gives the money back to the till it
    came from, SUSPEND keeps it for a person and freezes the meter, KEEP sets the next read-back.
    """
    with write_transaction():
        command = get(command_id)
        if step is Step.CONFIRM and command.state is CommandState.APPLIED:
            transitions.require_lease(epoch)
            return command
        match step:
            case Step.CONFIRM:
                return settling.confirm(command, after, epoch, zone)
            case Step.REFUSE:
                return settling.refuse(command, after, reason, epoch)
            case Step.SUSPEND:
                return settling.suspend(command, after, reason, epoch)
            case Step.KEEP:
                return settling.keep(command, reason, epoch)
        raise AssertionError(step)  # looking again and writing again settle nothing


def refuse_unsent(command_id: int, reason: str, epoch: int) -> Command:
    """The money goes back because nothing has left, and nothing will.

    Raises StaleEngine where something may have left meanwhile: then only a read-back decides.
    """
    with write_transaction():
        command = get(command_id)
        return settling.refuse(command, None, reason, epoch, states=(CommandState.QUEUED,))


def record_attempts(command_id: int, exchanges: Iterable[Exchange]) -> None:
    """Keep the evidence of a turn: every frame of it. Evidence is kept whoever holds the lease."""
    with write_transaction():
        for one in exchanges:
            Attempt.create(
                command=command_id,
                at=one.at,
                step=one.step,
                request=one.request,
                reply=one.reply,
                error=one.error,
            )


def request_read(
    serial: str, request_id: str, by: Operator | None = None, *, expires_s: int = 120
) -> Command:
    """Ask for a fresh read of `serial` now; `by` None is whoever owns the site's files.

    Raises NoSuchMeter, MeterRetired, Forbidden, RequestIdReused.
    """
    with write_transaction():
        if earlier := by_request_id(request_id):
            if (earlier.kind, earlier.serial) != (CommandKind.READ, serial):
                raise RequestIdReused(request_id=request_id)
            return earlier
        if by is not None:
            operators.require(by, Right.READ)
        meter = meters.living(serial)
        now = clock.now()
        command: Command = Command.create(
            request_id=request_id,
            kind=CommandKind.READ,
            counted=False,
            meter=meter,
            meter_epoch=meter.epoch,
            serial=meter.serial,
            operator=by,
            created_at=now,
            expires_at=now + dt.timedelta(seconds=expires_s),
            rev=next_rev(Command),
        )
        return command


def pending_uncounted() -> list[Command]:
    """Reads, downloads and switches that are open, oldest first, each with its meter.

    A switch that was under way when its engine ended is looked at, never sent again.
    """
    query = (
        Command.select(Command, Meter)
        .join(Meter)
        .where(Command.counted == False, Command.state.in_(transitions.OPEN))  # noqa: E712 (SQL)
        .order_by(Command.id)
    )
    return list(query)


def mark_control_sent(command_id: int, epoch: int, *, found: str = "") -> Command:
    """A download or a switch is about to be written; `found`: what the meter held before.

    Raises StaleEngine; MeterLockedOut, MeterProtected, SwitchOvertaken: then nothing may be sent.
    """
    with write_transaction():
        command = get(command_id)
        _require_allowed(command)
        return transitions.move(
            command_id,
            transitions.OPEN,
            epoch,
            state=CommandState.SENT,
            lease_epoch=epoch,
            writes=Command.writes + 1,
            sent_at=clock.now(),
            found=command.found or found,
        )


def _require_allowed(command: Command) -> None:
    """A lock may have been hung up, a meter protected, since it was asked for; or somebody paid."""
    kind, meter = command.kind, command.meter
    if kind is CommandKind.TRIP and meter.protected:
        raise MeterProtected(serial=meter.serial)
    told = json.loads(command.desired) if kind is CommandKind.DOWNLOAD else {}
    if kind.closes or may_close(told):
        locking.require_unlocked(meter)
    if kind.switch and command.state is CommandState.QUEUED:
        _require_newest(command)


def _require_newest(command: Command) -> None:
    """Of two switches that wait the newer one counts; nobody is tripped after a payment."""
    since = Command.select(Command.kind).where(
        Command.meter == command.meter.id, Command.id > command.id, Command.state.not_in(NOTHING)
    )
    kinds = {kind for (kind,) in tuples(since)}
    if any(kind.switch for kind in kinds):
        raise SwitchOvertaken(serial=command.serial, why="newer_switch")
    if command.kind is CommandKind.TRIP and any(kind.raises for kind in kinds):
        raise SwitchOvertaken(serial=command.serial, why="sold_since")


def is_late(command: Command) -> bool:
    """Queued, and too late to be sent; also where the clock was set back since it was asked for."""
    if command.state is not CommandState.QUEUED or command.expires_at is None:
        return False
    now = clock.now()
    return bool(command.expires_at <= now or command.created_at > now + AHEAD)


def switched_since(meter: Meter, at: dt.datetime) -> bool:
    """Was anything else switched there, or is about to be, by whom ever?"""
    found = Command.select().where(
        Command.meter == meter,
        Command.created_at > at,
        Command.kind.in_([kind for kind in CommandKind if kind.switch]),
        Command.state.not_in(NOTHING),
    )
    return bool(found.exists())


def keep_control(command_id: int, reason: str | None, epoch: int) -> Command:
    """A download or a switch whose read-back had no answer: looked at again, later."""
    with write_transaction():
        return settling.keep(get(command_id), reason, epoch)


def finish_uncounted(
    command_id: int,
    state: CommandState,
    reason: str | None,
    epoch: int,
    *,
    found: str = "",
    left: str = "",
) -> Command:
    """To applied or refused, with the log where something was to change. Raises StaleEngine.

    `found`, `left`: JSON of what the meter held before, and of what it holds against the wish.
    """
    with write_transaction():
        command = get(command_id)
        ended = transitions.end(command, transitions.OPEN, state, None, reason, epoch)
        if command.kind is not CommandKind.READ:
            told = {"found": command.found or found, "left": left}
            Command.update(**told).where(Command.id == command_id).execute()
            detail = {"command": command_id, "reason": reason}
            audit.write(audit.SYSTEM, f"{command.kind}_{state}", command.serial, detail)
        return ended


def finish_read(command_id: int, state: CommandState, reason: str | None = None) -> Command:
    """To applied or refused. A read moves nothing, so it may end twice: the first counts."""
    with write_transaction():
        Command.update(
            state=state, reason=reason, finished_at=clock.now(), rev=next_rev(Command)
        ).where(
            Command.id == command_id,
            Command.kind == CommandKind.READ,
            Command.state == CommandState.QUEUED,
        ).execute()
        return get(command_id)


def get(command_id: int) -> Command:
    """Raises NoSuchCommand."""
    command = Command.get_or_none(Command.id == command_id)
    if command is None:
        raise NoSuchCommand(command=command_id)
    assert isinstance(command, Command)
    return command


def by_request_id(request_id: str) -> Command | None:
    found: Command | None = Command.get_or_none(Command.request_id == request_id)
    return found


def outcome_of(command: Command) -> dict[str, object]:
    """What every money verb prints as JSON: the contract's own words."""
    receipt = receipts.of(command) if command.state is CommandState.APPLIED else None
    return {
        "command": command.id,
        "request_id": command.request_id,
        "outcome": OUTCOMES[command.state].value,
        "reason": command.reason,
        "serial": command.serial,
        "amount_fen": command.amount_fen,
        "fee_fen": command.fee_fen,
        "count_before": command.base_count,
        "count_after": command.after_count,
        "balance_before_fen": command.base_balance_fen,
        "balance_after_fen": command.after_balance_fen,
        "receipt": receipt.number if receipt else None,
    }
