"""When the office is open: hours of the day, weekends, holidays and the days worked instead (调休).

All in local time of the site; what comes out are instants, so a change of summer time moves none.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.enums import SpecialDayKind

SEARCH_DAYS = 400  # an office that is not open within them never is
SATURDAY = 5

SpecialDays = Mapping[dt.date, SpecialDayKind]


@dataclass(frozen=True, slots=True)
class Hours:
    """`closes` not after `opens`: on the next day; both the same: round the clock."""

    opens: dt.time
    closes: dt.time
    weekends: bool = False
    holidays: bool = False

    @classmethod
    def of(cls, opens: str, closes: str, *, weekends: bool, holidays: bool) -> "Hours":
        """From `09:00` and `18:00`, as config.toml has them."""
        return cls(_time(opens), _time(closes), weekends, holidays)


def is_worked(day: dt.date, hours: Hours, special: SpecialDays) -> bool:
    """Does the office open on `day`? A day worked instead is worked, weekend or not."""
    kind = special.get(day)
    if kind is SpecialDayKind.WORKDAY:
        return True
    if kind is SpecialDayKind.HOLIDAY and not hours.holidays:
        return False
    return hours.weekends or day.weekday() < SATURDAY


def opens_next(
    now: dt.datetime, hours: Hours, special: SpecialDays, zone: dt.tzinfo
) -> dt.datetime | None:
    """The next opening after `now`, also while it is open; None: it never closes, or never opens.

    What runs out before then, and after the office has closed, can be helped by nobody.
    """
    return next((opens for opens, _ in _sessions(now, hours, special, zone) if opens > now), None)


def closes_at(
    now: dt.datetime, hours: Hours, special: SpecialDays, zone: dt.tzinfo
) -> dt.datetime | None:
    """When the office closes that is open at `now`; None where it is closed, or does not close."""
    for opens, closes in _sessions(now, hours, special, zone):
        if opens <= now < closes:
            far = now + dt.timedelta(days=SEARCH_DAYS - 2)
            return closes if closes < far else None
    return None


def _sessions(
    now: dt.datetime, hours: Hours, special: SpecialDays, zone: dt.tzinfo
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Openings and closings from the day before `now` on; what touches is one session."""
    first = now.astimezone(zone).date() - dt.timedelta(days=1)
    overnight = dt.timedelta(days=1 if hours.closes <= hours.opens else 0)
    opens: dt.datetime | None = None
    closes = now
    for number in range(SEARCH_DAYS):
        day = first + dt.timedelta(days=number)
        if not is_worked(day, hours, special):
            continue
        begins = _instant(day, hours.opens, zone)
        ends = _instant(day + overnight, hours.closes, zone)
        if opens is not None and begins > closes:
            yield opens, closes
            opens = None
        opens, closes = opens or begins, ends
    if opens is not None:
        yield opens, closes


def _instant(day: dt.date, time: dt.time, zone: dt.tzinfo) -> dt.datetime:
    """UTC; a time that summer time skips comes after the gap, one that comes twice the first."""
    return dt.datetime.combine(day, time, zone).astimezone(dt.UTC)


def _time(text: str) -> dt.time:
    hour, minute = text.split(":")
    return dt.time(int(hour), int(minute))
