"""How far credit in a meter will go, from its prices and the use of its last days. Estimates."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.outlook import (
    USUAL_DAYS,
    DayRow,
    DaysLeft,
    Profile,
    days_left,
    profile,
)
from engine.views.rows import MeterRow, remaining_wh
from models.base import readings
from models.metering import DayUse, Latest

SAMPLE_FEN = 100_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """None: not enough is known to say. `at` is local time, from which days are counted."""

    wh_per_1000_yuan: int | None = None
    profile: Profile | None = None
    at: dt.datetime | None = None

    def energy_wh(self, balance_fen: int) -> int | None:
        if self.wh_per_1000_yuan is None:
            return None
        return max(0, balance_fen) * self.wh_per_1000_yuan // SAMPLE_FEN

    def days(self, balance_fen: int) -> DaysLeft | None:
        """(fewest, most) days that `balance_fen` lasts."""
        if self.at is None:
            return None
        return days_left(self.energy_wh(balance_fen), self.profile, self.at)


def of(meter_id: int, now: dt.datetime, *, default_prices: tuple[Decimal, ...] = ()) -> Outlook:
    """Prices as read back from the meter (else the defaults), use of the last four weeks.

    `now` is aware and in the site's own zone: it says which day of the week it is.
    """
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    if latest is None or latest.reading is None:
        return Outlook()
    reading = replace(MeterReading.from_json(latest.reading), balance_fen=SAMPLE_FEN)
    settings = MeterSettings.from_json(latest.settings) if latest.settings else None
    prices = settings.prices if settings else default_prices
    known = profiles(now.date(), {meter_id}).get(meter_id)
    return Outlook(remaining_wh(reading, prices), known, now)


def profiles(today: dt.date, ids: Collection[int] | None = None) -> dict[int, Profile]:
    """Use by weekday of all meters, or of `ids`; who is not in it is not known well enough.

    One query, which takes the day before the oldest one too: it says where that day began.
    """
    days = [today - dt.timedelta(days=ago) for ago in range(USUAL_DAYS + 1, -1, -1)]
    ordinals = {day.isoformat(): day.toordinal() for day in days}
    query = DayUse.select(
        DayUse.meter_id, DayUse.day, DayUse.first_energy_wh, DayUse.last_energy_wh
    ).where(DayUse.day.in_(list(ordinals)))
    if ids is not None:
        query = query.where(DayUse.meter_id.in_(list(ids)))
    rows: defaultdict[int, list[DayRow]] = defaultdict(list)
    make = partial(tuple.__new__, DayRow)  # a quarter of the time, for 10,000 meters
    for meter_id, day, first_wh, last_wh in readings.execute(query.order_by(DayUse.day)):
        rows[meter_id].append(make((ordinals[day], first_wh, last_wh)))
    found = {meter_id: profile(each, today.toordinal()) for meter_id, each in rows.items()}
    return {meter_id: known for meter_id, known in found.items() if known is not None}


def first_out(rows: Iterable[MeterRow]) -> MeterRow | None:
    """Of a tenant's meters the one whose credit runs out first; None where of none it is known."""
    known = [row for row in rows if row.days_left is not None]
    return min(known, key=lambda row: row.days_left or (0, 0), default=None)
