"""The report of a closed shift on screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.key_line import KeyLine
from console.widgets.said import Said
from console.widgets.scroll import Scroll
from console.work import ask
from engine import i18n, shift_report
from engine.domain.errors import NoSuchShift
from engine.i18n import t
from engine.views import shifts as shift_views
from engine.views.shifts import ShiftView

PAPER_WIDTH = 64  # a hash on one line below its label


class ShiftReportScreen(Dialog[None]):
    """Closing it changes nothing; `voltill shift report` prints the same."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("page")
    AUTO_FOCUS = "Scroll"

    def __init__(self, number: str, *, reprint: bool = False) -> None:
        super().__init__()
        self.number, self.reprint = number, reprint
        self.shift: ShiftView | None = None

    def compose(self) -> ComposeResult:
        with Scroll(classes="box"):
            yield Said(self._text)
        yield KeyLine()

    def on_mount(self) -> None:
        ask(self, lambda: found(self.number), self._take)

    def _take(self, shift: ShiftView) -> None:
        self.shift = shift
        self.query_one(Said).say_again()

    def _text(self) -> str:
        if self.shift is None:
            return t("screen.head.loading")
        return shift_report.text(
            self.shift,
            i18n.current(),
            PAPER_WIDTH,
            site=self.app.config.site,
            reprint=self.reprint,
        )

    def action_back(self) -> None:
        self.dismiss(None)


def found(number: str) -> ShiftView:
    """Raises NoSuchShift."""
    shift = shift_views.numbered(number)
    if shift is None:
        raise NoSuchShift(number=number)
    return shift
