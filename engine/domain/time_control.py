"""时控 as it is typed and kept: `off`, or the switch times of a day, and of days that differ.

`00:00 off, 06:00 on, 23:00 off; Sat Sun 00:00 on`: the first list holds on all days but those
named before the second. A meter keeps eight switch times a list.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from engine.domain.errors import BadTimeControl

OFF = "off"  # the meter does not look at the clock
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SLOTS_MAX = 8
DAY_MIN = 24 * 60
TYPED = {  # besides the words themselves
    **{f"{week}{day}": name for week in ("周", "星期", "礼拜")
       for day, name in zip("一二三四五六日", DAYS, strict=True)},
    "周天": "Sun", "星期天": "Sun", "开": "on", "合": "on", "关": OFF, "断": OFF, "不用": OFF,
    "无": OFF,
}  # fmt: skip


class Slot(NamedTuple):
    """From `minute` of the day on the output is closed (`on`) or open."""

    minute: int
    on: bool


@dataclass(frozen=True, slots=True)
class TimeControl:
    work: tuple[Slot, ...]
    rest_days: tuple[str, ...] = ()
    rest: tuple[Slot, ...] = ()

    def of(self, day: str) -> tuple[Slot, ...]:
        """The switch times of a day of the week, one of DAYS."""
        return self.rest if day in self.rest_days else self.work

    def on_at(self, day: str, minute: int) -> bool:
        before = [slot for slot in self.of(day) if slot.minute <= minute]
        return before[-1].on

    def merged(self) -> "TimeControl":
        """The same hours without switch times that change nothing."""
        work, rest = _merged(self.work), _merged(self.rest)
        return TimeControl(work) if rest in ((), work) else TimeControl(work, self.rest_days, rest)

    def text(self) -> str:
        """The one way in which it is written down."""
        said = _text(self.work)
        return f"{said}; {' '.join(self.rest_days)} {_text(self.rest)}" if self.rest_days else said


def parse(text: str) -> TimeControl | None:
    """What was typed; None: off. Raises BadTimeControl(why, part)."""
    plain = unicodedata.normalize("NFKC", text).replace("、", ",").strip()
    for typed, meant in TYPED.items():
        plain = plain.replace(typed, f" {meant} ")
    plain = " ".join(plain.split())
    if plain.casefold() == OFF:
        return None
    first, *others = [part.strip() for part in plain.rstrip("; ").split(";")]
    if len(others) > 1:
        raise BadTimeControl(why="lists", part=others[1][:40])
    work = _slots(first)
    if not others:
        return TimeControl(work)
    days, rest = _days(others[0])
    return TimeControl(work, days, _slots(rest))


def canonical(text: str) -> str:
    """The same written the one way. Raises BadTimeControl."""
    found = parse(text)
    return OFF if found is None else found.text()


def _days(text: str) -> tuple[tuple[str, ...], str]:
    """Days of the week before a list, and the list."""
    found = re.match(r"((?:[A-Za-z]+[ ,]*)+)", text)
    words = re.findall("[A-Za-z]+", found.group(1)) if found else []
    known = {name.casefold(): name for name in DAYS}
    named = [known.get(word[:3].casefold(), "") for word in words]
    if found is None or "" in named:
        raise BadTimeControl(why="days", part=text[:40])
    if len(set(named)) != len(named) or len(named) == len(DAYS):
        raise BadTimeControl(why="days_twice", part=" ".join(named))
    return tuple(day for day in DAYS if day in named), text[found.end() :]


def _slots(text: str) -> tuple[Slot, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise BadTimeControl(why="form", part=text[:40])
    if len(parts) > SLOTS_MAX:
        raise BadTimeControl(why="too_many", part=len(parts), most=SLOTS_MAX)
    found = [_slot(part) for part in parts]
    if found[0].minute != 0:
        raise BadTimeControl(why="first", part=parts[0])
    for before, after, part in zip(found, found[1:], parts[1:], strict=False):
        if after.minute <= before.minute:
            raise BadTimeControl(why="order", part=part)
    return tuple(found)


def _slot(text: str) -> Slot:
    found = re.fullmatch(r"(\d{1,2}):(\d{2}) +(on|off)", text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise BadTimeControl(why="form", part=text[:40])
    hour, minute, state = found.groups()
    if int(hour) > 23 or int(minute) > 59:
        raise BadTimeControl(why="time", part=text[:40])
    return Slot(int(hour) * 60 + int(minute), state.casefold() == "on")


def _merged(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    return tuple(
        slot for place, slot in enumerate(slots) if place == 0 or slot.on != slots[place - 1].on
    )


def _text(slots: tuple[Slot, ...]) -> str:
    return ", ".join(
        f"{slot.minute // 60:02d}:{slot.minute % 60:02d} {'on' if slot.on else OFF}"
        for slot in slots
    )
