"""退电, 冲正, 金额转入: credit out of a meter; its reason, one confirmation, three ticks."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.widgets import Input

from console import words
from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice
from console.screens.place import Place
from console.screens.sale import SaleScreen
from console.screens.sell import meter_facts, why_not
from console.screens.waiting import attempt
from console.widgets.choice import OneOf
from console.widgets.form import Choose, Entry, FromList
from console.widgets.picked import Picked
from console.work import ask, error_text
from engine.domain.errors import (
    BadAmount,
    DomainError,
    NoReason,
    NotRefundable,
    NotTransferable,
    PayKindOff,
)
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.services.approving import checked_reason
from engine.views import meters as views
from engine.views.meters import MeterRow, Purchase
from models.commands import Command
from models.enums import MeterState, PayKind

PART, WHOLE = "part", "all"
REASON = Entry("why", "screen.take_out.why", checked_reason, hint="screen.take_out.why_hint")
Given = dict[str, str | int | None]


class TakeOutScreen(FormDialog):
    """A wish that lowers a meter; `verb` is its name among those a second person may approve."""

    VERB: ClassVar[str]
    BLAME: ClassVar = {
        BadAmount: "amount",
        NotRefundable: "amount",
        NotTransferable: "amount",
        NoReason: "why",
        PayKindOff: "pay",
    }

    def __init__(self, row: MeterRow) -> None:
        super().__init__()
        self.row = row
        self.confirmed_fen = 0

    def consequence(self) -> str:
        return meter_facts(self.row)

    def on_key(self, event: events.Key) -> None:
        """An amount typed while the choice before it has the focus is not lost."""
        at, typed = self.focused, event.character or ""
        if isinstance(at, OneOf) and at.id == "extent" and at.value == PART and typed.isdecimal():
            event.stop()
            amount = self.form.query_one("#amount", Input)
            amount.select_on_focus = False  # else the next digit would replace this one
            amount.focus()
            amount.insert_text_at_cursor(typed)

    def given(self, values: Mapping[str, Any]) -> Given:
        """The verb's own arguments."""
        raise NotImplementedError

    def amount_of(self, values: Mapping[str, Any]) -> int | None:
        """None: all that the meter holds. Raises BadAmount where a part is wanted, none typed."""
        return None if values["extent"] == WHOLE else parse_yuan(values["amount"])

    def submitted(self, values: dict[str, Any]) -> None:
        try:
            given = self.given(values)
            amount_fen = self.asked_fen(values)
        except DomainError as error:
            self.refused(error)
            return

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self.sending = True
                attempt(self, self.VERB, given, self.request_id, self._done, refused=self.refused)

        facts = partial(self.facts, values, amount_fen)
        title = f"screen.take_out.{self.VERB}_question"
        typed = {"amount_fen": amount_fen} if amount_fen > 0 else {"word": self.row.serial[-4:]}
        self.app.push_screen(ConfirmScreen(title, facts, **typed), answered)

    def asked_fen(self, values: Mapping[str, Any]) -> int:
        """What is to be typed again; of all that a meter holds what it held when last read."""
        amount_fen = self.amount_of(values)
        return amount_fen if amount_fen is not None else max(0, self.row.balance_fen or 0)

    def facts(self, values: Mapping[str, Any], amount_fen: int) -> str:
        extent = values.get("extent")
        after = None if self.row.balance_fen is None else self.row.balance_fen - amount_fen
        return t(
            f"screen.take_out.facts_{extent or PART}",
            tenant=self.row.tenant or words.NOTHING,
            shop=self.row.shop or words.NOTHING,
            serial=self.row.serial,
            amount=yuan_text(amount_fen),
            before=words.yuan(self.row.balance_fen),
            after=words.yuan(after),
            why=values["why"],
        )

    def _done(self, command: Command | None) -> None:
        if command is None:
            self.dismiss(None)
        else:
            self.app.switch_screen(SaleScreen(command.id, self.row))

    def amount_entries(self) -> tuple[Entry, ...]:
        return (
            Choose("extent", "screen.take_out.extent", values=(PART, WHOLE),
                   said=lambda extent: t(f"screen.take_out.{extent}")),
            Entry("amount", "screen.take_out.amount", amount=True,
                  hint="screen.take_out.amount_hint"),
        )  # fmt: skip


