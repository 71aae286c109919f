"""批量操作: every batch, the newest first; Enter shows how far it is, or what came of it."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial

from textual import on

from console import batch_words, words
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine.i18n import t
from engine.views import batches as views
from engine.views.batches import BatchRow

SHOWN = 200
SHORT = {"fail": ("failed", "bad"), "unkn": ("unknown", "alarm2")}


class BatchesScreen(ListPlace[BatchRow]):
    NAME = "batches"
    EMPTY = "batch.list.empty"
    FIXED = 2

    def columns(self) -> Sequence[Column[BatchRow]]:
        def column(name: str, cells: int, say: Callable[[BatchRow], str]) -> Column[BatchRow]:
            return Column(name, width(cells), lambda row: Cell(say(row)), titles="batch.column")

        def number(name: str) -> Column[BatchRow]:
            cell = partial(_number, name)
            return Column(name, width(4), cell, titles="batch.column", right=True)

        return (
            Column("id", width(4), lambda row: Cell(str(row.batch)), titles="batch.column",
                   right=True),
            Column("verb", batch_words.verb_width, lambda row: Cell(batch_words.verb(row.verb),
                   "strong"), titles="batch.column"),
            Column("state", _state_width, _state, titles="batch.column"),
            Column("done_of", width(7), lambda row: Cell(f"{row.done}/{row.total}"),
                   titles="batch.column", right=True),
            *(number(name) for name in SHORT),
            column("begun", 11, self._begun),
            column("who", 10, batch_words.who),
            Column("why", width(40), lambda row: Cell(row.why), titles="batch.column",
                   shrinks=True),
        )  # fmt: skip

    def fetch(self) -> Callable[[], Sequence[BatchRow]]:
        return partial(views.list_batches, SHOWN)

    def _begun(self, row: BatchRow) -> str:
        return f"{row.created_at.astimezone(self.app.config.site.zone):%m-%d %H:%M}"

    def key_of(self, row: BatchRow) -> Hashable:
        return row.batch

    def summary(self) -> str:
        return f" {t('batch.list.explained')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.batch_progress import (  # noqa: PLC0415 (loaded when first gone to)
            ProgressScreen,
        )

        if self.table.current is not None:
            self.app.push_screen(ProgressScreen(self.table.current.batch))


def _state(row: BatchRow) -> Cell:
    return Cell(t(f"plan.state.{row.state}"), batch_words.STATE_STYLES[row.state])


def _state_width() -> int:
    return words.widest(t(f"plan.state.{state}") for state in batch_words.STATE_STYLES)


def _number(name: str, row: BatchRow) -> Cell:
    attribute, style = SHORT[name]
    found = getattr(row, attribute)
    return Cell(str(found), style if found else "dim")
