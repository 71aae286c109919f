"""The one question before money moves: what was taken? Typed again, then y. Enter never sells."""

from dataclasses import dataclass
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
from engine.domain.errors import BadAmount
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.views.meters import MeterRow
from models.enums import PayKind


@dataclass(frozen=True)
class SaleFacts:
    """What is about to be sold."""

    row: MeterRow
    paid_fen: int
    credit_fen: int
    fee_fen: int
    pay: PayKind

    @property
    def balance_after_fen(self) -> int | None:
        balance_fen = self.row.balance_fen
        return None if balance_fen is None else balance_fen + self.credit_fen


class ConfirmSaleScreen(Dialog[bool]):
    """True only if the amount was typed again and `y` pressed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")
    AUTO_FOCUS = "#again"

    def __init__(self, facts: SaleFacts) -> None:
        super().__init__()
        self.facts = facts

    def compose(self) -> ComposeResult:
        with Vertical(classes="box question"):
            yield Said(lambda: Content.styled(t("screen.confirm.title"), "bold"))
            yield Said(self._named)
            with Horizontal(classes="field"):
                yield Said(self._question, classes="label wide")
                yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    def _named(self) -> str:
        facts = self.facts
        return t(
            "screen.confirm.facts",
            tenant=facts.row.tenant or words.NOTHING,
            shop=facts.row.shop or words.NOTHING,
            serial=facts.row.serial,
            paid=yuan_text(facts.paid_fen),
            pay=t(f"screen.pay.{facts.pay}"),
            credit=yuan_text(facts.credit_fen),
            before=words.yuan(facts.row.balance_fen),
            after=words.yuan(facts.balance_after_fen),
        )

    def _question(self) -> str:
        return t("screen.confirm.question")

    @property
    def agrees(self) -> bool:
        """What was typed again is the amount."""
        try:
            return parse_yuan(self.query_one("#again", Input).value) == self.facts.paid_fen
        except BadAmount:
            return False

    def _verdict(self) -> Content:
        if self.agrees:
            return painted(t("screen.confirm.press_y", paid=yuan_text(self.facts.paid_fen)), "good")
        if self.query_one("#again", Input).value:
            return painted(
                t("screen.confirm.differs", paid=yuan_text(self.facts.paid_fen)), "alarm1"
            )
        return Content(t("screen.confirm.type_it"))

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
