"""One report of one day, with its totals; the days before and after are a key away."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import BindingType

from console import report_cells
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.reports import table as tables
from engine.reports.period import Period
from engine.reports.registry import REPORTS

Numbered = tuple[int, tuple[tables.Cell, ...]]  # a row and its place, which is its key
WIDE = {"tenant": 14, "serial": 12, "shop": 8, "tenant_number": 6, "day": 10}
MOMENT, MONEY, OTHER = 16, 10, 6


class ReportScreen(ListPlace[Numbered]):
    NAME = "report"
    BINDINGS: ClassVar[list[BindingType]] = bindings("report")
    EMPTY = "report.empty"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.report_name = name
        self.report = REPORTS[name]
        self.shown: tables.Table | None = None
        self.ahead = 0  # days from today: never more than 0

    @property
    def now(self) -> dt.datetime:
        return clock.now().astimezone(self.app.config.site.zone)

    @property
    def day(self) -> dt.date:
        return self.now.date() + dt.timedelta(days=self.ahead)

    def title_text(self) -> str:
        return t(f"report.title.{self.report_name}")

    def columns(self) -> Sequence[Column[Numbered]]:
        """The day stands above the table already."""
        return [
            self._column(place, name)
            for place, name in enumerate(self.report.columns)
            if name != "day"
        ]

    def _column(self, place: int, name: str) -> Column[Numbered]:
        def cell(row: Numbered) -> Cell:
            text = report_cells.text(name, row[1][place], self.app.config.site.zone)
            value = row[1][place]
            below = isinstance(value, int) and value < 0
            return Cell(text, "bad" if below else "")

        def wide() -> int:
            least = WIDE.get(name, OTHER)
            if name.endswith("_at"):
                least = MOMENT
            elif name.endswith("_fen"):
                least = MONEY
            return max(least, cell_len(t(f"report.column.{name}")))

        return Column(
            name,
            wide,
            cell,
            right=report_cells.is_number(name),
            titles="report.column",
        )

    def fetch(self) -> Callable[[], Sequence[Numbered]]:
        period = Period(self.day, self.day, self.now)

        def make() -> Sequence[Numbered]:
            self.shown = self.report.make(period)
            return list(enumerate(self.shown.rows))

        return make

    def key_of(self, row: Numbered) -> Hashable:
        return row[0]

    def summary(self) -> str:
        """The day, how many rows, and what they come to."""
        if self.shown is None:
            return ""
        zone = self.app.config.site.zone
        parts = [t("report.rows", number=len(self.shown.rows))]
        parts += [
            f"{t(f'report.column.{name}')} {report_cells.text(name, total, zone)}"
            for name, total in self.shown.totals.items()
            if total or name == "total_fen"
        ]
        if self.report.daily:
            parts.insert(0, self.day.isoformat())
        return " " + "  ".join(parts)

    @on(LineTable.Chosen)
    def _open(self) -> None:
        """The meter that the row is about."""
        from console.screens.meter import MeterScreen  # noqa: PLC0415 (loaded when gone to)

        if self.table.current is None or "serial" not in self.report.columns:
            return
        serial = self.table.current[1][self.report.columns.index("serial")]
        for row in self.app.meters.values():
            if row.serial == serial:
                self.app.push_screen(MeterScreen(row.meter_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "day":
            return self.report.daily and not (parameters == (1,) and self.ahead == 0)
        return True

    def action_day(self, step: int) -> None:
        self.ahead = min(0, self.ahead + step)
        self.refresh_bindings()
        self.renew()
