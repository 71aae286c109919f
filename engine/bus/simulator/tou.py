"""A day's switch table (时段表): which rate holds from which minute."""

from functools import cache

SHARP, PEAK, FLAT, VALLEY = range(4)  # 尖 峰 平 谷: places in every list of four energies or prices

Schedule = tuple[tuple[int, int], ...]  # (rate 0..3, from which minute of the day), ascending

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


@cache
def by_minute(schedule: Schedule) -> bytes:
    """The rate of each minute of the day. What precedes the first entry has the last one's rate."""
    rates = bytearray([schedule[-1][0]] * 1440)
    for number, (rate, start) in enumerate(schedule):
        end = schedule[number + 1][1] if number + 1 < len(schedule) else 1440
        rates[start:end] = bytes([rate]) * (end - start)
    return bytes(rates)


def from_slots(slots: bytes) -> Schedule:
    """A schedule from 14 slots of (rate 1..4, minute, hour); rate 0 is an unused slot."""
    entries = []
    for at in range(0, len(slots) - 2, 3):
        rate, minute, hour = slots[at : at + 3]
        if 1 <= rate <= 4 and minute < 60 and hour < 24:
            entries.append((rate - 1, hour * 60 + minute))
    return tuple(sorted(entries, key=lambda entry: entry[1])) or DEFAULT


def to_slots(schedule: Schedule) -> bytes:
    slots = b"".join(bytes((rate + 1, *reversed(divmod(start, 60)))) for rate, start in schedule)
    return slots.ljust(42, b"\0")
