"""押金: taken from a tenant or given back, apart from credit; the amount typed again."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.waiting import attempt
from console.widgets.form import Choose, Entry
from engine.domain import tenants as rules
from engine.domain.errors import BadAmount, DepositTooSmall, NoReason, PayKindOff
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.services import deposits
from engine.views.tenants import TenantRow, TenantState
from models.enums import PayKind

TAKE, GIVE_BACK = "take", "give_back"


class DepositForm(FormDialog):
    BLAME: ClassVar = {
        BadAmount: "amount",
        DepositTooSmall: "amount",
        PayKindOff: "pay",
        NoReason: "why",
    }

    def __init__(self, row: TenantRow) -> None:
        super().__init__()
        self.row = row

    def heading(self) -> str:
        return t("tenant.deposit.title", number=self.row.number, name=self.row.name)

    def entries(self) -> Sequence[Entry]:
        """A closed account takes none; where none is held none goes back."""
        ways = [TAKE] if self.row.state is not TenantState.CLOSED else []
        ways += [GIVE_BACK] if self.row.deposit_fen else []
        return (
            Choose("way", "tenant.label.deposit", values=ways,
                   said=lambda value: t(f"tenant.deposit.{value}")),
            Entry("amount", "tenant.label.deposit_amount", parse_yuan,
                  hint="tenant.form.needed", amount=True),
            Choose("pay", "tenant.label.deposit_pay", PayKind, values=self.app.config.money.pays,
                   said=lambda value: t(f"screen.pay.{value}")),
            Entry("why", "tenant.label.why", rules.checked_note, length_max=200,
                  hint="tenant.deposit.why"),
        )  # fmt: skip

    def consequence(self) -> str:
        return t("tenant.deposit.held", held=yuan_text(self.row.deposit_fen))

    def submitted(self, values: dict[str, Any]) -> None:
        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._move(values)

        facts = partial(self._facts, values)
        question = ConfirmScreen("screen.confirm.title", facts, amount_fen=values["amount"])
        self.app.push_screen(question, answered)

    def _facts(self, values: dict[str, Any]) -> str:
        return t(
            f"tenant.deposit.{values['way']}_facts",
            number=self.row.number,
            name=self.row.name,
            amount=yuan_text(values["amount"]),
            pay=t(f"screen.pay.{values['pay']}"),
        )

    def _move(self, values: dict[str, Any]) -> None:
        """To give back may need a second person: then it waits for one."""
        number, operator, money = self.row.number, self.operator, self.app.config.money
        amount_fen, pay, why = values["amount"], values["pay"], values["why"]
        moved = partial(self._moved, values)
        if values["way"] == GIVE_BACK:
            given = {"number": number, "amount_fen": amount_fen, "pay": pay.value, "why": why}
            attempt(self, "return_deposit", given, self.request_id, moved, refused=self.refused)
            return

        def take() -> None:
            deposits.take_deposit(number, amount_fen, pay, operator, self.request_id, money=money)

        self.send(take, moved)

    def _moved(self, values: dict[str, Any], _made: object) -> None:
        self.app.tell(self._facts(values))
        self.dismiss(self.row.number)
