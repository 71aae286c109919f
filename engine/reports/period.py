"""Which days a report is about: whole local days of the site."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included; `now` is local time and carries the site's zone."""

    first: dt.date
    last: dt.date
    now: dt.datetime

    @property
    def start(self) -> dt.datetime:
        return self._midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        """The midnight after the last day: the period is [start, end)."""
        return self.end_of(self.last)

    def end_of(self, day: dt.date) -> dt.datetime:
        return self._midnight(day + dt.timedelta(days=1))

    def days(self) -> Iterator[dt.date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + dt.timedelta(days=number)

    def _midnight(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), self.now.tzinfo)