class RefundScreen(TakeOutScreen):
    TITLE = "screen.take_out.refund"
    VERB = "refund"

    def entries(self) -> Sequence[Entry]:
        pays = self.app.config.money.pays
        return (
            *self.amount_entries(),
            Choose("pay", "screen.take_out.pay", PayKind, values=pays,
                   said=lambda kind: t(f"screen.pay.{kind}")),
            REASON,
        )  # fmt: skip

    def given(self, values: Mapping[str, Any]) -> Given:
        return {
            "serial": self.row.serial,
            "amount_fen": self.amount_of(values),
            "pay": str(values["pay"]),
            "why": values["why"],
        }


class TransferScreen(TakeOutScreen):
    TITLE = "screen.take_out.transfer"
    VERB = "transfer"

    def entries(self) -> Sequence[Entry]:
        target = FromList(
            "target",
            "screen.take_out.target",
            make=lambda: Picked(
                self._targets,
                title="screen.take_out.pick_target",
                label=self._said,
                many=False,
                hint="screen.take_out.target_hint",
            ),
            accept=_one,
        )
        return (target, *self.amount_entries(), REASON)

    def _targets(self) -> list[Choice]:
        """Opened meters, this tenant's first."""
        rows = [
            row
            for row in self.app.meters.values()
            if row.state is not MeterState.NOT_OPENED and row.serial != self.row.serial
        ]
        mine = self.row.tenant_number
        rows.sort(key=lambda row: (row.tenant_number != mine, row.shop, row.serial))
        return [Choice(row.serial, partial(self._said, row.serial)) for row in rows]

    def _said(self, serial: str) -> str:
        row = next(row for row in self.app.meters.values() if row.serial == serial)
        return f"{row.shop}  {row.serial}  {row.tenant or ''}"

    def given(self, values: Mapping[str, Any]) -> Given:
        return {
            "source": self.row.serial,
            "target": values["target"],
            "amount_fen": self.amount_of(values),
            "why": values["why"],
        }

    def facts(self, values: Mapping[str, Any], amount_fen: int) -> str:
        first = super().facts(values, amount_fen)
        return f"{first}\n{t('screen.take_out.facts_to', target=self._said(values['target']))}"


class ReverseScreen(TakeOutScreen):
    """The whole of one sale: there is no amount to choose."""

    TITLE = "screen.take_out.reverse"
    VERB = "reverse"

    def __init__(self, row: MeterRow, sale: Purchase, zone: Any) -> None:
        super().__init__(row)
        self.sale, self.zone = sale, zone

    def entries(self) -> Sequence[Entry]:
        return (REASON,)

    def consequence(self) -> str:
        sale = self.sale
        what = t(
            "screen.take_out.sale",
            command=sale.command,
            at=words.moment(sale.created_at, self.zone),
            paid=yuan_text(sale.amount_fen + sale.fee_fen),
            credit=yuan_text(sale.amount_fen),
            receipt=sale.receipt or words.NOTHING,
        )
        return f"{meter_facts(self.row)}\n{what}"

    def given(self, values: Mapping[str, Any]) -> Given:
        return {"command_id": self.sale.command, "why": values["why"]}

    def asked_fen(self, values: Mapping[str, Any]) -> int:
        del values
        return self.sale.amount_fen


def _one(serials: Sequence[str]) -> str:
    if not serials:
        raise NotTransferable(serial="", why="no_target")
    return serials[0]


def start(screen: Place, verb: str, row: MeterRow) -> None:
    """Open the form of `verb` for a meter; or at once why it cannot be."""
    if (refusal := why_not(row, screen.app.news.undecided)) is not None:
        screen.app.tell(error_text(refusal), bad=True)
    elif verb == "refund":
        screen.app.push_screen(RefundScreen(row))
    elif verb == "transfer":
        screen.app.push_screen(TransferScreen(row))
    else:
        _start_reversal(screen, row)


def _start_reversal(screen: Place, row: MeterRow) -> None:
    """Of the meter's latest sale: no other can be reversed."""
    zone = screen.app.config.site.zone

    def found(sale: Purchase | None) -> None:
        if sale is None:
            screen.app.tell(t("screen.take_out.no_sale", serial=row.serial), bad=True)
        else:
            screen.app.push_screen(ReverseScreen(row, sale, zone))

    ask(screen, partial(views.latest_sale, row.serial), found)
