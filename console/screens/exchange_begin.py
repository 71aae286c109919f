"""Begin a meter exchange (换表): why, then the number of the old meter once more."""

from collections.abc import Iterator
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console import words
from console.keys import bindings
from console.screens.exchange import ExchangeScreen, grouped
from console.screens.exchange_confirm import ConfirmExchangeScreen
from console.screens.place import Dialog, Speaks
from console.widgets.again import word_again
from console.widgets.field import Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine.domain.errors import DomainError, NoReason
from engine.i18n import t
from engine.services import exchanges
from engine.views.meters import MeterRow
from models.cases import Exchange

TYPED_DIGITS = 6  # of the meter's number, its last ones: a number cannot be taken for another


def open_exchange(screen: Speaks[None], row: MeterRow) -> None:
    """The checklist of this meter where one is open; else the question whether to begin."""

    def found(exchange: Exchange | None) -> None:
        if exchange is not None:
            screen.app.push_screen(ExchangeScreen(exchange.id))
        else:
            screen.app.push_screen(BeginExchangeScreen(row))

    ask(screen, lambda: exchanges.open_of(row.serial), found)


class BeginExchangeScreen(Dialog[None]):
    """The request id is made with the form: however often it is sent, one exchange begins."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("exchange_form")
    AUTO_FOCUS = "#why"

    def __init__(self, row: MeterRow) -> None:
        super().__init__()
        self.row = row
        self.request_id = uuid4().hex
        self.refusal: DomainError | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield from self._parts()
        yield KeyLine()

    def _parts(self) -> Iterator[Widget]:
        yield Said(lambda: Content.styled(t("exchange.begin.title"), "bold"))
        yield Said(self._facts)
        yield Said(lambda: t("exchange.begin.what"))
        with Horizontal(classes="field"):
            yield Said(lambda: t("exchange.begin.why"), classes="label")
            yield Field(id="why", max_length=100)
        yield Said(self._verdict, id="verdict")

    def _facts(self) -> str:
        row = self.row
        return t(
            "exchange.begin.facts",
            tenant=row.tenant or words.NOTHING,
            shop=row.shop or words.NOTHING,
            serial=grouped(row.serial),
            balance=words.yuan(row.balance_fen),
        )

    def _verdict(self) -> Content:
        return painted(error_text(self.refusal), "bad") if self.refusal else Content()

    def _refuse(self, refusal: DomainError | None) -> None:
        self.refusal = refusal
        self.query_one("#verdict", Said).say_again()

    @on(Input.Submitted)
    def action_next(self) -> None:
        if not self.query_one("#why", Input).value.strip():
            self._refuse(NoReason())
            return
        self._refuse(None)
        digits = word_again("exchange.confirm.number", self.row.serial[-TYPED_DIGITS:])
        sure = ConfirmExchangeScreen(self._facts, digits)
        self.app.push_screen(sure, self._sure)

    def _sure(self, sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        operator = self.app.operator
        if not sure or operator is None:
            return
        why, old, request_id = self.query_one("#why", Input).value, self.row.serial, self.request_id
        ask(
            self,
            lambda: exchanges.begin(old, why, operator, request_id),
            self._begun,
            refused=self._refuse,
        )

    def _begun(self, exchange: Exchange) -> None:
        self.app.switch_screen(ExchangeScreen(exchange.id))

    def action_back(self) -> None:
        self.dismiss(None)
