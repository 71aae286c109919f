"""One of a few values on one line: arrows turn it, the chosen one stands in brackets."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from console.keys import bindings


class OneOf(Widget, can_focus=True):
    """`[cash] card transfer`; `label` is asked at every paint."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("choice")
    DEFAULT_CSS = "OneOf { height: 1; }"

    class Turned(Message):
        """Another value is chosen."""

    def __init__(
        self,
        values: Sequence[str],
        label: Callable[[str], str],
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(id=id)
        self.values, self.label = tuple(values), label
        self.value = self.values[0]
        self.can_focus = len(self.values) > 1  # nothing to turn: keys belong to the next field

    def render(self) -> Content:
        parts = []
        for value in self.values:
            chosen = value == self.value
            text = f"[{self.label(value)}]" if chosen else f" {self.label(value)} "
            look = ("reverse bold" if self.has_focus else "bold") if chosen else ""
            parts.append(Content.styled(text, look))
        return Content(" ").join(parts)

    def action_turn(self, step: int) -> None:
        at = self.values.index(self.value)
        self.value = self.values[(at + step) % len(self.values)]
        self.refresh()
        self.post_message(self.Turned())
