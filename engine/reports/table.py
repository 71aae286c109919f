"""What every report is: a title, columns, rows and totals. Screen, text and files draw the same."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | int | bool | dt.datetime | None  # None: not known, or nothing to say


@dataclass(frozen=True)
class Table:
    """Title and columns are keys: `report.title.<title>`, `report.column.<name>`.

    A column's unit stands last in its name (`_fen`, `_wh`, `_s`, `_at`), so whoever draws it
    knows how. `totals` holds the sums of the columns that have one.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    totals: dict[str, int] = field(default_factory=dict)


def summed(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], *sums: str
) -> Table:
    """A table with the totals of the columns named in `sums`; what is not known adds nothing."""
    totals = {}
    for name in sums:
        place = columns.index(name)
        totals[name] = sum(value for row in rows if isinstance(value := row[place], int))
    return Table(title, columns, rows, totals)
