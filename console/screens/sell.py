"""Sell credit to a meter (售电): amount and kind of payment, the consequence, one confirmation."""

from collections.abc import Callable, Iterable
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console import words
from console.keys import bindings
from console.screens.place import Dialog, Place
from console.screens.sale import SaleScreen
from console.screens.sell_confirm import ConfirmSaleScreen, SaleFacts
from console.widgets.choice import OneOf
from console.widgets.field import AmountField
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine import clock
from engine.domain.counted import over_ceiling
from engine.domain.errors import (
    CommandOpen,
    CreditCeilingExceeded,
    DomainError,
    MeterFrozen,
    MeterLockedOut,
    NotOpened,
)
from engine.domain.units import fee_split, parse_yuan, yuan_text
from engine.i18n import t
from engine.services import selling
from engine.views import outlook
from engine.views.meters import MeterRow
from engine.views.outlook import Outlook
from engine.views.sales import Sale
from models.commands import Command
from models.enums import Flag, PayKind


def open_sale(screen: Place, row: MeterRow) -> None:
    """The form; or at once why nothing can be sold to this meter."""
    if (refusal := why_not_sell(row, screen.app.news.undecided)) is not None:
        screen.app.tell(error_text(refusal), bad=True)
    else:
        screen.app.push_screen(SellScreen(row))


def why_not_sell(row: MeterRow, undecided: Iterable[Sale]) -> DomainError | None:
    """Before any cash is taken. Credit is taken out of a meter that is locked out all the same."""
    if Flag.LOCKED_OUT in row.flags:
        return MeterLockedOut(serial=row.serial, why="unnamed")
    return why_not(row, undecided)


def why_not(row: MeterRow, undecided: Iterable[Sale]) -> DomainError | None:
    """What the screen knows already; the service decides."""
    if row.tenant is None:
        return NotOpened(serial=row.serial)
    if row.frozen:
        return MeterFrozen(serial=row.serial)
    for sale in undecided:
        if sale.serial == row.serial and sale.state.open:
            return CommandOpen(serial=row.serial, command=sale.command)
    return None


