"""开户: meters for a tenant, their price and thresholds, perhaps a first payment; one question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from textual import on

from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.legs import LegsScreen
from console.screens.pick import Choice
from console.screens.place import Place
from console.screens.tenant_forms import meters_entry
from console.widgets.form import Choose, Entry, Form, FromList
from console.widgets.picked import Picked
from console.work import ask
from engine import clock
from engine.domain.errors import BadAmount, BadThresholds, CreditCeilingExceeded, NoSuchTariff
from engine.domain.units import fee_split, parse_yuan, yuan_text
from engine.i18n import t
from engine.services import opening
from engine.services.opening import Opened
from engine.views import tariffs
from engine.views.tariffs import Desired, TariffRow
from engine.views.tenants import TenantRow
from models.enums import Flag, PayKind

if TYPE_CHECKING:
    from console.app import ConsoleApp


@dataclass(frozen=True)
class OpenFacts:
    """What is about to be opened."""

    serials: tuple[str, ...]
    tariff: str | None
    alarm1_fen: int
    alarm2_fen: int
    amount_fen: int
    pay: PayKind


def open_form(screen: Place, row: TenantRow, serials: Sequence[str]) -> None:
    """The form, with the tariffs in force to pick from."""
    today = clock.now().astimezone(screen.app.config.site.zone).date()

    def show(found: list[TariffRow]) -> None:
        screen.app.push_screen(OpenScreen(row, serials, found))

    ask(screen, partial(tariffs.in_force, today), show)


def open_planned(screen: Place, row: TenantRow) -> None:
    """一键开户: what was planned for a pre-registered tenant, after one look and `y`."""
    app, request_id = screen.app, uuid4().hex
    operator, config = app.operator, app.config
    assert operator is not None, "nobody opens without signing in"

    def facts() -> str:
        shops = {meter.serial: meter.shop for meter in app.meters.values()}
        planned = [f"  {shops.get(serial, '')}  {serial}" for serial in row.planned]
        who = t("tenant.open.planned_facts", number=row.number, name=row.name)
        return "\n".join([who, *planned])

    def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if sure:
            ask(
                screen,
                lambda: opening.open_account(
                    row.number, row.planned, operator, request_id, config=config
                ),
                lambda opened: show_opened(app, row, opened),
            )

    app.push_screen(ConfirmScreen("tenant.open.confirm", facts), answered)


def show_opened(app: "ConsoleApp", row: TenantRow, opened: Opened) -> None:
    """What was opened, and its commands on their way to the meters."""
    app.wake_engine()
    app.tell(t("tenant.open.done", number=len(opened.serials), name=row.name))
    if opened.commands:
        ids = [command.id for command in opened.commands]
        title = partial(t, "tenant.open.title", number=row.number, name=row.name)
        app.push_screen(LegsScreen(title, ids))


class OpenScreen(FormDialog):
    TITLE = "tenant.open.title"
    BLAME: ClassVar = {
        NoSuchTariff: "tariff",
        BadThresholds: "alarm2",
        BadAmount: "amount",
        CreditCeilingExceeded: "amount",
    }

    def __init__(self, row: TenantRow, serials: Sequence[str], known: Sequence[TariffRow]) -> None:
        super().__init__()
        self.row = row
        self.serials = tuple(serials)
        self.tariffs = {tariff.name: tariff for tariff in known}

    def heading(self) -> str:
        return t("tenant.open.title", number=self.row.number, name=self.row.name)

    def entries(self) -> Sequence[Entry]:
        defaults, pays = self.app.config.defaults, self.app.config.money.pays
        return (
            meters_entry(self, self.serials, hint="tenant.open.pick_meters"),
            FromList("tariff", "tenant.label.tariff", make=self._tariff),
            Entry("alarm1", "tenant.label.alarm1", _threshold, yuan_text(defaults.alarm1_fen),
                  amount=True),
            Entry("alarm2", "tenant.label.alarm2", _threshold, yuan_text(defaults.alarm2_fen),
                  amount=True),
            Entry("amount", "tenant.label.amount", _optional_amount, amount=True),
            Choose("pay", "tenant.label.pay", PayKind, values=pays,
                   said=lambda kind: t(f"screen.pay.{kind}")),
        )  # fmt: skip

    def _tariff(self) -> Picked:
        return Picked(
            lambda: [Choice(name, partial(self.tariff_text, name)) for name in self.tariffs],
            title="tenant.open.pick_tariff",
            label=self.tariff_text,
            many=False,
            hint="tenant.open.no_tariff" if self.tariffs else "tenant.open.default_tariff",
        )

    def tariff_text(self, name: str) -> str:
        known = self.tariffs.get(name)
        return f"{name}  {prices_text(known.prices)}" if known else name

    def on_mount(self) -> None:
        self._fetch_desired()

    @on(Form.Changed)
    def _meters_changed(self) -> None:
        if (chosen := tuple(self.chosen)) != self.serials:
            self.serials = chosen
            self._fetch_desired()

    @property
    def chosen(self) -> list[str]:
        return self._picked("serials").values

    def _picked(self, name: str) -> Picked:
        widget = self.form.input_of(name)
        assert isinstance(widget, Picked)
        return widget

    def _fetch_desired(self) -> None:
        """What the chosen meters' rows say stands in the form until something else is typed."""
        if self.serials:
            ask(self, partial(tariffs.desired, self.serials), self._take_desired)

    def _take_desired(self, found: list[Desired]) -> None:
        texts = {}
        for name, values in (
            ("alarm1", {meter.alarm1_fen for meter in found}),
            ("alarm2", {meter.alarm2_fen for meter in found}),
        ):
            if len(values) == 1 and (own := values.pop()) is not None:
                texts[name] = yuan_text(own)
        self.form.fill(texts)
        picked, names = self._picked("tariff"), {meter.tariff for meter in found}
        if not picked.values and len(names) == 1 and (tariff := names.pop()) is not None:
            picked.values = [tariff]
            picked.refresh(layout=True)
        self.say()

    def facts(self, values: dict[str, Any]) -> OpenFacts:
        return OpenFacts(
            tuple(values["serials"]),
            next(iter(values["tariff"]), None),
            values["alarm1"],
            values["alarm2"],
            values["amount"],
            values["pay"],
        )

    def consequence(self) -> str:
        if not self.chosen:
            return t("tenant.open.needs_meters")
        lines = [t("tenant.open.note", number=len(self.chosen)), *self._protected(self.chosen)]
        if amount_fen := self.form.values().get("amount", 0):
            lines.append(self._amount_text(amount_fen))
        return "\n".join(lines)

    def _protected(self, serials: Sequence[str]) -> list[str]:
        """Of meters that are never tripped it is told before they are opened."""
        protected = {row.serial for row in self.app.meters.values() if Flag.PROTECTED in row.flags}
        return [t("control.protect.opened", serial=each) for each in serials if each in protected]

    def _amount_text(self, amount_fen: int) -> str:
        credit_fen, fee_fen = fee_split(amount_fen, self.fee_pct)
        key = "tenant.open.amount_and_fee" if fee_fen else "tenant.open.amount"
        return t(
            key,
            paid=yuan_text(amount_fen),
            fee=yuan_text(fee_fen),
            credit=yuan_text(credit_fen),
            meter=self.chosen[0],
        )

    @property
    def fee_pct(self) -> Decimal:
        return self.app.config.money.fee_pct

    def submitted(self, values: dict[str, Any]) -> None:
        if not values["serials"]:
            self.form.input_of("serials").focus()
            return
        facts = self.facts(values)

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._open(facts)

        self.app.push_screen(
            ConfirmScreen("tenant.open.confirm", self._summary(facts), amount_fen=facts.amount_fen),
            answered,
        )

    def _summary(self, facts: OpenFacts) -> Callable[[], str]:
        shops = {row.serial: row.shop for row in self.app.meters.values()}

        def say() -> str:
            lines = [
                t(
                    "tenant.open.facts",
                    number=self.row.number,
                    name=self.row.name,
                    tariff=self.tariff_text(facts.tariff)
                    if facts.tariff
                    else t("tenant.open.default_tariff"),
                    alarm1=yuan_text(facts.alarm1_fen),
                    alarm2=yuan_text(facts.alarm2_fen),
                ),
                *(f"  {shops.get(serial, '')}  {serial}" for serial in facts.serials),
                *self._protected(facts.serials),
            ]
            if facts.amount_fen:
                lines += ["", self._amount_text(facts.amount_fen)]
            return "\n".join(lines)

        return say

    def _open(self, facts: OpenFacts) -> None:
        number, operator, config = self.row.number, self.operator, self.app.config
        self.send(
            lambda: opening.open_account(
                number,
                facts.serials,
                operator,
                self.request_id,
                config=config,
                tariff=facts.tariff,
                alarm1_fen=facts.alarm1_fen,
                alarm2_fen=facts.alarm2_fen,
                amount_fen=facts.amount_fen,
                pay=facts.pay if facts.amount_fen else None,
            ),
            self._opened,
        )

    def _opened(self, opened: Opened) -> None:
        self.dismiss(None)
        show_opened(self.app, self.row, opened)


def prices_text(prices: Sequence[Decimal]) -> str:
    """`尖 1.2 峰 1 平 0.7 谷 0.4`, one price where all are the same."""
    if len(set(prices)) == 1:
        return t("tenant.open.flat_price", price=prices[0])
    names = ("sharp", "peak", "flat", "valley")
    return " ".join(
        f"{t(f'screen.meter.label.rate_{name}')} {price.normalize():f}"
        for name, price in zip(names, prices, strict=True)
    )


def _threshold(text: str) -> int:
    """Fen; nothing is a threshold too: 0."""
    return 0 if _is_zero(text) else parse_yuan(text)


def _optional_amount(text: str) -> int:
    """Fen; empty or 0: nothing is paid now."""
    return 0 if not text.strip() or _is_zero(text) else parse_yuan(text)


def _is_zero(text: str) -> bool:
    return bool(text.strip()) and not text.strip("0.０．。 ") and "0" in text.replace("０", "0")
