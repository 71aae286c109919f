"""Where the new meter hangs, and its model, where that is not what the books say."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.field import Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said
from engine.i18n import t
from engine.services.exchanges import Naming

FIELDS = ("line", "address", "model")


class NewPlaceScreen(Dialog[Naming]):
    """The same number at another place; an empty field is what the books say."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("exchange_form")
    AUTO_FOCUS = "#line"

    def __init__(self, naming: Naming) -> None:
        super().__init__()
        self.naming = naming

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield from self._parts()
        yield KeyLine()

    def _parts(self) -> Iterator[Widget]:
        yield Said(lambda: Content.styled(t("exchange.elsewhere.title"), "bold"))
        yield Said(lambda: t("exchange.elsewhere.what"))
        for name in FIELDS:
            value = getattr(self.naming, name)
            with Horizontal(classes="field"):
                yield Said(partial(t, f"exchange.elsewhere.{name}"), classes="label")
                yield Field(
                    "" if value is None else str(value),
                    id=name,
                    restrict="[0-9]*" if name == "address" else None,
                )

    @on(Input.Submitted)
    def action_next(self) -> None:
        line, address, model = (self.query_one(f"#{name}", Input).value.strip() for name in FIELDS)
        self.dismiss(
            Naming(
                self.naming.serial,
                model=model or None,
                line=line or None,
                address=int(address) if address else None,
            )
        )

    def action_back(self) -> None:
        self.dismiss(self.naming)
