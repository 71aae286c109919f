"""The last days of a meter as bars of plain characters, the numbers beside them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from textual.content import Content

from console import words
from console.widgets.columns import fit
from engine.i18n import t

BAR = "#"  # block and Braille characters are missing or of uncertain width on many terminals
BAR_CELLS = 24
POINTS = Sequence[tuple[dt.datetime, int, int | None]]


@dataclass(frozen=True)
class Day:
    date: dt.date
    used_wh: int | None  # None: no reading that day, which is not 0
    balance_fen: int | None  # at the day's last reading


def days_of(points: POINTS, *, last: dt.date, number: int, zone: dt.tzinfo) -> list[Day]:
    """At most `number` local days up to `last`, beginning with the first that has a reading."""
    used: dict[dt.date, int] = {}
    balances: dict[dt.date, int | None] = {}
    for slot, used_wh, balance_fen in points:
        date = slot.astimezone(zone).date()
        used[date] = used.get(date, 0) + used_wh
        balances[date] = balance_fen
    dates = [last - dt.timedelta(days=back) for back in range(number - 1, -1, -1)]
    known = dropwhile(lambda date: date not in used, dates)
    return [Day(date, used.get(date), balances.get(date)) for date in known]


def chart(days: Iterable[Day]) -> Content:
    """One line a day: date, kWh, bar, balance. The longest bar is the day that used most."""
    shown = list(days)
    if not shown:
        return Content(t("screen.meter.day.none"))
    most_wh = max((day.used_wh or 0 for day in shown), default=0)
    lines = [
        Content.styled(
            _line(
                t("screen.meter.day.date"),
                t("screen.meter.day.used"),
                t("screen.meter.day.balance"),
            ),
            "bold",
        )
    ]
    for day in shown:
        cells = (day.used_wh or 0) * BAR_CELLS // most_wh if most_wh else 0
        bar = BAR * max(cells, 1 if day.used_wh else 0)
        lines.append(
            Content(
                _line(f"{day.date:%m-%d}", words.kwh(day.used_wh), words.yuan(day.balance_fen), bar)
            )
        )
    return Content("\n").join(lines)


def _line(date: str, used: str, balance: str, bar: str = "") -> str:
    numbers = fit(used, 9, right=True), fit(bar, BAR_CELLS), fit(balance, 10, right=True)
    return " ".join((fit(date, 5), *numbers))
