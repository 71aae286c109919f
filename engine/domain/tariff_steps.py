"""Stepped prices (阶梯) and the cycle after which they begin anew: notation and rules."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from engine.domain.errors import BadTariff
from engine.domain.tariff_calendar import MonthDay
from engine.domain.tariff_schedule import parse_month_day, shown
from engine.domain.units import HALF_WIDTH

Prices = tuple[Decimal, Decimal, Decimal, Decimal]  # yuan/kWh, in the order of RATES

BOUND = r"\d{1,9}(?:\.\d{1,3})?"
STEP = re.compile(rf"({BOUND})\s*[-–~至]\s*({BOUND}|∞)?\s*(?:kwh)?\s*:\s*(.+)")
NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,9})?")
SIGNED = re.compile(r"([+-])\s*(\d{1,6}(?:\.\d{1,9})?)")
MONTHLY = re.compile(r"(?:monthly|每月|按月)(?:\s*(\d{1,2})\s*日?)?")
YEARLY = re.compile(r"(?:yearly|每年|按年)(?:\s*(\d{1,2})-(\d{1,2}))?")
MONTH_DAY_MAX = 28
FIRST_DAY = MonthDay(1, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """From `start_wh` in the cycle on: added to each of the plan's prices, or prices of its own."""

    start_wh: int
    added: Decimal = Decimal(0)
    prices: Prices | None = None

    def of(self, base: Prices) -> Prices:
        if self.prices is not None:
            return self.prices
        sharp, peak, flat, valley = (price + self.added for price in base)
        return sharp, peak, flat, valley

    @property
    def price_text(self) -> str:
        if self.prices is not None:
            return "/".join(plain(price) for price in self.prices)
        return plain(self.added) if self.added < 0 else f"+{plain(self.added)}"


@dataclass(frozen=True, slots=True)
class Cycle:
    """`month` None: begins every month on `day`; else every year on that month and day."""

    day: int = 1
    month: int | None = None

    def start(self, today: date) -> date:
        """The first day of the cycle that `today` is in."""
        if self.month is None:
            if today.day >= self.day:
                return today.replace(day=self.day)
            year, month = divmod(today.year * 12 + today.month - 2, 12)
            return date(year, month + 1, self.day)
        this_year = date(today.year, self.month, self.day)
        return this_year if this_year <= today else this_year.replace(year=today.year - 1)

    def __str__(self) -> str:
        if self.month is None:
            return "monthly" if self.day == 1 else f"monthly {self.day}"
        begins = MonthDay(self.month, self.day)
        return "yearly" if begins == FIRST_DAY else f"yearly {begins}"


def plain(value: Decimal) -> str:
    """`0.3` for 0.30: without exponent or needless zeros."""
    return format(value.normalize(), "f") if value else "0"


def kwh(energy_wh: int) -> str:
    return plain(Decimal(energy_wh) / 1000)


def steps_text(steps: tuple[Step, ...]) -> str:
    if not steps:
        return ""
    ends = [kwh(step.start_wh) for step in steps[1:]] + [""]
    return "; ".join(
        f"{kwh(step.start_wh)}-{end}: {step.price_text}"
        for step, end in zip(steps, ends, strict=True)
    )


def parse_steps(text: str) -> tuple[Step, ...]:
    """`0-240: +0; 240-400: +0.05; 400-: +0.30`, or four prices a step. Nothing typed: no steps.

    Raises BadTariff: not to be read, not from 0, a gap, an overlap, not ascending, an end at the
    last step or none before it.
    """
    pieces = [piece.strip() for piece in re.split(r"[;\n]", _plain(text)) if piece.strip()]
    found = [_step(piece, number) for number, piece in enumerate(pieces, start=1)]
    for number, (step, end_wh) in enumerate(found, start=1):
        if number == 1 and step.start_wh != 0:
            raise _bad("steps_not_from_zero", number, pieces[0])
        if end_wh is not None and end_wh <= step.start_wh:
            raise _bad("steps_not_ascending", number, pieces[number - 1])
        if (end_wh is None) != (number == len(found)):
            raise _bad("steps_not_open", number, pieces[number - 1])
    for number, ((_, end_wh), (step, _)) in enumerate(pairwise(found), start=2):
        if end_wh is not None and step.start_wh != end_wh:
            why = "steps_gap" if step.start_wh > end_wh else "steps_overlap"
            raise _bad(why, number, pieces[number - 1])
    return tuple(step for step, _ in found)


def parse_cycle(text: str) -> Cycle | None:
    """`monthly`, `monthly 15`, `yearly`, `yearly 07-01`. Nothing typed: None. Raises BadTariff."""
    plain_text = _plain(text)
    if not plain_text:
        return None
    if found := MONTHLY.fullmatch(plain_text):
        day = int(found[1] or 1)
        if not 1 <= day <= MONTH_DAY_MAX:
            raise BadTariff(where="cycle", why="bad_cycle_day", number=1, found=str(day))
        return Cycle(day)
    if found := YEARLY.fullmatch(plain_text):
        begins = parse_month_day(found[1] or "1", found[2] or "1", where="cycle")
        if begins == MonthDay(2, 29):  # three years of four have none
            raise BadTariff(where="cycle", why="not_a_day", number=1, found=str(begins))
        return Cycle(begins.day, begins.month)
    raise BadTariff(where="cycle", why="bad_cycle", number=1, found=shown(plain_text))


def _plain(text: str) -> str:
    return text.translate(HALF_WIDTH).strip().lower()


def _bad(why: str, number: int, found: str) -> BadTariff:
    return BadTariff(where="steps", why=why, number=number, found=shown(found))


def _step(piece: str, number: int) -> tuple[Step, int | None]:
    found = STEP.fullmatch(piece)
    if found is None:
        raise _bad("bad_step", number, piece)
    start_wh = int(Decimal(found[1]) * 1000)
    end_wh = None if found[2] in (None, "∞") else int(Decimal(found[2]) * 1000)
    said = found[3].removesuffix("元").strip()
    if signed := SIGNED.fullmatch(said):
        return Step(start_wh, Decimal(signed[1] + signed[2])), end_wh
    prices = [each.strip() for each in said.split("/")]
    if len(prices) != 4:
        raise _bad("bad_step_price", number, said)
    for each in prices:
        if each.startswith("-"):
            raise _bad("step_negative", number, each)
        if not NUMBER.fullmatch(each):
            raise _bad("bad_step_price", number, said)
    sharp, peak, flat, valley = (Decimal(each) for each in prices)
    return Step(start_wh, prices=(sharp, peak, flat, valley)), end_wh
