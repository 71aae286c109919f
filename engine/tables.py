"""Tables that people keep: a folder of CSV files or a workbook -> rows that know their place.

Cells come out as trimmed text. CSV may be UTF-8 (with or without BOM) or GBK, file by file; a
workbook has one sheet a table. Reading never raises for what is in the files: everything wrong
is a `Problem` with its place.
"""

import csv
import datetime as dt
import io
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

HEADER_ROW = 1
ROWS_MAX = 100_000  # of one table: more is a mistake, not a building
FORMULA_START = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


_Line = tuple[int, list[tuple[str, bool]]]  # number, and each cell with whether it was a number


@dataclass(frozen=True)
class Problem:
    """Something wrong or odd, and where. `code` names the catalog texts under `import.`."""

    code: str
    file: str
    row: int | None = None
    column: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    number: int  # as the file counts: the header is row 1
    cells: Mapping[str, str]  # by column; an empty cell is ""
    numeric: frozenset[str] = frozenset()  # columns that a workbook held as numbers


@dataclass(frozen=True)
class Table:
    name: str
    file: str  # what to show a person: `meters.csv`, or `site.xlsx [meters]`
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass
class Tables:
    by_name: dict[str, Table] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)


def read(path: Path) -> Tables:
    """All tables in `path`: a folder of *.csv, one such file, or a workbook (*.xlsx)."""
    tables = Tables()
    if path.is_dir():
        for file in sorted(path.glob("*.csv")):
            _read_csv(file, tables)
    elif path.suffix.lower() == ".xlsx" and path.is_file():
        _read_workbook(path, tables)
    elif path.suffix.lower() == ".csv" and path.is_file():
        _read_csv(path, tables)
    elif path.exists():
        tables.errors.append(Problem("not_tables", path.name))
    else:
        tables.errors.append(Problem("no_such_path", str(path)))
    if not tables.by_name and not tables.errors:
        tables.errors.append(Problem("no_tables", str(path)))
    return tables


def read_cells(path: Path) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    """(line, cells) of one file that has no header: text or CSV, or a workbook's first sheet."""
    errors: list[Problem] = []
    if not path.is_file():
        return [], [Problem("no_such_path", path.name)]
    if path.suffix.lower() == ".xlsx":
        sheets = _sheets(path, errors)
        lines = sheets[0][1] if sheets else []
        return [(number, [text for text, _ in cells]) for number, cells in lines], errors
    try:
        text = _decoded(path, errors)
    except OSError as error:
        return [], [Problem("unreadable", path.name, params={"why": error.strerror})]
    reader = csv.reader(io.StringIO(text or "", newline=""))
    try:
        return [(reader.line_num, [_unguarded(cell) for cell in line]) for line in reader], errors
    except csv.Error as error:
        return [], [Problem("bad_csv", path.name, reader.line_num, params={"why": str(error)})]


def _read_csv(file: Path, tables: Tables) -> None:
    try:
        text = _decoded(file, tables.errors)
    except OSError as error:
        tables.errors.append(Problem("unreadable", file.name, params={"why": error.strerror}))
        return
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [(_unguarded(cell), False) for cell in line]) for line in reader]
    except csv.Error as error:
        tables.errors.append(
            Problem("bad_csv", file.name, reader.line_num, params={"why": str(error)})
        )
        return
    _add_table(file.stem, file.name, lines, tables)


def _decoded(file: Path, errors: list[Problem]) -> str | None:
    """The file's text, or None with a problem where it is in no known encoding, or in two."""
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if _is_chinese_utf8(line):
            errors.append(Problem("two_encodings", file.name, number))
            return None
    try:
        return raw.decode("gb18030")  # GBK and every later extension of it
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        errors.append(Problem("unknown_encoding", file.name, row))
        return None


