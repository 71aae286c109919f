"""检修挂牌: while somebody works behind a meter nothing may close it."""

from engine.domain.errors import MeterLockedOut
from models.control import LockOut
from models.site import Meter


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
