"""The drift of a meter, carried one reading further, and the alarm where it is too much."""

import datetime as dt
from decimal import Decimal

from engine.domain import drift
from engine.domain.drift import Point, Track
from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.states import StatusBits
from engine.services import events
from engine.services.standing import Standing
from models.enums import EventKind
from models.metering import Latest


def follow(
    latest: Latest,
    reading: MeterReading,
    at: dt.datetime,
    books: Standing,
    *,
    limit_fen: int,
) -> None:
    """Bring `latest` up to `reading`, inside its readings_transaction; the caller saves it.

    While a counted command is open, or one ended after the reading was taken, the step is left
    to the next reading. A meter that no tenant has stands in no books: nothing is known of it.
    """
    if books.busy or reading.balance_fen is None or reading.purchase_count is None:
        return
    if books.installation is None:
        _forget(latest)
        return
    rates_wh = reading.energy_by_rate_wh or (reading.energy_wh,)
    seen = Point(
        at=at,
        balance_fen=reading.balance_fen,
        count=reading.purchase_count,
        rates_wh=rates_wh,
        step_wh=reading.energy_step_wh,
        prices=_prices(latest, reading, len(rates_wh)),
        explained_fen=books.explained_fen,
        installation=books.installation,
    )
    track = drift.follow(track_of(latest), seen)
    latest.drift_from, latest.drift_fen = track.to_json(), track.whole_fen
    if track.drift_fen is not None and books.expected_count is not None:
        latest.asserted_at = at
    alarmed = drift.alarming(track, limit_fen=limit_fen, already=latest.drift_alarmed)
    foreign = books.expected_count not in (None, seen.count)  # which is an event of its own
    if alarmed and not latest.drift_alarmed and not foreign:
        _tell(latest, track, at)
    latest.drift_alarmed = alarmed


def track_of(latest: Latest) -> Track | None:
    return Track.from_json(latest.drift_from) if latest.drift_from else None


def _prices(latest: Latest, reading: MeterReading, rates: int) -> tuple[Decimal, ...]:
    """By rate, as read back; zero where the meter deducts nothing; empty where not known."""
    settings = MeterSettings.from_json(latest.settings) if latest.settings else None
    deducts = settings is None or settings.money_control
    if reading.status2 is not None:
        deducts = StatusBits(0, reading.status2, 1).money_control
    if not deducts:
        return (Decimal(0),) * rates
    if settings is None:
        return ()
    if len(settings.prices) == rates:
        return settings.prices
    one_price = len(set(settings.prices)) == 1
    return settings.prices[:1] * rates if one_price else ()


def _forget(latest: Latest) -> None:
    latest.drift_from = latest.drift_fen = latest.asserted_at = None
    latest.drift_alarmed = False


def _tell(latest: Latest, track: Track, at: dt.datetime) -> None:
    """One event a crossing of the limit."""
    drift_fen, balance_fen = track.whole_fen, track.point.balance_fen
    assert drift_fen is not None, latest.meter_id
    events.add(
        latest.meter_id,
        EventKind.DRIFT,
        at,
        drift_fen=drift_fen,
        balance_fen=balance_fen,
        expected_fen=balance_fen - drift_fen,
        since=track.since.isoformat() if track.since else None,
    )
