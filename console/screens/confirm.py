"""The one question before something that cannot be taken back. Enter never agrees."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.field import AmountField, Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.widgets.scroll import Box
from engine.domain.errors import BadAmount
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t


class WordField(Field):
    """Once the word stands in it, `y` is the key of the question and no letter."""

    def __init__(self, word: str) -> None:
        super().__init__(id="again")
        self.word = word

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "submit"  # Enter must not look as if it agreed

    def check_consume_key(self, key: str, character: str | None) -> bool:
        agrees = self.value.strip() == self.word
        return super().check_consume_key(key, character) and not (agrees and key in ("y", "ｙ"))


class ConfirmScreen(Dialog[bool]):
    """True only if `y` was pressed, after the amount or the word was typed again where one is due.

    `facts` name who, what and how much; they are asked for at every paint.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("agree")

    def __init__(
        self, title: str, facts: Callable[[], str], *, amount_fen: int = 0, word: str = ""
    ) -> None:
        super().__init__()
        self.title_key, self.facts = title, facts
        self.amount_fen, self.word = amount_fen, word

    def compose(self) -> ComposeResult:
        with Box(classes="box question"):
            yield Said(lambda: Content.styled(t(self.title_key), "bold"))
            yield Said(self.facts, id="consequence")
            if self.typed_again:
                with Horizontal(classes="field"):
                    yield Said(self._question, classes="label wide")
                    if self.amount_fen:
                        yield AmountField(id="again", submits=False)
                    else:
                        yield WordField(self.word)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    @property
    def typed_again(self) -> bool:
        return bool(self.amount_fen or self.word)

    def _question(self) -> str:
        return t("tenant.confirm.amount" if self.amount_fen else "tenant.confirm.word")

    @property
    def agrees(self) -> bool:
        if not self.typed_again:
            return True
        typed = self.query_one("#again", Input).value
        if self.word:
            return typed.strip() == self.word
        try:
            return parse_yuan(typed) == self.amount_fen
        except BadAmount:
            return False

    def _verdict(self) -> Content:
        wanted = self.word or yuan_text(self.amount_fen)
        if self.agrees:
            return painted(t("tenant.confirm.press_y"), "good")
        if self.query_one("#again", Input).value:
            return painted(t("tenant.confirm.differs", wanted=wanted), "alarm1")
        return Content(t("tenant.confirm.nothing_yet"))

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one("#verdict", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return self.agrees if action == "confirm" else True

    def action_turn_page(self, pages: int) -> None:
        """Where there is more to be read than fits."""
        box = self.query_one(Box)
        box.scroll_relative(y=pages * max(1, box.size.height - 1), animate=False)

    def action_confirm(self) -> None:
        self.dismiss(True)

    def action_back(self) -> None:
        self.dismiss(False)
