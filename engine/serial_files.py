"""A file of meter numbers (--select @FILE): text, CSV or a workbook -> a selection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine import tables
from engine.domain.errors import BadSelection
from engine.domain.selection import Selection, padded, parse, serials_of

HEADERS = ("serial", "表号", "电表", "meter")  # of a column, in the first line
CELL_MAX = 40


def selection_of(texts: list[str]) -> Selection:
    """What stands behind each --select, all of it together. Raises BadSelection."""
    wanted = Selection()
    for text in texts or [""]:
        wanted &= loaded(parse(text))
    return wanted


def loaded(selection: Selection) -> Selection:
    """With the serials of its file, each with the line it stands in. Raises BadSelection."""
    if not selection.file or selection.serials:
        return selection
    path = Path(selection.file)
    found: dict[str, int] = {}
    for line, serial in _serials(path):
        found.setdefault(serial, line)
    if not found:
        raise BadSelection(why="no_serials", file=path.name)
    lines = tuple(found.values())
    return replace(selection, serials=tuple(found), lines=lines, file=path.name)


def _serials(path: Path) -> Iterator[tuple[int, str]]:
    rows, problems = tables.read_cells(path)
    for problem in problems:
        raise BadSelection(
            why=f"file_{problem.code}", file=path.name, line=problem.row or 1,
            text=str(problem.params.get("why", "")),
        )  # fmt: skip
    column = None
    for number, (line, cells) in enumerate(rows):
        if number == 0 and (header := _header(cells)) is not None:
            column = header
            continue
        if path.suffix.lower() in (".csv", ".xlsx"):
            text = cells[column or 0].strip() if len(cells) > (column or 0) else ""
            if text:
                yield line, padded(text[:CELL_MAX])
        else:
            yield from ((line, serial[:CELL_MAX]) for serial in serials_of(",".join(cells)))


def _header(cells: list[str]) -> int | None:
    """Which column holds the numbers, where the first line says so."""
    names = [cell.strip().casefold() for cell in cells]
    for index, name in enumerate(names):
        if name in HEADERS:
            return index
    return 0 if names and names[0] and not any(char.isdigit() for char in names[0]) else None
