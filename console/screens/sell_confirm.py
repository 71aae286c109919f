"""The one question before money moves: what was taken? Typed again, then y. Enter never sells."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens.type_again import TypeAgainScreen
from console.widgets.again import amount_again
from engine.domain.units import yuan_text
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


class ConfirmSaleScreen(TypeAgainScreen):
    """What was paid is typed again."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")

    def __init__(self, sale: SaleFacts) -> None:
        super().__init__(amount_again("screen.confirm.question", sale.paid_fen))
        self.sale = sale

    def heading(self) -> str:
        return t("screen.confirm.title")

    def facts(self) -> str:
        sale = self.sale
        return t(
            "screen.confirm.facts",
            tenant=sale.row.tenant or words.NOTHING,
            shop=sale.row.shop or words.NOTHING,
            serial=sale.row.serial,
            paid=yuan_text(sale.paid_fen),
            pay=t(f"screen.pay.{sale.pay}"),
            credit=yuan_text(sale.credit_fen),
            before=words.yuan(sale.row.balance_fen),
            after=words.yuan(sale.balance_after_fen),
        )

    def press_y(self) -> str:
        return t("screen.confirm.press_y", paid=yuan_text(self.sale.paid_fen))

    def differs(self) -> str:
        return t("screen.confirm.differs", paid=yuan_text(self.sale.paid_fen))

    def nothing_yet(self) -> str:
        return t("screen.confirm.type_it")
