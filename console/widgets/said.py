"""Text that is asked for at every paint, so that a change of language needs no second thought."""

from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget

PAINTS = {  # the style names of a LineTable, as colours of the theme
    "": "",
    "dim": "$text-muted",
    "good": "$success",
    "alarm1": "$warning",
    "alarm2": "$alarm bold",
    "bad": "$error bold",
    "loud": "$error bold reverse",
    "lost": "$text-muted",
    "strong": "bold",
}


def painted(text: str, style: str) -> Content:
    """`text` in one of the styles that a LineTable knows."""
    return Content.styled(text, PAINTS[style])


class Said(Widget):
    """Shows what `say` returns. `say_again()` repaints only if that has changed."""

    DEFAULT_CSS = "Said { width: auto; height: auto; }"

    def __init__(
        self,
        say: Callable[[], str | Content],
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.say = say
        self._last = Content()

    def _content(self) -> Content:
        said = self.say()
        return said if isinstance(said, Content) else Content(said)

    def render(self) -> Content:
        self._last = self._content()
        return self._last

    def say_again(self) -> None:
        """Repaint if the text has changed, and lay out anew if its size has."""
        said = self._content()
        if said.markup != self._last.markup:
            self.refresh(layout=_size(said) != _size(self._last))


def _size(content: Content) -> list[int]:
    return [line.cell_length for line in content.split()]
