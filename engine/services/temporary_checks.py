"""What an order for a time may be: on which meter, for how long, how low."""

import datetime as dt
import math

from engine import clock
from engine.config import Config
from engine.domain.errors import (
    BadLimit,
    BadUntil,
    NotHoldable,
    NotOpened,
    NotPrepaid,
    TemporaryOpen,
)
from engine.domain.states import StatusBits
from engine.services import exchange_rows, locking, meters, releasing, temporary_rows
from models.commands import OPEN_STATES, Command
from models.control import Temporary
from models.enums import CommandKind, MeterKind, TemporaryPurpose, TemporaryState
from models.site import Meter

DAY = dt.timedelta(hours=24)
NO_CUT_MAX_H = 21 * 24  # the longest holidays
LIMIT_MAX_H = 31 * 24
LIMIT_MAX_W = 65_535


def hours_used(meter: Meter, now: dt.datetime) -> float:
    """Hours of the last 24 in which `meter` was held in an emergency."""
    since = now - DAY
    query = Temporary.select().where(
        Temporary.meter == meter,
        Temporary.purpose == TemporaryPurpose.EMERGENCY,
        Temporary.state != TemporaryState.FAILED,
        Temporary.ended_at.is_null() | (Temporary.ended_at > since),
    )
    held_s: float = sum(
        (min(each.ended_at or now, now) - max(each.created_at, since)).total_seconds()
        for each in query
    )
    return max(0.0, held_s) / 3600


def holdable(serial: str, config: Config) -> Meter:
    meter = meters.living(serial)
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=serial)
    if meters.installation_of(meter) is None:
        raise NotOpened(serial=serial)
    locking.require_unlocked(meter)
    exchange_rows.require_none(meter)
    require_none_open(meter, config, limit=False)
    _require_no_hand(meter)
    reading, _ = releasing.newest(meter)
    if reading is not None and reading.status1 is not None:
        phases = max(1, len(reading.voltage_mv))
        status = StatusBits(reading.status1, reading.status2 or 0, phases)
        if status.force_active:
            why = "held" if status.force_outputs else "tripped"
            raise NotHoldable(serial=serial, why=why)
    return meter


def _require_no_hand(meter: Meter) -> None:
    """A hold or trip by hand under way: no reading shows it yet, and the return would undo it."""
    by_hand = (CommandKind.HOLD, CommandKind.TRIP)
    query = Command.select(Command.kind).where(
        Command.meter == meter, Command.kind.in_(by_hand), Command.state.in_(OPEN_STATES)
    )
    kind = query.order_by(Command.id.desc()).scalar()
    if kind is not None:
        why = "held" if kind == CommandKind.HOLD else "tripped"
        raise NotHoldable(serial=meter.serial, why=why)


def require_none_open(meter: Meter, config: Config, *, limit: bool) -> None:
    """Not two of a kind: neither is told for longer by telling it again."""
    found = temporary_rows.open_of(meter, limit=limit)
    if found is not None:
        until = temporary_rows.local_text(found.until, config)
        raise TemporaryOpen(serial=meter.serial, temporary=found.id, until=until)


def require_until(until: dt.datetime, purpose: TemporaryPurpose, config: Config) -> None:
    """Raises BadUntil (`past`, `too_long`)."""
    now = clock.now()
    most_h = {
        TemporaryPurpose.EMERGENCY: config.control.emergency_max_h,
        TemporaryPurpose.NO_CUT: NO_CUT_MAX_H,
        TemporaryPurpose.LIMIT: LIMIT_MAX_H,
    }[purpose]
    said = {"until": temporary_rows.local_text(until, config), "hours": most_h}
    if until <= now:
        raise BadUntil(why="past", **said)
    if until - now > dt.timedelta(hours=most_h):
        raise BadUntil(why="too_long", **said)


def require_hours_left(meter: Meter, until: dt.datetime, config: Config) -> None:
    """So that one emergency after the other does not become a supply without credit."""
    now = clock.now()
    used_h, most_h = hours_used(meter, now), config.control.emergency_max_h
    if used_h + (until - now).total_seconds() / 3600 > most_h + 1 / 60:
        used = math.ceil(used_h * 10) / 10
        raise BadUntil(serial=meter.serial, used=f"{used:.1f}", hours=most_h, why="used_up")


def require_lower(limit_w: int, former: str | int | None) -> None:
    """More than is desired now, or no limit at all (0), limits nothing."""
    if not 0 < limit_w <= LIMIT_MAX_W:
        raise BadLimit(limit=limit_w, most=LIMIT_MAX_W, why="range")
    if former and limit_w >= int(former):
        raise BadLimit(limit=limit_w, desired=former, why="not_lower")
