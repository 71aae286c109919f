"""A table painted line by line: only what changed is sent, however many rows there are.

Textual's DataTable repaints as a whole for one changed cell. Here a line is a function of its
cells, and what was painted is remembered: `repaint()` compares and refreshes the difference.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from console.keys import bindings
from engine.i18n import t

Row = TypeVar("Row")
UNSORTED = ""
SHRUNK = 10
BEFORE, AFTER = "<", ">"  # at the ends of the header: more columns that way
STYLES = ("dim", "good", "alarm1", "alarm2", "bad", "lost", "strong")


class Cell(NamedTuple):
    """Text and the name of its style: one of STYLES, or nothing."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column. `width` is asked at every paint: words differ in length by language."""

    name: str  # of its title, `screen.column.<name>`
    width: Callable[[], int]
    cell: Callable[[Row], Cell]
    sort: Callable[[Row], Any] | None = None
    right: bool = False
    shrinks: bool = False  # as the last in sight it may be cut to SHRUNK cells or more


def width(cells: int) -> Callable[[], int]:
    return lambda: cells


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """`text` in exactly `cells` terminal cells; what is cut off shows as `~`, never silently."""
    length = cell_len(text)
    if length > cells:
        return set_cell_size(text, cells - 1) + "~"
    return " " * (cells - length) + text if right else text + " " * (cells - length)


class Painted(NamedTuple):
    """All that decides how a line looks."""

    cells: tuple[Cell, ...]
    widths: tuple[int, ...]
    look: str  # component class of the whole line, or nothing


