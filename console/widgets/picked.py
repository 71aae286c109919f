"""Values picked from a list by search: one a line, more by a key."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from console.keys import bindings
from engine.i18n import t

if TYPE_CHECKING:
    from console.screens.pick import Choice


class Picked(Widget, can_focus=True):
    """Enter picks where nothing is picked yet, else it goes on; `+` picks one more or another."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("picked")
    DEFAULT_CSS = "Picked { height: auto; width: 1fr; }"

    class Changed(Message):
        """Other values are picked."""

        def __init__(self, picked: "Picked") -> None:
            super().__init__()
            self.picked = picked

        @property
        def control(self) -> "Picked":
            return self.picked

    class Done(Message):
        """Enter, and something is picked."""

    def __init__(
        self,
        choices: Callable[[], Sequence["Choice"]] = tuple,
        *,
        title: str = "",
        label: Callable[[Any], str] = str,
        values: Sequence[Any] = (),
        many: bool = True,
        hint: str = "",
    ) -> None:
        super().__init__()
        self.choices, self.title, self.label = choices, title, label
        self.values = list(values)
        self.many, self.hint = many, hint

    def render(self) -> Content:
        look = "reverse" if self.has_focus else ""
        if not self.values:
            return Content.styled(t(self.hint), look or "$text-muted")
        lines = [Content.styled(self.label(value), look) for value in self.values]
        return Content("\n").join(lines)

    def action_go_on(self) -> None:
        """Pick where there is nothing to go on with."""
        if self.values or not self.open():
            self.post_message(self.Done())

    def open(self) -> bool:
        """The list of what is not picked yet; whether there is any."""
        from console.screens.pick import PickScreen  # noqa: PLC0415 (a screen, over this widget)

        left = [choice for choice in self.choices() if choice.value not in self.values]
        if not left:
            return False

        def picked(choice: "Choice | None") -> None:
            if choice is not None:
                self.values = [*self.values, choice.value] if self.many else [choice.value]
                self._changed()

        self.app.push_screen(PickScreen(self.title, left), picked)
        return True

    def action_more(self) -> None:
        self.open()

    def action_less(self) -> None:
        if self.values:
            self.values.pop()
            self._changed()

    def _changed(self) -> None:
        self.refresh(layout=True)
        self.post_message(self.Changed(self))
