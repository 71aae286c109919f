"""应急保电, 不断电保护, 限电: what a meter is told for a time; the engine takes it back at `until`.

Taking back: temporary_keeping. A hold and a limit may stand together; two of a kind may not.
"""

import datetime as dt
import json

from engine import clock
from engine.config import Config
from engine.domain.errors import (
    MeterProtected,
    NoSuchTemporary,
    RequestIdReused,
    TemporaryOver,
)
from engine.services import (
    audit,
    desired,
    downloads,
    exchange_rows,
    locking,
    meters,
    operators,
    releasing,
    switching,
    temporary_checks,
    temporary_rows,
)
from engine.services.approving import checked_reason
from models.base import next_rev, write_transaction
from models.control import Batch, Temporary
from models.enums import (
    CommandKind,
    Right,
    TemporaryPurpose,
)
from models.people import Operator
from models.site import Meter

RIGHTS = {
    TemporaryPurpose.EMERGENCY: Right.EMERGENCY,
    TemporaryPurpose.NO_CUT: Right.SWITCH,
    TemporaryPurpose.LIMIT: Right.SETTINGS,
}


def hold(
    serial: str,
    until: dt.datetime,
    purpose: TemporaryPurpose,
    why: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
    batch: Batch | None = None,
) -> Temporary:
    """Keep `serial` on until `until`, whatever its credit says; then back to its credit.

    EMERGENCY needs no right over money and is capped by control.emergency_max_h, in one go and
    in any 24 hours. Raises Forbidden, NoReason, NoSuchMeter, MeterRetired, NotPrepaid,
    NotOpened, MeterLockedOut, MeterInExchange, NotHoldable, TemporaryOpen, BadUntil,
    RequestIdReused.
    """
    with write_transaction():
        return hold_within(
            serial, until, purpose, why, by, request_id,
            config=config, approver=approver, batch=batch,
        )  # fmt: skip


def hold_within(
    serial: str,
    until: dt.datetime,
    purpose: TemporaryPurpose,
    why: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
    batch: Batch | None = None,
) -> Temporary:
    """The same as part of another verb, in its transaction."""
    assert purpose is not TemporaryPurpose.LIMIT, purpose
    why = checked_reason(why)
    operators.require(by, RIGHTS[purpose])
    if first := _earlier(request_id, serial, purpose, by):
        return first
    meter = temporary_checks.holdable(serial, config)
    temporary_checks.require_until(until, purpose, config)
    if purpose is TemporaryPurpose.EMERGENCY:
        temporary_checks.require_hours_left(meter, until, config)
    command = switching.request_within(
        serial, CommandKind.HOLD, why, by, f"{request_id}:begin",
        expires_s=config.control.switch_expires_s,
    )  # fmt: skip
    reading, _ = releasing.newest(meter)
    return _create(
        meter,
        purpose,
        until,
        why,
        by,
        request_id,
        approver=approver,
        batch=batch,
        begin=command,
        before_balance_fen=reading.balance_fen if reading else None,
        before_energy_wh=reading.energy_wh if reading else None,
    )


def limit(
    serial: str,
    limit_w: int,
    until: dt.datetime,
    why: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
) -> Temporary:
    """限电: let `serial` draw `limit_w` at most until `until`, then what is desired by then.

    Raises Forbidden, NoReason, NoSuchMeter, MeterRetired, MeterProtected, MeterLockedOut,
    MeterInExchange, BadLimit, BadUntil, TemporaryOpen, RequestIdReused.
    """
    why, purpose = checked_reason(why), TemporaryPurpose.LIMIT
    with write_transaction():
        operators.require(by, RIGHTS[purpose])
        if first := _earlier(request_id, serial, purpose, by):
            return first
        meter = meters.living(serial)
        if meter.protected:
            raise MeterProtected(serial=serial, why="limit")
        locking.require_unlocked(meter)
        exchange_rows.require_none(meter)
        temporary_checks.require_none_open(meter, config, limit=True)
        former = desired.settings(meter, config).get("overload_w")
        temporary_checks.require_lower(limit_w, former)
        temporary_checks.require_until(until, purpose, config)
        command = downloads.queue_values(
            meter, {"overload_w": limit_w}, by, f"{request_id}:begin", why=why
        )
        former_text = json.dumps({} if former is None else {"overload_w": former})
        return _create(
            meter, purpose, until, why, by, request_id,
            limit_w=limit_w, begin=command, former=former_text,
        )  # fmt: skip


def end_now(temporary_id: int, by: Operator) -> Temporary:
    """Take it back before its time, or try again where that got stuck; the engine does it.

    Raises NoSuchTemporary, TemporaryOver, Forbidden.
    """
    with write_transaction():
        found = get(temporary_id)
        operators.require(by, RIGHTS[found.purpose])
        if found.state not in temporary_rows.ENDABLE:
            raise TemporaryOver(temporary=temporary_id)
        temporary_rows.change(found, until=min(found.until, clock.now()), tries=0)
        audit.write(by.name, "temporary_end", found.serial, {"temporary": temporary_id})
        return get(temporary_id)


def get(temporary_id: int) -> Temporary:
    """Raises NoSuchTemporary."""
    found: Temporary | None = Temporary.get_or_none(Temporary.id == temporary_id)
    if found is None:
        raise NoSuchTemporary(temporary=temporary_id)
    return found


def _earlier(
    request_id: str, serial: str, purpose: TemporaryPurpose, by: Operator
) -> Temporary | None:
    found: Temporary | None = Temporary.get_or_none(Temporary.request_id == request_id)
    if found is None:
        return None
    if (found.serial, found.purpose, found.operator) != (serial, purpose, by):
        raise RequestIdReused(request_id=request_id)
    return found


def _create(
    meter: Meter,
    purpose: TemporaryPurpose,
    until: dt.datetime,
    why: str,
    by: Operator,
    request_id: str,
    **fields: object,
) -> Temporary:
    made: Temporary = Temporary.create(
        request_id=request_id, meter=meter, serial=meter.serial, purpose=purpose, why=why,
        operator=by, created_at=clock.now(), until=until, rev=next_rev(Temporary), **fields,
    )  # fmt: skip
    locking.touch(meter)
    detail = {"temporary": made.id, "until": until.isoformat(), "limit_w": made.limit_w, "why": why}
    audit.write(by.name, f"temporary_{purpose}", meter.serial, detail)
    return made
