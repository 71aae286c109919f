"""The line above a table where typing filters at once and can trigger nothing else."""

from typing import ClassVar

from textual.binding import BindingType

from console.keys import bindings
from console.widgets.field import Field
from console.widgets.line_table import LineTable


class SearchInput(Field):
    """Enter goes back to the table, Escape takes what was typed away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("search")

    def action_done(self) -> None:
        self.screen.query_one(LineTable).focus()

    def action_give_up(self) -> None:
        self.value = ""
        self.action_done()
