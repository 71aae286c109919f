"""The last question before something that cannot be taken back: type a number again, then y."""

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
from engine.domain.errors import BadAmount
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t

LAST_DIGITS = 4


class Again:
    """What must be typed again: an amount, or where there is none the end of a meter's number."""

    def __init__(self, amount_fen: int, serial: str) -> None:
        self.amount_fen = amount_fen
        self.text = yuan_text(amount_fen) if amount_fen else serial[-LAST_DIGITS:]

    def is_in(self, typed: str) -> bool:
        if not self.amount_fen:
            return typed.strip() == self.text
        try:
            return parse_yuan(typed) == self.amount_fen
        except BadAmount:
            return False

    @property
    def question(self) -> str:
        return t("cases.again.amount" if self.amount_fen else "cases.again.serial")


class TypeAgainScreen(Dialog[bool]):
    """True only if `again` was typed and `y` pressed. The texts are asked for at every paint."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("type_again")
    AUTO_FOCUS = "#again"

    def __init__(
        self,
        title: Callable[[], str],
        facts: Callable[[], str],
        press_y: Callable[[], str],
        again: Again,
    ) -> None:
        super().__init__()
        self.say_title, self.say_facts, self.say_press_y = title, facts, press_y
        self.again = again

    def compose(self) -> ComposeResult:
        with Vertical(classes="box question"):
            yield Said(lambda: Content.styled(self.say_title(), "bold"))
            yield Said(self.say_facts)
            with Horizontal(classes="field"):
                yield Said(lambda: self.again.question, classes="label wide")
                yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    @property
    def agrees(self) -> bool:
        return self.again.is_in(self.query_one("#again", Input).value)

    def _verdict(self) -> Content:
        if self.agrees:
            return painted(self.say_press_y(), "good")
        typed = self.query_one("#again", Input).value
        return painted(t("cases.again.not_yet", wanted=self.again.text), "alarm1" if typed else "")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one("#verdict", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return self.agrees if action == "confirm" else True

    def action_confirm(self) -> None:
        self.dismiss(True)

    def action_back(self) -> None:
        self.dismiss(False)
