"""An accepted reading against the books: credit taken over, somebody else's purchase found."""

import datetime as dt

from engine.domain.measurement import MeterReading
from engine.services import audit, commands, events, meters, newest, transitions
from models.base import readings_transaction, write_transaction
from models.enums import EventKind, MeterKind
from models.site import Meter


def compare(meter: Meter, reading: MeterReading, at: dt.datetime, epoch: int) -> None:
    """Take over the credit of a meter new to its tenant; raise the alarm on a foreign purchase.

    The reading is committed before, in the other database. A crash in between loses nothing:
    both are decided from the books' own state (`taken_over`, `mirror_count`), so the next poll
    finds the same and does it. While a counted command is open, or one ended after the reading
    was taken, the count proves nothing: the next poll looks again.
    """
    count, balance_fen = reading.purchase_count, reading.balance_fen
    if meter.kind is not MeterKind.PREPAID or count is None or balance_fen is None:
        return
    expected, new = meters.expectation(meter)
    if (not new and expected in (None, count)) or commands.counted_since(meter, at):
        return
    if new:
        _take_over(meter, reading, at, epoch)
    else:
        assert expected is not None, meter.serial
        _alarm(meter, expected, count, at, epoch)


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

    The event comes first and is written once: a crash before the freeze ends, after the next
    poll, in that one event and the freeze. The other way round it could be lost.
    """
    with readings_transaction():
        newest.require_owner(epoch)
        events.add_once(meter.id, EventKind.FOREIGN_PURCHASE, at, expected=expected, found=found)
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
