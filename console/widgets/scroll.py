"""A text longer than the screen, moved by its own keys; no key is shown while all is in sight."""

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from console.keys import bindings


class Scroll(VerticalScroll):
    BINDINGS: ClassVar[list[BindingType]] = bindings("scroll")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return self.max_scroll_y > 0 or action not in {"move", "turn_page"}

    def watch_virtual_size(self) -> None:
        self.refresh_bindings()

    def action_move(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False)

    def action_turn_page(self, pages: int) -> None:
        self.scroll_relative(y=pages * max(1, self.size.height - 1), animate=False)


class Box(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Of a dialog: as high as what it holds, moved by whatever line has the focus."""
