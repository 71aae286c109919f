"""The one question before a shift closes: how much cash? Typed again, then y."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from console import words
from console.keys import bindings
from console.screens.type_again import TypeAgainScreen
from console.widgets.again import amount_again
from console.widgets.said import painted
from engine.domain.counting import parse_counted
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.views.shifts import KindLine
from models.enums import PayKind

Counted = tuple[KindLine, int]


class ConfirmCloseScreen(TypeAgainScreen):
    """The first count is typed again."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm_close")

    def __init__(
        self, operator: str, lines: Sequence[Counted], waiting: int, heir: str | None
    ) -> None:
        self.operator, self.lines, self.waiting, self.heir = operator, list(lines), waiting, heir
        cash = [each for each in self.lines if each[0].pay is PayKind.CASH]
        self.asked, self.asked_fen = (cash or self.lines)[0]
        pay, question = self.asked.pay, "shift.screen.confirm_question"
        again = amount_again(question, self.asked_fen, lambda typed: parse_counted(typed, pay))
        super().__init__(again)

    def heading(self) -> str:
        return t("shift.screen.confirm_title", operator=self.operator)

    def facts(self) -> Content:
        kinds = [(t(f"screen.pay.{line.pay}"), line, fen) for line, fen in self.lines]
        wide = words.widest(name for name, _, _ in kinds)
        lines = [self._line(words.pad(name, wide), line, fen) for name, line, fen in kinds]
        if self.heir is not None:
            text = t("shift.screen.confirm_handed", number=self.waiting, operator=self.heir)
            lines.append(Content(text))
        return Content("\n").join(lines)

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

    def question(self) -> str:
        return t("shift.screen.confirm_question", pay=t(f"screen.pay.{self.asked.pay}"))

    def press_y(self) -> str:
        return t("shift.screen.press_y")

    def differs(self) -> str:
        return t("shift.screen.differs", counted=yuan_text(self.asked_fen))

    def nothing_yet(self) -> str:
        return t("shift.screen.type_it")
