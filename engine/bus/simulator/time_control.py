"""Time control (时控) of a pretend meter: the hours in which it lets the relay be closed."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.bus.simulator.tou import Schedule

SLOTS_SIZE = 24  # eight slots of state, minute, hour
SUNDAY_BIT = 7  # of the weekday mask: 7 Sunday, 6 Saturday, … 1 Monday
MINUTES_A_DAY = 1440
NO_SLOTS = "00" * SLOTS_SIZE

Switches = tuple[tuple[int, bool], ...]  # (minute of the day, lets it be closed), ascending


@dataclass(slots=True)
class PhaseTimes:
    """What one phase's registers hold (0420), as it was sent."""

    enabled: bool = False
    free_days: int = 0  # the weekday mask: these days go by `free_slots`
    unnamed: str = "0000"
    free_slots: str = NO_SLOTS
    work_slots: str = NO_SLOTS

    def switches(self, days: int) -> Switches:
        """Those of a day, counted since 1970."""
        weekday = (days + 4) % 7  # 1970-01-01 was a Thursday; 0 = Sunday
        free = self.free_days >> (weekday or SUNDAY_BIT) & 1
        return switches_of(self.free_slots if free else self.work_slots)

    def lets(self, local_minute: int) -> bool:
        """Whether the relay may be closed at that minute of the meter's own clock.

        Before a day's first slot holds what its last one says; a day without slots is all on.
        """
        days, minute = divmod(local_minute, MINUTES_A_DAY)
        switches = self.switches(days)
        if not (self.enabled and switches):
            return True
        return switches[bisect_right(switches, (minute, True)) - 1][1]


@lru_cache(maxsize=1024)
def switches_of(slots: str) -> Switches:
    """The slots in use: zeros at the end are none, 00:00 off before others is one.

    Raises ValueError for a state, a time or an order that cannot be.
    """
    used = bytes.fromhex(slots).rstrip(b"\0")
    data = used.ljust(-(-len(used) // 3) * 3, b"\0")
    switches: list[tuple[int, bool]] = []
    for at in range(0, len(data), 3):
        state, minute, hour = data[at : at + 3]
        start = hour * 60 + minute
        if state > 1 or minute > 59 or hour > 23 or (switches and start <= switches[-1][0]):
            raise ValueError(f"slot {state} {hour:02}:{minute:02}")
        switches.append((start, bool(state)))
    return tuple(switches)


@lru_cache(maxsize=1024)
def _changes(schedule: Schedule, *tables: Switches) -> tuple[int, ...]:
    minutes = {minute for table in tables for minute, _ in table}
    return tuple(sorted({*minutes, *(start for _, start in schedule), MINUTES_A_DAY} - {0}))


def next_change(local_minute: int, schedule: Schedule, phases: Sequence[PhaseTimes]) -> int:
    """The first minute after this one at which a rate, a slot or a day begins."""
    days, minute = divmod(local_minute, MINUTES_A_DAY)
    tables = [phase.switches(days) for phase in phases if phase.enabled]
    changes = _changes(schedule, *tables)
    return days * MINUTES_A_DAY + changes[bisect_right(changes, minute)]
