"""A table painted line by line: only what changed is sent, however many rows there are.

Textual's DataTable repaints as a whole for one changed cell. Here a line is a function of its
cells, and what was painted is remembered: `repaint()` compares and refreshes the difference.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar, Generic, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.widgets.columns import STYLES, Cell, Column, Row, fit
from engine import i18n
from engine.i18n import t

UNSORTED = ""
SPANS_MAX = 2  # parts of a line that are refreshed by themselves
SHRUNK = 10
MARKED = "+"  # before a marked row: colours alone would not say it
MARKED_LOOK = "table--marked"
BEFORE, AFTER = "<", ">"  # at the ends of the header: more columns that way


class Painted(NamedTuple):
    """All that decides how a line looks."""

    cells: tuple[Cell, ...]
    widths: tuple[int, ...]
    look: str  # component class of the whole line, or nothing


class Lines(Widget, Generic[Row]):
    """Rows under a header, with a cursor and marks; how they are moved is the subclass's."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--cursor-blurred",
        MARKED_LOOK,
        *(f"table--{name}" for name in STYLES),
    }

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        fixed: int = 1,
        marks: bool = False,
        empty: str = "screen.table.empty",
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.key = key
        self.fixed = fixed  # leading columns that stay when the others move
        self.may_mark = marks
        self.empty = empty  # catalog key of what is said where there are no rows
        self.rows: list[Row] = []
        self.marked: set[Hashable] = set()
        self.sorted_by: tuple[str, bool] = (UNSORTED, False)  # only for the mark in the header
        self.cursor = 0
        self.top = 0
        self.first = 0  # first moving column shown
        self._places: dict[Hashable, int] = {}
        self._painted: dict[int, Painted] = {}
        self._strips: LRUCache[Painted, Strip] = LRUCache(1024)
        self._layout: tuple[object, list[tuple[Column[Row], int]]] = (None, [])

    @property
    def page(self) -> int:
        """Rows in sight."""
        return max(1, self.size.height - 1)

    @property
    def current(self) -> Row | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def current_key(self) -> Hashable | None:
        return None if self.current is None else self.key(self.current)

    def repaint(self) -> None:
        """Refresh the parts of lines that no longer look as they were painted."""
        for y, before in list(self._painted.items()):
            for region in self._differences(y, before, self._line(y)):
                self.refresh(region)

    def repaint_all(self) -> None:
        """After a change of language or colours: nothing painted can be kept."""
        self._strips.clear()
        self.refresh()

    def _differences(self, y: int, before: Painted, now: Painted) -> Iterator[Region]:
        if before == now:
            return
        alike = before.look == now.look and before.widths == now.widths
        if not alike or y == 0:
            yield Region(0, y, self.size.width, 1)
            return
        x, spans = 0, []
        for old, new, cells in zip(before.cells, now.cells, now.widths, strict=True):
            if old != new:
                spans.append((x, x + cells + 1))
            x += cells + 1
        if len(spans) > SPANS_MAX:  # each span is sent with its styles: one that covers all is less
            spans = [(spans[0][0], spans[-1][1])]
        for start, end in spans:
            yield Region(start, y, end - start, 1)

    def render_line(self, y: int) -> Strip:
        line = self._line(y)
        self._painted[y] = line
        strip = self._strips.get(line)
        if strip is None:
            self._strips[line] = strip = self._strip(line)
        return strip.crop_extend(0, self.size.width, self.rich_style)

    def _shown(self) -> list[tuple[Column[Row], int]]:
        """The columns in sight, each with its width; reckoned anew when one of these changes."""
        depends_on = (i18n.current(), self.size.width, self.first)
        if self._layout[0] != depends_on:
            self._layout = (depends_on, self._fitting())
        return self._layout[1]

    def _fitting(self) -> list[tuple[Column[Row], int]]:
        """Whole columns only: a number cut at the edge misleads."""
        room = self.size.width - 2  # the last cells say whether there are more
        shown: list[tuple[Column[Row], int]] = []
        for column in self.columns[: self.fixed] + self.columns[self.fixed + self.first :]:
            cells = max(column.width(), cell_len(column.title) + 1)
            cells += self._gutter if not shown else 0
            if cells >= room and column.shrinks:
                cells = max(SHRUNK, room - 1)
            if cells >= room and len(shown) > self.fixed:
                break
            shown.append((column, cells))
            room -= cells + 1
        return shown

    def _line(self, y: int) -> Painted:
        shown = self._shown()
        widths = tuple(cells for _, cells in shown)
        if y == 0:
            return Painted(tuple(self._titles(shown)), widths, "table--header")
        place = self.top + y - 1
        if not self.rows and y == 1:
            return Painted((Cell(t(self.empty), "dim"),), (self.size.width,), "")
        if place >= len(self.rows):
            return Painted((), (), "")
        row = self.rows[place]
        cells = [
            Cell(fit(cell.text, size, right=column.right), cell.style)
            for column, size in shown
            for cell in (column.cell(row),)
        ]
        if self._gutter:
            mark = MARKED if self.key(row) in self.marked else ""
            cells[0] = Cell(
                f"{mark:<{self._gutter}}" + cells[0].text[: -self._gutter], cells[0].style
            )
        return Painted(tuple(cells), widths, self._look(place, row))

    @property
    def _gutter(self) -> int:
        """Cells before the first column, for the marks."""
        return len(MARKED) if self.may_mark else 0

    def _look(self, place: int, row: Row) -> str:
        if place == self.cursor:
            return "table--cursor" if self.has_focus else "table--cursor-blurred"
        return MARKED_LOOK if self.key(row) in self.marked else ""

    def _titles(self, shown: Sequence[tuple[Column[Row], int]]) -> Iterator[Cell]:
        name, falling = self.sorted_by
        for column, size in shown:
            mark = ("v" if falling else "^") if column.name == name else ""
            title = column.title + mark
            if column is self.columns[0]:
                title = " " * self._gutter + title
            yield Cell(fit(title, size, right=column.right))
        hidden = len(self.columns) - self.first - len(shown)
        signs = (BEFORE if self.first else "") + (AFTER if hidden else "")
        room = self.size.width - sum(size + 1 for _, size in shown)
        if signs:
            yield Cell(fit(signs, max(room, len(signs)), right=True))

    def _strip(self, line: Painted) -> Strip:
        """One Segment for each run of cells in the same style: every run costs 40 bytes.

        A cursor line is of one style; a marked one keeps the colours of its cells.
        """
        look = self.get_component_rich_style(line.look) if line.look else self.rich_style
        whole = look if line.look not in ("", MARKED_LOOK) else None
        base = look if line.look == MARKED_LOOK else self.rich_style
        segments = []
        for style, run in groupby(line.cells, lambda cell: "" if whole else cell.style):
            text = "".join(cell.text + " " for cell in run)
            segments.append(Segment(text, whole or self._own(style, base)))
        strip = Strip(segments)
        rest = self.size.width - strip.cell_length
        if segments and rest > 0 and (segments[-1].style is base or whole):
            last = segments.pop()  # the rest of the line in the same run
            strip = Strip([*segments, Segment(last.text + " " * rest, last.style)])
        return strip

    def _own(self, style: str, base: Style) -> Style:
        """The style of a cell on a line whose own is `base`: of its colours, only the letters'."""
        if not style:
            return base
        own = self.get_component_rich_style(f"table--{style}")
        return own if base is self.rich_style else base + Style(color=own.color)

    def on_resize(self) -> None:
        self._painted.clear()
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
