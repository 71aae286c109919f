"""An accepted reading against the books: credit taken over, foreign purchases, a day's revenue."""

import datetime as dt

from engine.domain.measurement import MeterReading
from engine.services import (
    audit,
    commands,
    drifting,
    events,
    freezing,
    meters,
    newest,
    transitions,
)
from engine.services.standing import Standing
from models.base import readings_transaction, write_transaction
from models.enums import EventKind
from models.site import Meter


def compare(
    meter: Meter,
    reading: MeterReading,
    at: dt.datetime,
    books: Standing,
    *,
    epoch: int,
    zone: dt.tzinfo,
) -> None:
    """Take credit over, raise the alarm on a foreign purchase, close a day that ended in `zone`.

    The reading is committed before, in the other database. A crash in between loses nothing:
    all is decided from the books' own state (`taken_over`, `mirror_count`, the last freeze), so
    the next poll finds the same and does it. While a counted command is open, or one ended after
    the reading was taken, the reading proves nothing: the next poll looks again.
    """
    count, balance_fen = reading.purchase_count, reading.balance_fen
    if count is None or balance_fen is None or books.busy:
        return
    if books.is_new:
        _take_over(meter, reading, at, epoch)
    elif books.expected_count not in (None, count):
        _alarm(meter, books.expected_count, count, at, epoch)
    elif freezing.is_due(books, at, zone):
        energy_wh = reading.energy_wh
        freezing.freeze_day(
            meter, energy_wh=energy_wh, balance_fen=balance_fen, at=at, epoch=epoch, zone=zone
        )


def _take_over(meter: Meter, reading: MeterReading, at: dt.datetime, epoch: int) -> None:
    count, balance_fen = reading.purchase_count, reading.balance_fen
    assert count is not None, meter.serial
    assert balance_fen is not None, meter.serial
    with write_transaction():
        transitions.require_lease(epoch)
        if not commands.counted_since(meter, at):
            meters.take_over(
                meter, balance_fen=balance_fen, count=count, energy_wh=reading.energy_wh
            )


def _alarm(meter: Meter, expected: int, found: int, at: dt.datetime, epoch: int) -> None:
    """One event and one freeze for each count found, then that count is the expected one.

    The event says what is known: how much came into the meter net of its use (where prices are
    not known, at least so much), and since which reading.

    The event comes first and is written once: a crash before the freeze ends, after the next
    poll, in that one event and the freeze. The other way round it could be lost.
    """
    with readings_transaction():
        newest.require_owner(epoch)
        track = drifting.track_of(newest.of(meter.id))
        amount_fen = track.moved_fen if track else None
        since = track.moved_from.isoformat() if track and track.moved_from else None
        events.add_once(
            meter.id,
            EventKind.FOREIGN_PURCHASE,
            at,
            expected=expected,
            found=found,
            amount_fen=amount_fen,
            since=since,
        )
    with write_transaction():
        transitions.require_lease(epoch)
        if commands.counted_since(meter, at):
            return
        moved = Meter.update(frozen=True, mirror_count=found).where(
            Meter.id == meter.id, Meter.mirror_count == expected
        )
        if moved.execute():
            counts = {"expected": expected, "found": found}
            audit.write(audit.SYSTEM, "foreign_purchase", meter.serial, counts)