def _is_chinese_utf8(line: bytes) -> bool:
    """Whether `line` is surely UTF-8 text: GBK bytes hardly ever form valid three-byte 汉字."""
    try:
        return any("\u4e00" <= char <= "\u9fff" for char in line.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _read_workbook(path: Path, tables: Tables) -> None:
    for title, lines in _sheets(path, tables.errors):
        _add_table(title.strip().lower(), f"{path.name} [{title}]", lines, tables)


def _sheets(path: Path, errors: list[Problem]) -> list[tuple[str, list[_Line]]]:
    """(title, lines) of every sheet that is not empty."""
    import openpyxl  # noqa: PLC0415 (a quarter of a second that only workbooks need)

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        errors.append(Problem("unreadable", path.name, params={"why": str(error)}))
        return []
    found = []
    try:
        for sheet in book.worksheets:
            lines = [
                (number, [_cell(value) for value in values])
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1)
            ]
            if any(text for _, line in lines for text, _ in line):
                found.append((sheet.title, lines))
    finally:
        book.close()
    return found


def _cell(value: object) -> tuple[str, bool]:
    """Text of a workbook's cell, and whether it was a number there."""
    match value:
        case None:
            return "", False
        case bool():
            return ("1" if value else "0"), False
        case int():
            return str(value), True
        case float():
            return format(Decimal(repr(value)).normalize(), "f"), True
        case dt.datetime() if value.time() == dt.time(0):
            return value.date().isoformat(), False
        case dt.datetime():
            return value.isoformat(sep=" "), False
        case dt.date() | dt.time():
            return value.isoformat(), False
    return str(value), False


def _add_table(
    name: str, file: str, lines: Iterable[tuple[int, list[tuple[str, bool]]]], tables: Tables
) -> None:
    filled = ((number, line) for number, line in lines if any(text.strip() for text, _ in line))
    header = next(filled, None)
    if header is None:
        tables.errors.append(Problem("no_header", file, HEADER_ROW))
        return
    columns = tuple(text.strip().lower() for text, _ in header[1])
    while columns and not columns[-1]:
        columns = columns[:-1]
    if doubled := sorted({column for column in columns if columns.count(column) > 1}):
        tables.errors.extend(Problem("double_column", file, header[0], each) for each in doubled)
        return
    rows = tuple(_rows(file, columns, filled, tables.errors))
    if len(rows) > ROWS_MAX:
        tables.errors.append(Problem("too_many_rows", file, params={"limit": ROWS_MAX}))
        return
    tables.by_name[name] = Table(name, file, columns, rows)


def _rows(
    file: str,
    columns: tuple[str, ...],
    lines: Iterator[tuple[int, list[tuple[str, bool]]]],
    errors: list[Problem],
) -> Iterator[Row]:
    for number, line in lines:
        beyond = [text.strip() for text, _ in line[len(columns) :] if text.strip()]
        if beyond:
            errors.append(Problem("extra_cell", file, number, params={"found": beyond[0]}))
            continue
        padding = [("", False)] * (len(columns) - len(line))
        pairs = dict(zip(columns, line + padding, strict=False))
        yield Row(
            number,
            {column: text.strip() for column, (text, _) in pairs.items()},
            frozenset(column for column, (_, numeric) in pairs.items() if numeric),
        )


def write_csv(
    folder: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """`folder`/`name`.csv whole or not at all, UTF-8 with BOM: spreadsheets guess wrong without."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8-sig", newline="", dir=folder, prefix=f".{name}", delete=False
    ) as file:
        try:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([guarded(cell) for cell in row] for row in rows)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
    Path(file.name).replace(folder / f"{name}.csv")


def write_workbook(
    path: Path, sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[str]]]]
) -> None:
    """A workbook of text cells, one sheet a table: no serial loses its zeros."""
    import openpyxl  # noqa: PLC0415 (a quarter of a second that only workbooks need)
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = openpyxl.Workbook(write_only=True)
    for name, (columns, rows) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.append(columns)
        for row in rows:
            cells = [WriteOnlyCell(sheet, value=text) for text in row]
            for cell in cells:
                cell.data_type = "s"  # also what begins with "=": text, never a formula
                cell.number_format = "@"
            sheet.append(cells)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        book.save(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def guarded(text: str) -> str:
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_START) else text


def _unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and guarded(text) != text else text
