"""The tray: every money command whose outcome is not known, and money to be given back.

Empty is the goal.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens.command_columns import AMOUNT, OUTCOME, REASON, SERIAL, SHOP, TENANT
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.views import sales
from engine.views.sales import Sale


def _age(row: Sale) -> Cell:
    return Cell(words.age(row.created_at, clock.now()))


def _next(row: Sale) -> Cell:
    """When the meter is asked again by itself."""
    if row.next_check_at is None:
        return Cell(words.NOTHING)
    left = int((row.next_check_at - clock.now()).total_seconds())
    return Cell(t("screen.tray.in_s", seconds=left) if left > 0 else t("screen.tray.now"))


class TrayScreen(ListPlace[Sale]):
    NAME = "tray"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tray")
    EMPTY = "screen.tray.empty"
    FIXED = 2

    def columns(self) -> Sequence[Column[Sale]]:
        return (
            Column("waiting", width(6), _age, right=True),
            OUTCOME,
            AMOUNT,
            TENANT,
            SHOP,
            Column("next_check", width(10), _next),
            SERIAL,
            REASON,
        )

    def fetch(self) -> Callable[[], Sequence[Sale]]:
        returned = self.app.to_give_back
        return lambda: [*returned, *sales.undecided()]

    def key_of(self, row: Sale) -> Hashable:
        return row.command

    def summary(self) -> str:
        return f" {t('screen.tray.explained')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.sale import SaleScreen  # noqa: PLC0415 (loaded when first gone to)

        sale = self.table.current
        if sale is not None and (row := self.app.meters.get(sale.meter_id)):
            self.app.push_screen(SaleScreen(sale.command, row))
