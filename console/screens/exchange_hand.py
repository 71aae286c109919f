"""The last values of an old meter that does not answer: from a sheet, with a second person."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.keys import bindings
from console.screens.exchange_confirm import ConfirmExchangeScreen
from console.screens.place import Dialog
from console.screens.waiting import attempt
from console.widgets.again import amount_again
from console.widgets.field import Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine.domain.errors import DomainError, NoReason
from engine.domain.units import kwh_text, parse_kwh, parse_signed_yuan, yuan_text
from engine.i18n import t
from engine.services import exchanges, operators
from models.cases import Exchange
from models.people import Operator

FIELDS = ("energy", "balance", "evidence", "approver", "password")


class HandReadingScreen(Dialog[bool]):
    """True where the values are in the books."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("exchange_form")
    AUTO_FOCUS = "#energy"

    def __init__(self, exchange_id: int, serial: str) -> None:
        super().__init__()
        self.exchange_id, self.serial = exchange_id, serial
        self.refusal: DomainError | None = None
        self.request_id = uuid4().hex

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield from self._parts()
        yield KeyLine()

    def _parts(self) -> Iterator[Widget]:
        yield Said(lambda: Content.styled(t("exchange.hand.title", serial=self.serial), "bold"))
        yield Said(lambda: t("exchange.hand.what"))
        for name in FIELDS:
            with Horizontal(classes="field"):
                yield Said(partial(t, f"exchange.hand.{name}"), classes="label wide")
                yield Field(id=name, password=name == "password", max_length=100)
        yield Said(self._verdict, id="verdict")

    def _verdict(self) -> Content:
        return painted(error_text(self.refusal), "bad") if self.refusal else Content()

    def _refuse(self, refusal: DomainError | None) -> None:
        self.refusal = refusal
        self.query_one("#verdict", Said).say_again()

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    @on(Input.Submitted)
    def action_next(self) -> None:
        """To the next field; from the last one on to the question."""
        at = next((name for name in FIELDS if self.query_one(f"#{name}").has_focus), FIELDS[-1])
        if at != FIELDS[-1]:
            self.query_one(f"#{FIELDS[FIELDS.index(at) + 1]}").focus()
            return
        try:
            energy_wh, balance_fen = self._values()
        except DomainError as error:
            self._refuse(error)
            return
        self._refuse(None)

        def facts() -> str:
            kwh, yuan = kwh_text(energy_wh), yuan_text(balance_fen)
            return t("exchange.hand.facts", serial=self.serial, kwh=kwh, yuan=yuan)

        def sure(yes: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if yes:
                self._send(energy_wh, balance_fen)

        again = amount_again("exchange.confirm.balance", balance_fen, parse_signed_yuan)
        self.app.push_screen(ConfirmExchangeScreen(facts, again), sure)

    def _values(self) -> tuple[int, int]:
        """(Wh, fen). Raises BadEnergy, BadAmount, NoReason."""
        values = parse_kwh(self._typed("energy")), parse_signed_yuan(self._typed("balance"))
        if not self._typed("evidence"):
            raise NoReason
        return values

    def _ask_elsewhere(self, energy_wh: int, balance_fen: int) -> None:
        """Nobody is here: a second person approves it in a session of his own."""
        given: dict[str, str | int | None] = {
            "exchange_id": self.exchange_id,
            "energy_wh": energy_wh,
            "balance_fen": balance_fen,
            "why": self._typed("evidence"),
        }
        attempt(
            self,
            "hand_reading",
            given,
            self.request_id,
            lambda _: self.dismiss(True),
            refused=self._refuse,
        )

    def _send(self, energy_wh: int, balance_fen: int) -> None:
        by = self.app.operator
        assert by is not None, "nobody reads by hand without signing in"
        if not self._typed("approver"):
            self._ask_elsewhere(energy_wh, balance_fen)
            return
        approver, password = self._typed("approver"), self.query_one("#password", Input).value
        zone = self.app.config.site.zone
        exchange_id, evidence = self.exchange_id, self._typed("evidence")

        def read() -> Exchange:
            second: Operator = operators.sign_in(approver, password)
            return exchanges.by_hand(
                exchange_id, energy_wh, balance_fen, evidence, by, zone=zone, approver=second
            )

        ask(self, read, lambda _: self.dismiss(True), refused=self._refuse)

    def action_back(self) -> None:
        self.dismiss(False)
