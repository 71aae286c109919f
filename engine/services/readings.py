"""What meters said: accepted or quarantined, kept by slot, rolled up by day.

A failed read stores no value. One readings transaction a meter, which checks in itself that the
engine still owns the site.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from enum import Enum, auto

from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.plausible import Doubt
from engine.services import (
    drifting,
    events,
    newest,
    protecting,
    quarantine,
    reconciling,
    standing,
    stepping,
)
from models import base, sqlite
from models.base import readings_transaction
from models.enums import EventKind, MeterKind
from models.metering import DayUse, Latest, Reading
from models.site import Meter

INSERT_READING = (
    "INSERT INTO reading (slot, meter_id, read_at, energy_wh, sharp_wh, peak_wh, flat_wh, "
    "valley_wh, balance_fen, purchase_count, power_w, status1, status2) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


TIME = re.compile(r"(\d\d):(\d\d)")


class Acceptance(Enum):
    ACCEPTED = auto()
    QUARANTINED = auto()  # nothing stored but the doubt: a second read must agree


def own(epoch: int) -> None:
    """Let the engine of lease `epoch` write here, and none before it. Raises StaleEngine."""
    with readings_transaction():
        newest.take_ownership(epoch)


def store(
    meter: Meter,
    reading: MeterReading,
    *,
    at: dt.datetime,
    slot_s: int,
    raw_frame: bytes,
    epoch: int,
    zone: dt.tzinfo,
    drift_limit_fen: int = 500,
) -> Acceptance:
    """Keep what `meter` said at `at`, unless it contradicts the last accepted reading.

    `slot_s` is the length of a slot: the first reading of a slot is its row, each is the
    newest. One that fell or jumped is quarantined with `raw_frame`; the next is accepted if it
    agrees with it, or with the reading before. Accepted, it is then compared with the books:
    drift beyond `drift_limit_fen` is an event. Raises StaleEngine.
    """
    with readings_transaction():
        newest.require_owner(epoch)
        latest = newest.of(meter.id)
        why = quarantine.doubt_of(latest, reading, at)
        if why is not None and not quarantine.confirmed(latest, reading, at):
            quarantine.keep(latest, reading, why, at, raw_frame)
            return Acceptance.QUARANTINED
        fell, last = why is Doubt.FELL, newest.reading_in(latest)
        fell_wh = quarantine.note_fall(latest, reading, at, raw_frame) if fell else 0
        _insert_reading(meter.id, reading, at, slot_s)
        _roll_up(latest, reading, at, zone, fell_wh=fell_wh)
        protecting.note(meter, latest, reading, at)
        latest.read_at, latest.reading, latest.quarantined = at, reading.to_json(), None
        books = standing.of(meter, at) if meter.kind is MeterKind.PREPAID else None
        if books is not None:
            drifting.follow(latest, reading, at, books, limit_fen=drift_limit_fen)
        newest.answered(latest, at)
    if last is not None and _counts_anew(last, reading):
        stepping.count_on(meter, last.energy_wh, reading.energy_wh, at, epoch)
    if books is not None:
        reconciling.compare(meter, reading, at, books, epoch=epoch, zone=zone)
    return Acceptance.ACCEPTED


def _counts_anew(last: MeterReading, reading: MeterReading) -> bool:
    """Is the difference between the two no use? A register fell, or a ratio is another one."""
    ratios = (last.ct_ratio, last.pt_ratio) != (reading.ct_ratio, reading.pt_ratio)
    return ratios or reading.energy_wh < last.energy_wh


def fail(meter_id: int, at: dt.datetime, epoch: int) -> None:
    """The meter did not answer. No value is touched: what was last known stays, and ages."""
    with readings_transaction():
        newest.require_owner(epoch)
        latest = newest.of(meter_id)
        latest.failed_attempts += 1
        latest.first_failed_at = latest.first_failed_at or at
        latest.attempted_at = at
        newest.save(latest)


def store_settings(meter_id: int, settings: MeterSettings, *, at: dt.datetime, epoch: int) -> None:
    """Prices and thresholds as read back from the meter."""
    with readings_transaction():
        newest.require_owner(epoch)
        latest = newest.of(meter_id)
        latest.settings, latest.settings_at = settings.to_json(), at
        newest.save(latest)


def store_held(
    meter_id: int,
    values: Mapping[str, str | int],
    *,
    settings: MeterSettings | None,
    at: dt.datetime,
    epoch: int,
    whole: bool,
) -> None:
    """What was read back, by the names of engine.domain.wanted, over what was known before.

    `settings` where prices and thresholds were among it. `whole`: all that the meter lets be
    read was asked for, so the nightly look has been had, and what did not come is not known.
    """
    with readings_transaction():
        newest.require_owner(epoch)
        latest = newest.of(meter_id)
        known = json.loads(latest.held) if latest.held and not whole else {}
        latest.held = json.dumps({**known, **values}, sort_keys=True, ensure_ascii=False)
        latest.held_at = at
        if settings is not None:
            latest.settings, latest.settings_at = settings.to_json(), at
        if whole:
            latest.held_whole_at = at
        newest.save(latest)


def switch_minutes(meter_id: int) -> frozenset[int]:
    """At which minutes of the day it changes its rate or its relay, as last read back."""
    latest = newest.of(meter_id)
    known = json.loads(latest.held) if latest.held else {}
    tables = ("schedule1", "schedule2", "time_control")
    texts = " ".join(str(known.get(name, "")) for name in tables)
    return frozenset(int(hour) * 60 + int(minute) for hour, minute in TIME.findall(texts))


def store_identity(meter: Meter, number: str, *, at: dt.datetime, epoch: int) -> bool:
    """Is `number`, which the meter gave, ours? Another one is an event, once."""
    seen = None if number == meter.serial else number
    with readings_transaction():
        newest.require_owner(epoch)
        latest = newest.of(meter.id)
        if latest.seen_serial != seen:
            latest.seen_serial = seen
            newest.save(latest)
            if seen:
                numbers = {"expected": meter.serial, "found": seen}
                events.add(meter.id, EventKind.OTHER_METER, at, **numbers)
    return seen is None


def note(
    meter_id: int, kind: EventKind, at: dt.datetime, epoch: int, **detail: events.Detail
) -> None:
    """An event the collector or executor saw; not again while the newest says the same."""
    with readings_transaction():
        newest.require_owner(epoch)
        events.add_once(meter_id, kind, at, **detail)


def _insert_reading(meter_id: int, reading: MeterReading, at: dt.datetime, slot_s: int) -> None:
    slot = int(at.timestamp()) // slot_s * slot_s
    rates = (*reading.energy_by_rate_wh, *[None] * 4)[:4]
    row = (
        slot,
        meter_id,
        Reading.read_at.db_value(at),
        reading.energy_wh,
        *rates,
        reading.balance_fen,
        reading.purchase_count,
        reading.power_w,
        reading.status1,
        reading.status2,
    )
    sqlite.executemany(base.readings.obj, INSERT_READING, [row])


def _roll_up(
    latest: Latest, reading: MeterReading, at: dt.datetime, zone: dt.tzinfo, *, fell_wh: int
) -> None:
    """First and last of the local business day; after a fall it goes on from the lower value."""
    day = at.astimezone(zone).date().isoformat()
    DayUse.insert(
        day=day,
        meter_id=latest.meter_id,
        first_energy_wh=reading.energy_wh,
        last_energy_wh=reading.energy_wh,
        first_balance_fen=reading.balance_fen,
        last_balance_fen=reading.balance_fen,
    ).on_conflict(
        conflict_target=(DayUse.day, DayUse.meter_id),
        update={
            DayUse.first_energy_wh: DayUse.first_energy_wh - fell_wh,
            DayUse.last_energy_wh: reading.energy_wh,
            DayUse.last_balance_fen: reading.balance_fen,
        },
    ).execute()
    if latest.day != day or latest.day_first_wh is None:
        latest.day, latest.day_first_wh = day, reading.energy_wh
    else:
        latest.day_first_wh -= fell_wh
