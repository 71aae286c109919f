"""售电管理: the latest money commands and what became of each."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens.command_columns import AMOUNT, KIND, OUTCOME, REASON, SERIAL, SHOP, TENANT
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine.i18n import t
from engine.views import sales
from engine.views.sales import Sale


def _pay(row: Sale) -> Cell:
    return Cell(t(f"screen.pay.{row.pay}") if row.pay else words.NOTHING)


class SalesScreen(ListPlace[Sale]):
    NAME = "sales"
    EMPTY = "screen.sales.none"
    FIXED = 2
    BINDINGS: ClassVar[list[BindingType]] = bindings("sales")

    def columns(self) -> Sequence[Column[Sale]]:
        zone = self.app.config.site.zone
        return (
            Column("time", width(14), lambda row: Cell(words.moment(row.created_at, zone))),
            KIND,
            OUTCOME,
            AMOUNT,
            TENANT,
            SHOP,
            Column("pay", width(8), _pay),
            SERIAL,
            Column("operator", width(10), lambda row: Cell(row.operator or words.NOTHING)),
            Column("receipt", width(16), lambda row: Cell(row.receipt or words.NOTHING)),
            REASON,
        )

    def fetch(self) -> Callable[[], Sequence[Sale]]:
        return sales.latest

    def key_of(self, row: Sale) -> Hashable:
        return row.command

    def summary(self) -> str:
        return f" {t('screen.sales.later')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        """The sale's ticks and receipt again."""
        from console.screens.sale import SaleScreen  # noqa: PLC0415 (loaded when first gone to)

        sale = self.table.current
        if sale is not None:
            self.app.push_screen(SaleScreen(sale.command, sale))

    def action_reprint(self) -> None:
        from console.screens.sale import reprint  # noqa: PLC0415 (loaded when first gone to)

        if (sale := self.table.current) is not None:
            reprint(self, sale.command, lambda: None)
