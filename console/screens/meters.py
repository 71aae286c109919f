"""The live table of all meters: look, filter, sort, mark, and go on to one of them."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.keys import bindings
from console.live import News
from console.reading import read_now
from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.widgets.line_table import LineTable
from console.widgets.meter_table import MeterTable
from console.widgets.said import Said, painted
from console.widgets.search import SearchInput
from console.words import STATE_STYLES
from engine.i18n import t
from models.enums import MeterState

SHOWN_STATES = tuple(reversed(MeterState))  # normal first


class MetersScreen(Place):
    NAME = "meters"
    BINDINGS: ClassVar[list[BindingType]] = bindings("meters")
    AUTO_FOCUS = "MeterTable"

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="counts"):
            yield Said(self._counts, id="states")
            yield Said(self._place, id="where")
        with Horizontal(id="search-line"):
            yield Said(lambda: f" {t('screen.meters.search')} ", id="search-label")
            yield SearchInput(id="search")
            yield Said(self._filter, id="filter")
        yield MeterTable(self.app.config.collection.interval_s)

    @property
    def table(self) -> MeterTable:
        return self.query_one(MeterTable)

    def _counts(self) -> Content:
        if not self.app.news.loaded:
            return Content(f" {t('screen.head.loading')}")
        found = Counter(row.state for row in self.app.meters.values())
        parts = [
            painted(f" {t(f'state.{state}')}:{found[state]}", STATE_STYLES[state])
            for state in SHOWN_STATES
        ]
        return Content.assemble(*parts)

    def _place(self) -> Content:
        table = self.table
        here = f"{min(table.cursor + 1, len(table.rows))}/{len(table.rows)} "
        if not table.marked:
            return Content(here)
        marked = Content.styled(t("screen.meters.marked", number=len(table.marked)), "reverse")
        return Content.assemble(marked, f" {here}")

    def _filter(self) -> str:
        wanted = self.table.filter
        parts = [t(f"state.{wanted.state}")] if wanted.state else []
        if wanted.line:
            parts.append(t("screen.meters.line", line=wanted.line))
        if wanted.gateway:
            parts.append(wanted.gateway)
        shown = t("screen.meters.shown", shown=len(self.table.rows), all=len(self.table.all))
        return " | ".join([*parts, shown]) + " "

    def _renew(self) -> None:
        self.query_one("#states", Said).say_again()
        self.query_one("#where", Said).say_again()
        self.query_one("#filter", Said).say_again()
        typing = self.query_one(SearchInput).has_focus
        self.query_one("#search-line").display = self.table.filter.active or typing

    def on_mount(self) -> None:
        super().on_mount()
        self._take_all()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self._take_all()

    def _take_all(self) -> None:
        self.table.take(self.app.meters.values())
        self._renew()

    def hear(self, news: News) -> None:
        super().hear(news)
        if news.rows:  # the first time all of them: the screen may be younger than the news
            self.table.take(news.rows if self.table.all else self.app.meters.values())
        self.table.drop(news.gone)
        self._renew()

    def tick(self) -> None:
        super().tick()
        self.table.repaint()

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self._renew()
        self.refresh_bindings()

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self.table.sift(typed=event.value)
        self._renew()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "clear":
            return bool(self.table.filter.active or self.table.marked)
        if action in {"sell", "read", "take_out"}:
            return self.table.current is not None
        return True

    def action_search(self) -> None:
        """The focus moves at once: what is typed ahead must not reach the keys of the table."""
        self.query_one("#search-line").display = True
        self.set_focus(self.query_one(SearchInput))

    def action_clear(self) -> None:
        """Take marks away first, then the filter."""
        if self.table.marked:
            self.table.action_mark_none()
        else:
            self.query_one(SearchInput).value = ""
            self.table.sift(typed="", state=None, line=None, gateway=None)
        self._renew()
        self.refresh_bindings()

    def action_by_state(self) -> None:
        found = Counter(row.state for row in self.app.meters.values())
        choices = [Choice(None, partial(t, "screen.meters.all_states"))] + [
            Choice(state, partial(_state_and_number, state, found[state])) for state in MeterState
        ]
        self._pick("screen.meters.by_state", choices, "state")

    def action_by_line(self) -> None:
        found = Counter((row.line, row.gateway) for row in self.app.meters.values())
        choices = [Choice(None, partial(t, "screen.meters.all_lines"))] + [
            Choice(line, partial(str, f"{line}  {gateway}  {number}"))
            for (line, gateway), number in sorted(found.items())
        ]
        self._pick("screen.meters.by_line", choices, "line")

    def _pick(self, title: str, choices: list[Choice], part: str) -> None:
        def picked(choice: Choice | None) -> None:
            if choice is not None:
                self.table.sift(**{part: choice.value})
                self._renew()
                self.refresh_bindings()

        self.app.push_screen(PickScreen(title, choices), picked)

    def show_only(
        self, *, line: str | None = None, gateway: str | None = None, typed: str = ""
    ) -> None:
        """From another place: the meters of one line or gateway, or what the search finds."""
        self.query_one(SearchInput).value = typed
        self.table.sift(typed=typed, state=None, line=line, gateway=gateway)
        self._renew()

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

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        if (row := self.table.current) is not None:
            self.app.push_screen(MeterScreen(row.meter_id))

    def action_sell(self) -> None:
        from console.screens.sell import open_sale  # noqa: PLC0415 (loaded when first gone to)

        if (row := self.table.current) is not None:
            open_sale(self, row)

    def action_take_out(self, verb: str) -> None:
        from console.screens.take_out import start  # noqa: PLC0415 (loaded when first gone to)

        if (row := self.table.current) is not None:
            start(self, verb, row)

    def action_read(self) -> None:
        read_now(self, self.table.chosen)

    def action_exchange(self) -> None:
        from console.screens.exchange_begin import (  # noqa: PLC0415 (loaded when first gone to)
            open_exchange,
        )

        if (row := self.table.current) is not None:
            open_exchange(self, row)


def _state_and_number(state: MeterState, number: int) -> str:
    return f"{t(f'state.{state}')}  {number}"
