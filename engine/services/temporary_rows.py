"""Rows of orders for a time: which are open, and one row changed at a time."""

import datetime as dt

from engine import clock
from engine.config import Config
from engine.domain.errors import MeterHeld
from engine.services import locking
from models.base import next_rev
from models.commands import Command
from models.control import Temporary
from models.enums import TemporaryState
from models.site import Meter

ENDABLE = (TemporaryState.BEGINNING, TemporaryState.HELD, TemporaryState.STUCK)


def open_of(meter: Meter, *, limit: bool) -> Temporary | None:
    """The limit, or the hold, that stands on `meter`; one that is stuck stands too."""
    found: Temporary | None = Temporary.get_or_none(
        Temporary.meter == meter,
        Temporary.ended_at.is_null(),
        Temporary.limit_w.is_null(not limit),
    )
    return found


def require_not_held(meter: Meter) -> None:
    """Raises MeterHeld: the order that holds it would, in the end, undo what is asked for now."""
    if found := open_of(meter, limit=False):
        raise MeterHeld(serial=meter.serial, temporary=found.id)


def begin_of(row: Temporary) -> Command:
    assert row.begin is not None, row.id
    return row.begin


def began_at(row: Temporary) -> dt.datetime:
    at: dt.datetime = begin_of(row).sent_at or row.created_at
    return at


def change(row: Temporary, **values: object) -> None:
    """Inside a write_transaction; screens that show the meter draw it anew."""
    Temporary.update(rev=next_rev(Temporary), **values).where(Temporary.id == row.id).execute()
    locking.touch(row.meter)


def finish(row: Temporary, state: TemporaryState, **values: object) -> None:
    change(row, state=state, ended_at=clock.now(), **values)


def local_text(at: dt.datetime, config: Config) -> str:
    """Local date and time, to the minute."""
    return f"{at.astimezone(config.site.zone):%Y-%m-%d %H:%M}"
