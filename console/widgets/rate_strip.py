"""A day of rates as a strip of 24 hours in 48 cells: each rate has a sign and a colour."""

from collections.abc import Sequence

from textual.content import Content

from console import tariff_words, words
from console.widgets.said import painted
from engine.domain.tariff_calendar import Calendar, MonthDay
from engine.domain.tariff_schedule import DaySchedule, Part, Rate
from engine.i18n import t

HALF_HOUR_MIN = 30
HOURS = (0, 3, 6, 9, 12, 15, 18, 21, 24)
STYLES = {Rate.SHARP: "bad", Rate.PEAK: "alarm1", Rate.FLAT: "", Rate.VALLEY: "good"}


def strip(day: DaySchedule) -> Content:
    """Two cells an hour; a half hour shows the rate that holds at its begin."""
    cells = []
    for hour in range(24):
        first, second = (day.rate_at(hour * 60 + minute) for minute in (0, HALF_HOUR_MIN))
        sign = t(f"prices.cell.{first}")
        if first is second and len(sign) == 1 and words.widest([sign]) == 2:
            cells.append(painted(sign, STYLES[first]))
        else:
            letters = tariff_words.LETTERS
            cells += [painted(letters[rate], STYLES[rate]) for rate in (first, second)]
    return Content.assemble(*cells)


def legend() -> Content:
    """`S sharp  P peak …`, coloured as the strips are."""
    said = [
        painted(f"{tariff_words.LETTERS[rate]} {tariff_words.rate(rate)}", STYLES[rate])
        for rate in Rate
    ]
    return Content("  ").join(said)


def strips(parts: Sequence[Part]) -> list[Content]:
    """The hours above, then a line for each part: when it holds, and its day."""
    if not parts:
        return [Content(t("tariff.no_schedule"))]
    labels = [part_label(part, parts) for part in parts]
    wide = words.widest(labels) + 1
    lines = [Content(" " * wide + _scale())]
    lines += [
        Content.assemble(words.pad(label, wide), strip(part.schedule))
        for label, part in zip(labels, parts, strict=True)
    ]
    return [*lines, legend()] if any(map(_has_letters, parts)) else lines


def _has_letters(part: Part) -> bool:
    """Whole words need no legend."""
    letters = set(tariff_words.LETTERS.values())
    return not letters.isdisjoint(strip(part.schedule).plain)


def part_label(part: Part, parts: Sequence[Part]) -> str:
    kind = t(f"tariff.kind.{part.kind}") if part.kind else ""
    season = str(part.season) if part.season else ""
    other = "else" if len(parts) > 1 else "every"
    return " ".join(filter(None, (season, kind))) or t(f"prices.page.{other}")


def part_of(parts: Sequence[Part], day: MonthDay, calendar: Calendar, year: int) -> Part | None:
    """The part that holds on that day of `year`."""
    kind = calendar.day_kind(day.in_year(year))
    fitting = [part for part in parts if part.fits(day, kind)]
    return max(fitting, key=lambda part: part.specificity) if fitting else None


def _scale() -> str:
    line = ""
    for hour in HOURS:
        line = line.ljust(hour * 2) + str(hour)
    return line
