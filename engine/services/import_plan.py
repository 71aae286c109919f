"""Import tables, cell by cell: rows of text -> records of values, or what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.services.import_cells import SERIAL_DIGITS, BadCell
from engine.services.import_columns import SERIAL_COLUMNS, TABLES, Column
from engine.tables import HEADER_ROW, Problem, Row, Table, Tables

KEYS = {
    "buildings": ("code",),
    "lines": ("name",),
    "tariffs": ("tariff", "valid_from"),
    "meters": ("serial",),
    "tenants": ("number",),
}


@dataclass(frozen=True)
class Record:
    """One row: its values by model field, and where it stands."""

    table: str
    file: str
    row: int
    values: Mapping[str, Any]  # as its columns parsed them

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def problem(self, code: str, column: str | None = None, **params: object) -> Problem:
        return Problem(code, self.file, self.row, column, params)


@dataclass
class Plan:
    """All records that could be read, and everything found wrong or odd so far.

    `named` has the first column of every row, of wrong rows too: one mistake is told once, not
    again in every row that refers to it.
    """

    records: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in TABLES})
    named: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in TABLES})
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def make_plan(tables: Tables) -> Plan:
    """Read every known table; unknown ones are a warning, unknown columns an error."""
    plan = Plan(errors=list(tables.errors))
    for name, table in tables.by_name.items():
        if name in TABLES:
            _read(table, TABLES[name], plan)
        else:
            known = ", ".join(TABLES)
            plan.warnings.append(Problem("unknown_table", table.file, params={"known": known}))
    if not any(name in TABLES for name in tables.by_name) and not plan.errors:
        first = next(iter(tables.by_name.values()))
        known = ", ".join(TABLES)
        plan.errors.append(Problem("no_known_table", first.file, params={"known": known}))
    return plan


def _read(table: Table, columns: tuple[Column, ...], plan: Plan) -> None:
    first = columns[0].name
    plan.named[table.name] = {row.cells[first] for row in table.rows if first in row.cells}
    known = {column.name for column in columns}
    for name in table.columns:
        if name not in known:
            params = {"known": ", ".join(column.name for column in columns)}
            plan.errors.append(Problem("unknown_column", table.file, HEADER_ROW, name, params))
    missing = [
        column.name
        for column in columns
        if not column.optional and column.name not in table.columns
    ]
    for name in missing:
        plan.errors.append(Problem("missing_column", table.file, HEADER_ROW, name))
    if missing:
        return
    present = [column for column in columns if column.name in table.columns]
    seen: dict[object, int] = {}
    for row in table.rows:
        if record := _record(table, row, present, plan):
            _keep_unless_double(record, seen, plan)


def _record(table: Table, row: Row, columns: list[Column], plan: Plan) -> Record | None:
    values: dict[str, object] = {}
    errors = len(plan.errors)
    for column in columns:
        text = row.cells[column.name]
        if column.name in SERIAL_COLUMNS and column.name in row.numeric:
            text = _padded(table, row, column.name, text, plan)
            plan.named[table.name].add(text)
        try:
            values[column.field] = column.parse(text)
        except BadCell as bad:
            plan.errors.append(Problem(bad.code, table.file, row.number, column.name, bad.params))
    if len(plan.errors) > errors:
        return None
    return Record(table.name, table.file, row.number, values)


def _padded(table: Table, row: Row, column: str, text: str, plan: Plan) -> str:
    """A workbook's number has lost its leading zeros; a fraction or more digits stay wrong."""
    padded = text.zfill(SERIAL_DIGITS)
    if padded != text:
        params = {"found": text, "taken": padded}
        plan.warnings.append(Problem("serial_padded", table.file, row.number, column, params))
    return padded


def _keep_unless_double(record: Record, seen: dict[object, int], plan: Plan) -> None:
    key = tuple(record[name] for name in KEYS[record.table])
    if key in seen:
        column = TABLES[record.table][0].name
        text = " ".join(map(str, key))
        plan.errors.append(record.problem("double_key", column, found=text, first=seen[key]))
        return
    seen[key] = record.row
    plan.records[record.table].append(record)
