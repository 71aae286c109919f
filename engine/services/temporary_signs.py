"""What tells how far an order for a time is: clocks, locks, commands, readings. Changes nothing."""

import datetime as dt

from engine import clock
from engine.services import locking, temporary_rows
from models.base import begins_with
from models.commands import Command
from models.control import Temporary
from models.enums import CommandKind, CommandState, TemporaryState
from models.metering import Latest

AGAIN_S = (0, 30, 120, 300, 600)  # after the end of the first, second, … of them
UNKNOWN_S = 900  # a return nobody knows the outcome of is for a person from then on
SUPERSEDED = "superseded"  # by a download that said the same and more: asked for anew


def may_take_back(row: Temporary) -> bool:
    """Its time has come, and nobody works behind the meter: a return may close the relay."""
    return row.until <= clock.now() and not locking.locked(row.meter)


def ended_by_hand(row: Temporary) -> Command | None:
    """The newest RESUME that the meter proved since a hold began, a person's or the engine's."""
    if row.limit_w is not None or row.state is TemporaryState.BEGINNING:
        return None
    found: Command | None = (
        Command.select()
        .where(
            Command.meter == row.meter,
            Command.kind == CommandKind.RESUME,
            Command.state == CommandState.APPLIED,
            Command.id > temporary_rows.begin_of(row).id,
        )
        .order_by(Command.id.desc())
        .first()
    )
    return found


def too_long_unknown(end: Command) -> bool:
    if end.state is not CommandState.UNKNOWN or end.sent_at is None:
        return False
    return bool(clock.now() - end.sent_at > dt.timedelta(seconds=UNKNOWN_S))


def waited(row: Temporary, end: Command) -> bool:
    """Long enough since the one before ended; also where the clock was set back since."""
    if end.finished_at is None or end.reason == SUPERSEDED:
        return True
    pause = dt.timedelta(seconds=AGAIN_S[min(row.tries, len(AGAIN_S) - 1)])
    return not dt.timedelta() <= clock.now() - end.finished_at < pause


def answers_again(row: Temporary, end: Command) -> bool:
    """Was the meter read since the last try: is it there again?"""
    latest = latest_of(row)
    if latest is None or latest.read_at is None or latest.failed_attempts:
        return False
    return end.finished_at is not None and latest.read_at > end.finished_at


def next_id(row: Temporary, name: str) -> str:
    """Of the next command of this order: whoever asks at the same moment gets the same id."""
    begun = f"temporary:{row.id}:{name}:"
    return f"{begun}{Command.select().where(begins_with(Command.request_id, begun)).count()}"


def latest_of(row: Temporary) -> Latest | None:
    found: Latest | None = Latest.get_or_none(Latest.meter_id == row.meter.id)
    return found