class SellScreen(Dialog[None]):
    """The request id is made with the form: however often it is sent, it sells once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("sell")
    AUTO_FOCUS = "#amount"

    def __init__(self, row: MeterRow) -> None:
        super().__init__()
        self.row = row
        self.request_id = uuid4().hex
        self.outlook = Outlook()
        self.refusal: DomainError | None = None
        self.sending = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(lambda: Content.styled(t("screen.sell.title"), "bold"))
            yield Said(lambda: meter_facts(self.row))
            with Horizontal(classes="field"):
                yield Said(lambda: t("screen.sell.amount"), classes="label")
                yield AmountField(id="amount")
            with Horizontal(classes="field"):
                yield Said(lambda: t("screen.sell.pay"), classes="label")
                yield OneOf(list(PayKind), lambda kind: t(f"screen.pay.{kind}"), id="pay")
            yield Said(self._consequence, id="consequence")
        yield KeyLine()

    def on_mount(self) -> None:
        now = clock.now().astimezone(self.app.config.site.zone)
        prices = self.app.default_prices
        ask(
            self,
            lambda: outlook.of(self.row.meter_id, now, default_prices=prices),
            self._take_outlook,
        )

    def _take_outlook(self, found: Outlook) -> None:
        self.outlook = found
        self._say()

    def _facts(self) -> SaleFacts:
        """Raises BadAmount, CreditCeilingExceeded."""
        paid_fen = parse_yuan(self.query_one("#amount", Input).value)
        credit_fen, fee_fen = fee_split(paid_fen, self.app.config.money.fee_pct)
        self._require_under_ceiling(credit_fen)
        pay = PayKind(self.query_one("#pay", OneOf).value)
        return SaleFacts(self.row, paid_fen, credit_fen, fee_fen, pay)

    def _require_under_ceiling(self, credit_fen: int) -> None:
        ceiling_fen = self.app.config.money.ceiling_fen
        balance_fen = self.row.balance_fen or 0
        if over_ceiling(balance_fen, credit_fen, ceiling_fen=ceiling_fen):
            raise CreditCeilingExceeded(
                serial=self.row.serial,
                balance=yuan_text(balance_fen),
                amount=yuan_text(credit_fen),
                ceiling=yuan_text(ceiling_fen),
            )

    def _consequence(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        if not self.query_one("#amount", Input).value:
            return Content(t("screen.sell.hint"))
        try:
            facts = self._facts()
        except DomainError as error:
            return painted(error_text(error), "alarm1")
        return Content("\n".join(consequence(facts, self.outlook)))

    def _say(self, *, refusal: DomainError | None = None) -> None:
        self.refusal = refusal
        self.query_one("#consequence", Said).say_again()

    @on(Input.Changed)
    @on(OneOf.Turned)
    def _changed(self) -> None:
        self._say()

    @on(Input.Submitted)
    def action_next(self) -> None:
        """From the amount to the kind of payment, from there to the question."""
        try:
            facts = self._facts()
        except DomainError as error:
            self._say(refusal=error)
            self.query_one("#amount").focus()
            return
        if self.focused is self.query_one("#amount"):
            self.query_one("#pay").focus()
        elif not self.sending:
            self.app.push_screen(ConfirmSaleScreen(facts), self._answered(facts))

    def action_back(self) -> None:
        self.dismiss(None)

    def _answered(self, facts: SaleFacts) -> Callable[[bool | None], None]:
        operator, money = self.app.operator, self.app.config.money
        assert operator is not None, "nobody sells without signing in"

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if not sure:
                self.query_one("#amount").focus()
                return
            self.sending = True
            ask(
                self,
                lambda: selling.sell(
                    facts.row.serial,
                    facts.paid_fen,
                    facts.pay,
                    operator,
                    self.request_id,
                    money=money,
                ),
                lambda command: self._sold(command, facts),
                refused=self._refused,
            )

        return answered

    def _sold(self, command: Command, facts: SaleFacts) -> None:
        self.app.wake_engine()
        self.app.switch_screen(SaleScreen(command.id, facts.row))

    def _refused(self, error: DomainError) -> None:
        self.sending = False
        self._say(refusal=error)


def meter_facts(row: MeterRow) -> str:
    """Whose meter it is and what is known of it."""
    return t(
        "screen.sell.meter",
        tenant=row.tenant or words.NOTHING,
        shop=row.shop or words.NOTHING,
        serial=row.serial,
        state=t(f"state.{row.state}"),
        balance=words.yuan(row.balance_fen),
        read=t("screen.meter.read_ago", age=words.age(row.read_at, clock.now()))
        if row.read_at
        else t("screen.meter.never_read"),
    )


def consequence(facts: SaleFacts, expected: Outlook) -> list[str]:
    """In words: what is taken, what is kept, what the meter will hold, how far that goes."""
    lines = [
        t(
            "screen.sell.split" if facts.fee_fen else "screen.sell.no_fee",
            paid=yuan_text(facts.paid_fen),
            fee=yuan_text(facts.fee_fen),
            credit=yuan_text(facts.credit_fen),
        )
    ]
    after_fen = facts.balance_after_fen
    if after_fen is None:
        return [*lines, t("screen.sell.balance_unknown")]
    before = yuan_text(after_fen - facts.credit_fen)
    lines.append(t("screen.sell.balance", before=before, after=yuan_text(after_fen)))
    energy_wh, days = expected.energy_wh(after_fen), expected.days(after_fen)
    if energy_wh is not None and days is not None:
        lasts = words.days_left(days)
        lines.append(t("screen.sell.lasts_days", kwh=energy_wh // 1000, days=lasts))
    elif energy_wh is not None:
        lines.append(t("screen.sell.lasts", kwh=energy_wh // 1000))
    return lines
