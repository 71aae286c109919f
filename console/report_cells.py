"""A cell of a report in words: the column's last part says its unit."""

import datetime as dt

from console import setting_words, words
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.reports.table import Cell


def text(column: str, value: Cell, zone: dt.tzinfo) -> str:
    """Yuan for `_fen`, a local moment for `_at`, an age for `_s`; `-` for what is not known."""
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return t("report.yes") if value else ""
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    if isinstance(value, int) and column.endswith("_fen"):
        return yuan_text(value)
    if isinstance(value, int) and column.endswith("_s"):
        return words.lasted(value)
    if column == "setting":
        return setting_words.name(str(value))
    return str(value)


def is_number(column: str) -> bool:
    """Set to the right."""
    return column.endswith(("_fen", "_wh", "_w", "_s")) or column.startswith("count_")
