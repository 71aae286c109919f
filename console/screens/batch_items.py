"""The meters of a batch and what became of each; those that failed first."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import batch_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from engine.i18n import t
from engine.views import batches as views
from engine.views.batches import Item
from models.enums import ItemState

ALL = ""
ORDER = (
    ItemState.UNKNOWN, ItemState.REFUSED, ItemState.QUEUED, ItemState.WAITING, ItemState.APPLIED,
    ItemState.SKIPPED,
)  # fmt: skip


class BatchItemsScreen(ListPlace[Item]):
    NAME = "batch_items"
    BINDINGS: ClassVar[list[BindingType]] = bindings("batch_items")

    def __init__(self, batch_id: int, line: str = "") -> None:
        super().__init__()
        self.batch_id, self.line = batch_id, line
        self.showing: str = ALL
        self.items: Sequence[Item] = ()

    def title_text(self) -> str:
        return f"{t('batch.items.title', batch=self.batch_id)} {self.line}".rstrip()

    def columns(self) -> Sequence[Column[Item]]:
        def column(name: str, cells: int) -> Column[Item]:
            return Column(name, width(cells), partial(_text, name), titles="batch.column")

        return (
            Column("result", _state_width, _state, titles="batch.column"),
            column("serial", 12),
            column("shop", 8),
            column("tenant", 10),
            column("line", 5),
            Column(
                "why", width(70), lambda row: Cell(batch_words.what_became(row)),
                titles="batch.column", shrinks=True,
            ),
        )  # fmt: skip

    def fetch(self) -> Callable[[], Sequence[Item]]:
        batch_id, line = self.batch_id, self.line

        def found() -> Sequence[Item]:
            rows = [row for row in views.items(batch_id) if line in ("", row.line)]
            return sorted(rows, key=lambda row: ORDER.index(row.state))

        return found

    def take(self, rows: Sequence[Item]) -> None:
        self.items = rows
        super().take([row for row in rows if self.showing in (ALL, row.state)])

    def key_of(self, row: Item) -> Hashable:
        return row.item

    def summary(self) -> str:
        found = Counter(row.state for row in self.items)
        names = [(ALL, t("batch.plan.all"), len(self.items))]
        names += [(state, t(f"plan.item.{state}"), found[state]) for state in ORDER if found[state]]
        return "".join(
            f"[{word} {number}]" if name == self.showing else f" {word} {number} "
            for name, word, number in names
        )

    def action_turn(self, by: int) -> None:
        found = {row.state for row in self.items}
        there = [ALL, *(state for state in ORDER if state in found)]
        at = there.index(self.showing) if self.showing in there else 0
        self.showing = there[(at + by) % len(there)]
        self.table.show([row for row in self.items if self.showing in (ALL, row.state)])
        self.query_one("#summary", Said).say_again()

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        row = self.table.current
        if row is not None and row.meter_id in self.app.meters:
            self.app.push_screen(MeterScreen(row.meter_id))


def _state(row: Item) -> Cell:
    return Cell(t(f"plan.item.{row.state}"), batch_words.ITEM_STYLES[row.state])


def _state_width() -> int:
    return words.widest(t(f"plan.item.{state}") for state in ItemState)


def _text(name: str, row: Item) -> Cell:
    return Cell(getattr(row, name) or "")
