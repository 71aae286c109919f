"""The newest known of every meter (`Latest`), and who may write what was measured."""

import datetime as dt

from engine.domain.errors import StaleEngine
from engine.domain.measurement import MeterReading
from engine.services import transitions
from models.base import next_rev
from models.metering import Latest, Owner


def take_ownership(epoch: int) -> None:
    """Inside a readings_transaction. Raises StaleEngine if a later engine was here already."""
    Owner.insert(resource=transitions.SITE, epoch=epoch).on_conflict_ignore().execute()
    taken = Owner.update(epoch=epoch).where(
        Owner.resource == transitions.SITE, Owner.epoch <= epoch
    )
    if taken.execute() != 1:
        raise StaleEngine(f"readings belong to a later engine than {epoch}")


def require_owner(epoch: int) -> None:
    """Raises StaleEngine unless the engine of `epoch` may write, in this very transaction."""
    owner = Owner.get_or_none(Owner.resource == transitions.SITE)
    if owner is None or owner.epoch != epoch:
        raise StaleEngine(f"readings belong to another engine than {epoch}")


def of(meter_id: int) -> Latest:
    """The row of that meter, made when first needed."""
    found = Latest.get_or_none(Latest.meter_id == meter_id)
    return found or Latest.create(meter_id=meter_id, rev=next_rev(Latest))


def reading_in(latest: Latest) -> MeterReading | None:
    """The last accepted reading; None where there was none."""
    return MeterReading.from_json(latest.reading) if latest.reading else None


def answered(latest: Latest, at: dt.datetime) -> None:
    """The meter is not lost, whatever it said."""
    latest.attempted_at, latest.failed_attempts, latest.first_failed_at = at, 0, None
    save(latest)


def save(latest: Latest) -> None:
    latest.rev = next_rev(Latest)
    latest.save(only=latest.dirty_fields)
