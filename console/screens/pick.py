"""Pick one of a list: arrows, or type a part of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.columns import Cell, Column, width
from console.widgets.field import Field
from console.widgets.key_line import KeyLine
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from engine.i18n import t


@dataclass(frozen=True, eq=False)
class Choice:
    """A value and how it is called, asked for at every paint."""

    value: object
    label: Callable[[], str]


class PickScreen(Dialog[Choice]):
    """Ends with the choice, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("pick")
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.title_key = title
        self.choices = tuple(choices)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box list"):
            yield Said(lambda: t(self.title_key))
            yield Field()
            column: Column[Choice] = Column(
                "choice", width(60), lambda choice: Cell(choice.label())
            )
            yield LineTable([column], lambda choice: choice)
        yield KeyLine()

    @property
    def table(self) -> LineTable[Choice]:
        return self.query_one(LineTable)

    def on_mount(self) -> None:
        self.table.can_focus = False
        self.table.show(self.choices)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        words = event.value.casefold().split()
        self.table.show(
            [
                choice
                for choice in self.choices
                if all(word in choice.label().casefold() for word in words)
            ]
        )

    @on(Input.Submitted)
    def action_choose(self) -> None:
        if self.table.current is not None:
            self.dismiss(self.table.current)

    @on(LineTable.Chosen)
    def _chosen(self) -> None:
        self.action_choose()

    def action_up(self) -> None:
        self.table.action_up()

    def action_down(self) -> None:
        self.table.action_down()

    def action_back(self) -> None:
        self.dismiss(None)
