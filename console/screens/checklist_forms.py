"""Forms of a checklist: how the credit leaves, and what left it paid to the tenant."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.standing import Way
from console.widgets.form import Choose, Entry
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import refunding
from models.enums import PayKind

if TYPE_CHECKING:
    from console.screens.checklist import ChecklistScreen


class WayForm(FormDialog):
    """Asked once: how the credit leaves, in what kind of money, why."""

    def __init__(self, checklist: "ChecklistScreen") -> None:
        super().__init__()
        self.checklist = checklist

    def heading(self) -> str:
        return self.checklist.title_text()

    def consequence(self) -> str:
        return t(f"tenant.{self.checklist.KIND}.note")

    def way_of(self, values: dict[str, Any], **more: Any) -> Way:
        """What was filled in, as the checklist takes it."""
        return Way(
            why=values["why"],
            pay=values.get("pay", PayKind.CASH),
            write_off=values.get("owed") == "write_off",
            return_deposit=values.get("held") == "returned",
            **more,
        )

    def begin(self, way: Way) -> None:
        self.dismiss(None)
        self.checklist.begin(way)


class PayOutForm(FormDialog):
    """The money that left the meters goes to the tenant: by what kind, the amount typed again."""

    TITLE = "tenant.payout.title"

    def __init__(self, checklist: "ChecklistScreen") -> None:
        super().__init__()
        self.checklist = checklist
        assert checklist.found is not None
        self.payable, self.paid_fen = checklist.found.payable, checklist.found.payable_fen

    def entries(self) -> Sequence[Entry]:
        return (
            Choose("pay", "tenant.label.refund_by", PayKind, values=self.app.config.money.pays,
                   said=lambda value: t(f"screen.pay.{value}")),
        )  # fmt: skip

    def consequence(self) -> str:
        return self._facts()

    def _facts(self) -> str:
        row = self.checklist.row
        return t(
            "tenant.payout.facts", number=row.number, name=row.name, paid=yuan_text(self.paid_fen)
        )

    def submitted(self, values: dict[str, Any]) -> None:
        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._pay(values["pay"])

        question = ConfirmScreen("tenant.payout.title", self._facts, amount_fen=self.paid_fen)
        self.app.push_screen(question, answered)

    def _pay(self, pay: PayKind) -> None:
        operator, money, payable = self.operator, self.app.config.money, self.payable

        def pay_out() -> None:
            for command, _ in payable:
                refunding.pay_out(command, pay, operator, money=money)

        def paid(_nothing: None) -> None:
            self.dismiss(None)
            self.checklist.paid_out()

        self.send(pay_out, paid)
