"""How far credit in a meter will go, from its prices and the use of its last days. Estimates."""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.measurement import MeterReading
from engine.views import meters
from engine.views.rows import remaining_wh
from models.metering import Latest

DAYS = 7  # of use that the days left are reckoned from
SAMPLE_FEN = 100_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """None: not enough is known to say."""

    wh_per_1000_yuan: int | None = None
    wh_per_day: int | None = None

    def energy_wh(self, balance_fen: int) -> int | None:
        if self.wh_per_1000_yuan is None:
            return None
        return max(0, balance_fen) * self.wh_per_1000_yuan // SAMPLE_FEN

    def days(self, balance_fen: int) -> int | None:
        energy_wh = self.energy_wh(balance_fen)
        if energy_wh is None or not self.wh_per_day:
            return None
        return energy_wh // self.wh_per_day


def of(meter_id: int, now: dt.datetime, *, default_prices: tuple[Decimal, ...] = ()) -> Outlook:
    """Prices as read back from the meter (else the defaults), use over the last `DAYS` days."""
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    if latest is None or latest.reading is None:
        return Outlook()
    reading = replace(MeterReading.from_json(latest.reading), balance_fen=SAMPLE_FEN)
    found = meters.settings(meter_id)
    prices = found[1].prices if found else default_prices
    return Outlook(remaining_wh(reading, prices), _wh_per_day(meter_id, now))


def _wh_per_day(meter_id: int, now: dt.datetime) -> int | None:
    points = meters.curve(meter_id, now - dt.timedelta(days=DAYS), now)
    if len(points) < 2:
        return None
    span_s = (points[-1][0] - points[0][0]).total_seconds()
    used_wh = sum(used for _, used, _ in points[1:])
    return int(used_wh * 86_400 / span_s) if span_s >= 86_400 else None
