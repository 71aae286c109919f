"""Workbooks for people: numbers and dates as such, text as text, written whole or not at all."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

Value = str | int | Decimal | dt.datetime | None
TEXT_MAX = 32_000  # a cell takes no more
FORMATS = {  # by the kind of a column
    "text": "@",
    "number": "0",
    "yuan": "#,##0.00",
    "kwh": "#,##0.00",
    "kw": "0.000",
    "price": "0.0000",
    "moment": "yyyy-mm-dd hh:mm:ss",
}
WIDTHS = {"moment": 20, "yuan": 13, "kwh": 13}
WIDTH_MIN, WIDTH_MAX = 8, 40


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Sheet:
    """`about` stands above the table: what it is, of which site, when, by whom."""

    name: str
    about: Sequence[tuple[str, Value]]
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Value]]


def plain(text: str) -> str:
    """Without control characters, which no spreadsheet takes, and not too long for one."""
    return "".join(char if char.isprintable() else " " for char in text)[:TEXT_MAX]


def write(path: Path, sheets: Sequence[Sheet]) -> None:
    """`path`, which must not be there yet. Raises FileExistsError, OSError."""
    import openpyxl  # noqa: PLC0415 (a quarter of a second that only workbooks need)

    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        _add(book, sheet)
    unfinished = path.with_name(f".{path.name}.{uuid4().hex[:8]}.new")
    try:
        book.save(unfinished)
        os.link(unfinished, path)  # unlike a rename it never writes over what is there
    finally:
        unfinished.unlink(missing_ok=True)


def _add(book: Any, sheet: Sheet) -> None:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 (as above)

    made = book.create_sheet(plain(sheet.name)[:31])
    top = len(sheet.about) + 1 if sheet.about else 0  # an empty line below what it is about
    made.freeze_panes = f"A{top + 2}"
    last = get_column_letter(max(1, len(sheet.headings)))
    made.auto_filter.ref = f"A{top + 1}:{last}{top + 1 + len(sheet.rows)}"
    for number, heading in enumerate(sheet.headings, start=1):
        made.column_dimensions[get_column_letter(number)].width = _width(sheet, number, heading)
    for label, value in sheet.about:
        kind = "moment" if isinstance(value, dt.datetime) else "text"
        said = "number" if isinstance(value, int) else kind
        made.append([_cell(made, label, "text", bold=True), _cell(made, value, said)])
    if sheet.about:
        made.append([])
    made.append([_cell(made, each.text, "text", bold=True) for each in sheet.headings])
    kinds = [heading.kind for heading in sheet.headings]
    for row in sheet.rows:
        made.append([_cell(made, value, kind) for value, kind in zip(row, kinds, strict=True)])


def _width(sheet: Sheet, number: int, heading: Heading) -> int:
    if heading.kind in WIDTHS:
        return WIDTHS[heading.kind]
    texts = [heading.text, *(str(row[number - 1] or "") for row in sheet.rows[:200])]
    widest = max(sum(2 if ord(char) > 0x2E7F else 1 for char in text) for text in texts)
    return min(WIDTH_MAX, max(WIDTH_MIN, widest + 2))


def _cell(sheet: Any, value: Any, kind: str, *, bold: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)
    from openpyxl.styles import Font  # noqa: PLC0415 (as above)

    if value is None:
        return None
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value=plain(value))
        cell.data_type = "s"  # also what begins with "=": text, never a formula
    else:
        cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = FORMATS[kind if not isinstance(value, str) else "text"]
    if bold:
        cell.font = Font(bold=True)
    return cell
