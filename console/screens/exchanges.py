"""Meter exchanges that are under way: each can be gone on with."""

from collections.abc import Callable, Hashable, Sequence

from textual import on

from console import words
from console.exchange_words import step_word
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.views import exchanges
from engine.views.exchanges import STEPS, ExchangeRow


class ExchangesScreen(ListPlace[ExchangeRow]):
    NAME = "exchanges"
    EMPTY = "exchange.none"
    FIXED = 2

    def columns(self) -> Sequence[Column[ExchangeRow]]:
        return (
            Column("shop", width(9), lambda row: Cell(row.shop, "strong")),
            Column(
                "step",
                lambda: words.widest(map(step_word, STEPS)),
                lambda row: Cell(step_word(row.step)),
            ),
            Column("old_meter", width(12), lambda row: Cell(row.old)),
            Column("new_meter", width(12), lambda row: Cell(row.new or words.NOTHING)),
            Column(
                "waiting",
                width(6),
                lambda row: Cell(words.age(row.started_at, clock.now())),
                right=True,
            ),
            Column("tenant", width(20), lambda row: Cell(row.tenant or ""), shrinks=True),
        )

    def fetch(self) -> Callable[[], Sequence[ExchangeRow]]:
        return exchanges.open_ones

    def key_of(self, row: ExchangeRow) -> Hashable:
        return row.exchange

    def summary(self) -> str:
        return f" {t('exchange.explained')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.exchange import (  # noqa: PLC0415 (loaded when first gone to)
            ExchangeScreen,
        )

        if self.table.current is not None:
            self.app.push_screen(ExchangeScreen(self.table.current.exchange))
