"""The one question before a shift closes: how much cash? Typed again, then y."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console import words
from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.field import AmountField
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from engine.domain.counting import parse_counted
from engine.domain.errors import BadAmount
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.views.shifts import KindLine
from models.enums import PayKind

Counted = tuple[KindLine, int]


class ConfirmCloseScreen(Dialog[bool]):
    """True only if the first count was typed again and `y` pressed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm_close")
    AUTO_FOCUS = "#again"

    def __init__(
        self, operator: str, lines: Sequence[Counted], waiting: int, heir: str | None
    ) -> None:
        super().__init__()
        self.operator, self.lines, self.waiting, self.heir = operator, list(lines), waiting, heir
        cash = [each for each in self.lines if each[0].pay is PayKind.CASH]
        self.asked, self.asked_fen = (cash or self.lines)[0]

    def compose(self) -> ComposeResult:
        with Vertical(classes="box question"):
            yield Said(self._named)
            with Horizontal(classes="field"):
                yield Said(self._question, classes="label wide")
                yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    def _named(self) -> Content:
        title = Content.styled(t("shift.screen.confirm_title", operator=self.operator), "bold")
        kinds = [(t(f"screen.pay.{line.pay}"), line, fen) for line, fen in self.lines]
        wide = words.widest(name for name, _, _ in kinds)
        lines = [self._line(words.pad(name, wide), line, fen) for name, line, fen in kinds]
        if self.heir is not None:
            text = t("shift.screen.confirm_handed", number=self.waiting, operator=self.heir)
            lines.append(Content(text))
        return Content("\n").join([title, *lines])

    def _line(self, name: str, line: KindLine, counted_fen: int) -> Content:
        difference_fen = counted_fen - line.expected_fen
        text = t(
            "shift.screen.confirm_kind",
            pay=name,
            expected=f"{yuan_text(line.expected_fen):>10}",
            counted=f"{yuan_text(counted_fen):>10}",
            difference=f"{yuan_text(difference_fen):>9}",
        )
        return painted(text, "bad" if difference_fen else "")

    def _question(self) -> str:
        return t("shift.screen.confirm_question", pay=t(f"screen.pay.{self.asked.pay}"))

    @property
    def agrees(self) -> bool:
        try:
            typed = parse_counted(self.query_one("#again", Input).value, self.asked.pay)
        except BadAmount:
            return False
        return typed == self.asked_fen

    def _verdict(self) -> Content:
        if self.agrees:
            return painted(t("shift.screen.press_y"), "good")
        if self.query_one("#again", Input).value:
            counted = yuan_text(self.asked_fen)
            return painted(t("shift.screen.differs", counted=counted), "alarm1")
        return Content(t("shift.screen.type_it"))

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
