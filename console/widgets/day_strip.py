"""时控 as strips of 24 hours: `#` closed, `.` open; a strip for each kind of day."""

from textual.content import Content

from console import words
from console.widgets.said import painted
from engine.domain.time_control import DAYS, TimeControl
from engine.i18n import t

CELLS_AN_HOUR = 2
ON, OFF = "#", "."
HOURS = (0, 6, 12, 18, 24)


def strips(control: TimeControl) -> Content:
    """Hours above, then the days that are alike; half an hour is closed where any of it is."""
    kinds = [[day for day in DAYS if day not in control.rest_days]]
    if control.rest_days:
        kinds.append(list(control.rest_days))
    labels = [_days(kind) for kind in kinds]
    wide = words.widest(labels) + 1
    lines = [Content(" " * wide + _scale())]
    for label, kind in zip(labels, kinds, strict=True):
        lines.append(Content.assemble(words.pad(label, wide), _strip(control, kind[0])))
    return Content("\n").join(lines)


def _days(kind: list[str]) -> str:
    if len(kind) == len(DAYS):
        return t("settings.day.every")
    names = [t(f"settings.day.{day}") for day in kind]
    together = [DAYS.index(day) for day in kind]
    if len(kind) > 2 and together == list(range(together[0], together[-1] + 1)):
        return f"{names[0]}-{names[-1]}"
    return " ".join(names)


def _scale() -> str:
    line = ""
    for hour in HOURS:
        line = line.ljust(hour * CELLS_AN_HOUR) + str(hour)
    return line


def _strip(control: TimeControl, day: str) -> Content:
    minutes = 60 // CELLS_AN_HOUR
    cells = [
        any(control.on_at(day, at + part) for part in range(minutes))
        for at in range(0, 24 * 60, minutes)
    ]
    return Content.assemble(*(painted(ON, "good") if on else painted(OFF, "dim") for on in cells))