class LineTable(Widget, Generic[Row], can_focus=True):
    """Rows under a header; the cursor and the marks follow their rows, not their places."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--cursor-blurred",
        "table--marked",
        *(f"table--{name}" for name in STYLES),
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings("table")

    class Chosen(Message):
        """Enter on a row."""

        def __init__(self, table: "LineTable[Any]", key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> "LineTable[Any]":
            return self.table

    class Moved(Message):
        """The cursor stands elsewhere, or other rows are marked."""

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

    # -- what is shown

    def show(self, rows: Sequence[Row]) -> None:
        """Show `rows` in this order. The cursor stays on its row and on its screen line."""
        current = self.current_key
        offset = self.cursor - self.top
        if bool(rows) != bool(self.rows):
            self.refresh_bindings()
        self.rows = list(rows)
        self._places = {self.key(row): place for place, row in enumerate(self.rows)}
        self.cursor = self._places.get(current, min(self.cursor, max(0, len(self.rows) - 1)))
        self.top = max(0, min(self.cursor - offset, len(self.rows) - self.page))
        self._keep_in_sight()
        self.repaint()

    def replace(self, row: Row) -> None:
        """The same row with new values; `repaint()` follows when all are replaced."""
        place = self._places.get(self.key(row))
        if place is not None:
            self.rows[place] = row

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

    def go_to(self, key: Hashable) -> None:
        if key in self._places:
            self._move_to(self._places[key])

    # -- painting

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
        x = 0
        for old, new, cells in zip(before.cells, now.cells, now.widths, strict=True):
            if old != new:
                yield Region(x, y, cells + 1, 1)
            x += cells + 1

    def render_line(self, y: int) -> Strip:
        line = self._line(y)
        self._painted[y] = line
        strip = self._strips.get(line)
        if strip is None:
            self._strips[line] = strip = self._strip(line)
        return strip.crop_extend(0, self.size.width, self.rich_style)

    def _shown(self) -> list[tuple[Column[Row], int]]:
        """The columns in sight, each with its width. Whole ones only: a cut number misleads."""
        room = self.size.width - 2  # the last cells say whether there are more
        shown: list[tuple[Column[Row], int]] = []
        for column in self.columns[: self.fixed] + self.columns[self.fixed + self.first :]:
            cells = max(column.width(), cell_len(t(f"screen.column.{column.name}")) + 1)
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
        cells = tuple(
            Cell(fit(cell.text, size, right=column.right), cell.style)
            for column, size in shown
            for cell in (column.cell(row),)
        )
        return Painted(cells, widths, self._look(place, row))

    def _look(self, place: int, row: Row) -> str:
        if place == self.cursor:
            return "table--cursor" if self.has_focus else "table--cursor-blurred"
        return "table--marked" if self.key(row) in self.marked else ""

    def _titles(self, shown: Sequence[tuple[Column[Row], int]]) -> Iterator[Cell]:
        name, falling = self.sorted_by
        for column, size in shown:
            mark = ("v" if falling else "^") if column.name == name else ""
            yield Cell(fit(t(f"screen.column.{column.name}") + mark, size, right=column.right))
        hidden = len(self.columns) - self.first - len(shown)
        signs = (BEFORE if self.first else "") + (AFTER if hidden else "")
        room = self.size.width - sum(size + 1 for _, size in shown)
        if signs:
            yield Cell(fit(signs, max(room, len(signs)), right=True))

    def _strip(self, line: Painted) -> Strip:
        """One Segment for each run of cells in the same style: every run costs 40 bytes."""
        whole = self.get_component_rich_style(line.look) if line.look else None
        base = self.rich_style
        segments = []
        for style, run in groupby(line.cells, lambda cell: "" if whole else cell.style):
            text = "".join(cell.text + " " for cell in run)
            own = self.get_component_rich_style(f"table--{style}") if style else base
            segments.append(Segment(text, whole or own))
        strip = Strip(segments)
        rest = self.size.width - strip.cell_length
        if segments and rest > 0 and (segments[-1].style is base or whole):
            last = segments.pop()  # the rest of the line in the same run
            strip = Strip([*segments, Segment(last.text + " " * rest, last.style)])
        return strip

    def on_resize(self) -> None:
        self._painted.clear()
        self._strips.clear()
        self._keep_in_sight()
        self.refresh()

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    # -- moving

    def _keep_in_sight(self) -> None:
        """At an edge move on by half a page: every scroll sends all lines, so scroll seldom."""
        half = max(1, self.page // 2)
        if self.cursor < self.top:
            self.top = max(0, min(self.cursor, self.top - half))
        elif self.cursor >= self.top + self.page:
            self.top = max(self.cursor - self.page + 1, self.top + half)
        self.top = max(0, min(self.top, len(self.rows) - self.page))

    def _move_to(self, place: int) -> None:
        place = max(0, min(place, len(self.rows) - 1))
        if place != self.cursor and self.rows:
            self.cursor = place
            self._keep_in_sight()
            self.repaint()
            self.post_message(self.Moved())

    def action_down(self) -> None:
        self._move_to(self.cursor + 1)

    def action_up(self) -> None:
        self._move_to(self.cursor - 1)

    def action_page_down(self) -> None:
        self._move_to(self.cursor + self.page)

    def action_page_up(self) -> None:
        self._move_to(self.cursor - self.page)

    def action_top(self) -> None:
        self._move_to(0)

    def action_bottom(self) -> None:
        self._move_to(len(self.rows) - 1)

    def action_columns(self, step: int) -> None:
        """Move the columns behind the fixed ones by `step`."""
        last = len(self.columns) - self.fixed - 1
        self.first = max(0, min(self.first + step, last))
        self.repaint()

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current_key))

    def on_click(self, event: events.Click) -> None:
        place = self.top + event.y - 1
        if event.y == 0 or place >= len(self.rows):
            return
        if place == self.cursor:
            self.action_choose()
        self._move_to(place)

    def on_mouse_scroll_down(self) -> None:
        self._move_to(self.cursor + 3)

    def on_mouse_scroll_up(self) -> None:
        self._move_to(self.cursor - 3)

    # -- marking several

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "choose":
            return self.current is not None
        return self.may_mark or action not in {"mark", "mark_move", "mark_all", "mark_others"}

    def _mark(self, marked: set[Hashable]) -> None:
        self.marked = marked
        self.repaint()
        self.post_message(self.Moved())

    def action_mark(self) -> None:
        """Mark the row, or take its mark away, and go on to the next."""
        if self.current_key is not None:
            self._mark(self.marked ^ {self.current_key})
            self.action_down()

    def action_mark_move(self, step: int) -> None:
        """Mark the row and move on by `step`: shift with an arrow."""
        if self.current_key is not None:
            self._mark(self.marked | {self.current_key})
            self._move_to(self.cursor + step)
            self._mark(self.marked | {self.current_key})

    def action_mark_all(self) -> None:
        """Mark every row shown, or none where all are marked already."""
        shown = set(self._places)
        self._mark(set() if shown <= self.marked else self.marked | shown)

    def action_mark_none(self) -> None:
        self._mark(set())

    def action_mark_others(self) -> None:
        self._mark(self.marked ^ set(self._places))
