"""Rates, a day's switch times, and the notation of a whole year's: `tariffs.schedule`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.domain.errors import BadTariff
from engine.domain.tariff_calendar import LEAP_YEAR, YEAR, DayKind, MonthDay, Season
from engine.domain.units import HALF_WIDTH

DAY_MIN = 1440
SWITCHES_MAX = 14  # slots of a day's table in the meters we know (reference section 8)


class Rate(StrEnum):
    """尖 峰 平 谷; `RATES` is the order of every four energies or prices."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"

    @property
    def place(self) -> int:
        return RATES.index(self)


RATES = (Rate.SHARP, Rate.PEAK, Rate.FLAT, Rate.VALLEY)
RATE_WORDS = {rate.value: rate for rate in RATES} | {
    "尖": Rate.SHARP, "尖峰": Rate.SHARP, "峰": Rate.PEAK, "高峰": Rate.PEAK,
    "平": Rate.FLAT, "平段": Rate.FLAT, "谷": Rate.VALLEY, "低谷": Rate.VALLEY,
}  # fmt: skip
KIND_WORDS = {
    "workdays": DayKind.WORKDAY, "workday": DayKind.WORKDAY, "工作日": DayKind.WORKDAY,
    "weekends": DayKind.WEEKEND, "weekend": DayKind.WEEKEND, "周末": DayKind.WEEKEND,
    "holidays": DayKind.HOLIDAY, "holiday": DayKind.HOLIDAY, "节假日": DayKind.HOLIDAY,
}  # fmt: skip
KIND_ORDER = (None, *DayKind)
SEASON = re.compile(r"(\d{1,2})-(\d{1,2})\s*(?:\.\.|…|~|至)\s*(\d{1,2})-(\d{1,2})(?!\d)\s*")
KIND = re.compile(r"([^\W\d]+)\s*")
SWITCH = re.compile(r"(\d{1,2}:\d{2})\s*(\S*)")
TIME_FIRST = re.compile(r"\d+\s*:")


@dataclass(frozen=True, slots=True)
class DaySchedule:
    """Which rate holds from which minute of the day: first 0, ascending, neighbours differ."""

    switches: tuple[tuple[int, Rate], ...]

    def rate_at(self, minute: int) -> Rate:
        return next(rate for start, rate in reversed(self.switches) if start <= minute)

    def spans(self) -> Iterator[tuple[int, int, Rate]]:
        """(start, end, rate) in minutes of the day, the whole day once."""
        ends = [start for start, _ in self.switches[1:]] + [DAY_MIN]
        for (start, rate), end in zip(self.switches, ends, strict=True):
            yield start, end, rate

    def __str__(self) -> str:
        """`00:00 valley, 07:00 flat`: also what a meter is to hold as schedule1, schedule2."""
        return ", ".join(f"{at // 60:02d}:{at % 60:02d} {rate}" for at, rate in self.switches)


ALL_FLAT = DaySchedule(((0, Rate.FLAT),))


@dataclass(frozen=True, slots=True)
class Part:
    """A day's schedule, and on which days it holds; None: in all seasons, on all kinds of day."""

    schedule: DaySchedule
    season: Season | None = None
    kind: DayKind | None = None

    def fits(self, day: MonthDay, kind: DayKind) -> bool:
        return self.kind in (None, kind) and (self.season is None or self.season.holds(day))

    @property
    def specificity(self) -> tuple[bool, bool]:
        """The greater wins: season and kind, kind alone, season alone, neither."""
        return self.kind is not None, self.season is not None

    def __str__(self) -> str:
        kind = f"{self.kind}s" if self.kind else None
        words = [str(each) for each in (self.season, kind) if each is not None]
        return " ".join([*words, str(self.schedule)])


def schedule_for(parts: tuple[Part, ...], day: MonthDay, kind: DayKind) -> DaySchedule:
    """The most specific part's. Without any part the whole day is flat."""
    fitting = [part for part in parts if part.fits(day, kind)]
    return max(fitting, key=lambda part: part.specificity).schedule if fitting else ALL_FLAT


def schedule_text(parts: tuple[Part, ...]) -> str:
    return "; ".join(str(part) for part in parts)


