"""Switch tables (时段表) and yearly zones (时区表): which rate holds at which minute of a day."""

import datetime as dt
from bisect import bisect_right
from functools import cache, lru_cache
from itertools import pairwise

SHARP, PEAK, FLAT, VALLEY = range(4)  # 尖 峰 平 谷: places in every list of four energies or prices
LEAP_YEAR = 2024  # a zone may begin on the 29th of February
UNIX_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()

Schedule = tuple[tuple[int, int], ...]  # (rate 0..3, from which minute of the day), ascending
Zone = tuple[int, int, int]  # (schedule 1 or 2, month, day): from that date on
Zones = tuple[Zone, ...]  # by date; empty: schedule 1 all year

DEFAULT: Schedule = (
    (VALLEY, 0),
    (FLAT, 7 * 60),
    (PEAK, 10 * 60),
    (FLAT, 15 * 60),
    (PEAK, 18 * 60),
    (SHARP, 19 * 60),
    (PEAK, 21 * 60),
    (VALLEY, 23 * 60),
)
DEFAULT_ZONES: Zones = ((1, 1, 1),)


@cache
def by_minute(schedule: Schedule) -> bytes:
    """The rate of each minute of the day. What precedes the first entry has the last one's rate."""
    rates = bytearray([schedule[-1][0]] * 1440)
    for number, (rate, start) in enumerate(schedule):
        end = schedule[number + 1][1] if number + 1 < len(schedule) else 1440
        rates[start:end] = bytes([rate]) * (end - start)
    return bytes(rates)


def date_of(days: int) -> dt.date:
    """The date `days` after 1970-01-01."""
    return dt.date.fromordinal(UNIX_EPOCH_ORDINAL + days)


@lru_cache(maxsize=4096)
def in_force(zones: Zones, days: int) -> int:
    """The schedule of a day, in days since 1970: what the last zone began, over New Year too."""
    if not zones:
        return 1
    date = date_of(days)
    begun = bisect_right(zones, (date.month, date.day), key=lambda zone: zone[1:])
    return zones[begun - 1][0]  # before the first: as the last one left it


def schedule_of(rows: str) -> Schedule:
    """A schedule from `rate=4 minute=0 hour=0; …`; empty where no slot is used.

    Raises ValueError where a meter would not take it: no such rate or time, a slot that does
    not come after the one before it, an unused slot before a used one.
    """
    schedule = tuple(
        (row["rate"] - 1, row["hour"] * 60 + row["minute"])
        for row in _parsed(rows, {"rate": (1, 4), "minute": (0, 59), "hour": (0, 23)})
    )
    _check_ascending([start for _, start in schedule])
    return schedule


def schedule_rows(schedule: Schedule) -> str:
    return "; ".join(
        f"rate={rate + 1} minute={start % 60} hour={start // 60}" for rate, start in schedule
    )


def zones_of(rows: str) -> Zones:
    """Zones from `schedule=1 day=1 month=1; …`. Raises ValueError as `schedule_of` does."""
    zones = tuple(
        (row["schedule"], row["month"], row["day"])
        for row in _parsed(rows, {"schedule": (1, 2), "day": (1, 31), "month": (1, 12)})
    )
    for _, month, day in zones:
        dt.date(LEAP_YEAR, month, day)  # no 31st of April
    _check_ascending([month * 100 + day for _, month, day in zones])
    return zones


def zones_rows(zones: Zones) -> str:
    return "; ".join(f"schedule={number} day={day} month={month}" for number, month, day in zones)


def _parsed(rows: str, limits: dict[str, tuple[int, int]]) -> list[dict[str, int]]:
    """The cells of each row, every one within its limits. Raises ValueError."""
    parsed = []
    for text in filter(None, rows.split("; ")):
        row = {name: int(value) for name, value in (cell.split("=") for cell in text.split())}
        for name, (low, high) in limits.items():
            if not low <= row[name] <= high:
                raise ValueError(f"{name}={row[name]} in {text!r}")
        parsed.append(row)
    return parsed


def _check_ascending(places: list[int]) -> None:
    if any(earlier >= later for earlier, later in pairwise(places)):
        raise ValueError(f"not ascending: {places}")
