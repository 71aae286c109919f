"""Which kind of day a date is, and seasons as month and day, whatever the year."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

LEAP_YEAR = 2000  # has every month-day there is
SATURDAY = 5


class DayKind(StrEnum):
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The special days that somebody has set; all others are what the week says.

    A holiday (节假日) on a Sunday is a holiday and no weekend; a weekend day that is worked
    instead (调休) is a workday like any other.
    """

    days: Mapping[date, DayKind] = field(default_factory=dict)

    @classmethod
    def of(cls, special: Iterable[tuple[date, str]]) -> "Calendar":
        """From (day, `holiday` or `workday`): a SpecialDayKind is such a word."""
        return cls({day: DayKind(kind) for day, kind in special})

    def day_kind(self, day: date) -> DayKind:
        if (kind := self.days.get(day)) is not None:
            return kind
        return DayKind.WEEKEND if day.weekday() >= SATURDAY else DayKind.WORKDAY


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    month: int
    day: int

    @classmethod
    def of(cls, day: date) -> "MonthDay":
        return cls(day.month, day.day)

    def in_year(self, year: int) -> date:
        return date(year, self.month, self.day)

    def __str__(self) -> str:
        return f"{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True, order=True)
class Season:
    """From the first day to the last, both in it; over New Year where the last comes before."""

    first: MonthDay
    last: MonthDay

    def holds(self, day: MonthDay) -> bool:
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last

    def overlaps(self, other: "Season") -> bool:
        return self.holds(other.first) or other.holds(self.first)

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


YEAR = tuple(  # every month-day, 02-29 among them
    MonthDay.of(date(LEAP_YEAR, 1, 1) + timedelta(days=number)) for number in range(366)
)
