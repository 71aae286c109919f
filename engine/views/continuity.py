"""Energy used by a tenant or in a shop, across every meter that hung there: no gap, no fall."""

import datetime as dt
from dataclasses import dataclass

import peewee as pw

from engine.domain.measurement import MeterReading
from models.accounts import Account, Installation
from models.base import tuples
from models.enums import InstallationEnd
from models.metering import DayUse, Latest, Reading
from models.site import Meter

NEAR_S = 3 * 86_400  # how far back a half-hour reading is looked for; before that, day by day


@dataclass(frozen=True, slots=True)
class Span:
    """One meter's part of a period; None where it was never read in its time there."""

    serial: str
    start: dt.datetime
    end: dt.datetime
    first_wh: int | None
    last_wh: int | None
    ended: InstallationEnd | None  # why its time there was over, within the period

    @property
    def used_wh(self) -> int:
        """A register that fell counts as 0: the event says so, a sum must not go down."""
        if self.first_wh is None or self.last_wh is None:
            return 0
        return max(0, self.last_wh - self.first_wh)


def of_tenant(number: str, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """What each meter of the tenant counted for it in [start, end), oldest first.

    Both instants are aware; their zone says where a day begins.
    """
    return _spans(Account.number == number, start, end)


def of_shop(shop: str, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """The same of a shop, whoever the tenants were."""
    hung_there = pw.fn.COALESCE(pw.fn.NULLIF(Installation.shop, ""), Meter.shop) == shop
    return _spans(hung_there, start, end)


def used_wh(spans: list[Span]) -> int:
    return sum(span.used_wh for span in spans)


def _spans(which: pw.Expression, start: dt.datetime, end: dt.datetime) -> list[Span]:
    query = (
        Installation.select(Installation, Meter)
        .join(Meter)
        .switch(Installation)
        .join(Account)
        .where(which, Installation.opened_at < end)
        .where(Installation.closed_at.is_null() | (Installation.closed_at > start))
        .order_by(Installation.opened_at, Installation.id)
    )
    return [_span(each, start, end) for each in query]


def _span(installation: Installation, start: dt.datetime, end: dt.datetime) -> Span:
    """The meter's own first and last values where they fall into the period, else its readings."""
    opened_at, closed_at = installation.opened_at, installation.closed_at
    from_start = opened_at <= start
    to_end = closed_at is None or closed_at > end
    meter_id = installation.meter.id
    known = installation.first_energy_wh
    if known is None:
        known = _first_wh(meter_id, opened_at, closed_at or end)
    first_wh = _wh_at(meter_id, opened_at, start) if from_start else None
    last_wh = installation.last_energy_wh if not to_end else None
    if last_wh is None:
        last_wh = _wh_at(meter_id, opened_at, min(end, closed_at or end))
    return Span(
        serial=installation.meter.serial,
        start=max(opened_at, start),
        end=end if to_end else closed_at,
        first_wh=known if first_wh is None else first_wh,
        last_wh=known if last_wh is None else last_wh,
        ended=None if to_end else installation.ended,
    )


def _wh_at(meter_id: int, since: dt.datetime, at: dt.datetime) -> int | None:
    """The register at `at`: the last reading until then, not older than `since`."""
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    if latest is not None and latest.reading is not None and since <= latest.read_at <= at:
        return MeterReading.from_json(latest.reading).energy_wh
    slot = int(at.timestamp())
    near = (
        Reading.select(Reading.energy_wh)
        .where(Reading.meter_id == meter_id, Reading.slot <= slot)
        .where(Reading.slot > max(slot - NEAR_S, int(since.timestamp()) - 1))
        .order_by(Reading.slot.desc())
        .limit(1)
    )
    if found := tuples(near):
        return int(found[0][0])
    zone = at.tzinfo
    days = (
        DayUse.select(DayUse.last_energy_wh)
        .where(DayUse.meter_id == meter_id, DayUse.day < at.date().isoformat())
        .where(DayUse.day >= since.astimezone(zone).date().isoformat())
        .order_by(DayUse.day.desc())
        .limit(1)
    )
    found = tuples(days)
    return int(found[0][0]) if found else None


def _first_wh(meter_id: int, opened_at: dt.datetime, until: dt.datetime) -> int | None:
    """The first reading under the tenant, where the installation does not know it yet."""
    query = (
        Reading.select(Reading.energy_wh)
        .where(Reading.meter_id == meter_id, Reading.slot <= int(until.timestamp()))
        .where(Reading.slot >= int(opened_at.timestamp()))
        .order_by(Reading.slot)
        .limit(1)
    )
    found = tuples(query)
    return int(found[0][0]) if found else None
