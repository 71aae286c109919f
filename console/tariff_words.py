"""Tariffs in words: prices, a day as 24 hours, causes and differences of price changes."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.domain.measurement import RATES
from engine.domain.tariff_meter import Runs, price_text
from engine.domain.tariff_schedule import DaySchedule, Rate
from engine.domain.tariffs import Plan, Question
from engine.domain.units import kwh_text, yuan_text
from engine.i18n import t

HOUR_MIN = 60
WORDS = re.compile(r"\b(?:sharp|peak|flat|valley|workdays|weekends|holidays|monthly|yearly)\b")
LETTERS = {Rate.SHARP: "S", Rate.PEAK: "P", Rate.FLAT: "f", Rate.VALLEY: "v"}  # of any terminal


def prices(values: Sequence[Decimal]) -> str:
    """`1.2000/1.0000/0.7000/0.4000`, or one where all are the same."""
    texts = [price_text(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "/".join(texts)


def held_prices(values: Mapping[str, Any]) -> str:
    """Of what a meter is to hold, by name; empty where it says nothing of prices."""
    found = [values.get(f"price_{rate}") for rate in RATES]
    if None in found:
        return ""
    return prices([Decimal(str(value)) for value in found])


def rate(name: str) -> str:
    return t(f"tariff.rate.{name}")


def as_typed(text: str) -> str:
    """A notation in the words of the operator's language; whoever parses it takes them too."""
    return WORDS.sub(lambda found: t(f"prices.typed.{found[0]}"), text)


def strip(day: DaySchedule) -> str:
    """24 hours, a letter each; where a switch falls within an hour, what holds at its begin."""
    return "".join(LETTERS[day.rate_at(hour * HOUR_MIN)] for hour in range(24))


def spans(day: DaySchedule) -> str:
    """`00:00-07:00 valley  07:00-24:00 flat`."""
    return "  ".join(
        f"{_clock(start)}-{_clock(end)} {rate(name)}" for start, end, name in day.spans()
    )


def step_lines(plan: Plan) -> list[tuple[str, str]]:
    """(range in kWh, prices) of every step; one line where there are none."""
    if not plan.steps:
        return [(t("tariff.no_steps"), prices(plan.prices))]
    ends = [*(kwh_text(step.start_wh) for step in plan.steps[1:]), ""]
    return [
        (f"{kwh_text(step.start_wh)}-{end} kWh", prices(step.of(plan.prices)))
        for step, end in zip(plan.steps, ends, strict=True)
    ]


def question(asked: Question) -> str:
    params = {"rate": rate(asked.rate), "step": asked.step, "found": asked.found}
    return t(f"tariff_rule.question_{asked.code}", **params)


def who_does(runs: Runs) -> list[str]:
    """What a meter does by itself, and what the engine does."""
    names = ("seasons_by_meter", "days_by_engine", "steps_by_engine")
    said = [t(f"tariff_rule.runs_{name}") for name in names if getattr(runs, name)]
    return said or [t("tariff_rule.runs_alone")]


def difference(late_fen: int | None, *, estimated: bool) -> str:
    """Signed yuan; `~` before what is an estimate."""
    if late_fen is None:
        return "-"
    sign = "+" if late_fen > 0 else ""
    return f"{'~' if estimated and late_fen else ''}{sign}{yuan_text(late_fen)}"


def _clock(minute: int) -> str:
    return f"{minute // HOUR_MIN:02d}:{minute % HOUR_MIN:02d}"
