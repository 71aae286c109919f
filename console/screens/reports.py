"""报表中心: which reports there are; Enter shows one."""

from collections.abc import Callable, Hashable, Sequence

from textual import on

from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine.i18n import t
from engine.reports.registry import REPORTS


class ReportsScreen(ListPlace[str]):
    NAME = "reports"

    def columns(self) -> Sequence[Column[str]]:
        return (
            Column("report", width(18), lambda name: Cell(t(f"report.title.{name}"), "strong")),
            Column(
                "contents",
                width(60),
                lambda name: Cell(t(f"report.about.{name}")),
                shrinks=True,
            ),
        )

    def fetch(self) -> Callable[[], Sequence[str]]:
        return lambda: list(REPORTS)

    def key_of(self, row: str) -> Hashable:
        return row

    def summary(self) -> str:
        return f" {t('report.hint')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.report import ReportScreen  # noqa: PLC0415 (loaded when gone to)

        if self.table.current is not None:
            self.app.push_screen(ReportScreen(self.table.current))
