"""One question with one safe answer: y means yes, every other key means no."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.key_line import KeyLine
from console.widgets.said import Said
from engine.i18n import t


class AskScreen(Dialog[bool]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("ask")

    def __init__(self, question: str, **params: object) -> None:
        super().__init__()
        self.question, self.params = question, params

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(lambda: t(self.question, **self.params))
        yield KeyLine()

    def action_yes(self) -> None:
        self.dismiss(True)

    def action_back(self) -> None:
        self.dismiss(False)
