"""Money that came out of a meter or a sale, handed to whom it belongs."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console import words
from console.keys import bindings
from console.screens.place import Dialog
from console.screens.type_again import Again
from console.widgets.choice import OneOf
from console.widgets.field import AmountField
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine.domain.errors import DomainError
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import refunding
from engine.views.cases import Case
from models.commands import Command
from models.enums import PayKind


class PayOutScreen(Dialog[None]):
    """Posts refund payable to the till of whoever is signed in, once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("payout")
    AUTO_FOCUS = "#again"

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case
        self.again = Again(case.amount_fen, case.serial)
        self.refusal: DomainError | None = None
        self.sending = False

    def compose(self) -> ComposeResult:
        kinds = [kind.value for kind in self.app.config.money.pays]
        with Vertical(classes="box question"):
            yield Said(lambda: Content.styled(t("cases.payout.title"), "bold"))
            yield Said(self._facts)
            with Horizontal(classes="field"):
                yield Said(lambda: t("cases.payout.pay"), classes="label")
                yield OneOf(kinds, lambda kind: t(f"screen.pay.{kind}"), id="pay")
            with Horizontal(classes="field"):
                yield Said(lambda: self.again.question, classes="label wide")
                yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    def _facts(self) -> str:
        case = self.case
        return t(
            "cases.payout.facts",
            tenant=case.tenant or words.NOTHING,
            serial=case.serial,
            kind=t(f"state.kind.{case.verb}"),
            command=case.command,
            amount=yuan_text(case.amount_fen),
        )

    @property
    def agrees(self) -> bool:
        return self.again.is_in(self.query_one("#again", Input).value)

    def _verdict(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        if self.agrees:
            amount = yuan_text(self.case.amount_fen)
            return painted(t("cases.payout.press_y", amount=amount), "good")
        return Content(t("cases.again.not_yet", wanted=self.again.text))

    @on(Input.Changed)
    def _typed(self) -> None:
        self.refusal = None
        self._say()

    def _say(self) -> None:
        self.query_one("#verdict", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return (self.agrees and not self.sending) if action == "confirm" else True

    def action_confirm(self) -> None:
        operator, money, number = self.app.operator, self.app.config.money, self.case.command
        assert operator is not None, "nobody pays out without signing in"
        assert number is not None, "what is paid out belongs to a command"
        pay = PayKind(self.query_one("#pay", OneOf).value)
        self.sending = True

        def paid(command: Command) -> None:
            self.app.told.add(command.id)
            amount, by = yuan_text(self.case.amount_fen), t(f"screen.pay.{pay}")
            self.app.tell(t("cases.payout.done", amount=amount, pay=by))
            self.dismiss(None)

        ask(
            self,
            lambda: refunding.pay_out(number, pay, operator, money=money),
            paid,
            refused=self._refused,
        )

    def _refused(self, refusal: DomainError) -> None:
        self.sending, self.refusal = False, refusal
        self._say()

    def action_back(self) -> None:
        self.dismiss(None)
