"""Which meters are to be read now, in which order, and how far a silent one backs off."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from engine.domain.states import LOST_AFTER

RETRY_AFTER_S = (30, 60)  # after the first failed attempt come the second and third
PROBE_FIRST_S = 30  # pause before the first probe of a lost meter; doubles from there
PROBE_SHARE = 0.1  # of a line's time, at most, goes into probes
PROBE_SAVED_S = 6.0  # time for probes that a quiet line saves up, at most


@dataclass(frozen=True, slots=True)
class Polled:
    """What is known of a meter's polling: all from the database."""

    meter_id: int
    interval_s: int
    attempted_at: dt.datetime | None = None
    failed_attempts: int = 0  # in a row
    first_failed_at: dt.datetime | None = None

    @property
    def probed(self) -> bool:
        """Lost: only probed, until it answers."""
        return self.failed_attempts >= LOST_AFTER

    def every(self, interval_s: int) -> Self:
        return replace(self, interval_s=interval_s)


def slot_start(at: dt.datetime, interval_s: int) -> dt.datetime:
    """The nominal moment that `at` belongs to: a multiple of the interval since 1970, UTC."""
    seconds = int(at.timestamp()) // interval_s * interval_s
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def due_at(meter: Polled, *, started_at: dt.datetime, probe_max_s: int) -> dt.datetime | None:
    """From when on `meter` is to be read; None: at once.

    An engine reads every meter at its start. A healthy meter is due with its next slot, a
    failing one 30 s and 60 s after its first failure whatever its interval, a lost one after a
    pause that doubles from 30 s up to `probe_max_s`.
    """
    if meter.attempted_at is None or meter.attempted_at < started_at:
        return None
    if meter.failed_attempts == 0:
        interval = dt.timedelta(seconds=meter.interval_s)
        return slot_start(meter.attempted_at, meter.interval_s) + interval
    if not meter.probed:
        first_at = min(meter.first_failed_at or meter.attempted_at, meter.attempted_at)
        return first_at + dt.timedelta(seconds=RETRY_AFTER_S[meter.failed_attempts - 1])
    return meter.attempted_at + dt.timedelta(seconds=_pause_s(meter, probe_max_s))


def due(
    meters: Iterable[Polled], *, now: dt.datetime, started_at: dt.datetime, probe_max_s: int
) -> list[Polled]:
    """Who is to be read now: never read, healthy, failing, lost; each the longest due first.

    Whose last attempt lies in the future is due: the clock was set back since, and a meter is
    not left alone until it has caught up.
    """
    found = []
    for meter in meters:
        at = due_at(meter, started_at=started_at, probe_max_s=probe_max_s)
        ahead = meter.attempted_at is not None and meter.attempted_at > now
        if at is None or at <= now or ahead:
            found.append((min(meter.failed_attempts, LOST_AFTER), at or _LONG_AGO, meter))
    found.sort(key=lambda entry: entry[:2])
    return [meter for _, _, meter in found]


_LONG_AGO = dt.datetime.fromtimestamp(0, tz=dt.UTC)


def _pause_s(meter: Polled, probe_max_s: int) -> int:
    doublings = min(meter.failed_attempts - LOST_AFTER, 20)
    return min(probe_max_s, PROBE_FIRST_S << doublings)


@dataclass(slots=True)
class ProbeBudget:
    """How much of a line's time probes may still take. It is earned by time that goes by."""

    saved_s: float = PROBE_SAVED_S

    def earn(self, elapsed_s: float) -> None:
        self.saved_s = min(PROBE_SAVED_S, self.saved_s + PROBE_SHARE * elapsed_s)

    def spend(self, cost_s: float) -> bool:
        """May a probe that costs `cost_s` when nobody answers go out? Then it is paid."""
        if self.saved_s < cost_s:
            return False
        self.saved_s -= cost_s
        return True
