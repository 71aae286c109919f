"""Special days: holidays (节假日), and weekend days that are worked instead (调休)."""

import datetime as dt
from collections.abc import Sequence

from engine import clock
from engine.domain.errors import BadSpecialDay
from engine.domain.tariff_calendar import Calendar
from engine.services import audit, operators
from engine.services.import_cells import BadCell, choice, day, words
from engine.tables import HEADER_ROW, Problem, Row, Table, Tables
from models.base import write_transaction
from models.enums import Right, SpecialDayKind
from models.people import Operator
from models.tariffs import SpecialDay

Day = tuple[dt.date, SpecialDayKind, str]  # day, kind, name of the holiday
NAME_LENGTH_MAX = 40
COLUMNS = ("day", "kind", "name")
KIND_WORDS = {  # in a table that people keep, either language
    **dict.fromkeys(("holiday", "节假日", "休"), SpecialDayKind.HOLIDAY),
    **dict.fromkeys(("workday", "调休", "班"), SpecialDayKind.WORKDAY),
}


def calendar() -> Calendar:
    """All days that were set; the others are what the week says."""
    return Calendar.of((dt.date.fromisoformat(row.day), row.kind) for row in SpecialDay.select())


def list_days(since: dt.date | None = None) -> list[SpecialDay]:
    """By day; from `since` on."""
    query = SpecialDay.select().order_by(SpecialDay.day)
    return list(query.where(SpecialDay.day >= since.isoformat()) if since else query)


def set_days(days: Sequence[Day], by: Operator) -> int:
    """What these days are from now on; how many were not so already.

    Raises Forbidden, BadSpecialDay (a name that does not print, a day named twice).
    """
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        _require_sound(days)
        return sum(_set(*each, by) for each in days)


def clear_day(which: dt.date, by: Operator) -> None:
    """It is again what the week says. Raises Forbidden, BadSpecialDay (`not_set`)."""
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        found = SpecialDay.get_or_none(SpecialDay.day == which.isoformat())
        if found is None:
            raise BadSpecialDay(why="not_set", day=which.isoformat())
        found.delete_instance()
        audit.write(by.name, "day_clear", found.day, {"was": [found.kind.value, found.name]})


def days_in(tables: Tables) -> tuple[list[Day], list[Problem]]:
    """The days of a table with the columns day, kind, name; everything wrong with its place."""
    problems, days = list(tables.errors), []
    for table in tables.by_name.values():
        missing = [name for name in COLUMNS[:2] if name not in table.columns]
        problems += [Problem("missing_column", table.file, HEADER_ROW, name) for name in missing]
        if not missing:
            days += [made for row in table.rows if (made := _read(table, row, problems))]
    return days, problems


def _read(table: Table, row: Row, problems: list[Problem]) -> Day | None:
    made: list[object] = []
    parsers = {"day": day, "kind": choice(*KIND_WORDS), "name": words}
    for column, parse in parsers.items():
        try:
            made.append(parse(row.cells.get(column, "")))
        except BadCell as bad:
            problems.append(Problem(bad.code, table.file, row.number, column, bad.params))
    if len(made) < len(parsers):
        return None
    which, kind, name = map(str, made)
    return dt.date.fromisoformat(which), KIND_WORDS[kind], name


def _require_sound(days: Sequence[Day]) -> None:
    seen: set[dt.date] = set()
    for which, _, name in days:
        if which in seen:
            raise BadSpecialDay(why="twice", day=which.isoformat())
        seen.add(which)
        if len(name) > NAME_LENGTH_MAX or not name.isprintable():
            raise BadSpecialDay(why="name", day=which.isoformat(), most=NAME_LENGTH_MAX)


def _set(which: dt.date, kind: SpecialDayKind, name: str, by: Operator) -> bool:
    found = SpecialDay.get_or_none(SpecialDay.day == which.isoformat())
    was = [found.kind.value, found.name] if found else None
    now = [kind.value, name.strip()]
    if was == now:
        return False
    values = {"kind": kind, "name": now[1], "set_by": by, "set_at": clock.now()}
    if found:
        SpecialDay.update(**values).where(SpecialDay.id == found.id).execute()
    else:
        SpecialDay.create(day=which.isoformat(), **values)
    audit.write(by.name, "day_set", which.isoformat(), {"was": was, "now": now})
    return True
