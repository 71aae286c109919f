"""检修挂牌: while somebody works behind a meter nothing may close it.

A lock is placed whatever is under way: what was sent can no longer be called back, and is told.
Its holder takes it off; anybody else only together with a second person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine import clock
from engine.domain.errors import (
    AlreadyLockedOut,
    Forbidden,
    LockHeld,
    MeterLockedOut,
    NotApprovable,
    NotLockedOut,
)
from engine.services import audit, meters, operators
from engine.services.approving import checked_reason
from models.base import next_rev, write_transaction
from models.commands import Command
from models.control import LockOut
from models.enums import CommandKind, CommandState, Right
from models.people import Operator
from models.site import Meter


@dataclass(frozen=True)
class Placed:
    """The lock, and what may still close the relay: wait for `under_way` before you touch it."""

    lock: LockOut
    under_way: tuple[Command, ...]  # sent, or nobody knows: a frame may be on the wire
    stopped: tuple[Command, ...]  # queued: refused, with the money back, before anything is sent


def place(serial: str, why: str, by: Operator) -> Placed:
    """Lock `serial` out, also while a sale to it is under way. The relay stays as it is.

    Raises Forbidden, NoReason, NoSuchMeter, MeterRetired, AlreadyLockedOut.
    """
    why = checked_reason(why)
    with write_transaction():
        operators.require(by, Right.LOCK_OUT)
        meter = meters.living(serial)
        if found := lock_of(meter):
            raise AlreadyLockedOut(serial=serial, holder=found.holder.name, why=found.why)
        lock: LockOut = LockOut.create(meter=meter, holder=by, why=why, placed_at=clock.now())
        touch(meter)
        under_way, stopped = _closing_commands(meter)
        waits = [each.id for each in under_way]
        detail = {"lock": lock.id, "why": why, "under_way": waits}
        audit.write(by.name, "lock_place", serial, detail)
        return Placed(lock, under_way, stopped)


def release(serial: str, by: Operator, second: Operator | None = None) -> LockOut:
    """Take the lock off `serial`: its holder alone, or somebody else with a `second` person.

    Who is not the holder needs the right to lock out, the second person that to approve; the
    holder may be the second. Raises NoSuchMeter, NotLockedOut, LockHeld, Forbidden, NotApprovable.
    """
    with write_transaction():
        meter = meters.any_of(serial)
        lock = lock_of(meter)
        if lock is None:
            raise NotLockedOut(serial=serial)
        if lock.holder.id != by.id:
            operators.require(by, Right.LOCK_OUT)
            if second is None:
                raise LockHeld(serial=serial, holder=lock.holder.name, why=lock.why)
            _require_another(by, second, lock.holder)
        else:
            second = None  # nobody is needed
        LockOut.update(released_at=clock.now(), released_by=by, second=second).where(
            LockOut.id == lock.id
        ).execute()
        touch(meter)
        detail = {
            "lock": lock.id,
            "holder": lock.holder.name,
            "second": second.name if second else None,
        }
        audit.write(by.name, "lock_release", serial, detail)
        freed: LockOut = LockOut.get_by_id(lock.id)
        return freed


def go_on(old: Meter, new: Meter) -> None:
    """Whoever works behind `old` works behind `new` as well: an exchange takes no lock off.

    Inside the caller's write_transaction. Where somebody works behind `new` already, his lock is
    enough, and the old one stays where it hangs.
    """
    if locked(new):
        return
    LockOut.update(meter=new).where(LockOut.meter == old, LockOut.released_at.is_null()).execute()


def lock_of(meter: Meter) -> LockOut | None:
    """The lock that hangs on `meter`, with its holder; None where it is free."""
    found: LockOut | None = LockOut.get_or_none(
        LockOut.meter == meter, LockOut.released_at.is_null()
    )
    return found


def locked(meter: Meter) -> bool:
    return lock_of(meter) is not None


def require_unlocked(meter: Meter) -> None:
    """Raises MeterLockedOut, which names who works there."""
    if lock := lock_of(meter):
        raise MeterLockedOut(serial=meter.serial, holder=lock.holder.name, why=lock.why)


def touch(meter: Meter) -> None:
    """A screen that shows the meter draws it anew. Inside a write_transaction."""
    Meter.update(rev=next_rev(Meter)).where(Meter.id == meter.id).execute()


def _require_another(by: Operator, second: Operator, holder: Operator) -> None:
    if second.id == by.id:
        raise NotApprovable(operator=second.name, why="same_person")
    if second.id == holder.id:
        return
    try:
        operators.require(second, Right.APPROVE)
    except Forbidden:
        raise NotApprovable(operator=second.name) from None


def _closing_commands(meter: Meter) -> tuple[tuple[Command, ...], tuple[Command, ...]]:
    """(sent or unknown, queued) commands that may close the relay, oldest first."""
    states = (CommandState.QUEUED, CommandState.SENT, CommandState.UNKNOWN)
    query = Command.select().where(Command.meter == meter, Command.state.in_(states))
    found: Sequence[Command] = [
        each
        for each in query.order_by(Command.id)
        if each.kind.closes or each.kind is CommandKind.DOWNLOAD
    ]
    queued = tuple(each for each in found if each.state is CommandState.QUEUED)
    return tuple(each for each in found if each not in queued), queued
