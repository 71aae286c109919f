"""A place that is one big table: counts above it, a search line, filters and an order to pick."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from console.widgets.search import SearchInput
from console.widgets.sifted_table import SiftedTable
from engine.i18n import t


class SiftedPlace(Place):
    """Subclasses make the table and say the line above it."""

    def make_table(self) -> SiftedTable[Any]:
        raise NotImplementedError

    def counts(self) -> Content:
        raise NotImplementedError

    def wanted(self) -> list[str]:
        """What the filter lets through, in words."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="counts"):
            yield Said(self.counts, id="states")
            yield Said(self.here, id="where")
        with Horizontal(id="search-line"):
            yield Said(lambda: f" {t('screen.meters.search')} ", id="search-label")
            yield SearchInput(id="search")
            yield Said(self._filter, id="filter")
        yield self.make_table()

    @property
    def table(self) -> SiftedTable[Any]:
        return self.query_one(SiftedTable)

    def here(self) -> Content:
        table = self.table
        here = f"{min(table.cursor + 1, len(table.rows))}/{len(table.rows)} "
        if not table.marked:
            return Content(here)
        marked = Content.styled(t("screen.meters.marked", number=len(table.marked)), "reverse")
        return Content.assemble(marked, f" {here}")

    def _filter(self) -> str:
        shown = t("screen.meters.shown", shown=len(self.table.rows), all=len(self.table.all))
        return " | ".join([*self.wanted(), shown]) + " "

    def renew(self) -> None:
        """What stands above the table."""
        for name in ("#states", "#where", "#filter"):
            self.query_one(name, Said).say_again()
        typing = self.query_one(SearchInput).has_focus
        self.query_one("#search-line").display = self.table.filter.active or typing

    def sift(self, **wanted: Any) -> None:
        self.table.sift(**wanted)
        self.renew()
        self.refresh_bindings()

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.renew()
        self.refresh_bindings()

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self.table.sift(typed=event.value)
        self.renew()

    def action_search(self) -> None:
        """The focus moves at once: what is typed ahead must not reach the keys of the table."""
        self.query_one("#search-line").display = True
        self.set_focus(self.query_one(SearchInput))

    def action_sort(self) -> None:
        def picked(choice: Choice | None) -> None:
            if choice is not None:
                self.table.sort_by(str(choice.value), falling=False)

        choices = [
            Choice(column.name, partial(t, f"screen.column.{column.name}"))
            for column in self.table.columns
            if column.sort is not None
        ]
        self.app.push_screen(PickScreen("screen.meters.sort_by", choices), picked)

    def action_turn_sort(self) -> None:
        name, falling = self.table.sorted_by
        self.table.sort_by(name, falling=not falling)
