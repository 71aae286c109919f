"""Tables of a meter as its map's rows, and as they are typed: schedules, zones, hours of supply."""

from collections.abc import Iterator

from engine.domain.measurement import RATES
from engine.domain.time_control import DAYS, Slot, TimeControl

SCHEDULES = 2  # a zone names one of them
SUNDAY_BIT = 7  # of a weekday mask: 7 Sunday, 6 Saturday, … 1 Monday
NO_ZONE = "schedule=0 day=0 month=0"
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _cells(rows: str) -> Iterator[dict[str, int]]:
    """`rate=4 minute=0 hour=0; …`, as engine.bus.points writes them."""
    for row in rows.split(";"):
        if row.strip():
            yield {name: int(value) for name, value in (cell.split("=") for cell in row.split())}


def schedule_text(rows: str) -> str | None:
    """`00:00 valley, 07:00 flat`; None where the rows are no day (reference section 8)."""
    switches = []
    for cell in _cells(rows):
        rate, minute, hour = cell["rate"], cell["minute"], cell["hour"]
        if not rate:
            break
        if rate > len(RATES) or minute > 59 or hour > 23:
            return None
        switches.append((hour * 60 + minute, RATES[rate - 1]))
    starts = [start for start, _ in switches]
    if starts[:1] != [0] or starts != sorted(set(starts)):
        return None
    return ", ".join(f"{at // 60:02d}:{at % 60:02d} {rate}" for at, rate in switches)


def schedule_rows(text: str) -> str:
    """The inverse of `schedule_text`. Raises ValueError for a rate that is none."""
    rows = []
    for switch in text.split(","):
        time, rate = switch.split()
        hour, minute = time.split(":")
        rows.append(f"rate={RATES.index(rate) + 1} minute={int(minute)} hour={int(hour)}")
    return "; ".join(rows)


def zones_text(rows: str) -> str | None:
    """`01-01 1, 07-01 2`, empty for none; None where the bytes do not fit the map's own order.

    Two sources differ in that order (reference section 8): a table that reads wrong in the
    assumed one is a meter that must not be written to.
    """
    zones = []
    for cell in _cells(rows):
        schedule, day, month = cell["schedule"], cell["day"], cell["month"]
        if not (schedule or day or month):
            continue
        if not (1 <= schedule <= SCHEDULES and 1 <= month <= 12):
            return None
        if not 1 <= day <= DAYS_IN_MONTH[month - 1]:
            return None
        zones.append(f"{month:02d}-{day:02d} {schedule}")
    return ", ".join(zones)


def zones_rows(text: str) -> str:
    rows = []
    for zone in filter(None, (each.strip() for each in text.split(","))):
        date, schedule = zone.split()
        month, day = date.split("-")
        rows.append(f"schedule={int(schedule)} day={int(day)} month={int(month)}")
    return "; ".join(rows) or NO_ZONE


def hours_of(mask: int, free_rows: str, work_rows: str) -> TimeControl:
    """Time control of one phase: which days of the week are free ones, and both lists."""
    days = tuple(day for place, day in enumerate(DAYS, start=1) if mask >> place & 1)
    if len(days) == len(DAYS):
        return TimeControl(_slots(free_rows)).merged()
    rest = _slots(free_rows) if days else ()
    return TimeControl(_slots(work_rows), days, rest).merged()


def hours_rows(hours: TimeControl) -> tuple[int, str, str]:
    """Mask of the free days, their rows, and those of work days."""
    mask = sum(1 << place for place, day in enumerate(DAYS, start=1) if day in hours.rest_days)
    work = _slot_rows(hours.work)
    return mask, _slot_rows(hours.rest) if hours.rest_days else work, work


def _slots(rows: str) -> tuple[Slot, ...]:
    """Before a day's first slot holds what its last one says; no slot at all is always on."""
    found = tuple(
        Slot(cell["hour"] * 60 + cell["minute"], bool(cell["state"])) for cell in _cells(rows)
    )
    if not found:
        return (Slot(0, True),)
    return found if found[0].minute == 0 else (Slot(0, found[-1].on), *found)


def _slot_rows(slots: tuple[Slot, ...]) -> str:
    """A day that is off throughout is said twice: alone, `off 00:00` reads as an unused slot."""
    if [slot.on for slot in slots] == [False]:
        slots = (*slots, Slot(1, False))
    return "; ".join(
        f"state={int(slot.on)} minute={slot.minute % 60} hour={slot.minute // 60}" for slot in slots
    )
