"""Readings that contradict the last accepted one wait here until a second read agrees."""

import datetime as dt
import json

from engine.domain.measurement import MeterReading
from engine.domain.plausible import Doubt, doubt
from engine.services import events, newest
from models.enums import EventKind
from models.metering import Latest


def doubt_of(latest: Latest, reading: MeterReading, at: dt.datetime) -> Doubt | None:
    """What speaks against `reading` after the last accepted one."""
    last = newest.reading_in(latest)
    if last is None:
        return None
    assert latest.read_at is not None, latest.meter_id
    return doubt(last, reading, elapsed_s=(at - latest.read_at).total_seconds())


def confirmed(latest: Latest, reading: MeterReading, at: dt.datetime) -> bool:
    """Could `reading` follow the one that waits? Then two reads tell the same story."""
    if latest.quarantined is None:
        return False
    kept = json.loads(latest.quarantined)
    first = MeterReading.from_json(kept["reading"])
    elapsed = at - dt.datetime.fromisoformat(kept["at"])
    return doubt(first, reading, elapsed_s=elapsed.total_seconds()) is None


def keep(
    latest: Latest, reading: MeterReading, why: Doubt, at: dt.datetime, raw_frame: bytes
) -> None:
    """Store the doubt, with its frame, and no value."""
    frame = raw_frame.hex()
    latest.quarantined = json.dumps(
        {"at": at.isoformat(), "why": why, "frame": frame, "reading": reading.to_json()}
    )
    detail = {"why": why.value, "energy_wh": reading.energy_wh, "frame": frame}
    events.add(latest.meter_id, EventKind.QUARANTINE, at, **detail)
    newest.answered(latest, at)


def note_fall(latest: Latest, reading: MeterReading, at: dt.datetime, raw_frame: bytes) -> int:
    """The lower value counts from now on: an event, and by how much (Wh) the total fell."""
    last = newest.reading_in(latest)
    assert last is not None, "nothing can fall below nothing"
    events.add(
        latest.meter_id,
        EventKind.REGISTER_FELL,
        at,
        before_wh=last.energy_wh,
        after_wh=reading.energy_wh,
        frame=raw_frame.hex(),
    )
    return max(0, last.energy_wh - reading.energy_wh)
