"""拉闸, 保电, 恢复预付费, 合闸: the relay, once and soon or not at all."""

import datetime as dt

from engine import clock
from engine.domain.errors import MeterProtected
from engine.services import audit, locking, meters, operators, queueing, sparing, temporary_rows
from engine.services.approving import checked_reason
from models.base import write_transaction
from models.commands import Command
from models.enums import BatchVerb, CommandKind, Right
from models.people import Operator

EXPIRES_S = 300  # yesterday's trip must not fire after today's payment


def request(
    serial: str,
    kind: CommandKind,
    why: str,
    by: Operator,
    request_id: str,
    *,
    expires_s: int = EXPIRES_S,
) -> Command:
    """Ask for a trip, a hold, the end of both or a reconnection; once, within `expires_s`.

    Raises Forbidden, NoReason, NoSuchMeter, MeterRetired, MeterProtected, MeterLockedOut,
    MeterHeld (for a time: only the end of that is taken), RequestIdReused.
    """
    why = checked_reason(why)
    with write_transaction():
        operators.require(by, Right.SWITCH)
        return request_within(serial, kind, why, by, request_id, expires_s=expires_s)


def request_within(
    serial: str,
    kind: CommandKind,
    why: str,
    by: Operator,
    request_id: str,
    *,
    expires_s: int = EXPIRES_S,
) -> Command:
    """The same as part of another verb, whose right and transaction hold."""
    assert kind.switch, kind
    if first := queueing.earlier(request_id, kind, serial, by):
        return first
    meter = meters.living(serial)
    if kind is CommandKind.TRIP and meter.protected:
        raise MeterProtected(serial=serial)
    if kind is CommandKind.RESUME:
        sparing.require_spared(meter, BatchVerb.RESUME, {})
    else:
        temporary_rows.require_not_held(meter)
    if kind.closes:
        locking.require_unlocked(meter)
    expires_at = clock.now() + dt.timedelta(seconds=expires_s)
    command = queueing.queue(meter, kind, by, request_id, expires_at=expires_at, why=why)
    audit.write(by.name, kind.value, serial, {"command": command.id, "why": why})
    return command
