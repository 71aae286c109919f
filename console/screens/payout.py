"""Money that came out of a meter or a sale, handed to whom it belongs."""

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.screens.case_confirm import case_again
from console.screens.type_again import TypeAgainAndSendScreen
from console.widgets.choice import OneOf
from console.widgets.said import Said
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import refunding
from engine.views.cases import Case
from models.commands import Command
from models.enums import PayKind


class PayOutScreen(TypeAgainAndSendScreen):
    """Posts refund payable to the till of whoever is signed in, once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("payout")

    def __init__(self, case: Case) -> None:
        super().__init__(case_again(case.amount_fen, case.serial))
        self.case = case

    def fields(self) -> Iterator[Widget]:
        kinds = [kind.value for kind in self.app.config.money.pays]
        label = Said(lambda: t("cases.payout.pay"), classes="label")
        pay = OneOf(kinds, lambda kind: t(f"screen.pay.{kind}"), id="pay")
        yield Horizontal(label, pay, classes="field")

    def heading(self) -> str:
        return t("cases.payout.title")

    def facts(self) -> str:
        case = self.case
        return t(
            "cases.payout.facts",
            tenant=case.tenant or words.NOTHING,
            serial=case.serial,
            kind=t(f"state.kind.{case.verb}"),
            command=case.command,
            amount=yuan_text(case.amount_fen),
        )

    def press_y(self) -> str:
        return t("cases.payout.press_y", amount=yuan_text(self.case.amount_fen))

    def action_confirm(self) -> None:
        operator, money, number = self.app.operator, self.app.config.money, self.case.command
        assert operator is not None, "nobody pays out without signing in"
        assert number is not None, "what is paid out belongs to a command"
        pay = PayKind(self.query_one("#pay", OneOf).value)

        def paid(command: Command) -> None:
            self.app.told.add(command.id)
            amount, by = yuan_text(self.case.amount_fen), t(f"screen.pay.{pay}")
            self.app.tell(t("cases.payout.done", amount=amount, pay=by))
            self.dismiss(True)

        self.send(lambda: refunding.pay_out(number, pay, operator, money=money), paid)
