"""Hours and watts as they are typed, on a form or on the command line."""

import datetime as dt
import math

from engine.domain.errors import BadLimit, BadUntil

HOURS_MAX = 24 * 31  # more is a typing error; what is allowed the services say
WATTS_DIGITS = 6


def hours(text: str, most: int) -> dt.timedelta:
    """`2`, `0.5`: to the minute. Raises BadUntil, which names `most`."""
    try:
        found = float(text) if text.isascii() else math.nan
    except ValueError:
        found = math.nan
    if not 1 / 60 <= found <= HOURS_MAX:
        raise BadUntil(text=_plain(text), hours=most, why="number")
    return dt.timedelta(minutes=round(found * 60))


def watts(text: str) -> int:
    """Raises BadLimit."""
    if not (text.isascii() and text.isdigit()) or len(text) > WATTS_DIGITS:
        raise BadLimit(text=_plain(text), why="number")
    return int(text)


def _plain(text: str) -> str:
    """Short, and without what would move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)[:20]
