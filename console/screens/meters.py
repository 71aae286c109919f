"""The live table of all meters: look, filter, sort, mark, and go on to one of them."""

from collections import Counter
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content

from console.keys import bindings
from console.live import News
from console.reading import read_now
from console.screens.pick import Choice, PickScreen
from console.screens.sifted_place import SiftedPlace
from console.widgets.line_table import LineTable
from console.widgets.meter_table import MeterTable
from console.widgets.said import painted
from console.widgets.search import SearchInput
from console.words import STATE_STYLES
from engine.i18n import t
from models.enums import MeterState

SHOWN_STATES = tuple(reversed(MeterState))  # normal first


class MetersScreen(SiftedPlace):
    NAME = "meters"
    BINDINGS: ClassVar[list[BindingType]] = bindings("meters")
    AUTO_FOCUS = "MeterTable"

    def make_table(self) -> MeterTable:
        return MeterTable(self.app.config.collection.interval_s)

    @property
    def table(self) -> MeterTable:
        return self.query_one(MeterTable)

    def counts(self) -> Content:
        if not self.app.news.loaded:
            return Content(f" {t('screen.head.loading')}")
        found = Counter(row.state for row in self.app.meters.values())
        parts = [
            painted(f" {t(f'state.{state}')}:{found[state]}", STATE_STYLES[state])
            for state in SHOWN_STATES
        ]
        return Content.assemble(*parts)

    def wanted(self) -> list[str]:
        wanted = self.table.filter
        parts = [t(f"state.{wanted.state}")] if wanted.state else []
        if wanted.line:
            parts.append(t("screen.meters.line", line=wanted.line))
        if wanted.gateway:
            parts.append(wanted.gateway)
        return parts

    def on_mount(self) -> None:
        super().on_mount()
        self._take_all()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self._take_all()

    def _take_all(self) -> None:
        self.table.take(self.app.meters.values())
        self.renew()

    def hear(self, news: News) -> None:
        super().hear(news)
        if news.rows:  # the first time all of them: the screen may be younger than the news
            self.table.take(news.rows if self.table.all else self.app.meters.values())
        self.table.drop(news.gone)
        self.renew()

    def tick(self) -> None:
        super().tick()
        self.table.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "clear":
            return bool(self.table.filter.active or self.table.marked)
        if action in {"sell", "read", "take_out", "control"}:
            return self.table.current is not None
        return True

    def action_clear(self) -> None:
        """Take marks away first, then the filter."""
        if self.table.marked:
            self.table.action_mark_none()
            self.renew()
            self.refresh_bindings()
            return
        self.query_one(SearchInput).value = ""
        self.sift(typed="", state=None, line=None, gateway=None)

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
                self.sift(**{part: choice.value})

        self.app.push_screen(PickScreen(title, choices), picked)

    def show_only(
        self, *, line: str | None = None, gateway: str | None = None, typed: str = ""
    ) -> None:
        """From another place: the meters of one line or gateway, or what the search finds."""
        self.query_one(SearchInput).value = typed
        self.table.sift(typed=typed, state=None, line=line, gateway=gateway)
        self.renew()

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

    def action_control(self, verb: str) -> None:
        from console.screens.control_verbs import (  # noqa: PLC0415 (loaded when first gone to)
            start,
        )

        if (row := self.table.current) is not None:
            start(self, verb, row)

    def action_batch(self) -> None:
        """The marked ones, hidden ones included; else what the filter shows; else all, if asked."""
        from console.screens import batch_verbs  # noqa: PLC0415 (loaded when first gone to)

        table, of = self.table, len(self.table.all)
        if table.marked:
            chosen = batch_verbs.of_rows("marked", table.chosen, of=of)
        elif table.filter.active:
            chosen = batch_verbs.of_rows("filter", table.rows, of=of)
        else:
            chosen = batch_verbs.everything(of)
        batch_verbs.begin(self, chosen)

    def action_exchange(self) -> None:
        from console.screens.exchange_begin import (  # noqa: PLC0415 (loaded when first gone to)
            open_exchange,
        )

        if (row := self.table.current) is not None:
            open_exchange(self, row)


def _state_and_number(state: MeterState, number: int) -> str:
    return f"{t(f'state.{state}')}  {number}"