def parse_day(text: str, *, number: int = 1, switches_max: int = SWITCHES_MAX) -> DaySchedule:
    """One day's switch times: `00:00 valley, 07:00 flat`. Neighbours of one rate become one.

    Raises BadTariff: a time that is none, a rate that is none, not beginning at 00:00, not
    ascending, or more switches than `switches_max`.
    """
    switches: list[tuple[int, Rate]] = []
    before = -1
    for piece in _plain(text).split(","):
        minute, rate = _switch(piece.strip(), number)
        if before < 0 and minute != 0:
            raise _bad("first_not_midnight", number, piece)
        if minute <= before:
            raise _bad("not_ascending", number, piece)
        before = minute
        if not switches or switches[-1][1] is not rate:
            switches.append((minute, rate))
    if len(switches) > switches_max:
        raise _bad("too_many_switches", number, len(switches), limit=switches_max)
    return DaySchedule(tuple(switches))


def parse_schedule(text: str, *, switches_max: int = SWITCHES_MAX) -> tuple[Part, ...]:
    """The parts of a whole year, in the order of their canonical text. Nothing typed: no parts.

    Parts stand between `;` or on lines of their own. A piece that begins with a time after 00:00
    goes on with the part before it, so a day may be written with `;` throughout.
    Raises BadTariff: what parse_day refuses, a season or kind that is none, two equally specific
    parts for one day, a day without a part.
    """
    texts: list[str] = []
    for piece in re.split(r"[;\n]", _plain(text)):
        stripped = piece.strip().strip(",").strip()
        if texts and TIME_FIRST.match(stripped) and not re.match(r"0?0:00(?!\d)", stripped):
            texts[-1] += f", {stripped}"
        elif stripped:
            texts.append(stripped)
    parts = [_part(each, number, switches_max) for number, each in enumerate(texts, start=1)]
    _check_overlaps(parts)
    _check_missing(parts)
    return tuple(sorted(parts, key=lambda part: (KIND_ORDER.index(part.kind), str(part))))


def parse_month_day(month: str, day: str, *, where: str, number: int = 1) -> MonthDay:
    """02-29 is a day, 02-30 is none. Raises BadTariff."""
    try:
        return MonthDay.of(date(LEAP_YEAR, int(month), int(day)))
    except ValueError:
        raise BadTariff(
            where=where, why="not_a_day", number=number, found=f"{month}-{day}"
        ) from None


def shown(found: object) -> str:
    """What was typed, fit to stand in a sentence on a screen."""
    return "".join(char if char.isprintable() else "?" for char in str(found).strip()[:40])


def _plain(text: str) -> str:
    return text.translate(HALF_WIDTH).replace("、", ",").strip().lower()


def _bad(why: str, number: int, found: object, **more: object) -> BadTariff:
    return BadTariff(where="schedule", why=why, number=number, found=shown(found), **more)


def _part(text: str, number: int, switches_max: int) -> Part:
    rest, season, kind = text, None, None
    if found := SEASON.match(rest):
        first, last = (
            parse_month_day(*pair, where="schedule", number=number)
            for pair in (found.groups()[:2], found.groups()[2:])
        )
        season, rest = Season(first, last), rest[found.end() :]
    if found := KIND.match(rest):
        if (kind := KIND_WORDS.get(found[1])) is None:
            raise _bad("unknown_kind", number, found[1])
        rest = rest[found.end() :]
    if not TIME_FIRST.match(rest):
        raise _bad("bad_part", number, rest or text)
    return Part(parse_day(rest, number=number, switches_max=switches_max), season, kind)


def _switch(text: str, number: int) -> tuple[int, Rate]:
    found = SWITCH.fullmatch(text)
    if found is None or not found[2]:
        raise _bad("bad_switch", number, text)
    hour, minute = (int(digits) for digits in found[1].split(":"))
    if hour > 23 or minute > 59:
        raise _bad("bad_time", number, found[1])
    if (rate := RATE_WORDS.get(found[2])) is None:
        raise _bad("unknown_rate", number, found[2])
    return hour * 60 + minute, rate


def _check_overlaps(parts: list[Part]) -> None:
    for number, part in enumerate(parts, start=1):
        for earlier, other in enumerate(parts[: number - 1], start=1):
            if part.kind is not other.kind:
                continue
            one, two = part.season, other.season
            if (one is None and two is None) or (one and two and one.overlaps(two)):
                found = str(one or part.kind or "00:00")
                raise _bad("overlap", number, found, other=earlier)


def _check_missing(parts: list[Part]) -> None:
    if not parts:
        return
    for day in YEAR:
        bare = [kind for kind in DayKind if not any(part.fits(day, kind) for part in parts)]
        if bare:
            found = str(day) if len(bare) == len(DayKind) else f"{day} {bare[0]}s"
            raise _bad("missing", len(parts), found)
