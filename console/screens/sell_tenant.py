"""售电给租户: one payment split over several meters, an amount each; the total typed again."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from console import words
from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.legs import LegsScreen
from console.screens.sell import why_not_sell
from console.widgets.columns import fit
from console.widgets.form import Choose, Entry
from console.work import error_text
from engine.domain.errors import PayKindOff
from engine.domain.units import fee_split, parse_yuan, yuan_text
from engine.i18n import t
from engine.services import selling
from engine.views.meters import MeterRow
from engine.views.tenants import TenantRow
from models.commands import Payment
from models.enums import PayKind

PREFIX = "part-"  # before a serial: the name of its line in the form


class SellTenantScreen(FormDialog):
    """Each part is a sale of its own, with its own outcome; one receipt lists all."""

    LABEL_CELLS = 34
    BLAME: ClassVar = {PayKindOff: "pay"}

    def __init__(self, row: TenantRow) -> None:
        super().__init__()
        self.row = row

    def heading(self) -> str:
        title = t("tenant.sell.title", number=self.row.number, name=self.row.name)
        columns = [t(f"screen.column.{name}") for name in ("shop", "serial", "balance")]
        shop, serial, balance = columns
        return f"{title}\n{fit(shop, 8)} {fit(serial, 12)} {fit(balance, 10, right=True)}"

    def entries(self) -> Sequence[Entry]:
        return (
            *map(self._line, self.row.meters),
            Choose("pay", "tenant.label.pay", PayKind, values=self.app.config.money.pays,
                   said=lambda kind: t(f"screen.pay.{kind}"), label_cells=14),
        )  # fmt: skip

    def _line(self, meter: MeterRow) -> Entry:
        name = PREFIX + meter.serial
        if (refusal := why_not_sell(meter, self.app.news.undecided)) is not None:
            return Entry(name, lambda: meter_line(meter), value=error_text(refusal), fixed=True)
        return Entry(
            name, lambda: meter_line(meter), _part, amount=True, hint="tenant.sell.nothing"
        )

    def parts(self, values: Mapping[str, Any]) -> dict[str, int]:
        """Fen paid by serial, where something is."""
        return {
            name.removeprefix(PREFIX): paid_fen
            for name, paid_fen in values.items()
            if name.startswith(PREFIX) and isinstance(paid_fen, int) and paid_fen
        }

    @property
    def fee_pct(self) -> Decimal:
        own = self.row.fee_pct
        return self.app.config.money.fee_pct if own is None else own

    def consequence(self) -> str:
        parts = self.parts(self.form.values())
        return self._total_text(parts) if parts else t("tenant.sell.hint")

    def _total_text(self, parts: Mapping[str, int]) -> str:
        split = [fee_split(paid_fen, self.fee_pct) for paid_fen in parts.values()]
        credit_fen, fee_fen = (sum(side) for side in zip(*split, strict=True))
        return t(
            "tenant.sell.total_and_fee" if fee_fen else "tenant.sell.total",
            number=len(parts),
            paid=yuan_text(sum(parts.values())),
            fee=yuan_text(fee_fen),
            credit=yuan_text(credit_fen),
        )

    def submitted(self, values: dict[str, Any]) -> None:
        parts, pay = self.parts(values), values["pay"]
        if not parts:
            self.form.step(-len(self.row.meters))
            return

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._sell(parts, pay)

        question = ConfirmScreen(
            "screen.confirm.title", self._facts(parts, pay), amount_fen=sum(parts.values())
        )
        self.app.push_screen(question, answered)

    def _facts(self, parts: Mapping[str, int], pay: PayKind) -> Callable[[], str]:
        shops = {meter.serial: meter.shop for meter in self.row.meters}

        def say() -> str:
            lines = [t("tenant.sell.who", number=self.row.number, name=self.row.name), ""]
            lines += [
                f"{fit(shops[serial], 10)} {serial} {yuan_text(paid_fen):>12}"
                for serial, paid_fen in parts.items()
            ]
            return "\n".join([*lines, "", self._total_text(parts), t(f"screen.pay.{pay}")])

        return say

    def _sell(self, parts: dict[str, int], pay: PayKind) -> None:
        number, operator, money = self.row.number, self.operator, self.app.config.money

        def sell() -> tuple[Payment, list[int]]:
            payment = selling.sell_to_tenant(
                number, parts, pay, operator, self.request_id, money=money
            )
            return payment, [leg.id for leg in selling.legs_of(payment)]

        self.send(sell, self._sold)

    def _sold(self, sold: tuple[Payment, list[int]]) -> None:
        payment, ids = sold
        paid, pay, name = yuan_text(payment.paid_fen), payment.pay, self.row.name

        def title() -> str:
            return t("tenant.sell.sold", name=name, paid=paid, pay=t(f"screen.pay.{pay}"))

        self.app.switch_screen(LegsScreen(title, ids, payment=payment.id))


def meter_line(meter: MeterRow) -> str:
    """`A-101    202611230001      12.50`."""
    return f"{fit(meter.shop, 8)} {meter.serial} {words.yuan(meter.balance_fen):>10}"


def _part(text: str) -> int:
    """Fen for one meter; empty: nothing for it."""
    return parse_yuan(text) if text.strip() else 0
