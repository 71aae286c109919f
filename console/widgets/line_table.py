"""Rows with a cursor: shown in a given order, moved through by keys or mouse, marked, chosen."""

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from console.keys import bindings
from console.widgets.columns import Row
from console.widgets.lines import Lines


class LineTable(Lines[Row], can_focus=True):
    """The cursor and the marks follow their rows, not their places."""

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
        """The same row with other values, in its place; `repaint()` follows when all are in."""
        place = self._places.get(self.key(row))
        if place is not None:
            self.rows[place] = row

    def on_resize(self) -> None:
        super().on_resize()
        self._keep_in_sight()

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

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

    def go_to(self, key: Hashable) -> None:
        """The cursor to the row of that key, if it is shown."""
        if key in self._places:
            self._move_to(self._places[key])

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
