"""How many days credit will last, from what a meter used by weekday. Estimates, as a range."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

DAY_S = 86_400
WEEK = 7
RECENT_DAYS, USUAL_DAYS = 7, 28  # whole days before today
KNOWN_DAYS_MIN = 3  # of the recent ones: with fewer nothing is said
DAYS_MAX = 365  # "a year or more"

DaysLeft = tuple[int, int]  # fewest and most, both in whole days


class DayRow(NamedTuple):
    """First and last reading of a local day, as the daily rollup keeps it."""

    day: int  # ordinal of the local date
    first_wh: int
    last_wh: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Wh a day, Monday first: as in the last week, and on the average of the last four."""

    recent: tuple[int, ...]
    usual: tuple[int, ...]


def daily_use(rows: Iterable[DayRow]) -> dict[int, int]:
    """Wh used on each whole day, by ordinal; `rows` ascend by day and may have gaps.

    A day has a known beginning where the day before was read too. What was used between two
    known beginnings is spread evenly over the days between them, so a day without readings
    counts neither as nothing nor twice. The first day of a meter, which began in the middle,
    and the last, which is not over, are left out.
    """
    used: dict[int, int] = {}
    start, span_wh = 0, 0  # 0: no known beginning yet
    last_day, last_wh = -1, None
    for day, first_wh, end_wh in rows:
        if last_wh is not None and first_wh > last_wh:
            span_wh += first_wh - last_wh
        if day == last_day + 1:
            if start == last_day:
                used[start] = span_wh
            elif start:
                _spread(used, start, day, span_wh)
            start, span_wh = day, 0
        if end_wh > first_wh:
            span_wh += end_wh - first_wh
        last_day, last_wh = day, end_wh
    return used


def _spread(used: dict[int, int], start: int, end: int, span_wh: int) -> None:
    each, rest = divmod(span_wh, end - start)
    for number, day in enumerate(range(start, end)):
        used[day] = each + (number < rest)


def profile(rows: Iterable[DayRow], today: int) -> Profile | None:
    """What a weekday uses; None where fewer than KNOWN_DAYS_MIN of the last seven are known.

    A weekday that was not seen is taken for an average day.
    """
    used = daily_use(rows)
    recent = _by_weekday(used, range(today - RECENT_DAYS, today), least=KNOWN_DAYS_MIN)
    if recent is None:
        return None
    usual = _by_weekday(used, range(today - USUAL_DAYS, today), least=RECENT_DAYS)
    return Profile(recent, usual or recent)


def _by_weekday(used: dict[int, int], days: range, *, least: int) -> tuple[int, ...] | None:
    known: list[list[int]] = [[] for _ in range(WEEK)]
    for day in days:
        if day in used:
            known[_weekday(day)].append(used[day])
    everything = [wh for each in known for wh in each]
    if len(everything) < least:
        return None
    return tuple(_mean(each or everything) for each in known)


def _mean(values: Sequence[int]) -> int:
    return sum(values) // len(values)


def _weekday(ordinal: int) -> int:
    return (ordinal + 6) % WEEK  # as date.weekday(): Monday is 0


def days_left(energy_wh: int | None, known: Profile | None, now: dt.datetime) -> DaysLeft | None:
    """How long `energy_wh` lasts from `now` (local time on), weekday by weekday; None: not known.

    The fewest days are those of the thirstier of the two weeks, in days that are surely whole;
    the most those of the other, the day it ends in counted. DAYS_MAX stands for longer.
    """
    if energy_wh is None or known is None:
        return None
    fewest_s, most_s = lasts_s(energy_wh, known, now)
    return min(fewest_s // DAY_S, DAYS_MAX), min(-(-most_s // DAY_S), DAYS_MAX)


def lasts_s(energy_wh: int, known: Profile, now: dt.datetime) -> tuple[int, int]:
    """Seconds from `now` (local time): as the thirstier of the two weeks, as the other."""
    first, second = sorted(_lasts_s(energy_wh, week, now) for week in (known.recent, known.usual))
    return first, second


def use_until(known: Profile, now: dt.datetime, until: dt.datetime) -> tuple[int, int]:
    """Wh used from `now` to `until` (aware, `now` in local time): likely, and in a thirsty week.

    A day's use is taken to be spread evenly over it, which is too much for a shop's night: who
    is warned of too many is warned of all.
    """
    least, most = sorted(_use_until(week, now, until) for week in (known.recent, known.usual))
    return least, most


def _use_until(week: tuple[int, ...], now: dt.datetime, until: dt.datetime) -> int:
    """Summed in Wh times seconds over the local days, however long each is; rounded up once."""
    used, at = 0.0, now
    while at < until:
        midnight = dt.datetime.combine(at.date(), dt.time(), at.tzinfo)
        begins = dt.datetime.combine(at.date() + dt.timedelta(days=1), dt.time(), at.tzinfo)
        day_s = begins.timestamp() - midnight.timestamp()
        to = min(begins.timestamp(), until.timestamp())
        used += week[at.weekday()] * max(0.0, to - at.timestamp()) / day_s
        at = begins
    return math.ceil(round(used, 6))


def _lasts_s(energy_wh: int, week: tuple[int, ...], now: dt.datetime) -> int:
    """Seconds until `energy_wh` is used up; DAYS_MAX days where it lasts longer."""
    left = max(0, energy_wh) * DAY_S  # in Wh a day times seconds: exact
    weekday, weekly = now.weekday(), sum(week) * DAY_S
    today_s = DAY_S - (now.hour * 3600 + now.minute * 60 + now.second)
    if left <= week[weekday] * today_s:
        return left // max(1, week[weekday])
    left -= week[weekday] * today_s
    if not weekly:
        return DAYS_MAX * DAY_S
    whole_weeks = (left - 1) // weekly  # so that something is left for the last one
    left -= whole_weeks * weekly
    lasts_s = today_s + whole_weeks * WEEK * DAY_S
    for later in range(1, WEEK + 1):
        use = week[(weekday + later) % WEEK]
        if left <= use * DAY_S:
            return lasts_s + left // use
        left -= use * DAY_S
        lasts_s += DAY_S
    raise AssertionError(left)  # it was less than a week's use
