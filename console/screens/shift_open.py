"""Open a shift (开班): the float in the drawer."""

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
from console.work import ask, error_text
from engine.domain.counting import parse_counted
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.services import shifts
from models.enums import PayKind


class OpenShiftScreen(Dialog[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("shift_form")
    AUTO_FOCUS = "#float"

    def __init__(self) -> None:
        super().__init__()
        self.refusal: DomainError | None = None
        self.sending = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(lambda: Content.styled(t("shift.screen.open_title"), "bold"))
            with Horizontal(classes="field"):
                yield Said(lambda: t("shift.screen.float"), classes="label")
                yield AmountField(id="float")
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    def _verdict(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        return Content(t("shift.screen.open_hint"))

    def _say(self, refusal: DomainError | None = None) -> None:
        self.refusal = refusal
        self.query_one("#verdict", Said).say_again()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._say()

    @on(Input.Submitted)
    def action_next(self) -> None:
        operator = self.app.operator
        assert operator is not None, "nobody opens a shift without signing in"
        try:
            float_fen = parse_counted(self.query_one("#float", Input).value, PayKind.CASH)
        except DomainError as error:
            self._say(error)
            return
        if not self.sending:
            self.sending = True
            ask(
                self,
                lambda: shifts.open_shift(operator, float_fen),
                lambda _: self.dismiss(None),
                refused=self._refused,
            )

    def _refused(self, error: DomainError) -> None:
        self.sending = False
        self._say(error)

    def action_back(self) -> None:
        self.dismiss(None)
