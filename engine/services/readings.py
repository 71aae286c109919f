"""What meters said: accepted or quarantined, rolled up by day, compared with the books.

A failed read stores no value. One readings transaction a meter, which checks in itself that the
engine still owns the site. No transaction spans both databases; the order is what makes a crash
between them harmless, see `_compare_with_books`.
"""

import datetime as dt
import json
from enum import Enum, auto

import peewee as pw

from engine.domain.errors import StaleEngine
from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.plausible import Doubt, doubt
from engine.services import audit, commands, meters
from models import base, sqlite
from models.base import readings_transaction, write_transaction
from models.enums import EventKind, MeterKind
from models.metering import DayUse, Latest, MeterEvent, Owner, Reading
from models.site import Meter

INSERT_READING = (
    f"INSERT INTO {Reading._meta.table_name} "  # noqa: SLF001, S608 (our own names, no values)
    "(slot, meter_id, read_at, energy_wh, sharp_wh, peak_wh, flat_wh, valley_wh, "
    "balance_fen, purchase_count, power_w, status1, status2) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class Acceptance(Enum):
    ACCEPTED = auto()
    QUARANTINED = auto()  # nothing stored but the doubt: a second read must agree


def own(epoch: int) -> None:
    """Let the engine of lease `epoch` write here, and none before it. Raises StaleEngine."""
    with readings_transaction():
        Owner.insert(resource=commands.SITE, epoch=0).on_conflict_ignore().execute()
        taken = Owner.update(epoch=epoch).where(
            Owner.resource == commands.SITE, Owner.epoch <= epoch
        )
        if taken.execute() != 1:
            raise StaleEngine(f"readings belong to a later engine than {epoch}")


def store(
    meter: Meter,
    reading: MeterReading,
    *,
    at: dt.datetime,
    slot_s: int,
    raw_frame: bytes,
    epoch: int,
    zone: dt.tzinfo,
) -> Acceptance:
    """Keep what `meter` said at `at`, unless it contradicts the last accepted reading.

    `slot_s` is the length of a slot: the first reading of a slot is its row, each is the
    latest. A reading that fell or jumped is quarantined with `raw_frame`; the next one is
    accepted if it agrees with it, or with the reading before. Raises StaleEngine.
    """
    with readings_transaction():
        _require_owner(epoch)
        latest = _latest(meter.id)
        last = _last(latest)
        why = _doubt(latest, last, reading, at)
        if why is not None and not _agrees_with_quarantine(latest, reading, at):
            _quarantine(latest, reading, why, at, raw_frame)
            return Acceptance.QUARANTINED
        if why is Doubt.FELL:
            _note_fall(latest, reading, at, raw_frame)
        _insert_reading(meter.id, reading, at, slot_s)
        _roll_up(latest, reading, at, zone, fell_wh=_fall_wh(last, reading))
        if latest.read_at is None or at >= latest.read_at:
            latest.read_at, latest.reading = at, reading.to_json()
        latest.quarantined = None
        _answered(latest, at)
    _compare_with_books(meter, reading, at, epoch)
    return Acceptance.ACCEPTED


def fail(meter_id: int, at: dt.datetime, epoch: int) -> None:
    """The meter did not answer. No value is touched: what was last known stays, and ages."""
    with readings_transaction():
        _require_owner(epoch)
        latest = _latest(meter_id)
        latest.failed_attempts += 1
        latest.first_failed_at = latest.first_failed_at or at
        latest.attempted_at = at
        _save(latest)


def store_settings(meter_id: int, settings: MeterSettings, *, at: dt.datetime, epoch: int) -> None:
    """Prices and thresholds as read back from the meter."""
    with readings_transaction():
        _require_owner(epoch)
        latest = _latest(meter_id)
        latest.settings, latest.settings_at = settings.to_json(), at
        _save(latest)


def store_identity(meter: Meter, number: str, *, at: dt.datetime, epoch: int) -> bool:
    """Is `number`, which the meter gave, ours? Another one is an event, once."""
    ours = number == meter.serial
    seen = None if ours else number
    with readings_transaction():
        _require_owner(epoch)
        latest = _latest(meter.id)
        if latest.seen_serial != seen:
            latest.seen_serial = seen
            _save(latest)
            if seen:
                _note(meter.id, EventKind.OTHER_METER, at, expected=meter.serial, found=seen)
    return ours


def note(
    meter_id: int, kind: EventKind, at: dt.datetime, epoch: int, **detail: str | int | None
) -> None:
    """Something a person should know of a meter, written once: not again while it is the newest."""
    with readings_transaction():
        _require_owner(epoch)
        _note(meter_id, kind, at, **detail)


def _compare_with_books(meter: Meter, reading: MeterReading, at: dt.datetime, epoch: int) -> None:
    """Take over the credit of a meter new to its tenant; raise the alarm on a foreign purchase.

    The reading is committed before. A crash here loses nothing: both are decided from the books'
    own state (`taken_over`, `mirror_count`), so the next poll finds the same and does it. The
    event is written before the freeze, and only if it is not there yet: a crash between them
    ends in one event and one freeze, after the next poll.
    """
    if (
        meter.kind is not MeterKind.PREPAID
        or reading.purchase_count is None
        or reading.balance_fen is None
        or commands.counted_since(meter, at)
    ):
        return
    installation = meters.installation_of(meter)
    if installation is not None and not installation.taken_over:
        with write_transaction():
            commands.require_lease(epoch)
            if not commands.counted_since(meter, at):
                meters.take_over(
                    meter, balance_fen=reading.balance_fen, count=reading.purchase_count
                )
        return
    expected = meters.expected_count(meter)
    if expected is None or expected == reading.purchase_count:
        return
    note(
        meter.id,
        EventKind.FOREIGN_PURCHASE,
        at,
        epoch,
        expected=expected,
        found=reading.purchase_count,
    )
    _freeze_for(meter, expected, reading.purchase_count, at, epoch)


def _freeze_for(meter: Meter, expected: int, found: int, at: dt.datetime, epoch: int) -> None:
    """Freeze once, and expect the new count: a further foreign purchase is a further event."""
    with write_transaction():
        commands.require_lease(epoch)
        if commands.counted_since(meter, at):
            return
        moved = Meter.update(frozen=True, mirror_count=found).where(
            Meter.id == meter.id, Meter.mirror_count == expected
        )
        if moved.execute():
            audit.write(
                audit.SYSTEM, "foreign_purchase", meter.serial, expected=expected, found=found
            )


def _last(latest: Latest) -> MeterReading | None:
    return MeterReading.from_json(latest.reading) if latest.reading else None


def _doubt(
    latest: Latest, last: MeterReading | None, reading: MeterReading, at: dt.datetime
) -> Doubt | None:
    if last is None:
        return None
    return doubt(last, reading, elapsed_s=(at - latest.read_at).total_seconds())


def _agrees_with_quarantine(latest: Latest, reading: MeterReading, at: dt.datetime) -> bool:
    """Could `reading` follow the one that waits in quarantine? Then two reads tell the same."""
    if latest.quarantined is None:
        return False
    kept = json.loads(latest.quarantined)
    first = MeterReading.from_json(kept["reading"])
    elapsed = at - dt.datetime.fromisoformat(kept["at"])
    return doubt(first, reading, elapsed_s=elapsed.total_seconds()) is None


def _quarantine(
    latest: Latest, reading: MeterReading, why: Doubt, at: dt.datetime, raw_frame: bytes
) -> None:
    frame = raw_frame.hex()
    latest.quarantined = json.dumps(
        {"at": at.isoformat(), "why": why, "frame": frame, "reading": reading.to_json()}
    )
    MeterEvent.create(
        meter_id=latest.meter_id,
        kind=EventKind.QUARANTINE,
        at=at,
        detail=_detail(why=why, energy_wh=reading.energy_wh, frame=frame),
    )
    _answered(latest, at)


def _note_fall(latest: Latest, reading: MeterReading, at: dt.datetime, raw_frame: bytes) -> None:
    last = _last(latest)
    assert last is not None, "nothing can fall below nothing"
    MeterEvent.create(
        meter_id=latest.meter_id,
        kind=EventKind.REGISTER_FELL,
        at=at,
        detail=_detail(before_wh=last.energy_wh, after_wh=reading.energy_wh, frame=raw_frame.hex()),
    )


def _fall_wh(last: MeterReading | None, reading: MeterReading) -> int:
    """By how much the total is lower than the last accepted one; 0 where it is not."""
    return max(0, last.energy_wh - reading.energy_wh) if last else 0


def _insert_reading(meter_id: int, reading: MeterReading, at: dt.datetime, slot_s: int) -> None:
    slot = int(at.timestamp()) // slot_s * slot_s
    rates = (*reading.energy_by_rate_wh, 0, 0, 0, 0)[:4]
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


def _require_owner(epoch: int) -> None:
    owner = Owner.get_or_none(Owner.resource == commands.SITE)
    if owner is None or owner.epoch != epoch:
        raise StaleEngine(f"readings belong to another engine than {epoch}")


def _latest(meter_id: int) -> Latest:
    """The row of that meter, made when first needed."""
    found = Latest.get_or_none(Latest.meter_id == meter_id)
    return found or Latest.create(meter_id=meter_id, rev=_next_rev(), force_insert=True)


def _answered(latest: Latest, at: dt.datetime) -> None:
    latest.attempted_at, latest.failed_attempts, latest.first_failed_at = at, 0, None
    _save(latest)


def _save(latest: Latest) -> None:
    latest.rev = _next_rev()
    latest.save()


def _next_rev() -> int:
    return int(Latest.select(pw.fn.MAX(Latest.rev)).scalar() or 0) + 1


def _note(meter_id: int, kind: EventKind, at: dt.datetime, **detail: str | int | None) -> None:
    text = _detail(**detail)
    newest = (
        MeterEvent.select(MeterEvent.detail)
        .where(MeterEvent.meter_id == meter_id, MeterEvent.kind == kind)
        .order_by(MeterEvent.id.desc())
        .first()
    )
    if newest is None or newest.detail != text:
        MeterEvent.create(meter_id=meter_id, kind=kind, at=at, detail=text)


def _detail(**detail: str | int | None) -> str:
    return json.dumps(detail, sort_keys=True)
