"""报表中心: says what is not there yet."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from console.keys import bindings
from console.screens.place import Place
from console.widgets.said import Said
from engine.i18n import t


class ReportsScreen(Place):
    NAME = "reports"
    BINDINGS: ClassVar[list[BindingType]] = bindings("page")

    def body(self) -> Iterable[Widget]:
        yield Said(lambda: t("screen.reports.later"), classes="page")
