"""重要负荷: fire pumps, lifts, cold stores; never tripped from here, told of when they run low."""

import datetime as dt

from engine.domain.measurement import MeterReading
from engine.domain.states import StatusBits
from engine.services import audit, events, meters, newest, operators
from engine.services.approving import checked_reason
from models.base import next_rev, write_transaction
from models.enums import EventKind, MeterState, Right
from models.metering import Latest
from models.people import Operator
from models.site import Meter

LEVELS = (MeterState.NORMAL, MeterState.ALARM1, MeterState.ALARM2, MeterState.ARREARS)


def protect(serial: str, why: str, by: Operator, *, on: bool = True) -> Meter:
    """Say that `serial` is protected, or that it is no more; the same again changes nothing.

    Raises Forbidden, NoReason, NoSuchMeter, MeterRetired.
    """
    why = checked_reason(why)
    with write_transaction():
        operators.require(by, Right.SETTINGS)
        meter = meters.living(serial)
        if meter.protected != on:
            Meter.update(protected=on, rev=next_rev(Meter)).where(Meter.id == meter.id).execute()
            audit.write(by.name, "protect" if on else "unprotect", serial, {"why": why})
        return meters.living(serial)


def note(meter: Meter, latest: Latest, reading: MeterReading, at: dt.datetime) -> None:
    """An event where a protected meter has sunk further: to an alarm, or into arrears.

    `latest` still holds the reading before. Inside a readings_transaction.
    """
    if not meter.protected:
        return
    before = newest.reading_in(latest)
    was, now = level(before) if before else 0, level(reading)
    if now > was:
        detail = {"state": LEVELS[now].value, "balance_fen": reading.balance_fen}
        events.add(meter.id, EventKind.PROTECTED_LOW, at, **detail)


def level(reading: MeterReading) -> int:
    """How low its own words put it: an index of LEVELS."""
    status = StatusBits(reading.status1 or 0, reading.status2 or 0, len(reading.voltage_mv) or 3)
    if status.arrears:
        return LEVELS.index(MeterState.ARREARS)
    if status.alarm2:
        return LEVELS.index(MeterState.ALARM2)
    return LEVELS.index(MeterState.ALARM1 if status.alarm1 else MeterState.NORMAL)
