"""电价方案: what each costs now, what comes next, and how many meters have it."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said, painted
from engine import clock
from engine.domain.measurement import RATES
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import price_text
from engine.domain.tariff_steps import plain
from engine.i18n import t
from engine.services import calendars
from engine.views import price_changes
from engine.views import tariffs as views
from engine.views.tariffs import Overview, VersionRow

WIDE = 10  # yuan/kWh: from here on without needless zeros, to be in sight whole
KIND_STYLES = {"workday": "", "weekend": "alarm1", "holiday": "good"}


class Found(list[Overview]):
    """The tariffs, with the calendar and the number of differences that nobody has settled."""

    def __init__(self, rows: Iterable[Overview], calendar: Calendar, unsettled: int) -> None:
        super().__init__(rows)
        self.calendar, self.unsettled = calendar, unsettled


def _find(today: dt.date) -> Found:
    unsettled = len(price_changes.changes(only_open=True))
    return Found(views.overviews(today), calendars.calendar(), unsettled)


class TariffsScreen(ListPlace[Overview]):
    NAME = "tariffs"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tariffs")
    EMPTY = "prices.none"

    def __init__(self) -> None:
        super().__init__()
        self.found: Found | None = None

    def body(self) -> Iterable[Widget]:
        yield Said(self._today, classes="head")
        yield Said(self.summary, id="summary")
        yield LineTable(self.columns(), self.key_of, fixed=1, empty=self.EMPTY)

    def columns(self) -> Sequence[Column[Overview]]:
        def column(
            name: str,
            cells: Callable[[], int],
            cell: Callable[[Overview], Cell],
            *,
            right: bool = False,
        ) -> Column[Overview]:
            return Column(name, cells, cell, titles="prices.column", right=right)

        prices = [
            column(rate, width(6), partial(_price, at), right=True) for at, rate in enumerate(RATES)
        ]
        return (
            column("tariff", width(10), lambda row: Cell(row.name, "strong")),
            column("since", width(8), lambda row: _since(row.in_force)),
            *prices,
            column("tou", width(4), lambda row: _yes(row.in_force, "schedule")),
            column("steps", width(5), lambda row: _yes(row.in_force, "steps")),
            column("next", width(8), lambda row: _since(row.next)),
            column("meters", width(4), lambda row: Cell(str(row.meters)), right=True),
        )

    def fetch(self) -> Callable[[], Sequence[Overview]]:
        today = self.today
        return lambda: _find(today)

    @property
    def today(self) -> dt.date:
        return clock.now().astimezone(self.app.config.site.zone).date()

    def take(self, rows: Sequence[Overview]) -> None:
        assert isinstance(rows, Found)
        self.found = rows
        super().take(rows)
        self.query_one(".head", Said).say_again()

    def key_of(self, row: Overview) -> Hashable:
        return row.name

    def _today(self) -> Content:
        if self.found is None:
            return Content(t("screen.head.loading"))
        return today_line(self.today, self.found.calendar)

    def summary(self) -> str:
        if self.found is None:
            return ""
        return f" {t('prices.counts', number=len(self.found), unsettled=self.found.unsettled)}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.tariff import TariffScreen  # noqa: PLC0415 (loaded when gone to)

        if (row := self.table.current) is not None:
            self.app.push_screen(TariffScreen(row.name))

    def action_new(self) -> None:
        from console.screens.tariff_forms import open_publish  # noqa: PLC0415 (loaded when gone to)

        open_publish(self, None, self.renew)

    def action_days(self) -> None:
        from console.screens.special_days import (  # noqa: PLC0415 (loaded when first gone to)
            SpecialDaysScreen,
        )

        self.app.push_screen(SpecialDaysScreen())

    def action_changes(self) -> None:
        from console.screens.price_changes import (  # noqa: PLC0415 (loaded when first gone to)
            PriceChangesScreen,
        )

        self.app.push_screen(PriceChangesScreen())


def today_line(today: dt.date, calendar: Calendar) -> Content:
    """`今天 2026-11-23 周一：工作日`."""
    kind = calendar.day_kind(today)
    weekday = t(f"prices.weekday.{today.weekday()}")
    said = t("prices.today", day=today.isoformat(), weekday=weekday)
    return Content.assemble(said, painted(t(f"tariff.kind.{kind}"), KIND_STYLES[kind]))


def _price(place: int, row: Overview) -> Cell:
    if row.in_force is None:
        return Cell(words.NOTHING)
    price = row.in_force.prices[place]
    return Cell(price_text(price) if price < WIDE else plain(price))


def _since(version: VersionRow | None) -> Cell:
    return Cell(version.valid_from[2:] if version else words.NOTHING)


def _yes(version: VersionRow | None, name: str) -> Cell:
    has = version is not None and bool(getattr(version, name))
    return Cell(t("prices.yes") if has else words.NOTHING)
