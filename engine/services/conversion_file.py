"""The file of a project conversion: serial, amount_yuan, and where the amount came from."""

import hashlib
import unicodedata
from dataclasses import dataclass

from engine.domain.errors import BadEnergy
from engine.domain.units import parse_kwh
from engine.services.import_cells import SERIAL_DIGITS, BadCell, serial, words, yuan_or_none
from engine.services.import_columns import Column
from engine.tables import HEADER_ROW, Problem, Row, Table, Tables


def money(text: str) -> int:
    """Fen; an old meter may have held nothing."""
    amount_fen = yuan_or_none(unicodedata.normalize("NFKC", text))
    if amount_fen is None:
        raise BadCell("empty")
    return amount_fen


def reading(text: str) -> int | None:
    """Wh; empty: not given."""
    try:
        return parse_kwh(text) if text else None
    except BadEnergy:
        raise BadCell("bad_reading", found=text) from None


COLUMNS = (
    Column("serial", "serial", serial),
    Column("amount_yuan", "amount_fen", money),
    Column("old_serial", "old_serial", words, optional=True),
    Column("old_reading_kwh", "old_reading_wh", reading, optional=True),
    Column("reference", "reference", words, optional=True),
)


@dataclass(frozen=True)
class Amount:
    """One row: what an old meter held, for the new meter `serial`."""

    file: str
    row: int
    serial: str
    amount_fen: int
    old_serial: str = ""
    old_reading_wh: int | None = None
    reference: str = ""

    @property
    def request_id(self) -> str:
        """The same for the same row, in whatever file it stands: so it is transferred once."""
        parts = (
            self.serial,
            str(self.amount_fen),
            self.old_serial,
            "" if self.old_reading_wh is None else str(self.old_reading_wh),
            self.reference,
        )
        digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
        return f"conversion:{digest[:32]}"

    @property
    def why(self) -> str:
        """Where the amount came from, as the file says."""
        kwh = "" if self.old_reading_wh is None else f"{self.old_reading_wh / 1000:.3f} kWh"
        return " ".join(part for part in (self.old_serial, kwh, self.reference) if part)

    def problem(self, code: str, column: str, **params: object) -> Problem:
        return Problem(code, self.file, self.row, column, params)


def read_amounts(tables: Tables, errors: list[Problem], warnings: list[Problem]) -> list[Amount]:
    """The rows of the one table there is; what is wrong with them goes to `errors`."""
    errors += tables.errors
    found: list[Amount] = []
    for table in tables.by_name.values():
        if _has_columns(table, errors):
            for row in table.rows:
                found += _amount(table, row, errors, warnings)
    return found


def _has_columns(table: Table, errors: list[Problem]) -> bool:
    known = {column.name for column in COLUMNS}
    before = len(errors)
    for name in table.columns:
        if name not in known:
            params = {"known": ", ".join(column.name for column in COLUMNS)}
            errors.append(Problem("unknown_column", table.file, HEADER_ROW, name, params))
    errors += [
        Problem("missing_column", table.file, HEADER_ROW, column.name)
        for column in COLUMNS
        if not column.optional and column.name not in table.columns
    ]
    return len(errors) == before


def _amount(table: Table, row: Row, errors: list[Problem], warnings: list[Problem]) -> list[Amount]:
    values = {}
    before = len(errors)
    for column in COLUMNS:
        if column.name not in table.columns:
            continue
        text = row.cells[column.name]
        if column.name == "serial" and column.name in row.numeric:
            text = _padded(table, row, text, warnings)
        try:
            values[column.field] = column.parse(text)
        except BadCell as bad:
            errors.append(Problem(bad.code, table.file, row.number, column.name, bad.params))
    return [Amount(table.file, row.number, **values)] if len(errors) == before else []


def _padded(table: Table, row: Row, text: str, warnings: list[Problem]) -> str:
    """A workbook's number has lost its leading zeros."""
    padded = text.zfill(SERIAL_DIGITS)
    if padded != text:
        params = {"found": text, "taken": padded}
        warnings.append(Problem("serial_padded", table.file, row.number, "serial", params))
    return padded
