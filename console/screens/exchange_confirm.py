"""Before a meter is emptied or a value vouched for: typed again, then y. Enter never does it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.field import AmountField
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from engine.i18n import t


class ConfirmExchangeScreen(Dialog[bool]):
    """True only if what was typed again `agrees` and `y` was pressed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("exchange_confirm")
    AUTO_FOCUS = "#again"

    def __init__(
        self, facts: Callable[[], str], question: str, agrees: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self.facts, self.question, self._agrees = facts, question, agrees

    def compose(self) -> ComposeResult:
        with Vertical(classes="box question"):
            yield Said(lambda: Content.styled(t("exchange.confirm.title"), "bold"))
            yield Said(self.facts)
            with Horizontal(classes="field"):
                yield Said(lambda: t(self.question), classes="label wide")
                yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    @property
    def agrees(self) -> bool:
        return self._agrees(self.query_one("#again", Input).value.strip())

    def _verdict(self) -> Content:
        if self.agrees:
            return painted(t("exchange.confirm.press_y"), "good")
        if self.query_one("#again", Input).value:
            return painted(t("exchange.confirm.differs"), "alarm1")
        return Content(t("exchange.confirm.type_it"))

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one("#verdict", Said).say_again()

    def action_confirm(self) -> None:
        if self.agrees:
            self.dismiss(True)

    def action_back(self) -> None:
        self.dismiss(False)
