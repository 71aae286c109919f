"""销户, 释放, 换铺, 转让: whose meters leave, and how; each a checklist with its own form."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from console import words
from console.screens.checklist import ChecklistScreen
from console.screens.checklist_forms import WayForm
from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice
from console.screens.standing import Way
from console.screens.tenant_forms import free_meters, meter_text
from console.widgets.form import Choose, Entry, FromList
from console.widgets.picked import Picked
from console.work import ask
from engine import i18n
from engine.domain import tenants as rules
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import closing, moving, statements
from engine.views.meters import MeterRow
from engine.views.tenants import TenantRow
from models.enums import MeterState, PayKind
from models.people import Operator

STATEMENT_COLUMNS = 48
REFUND, TRANSFER, KEEP = "refund", "transfer", "keep"


class CloseScreen(ChecklistScreen):
    """销户: all meters of a tenant, then the account; the closing statement."""

    KIND = "close"

    def __init__(self, row: TenantRow) -> None:
        super().__init__(row)
        self.statement = ""

    def form(self) -> FormDialog:
        return LeavingForm(self, (REFUND, TRANSFER))

    def advance(self, way: Way, by: Operator) -> None:
        closing.advance(
            self.row.number, by, money=self.app.config.money, zone=self.app.config.site.zone,
            pay=way.pay, why=way.why,
            transfer_to=way.transfer_to, write_off=way.write_off,
            return_deposit=way.return_deposit,
        )  # fmt: skip

    def finished(self) -> None:
        number, language, site = self.row.number, i18n.current(), self.app.config.site

        def take(text: str) -> None:
            self.statement = text
            self.say()

        ask(self, lambda: statements.text(number, language, STATEMENT_COLUMNS, site=site), take)

    def speak_anew(self) -> None:
        super().speak_anew()
        if self.statement:
            self.finished()

    def paper(self) -> str:
        return self.statement


class ReleaseScreen(ChecklistScreen):
    """释放: one meter of a tenant who keeps others."""

    KIND = "release"

    def form(self) -> FormDialog:
        return LeavingForm(self, (REFUND, TRANSFER))

    def advance(self, way: Way, by: Operator) -> None:
        assert self.only is not None
        closing.release(
            self.only, by, money=self.app.config.money, zone=self.app.config.site.zone,
            pay=way.pay, why=way.why,
            transfer_to=way.transfer_to, write_off=way.write_off,
        )  # fmt: skip


class MoveScreen(ChecklistScreen):
    """换铺: the tenant goes on with another meter; its credit goes along."""

    KIND = "move"

    def __init__(self, row: TenantRow, only: str) -> None:
        super().__init__(row, only)
        self.request_id = uuid4().hex

    def form(self) -> FormDialog:
        return MoveForm(self)

    def advance(self, way: Way, by: Operator) -> None:
        assert self.only is not None
        assert way.transfer_to is not None
        moving.move(
            self.only, way.transfer_to, by, self.request_id, config=self.app.config, why=way.why,
            write_off=way.write_off,
        )  # fmt: skip


class HandOverScreen(ChecklistScreen):
    """转让: another tenant goes on with the meter, at one reading, without a trip."""

    KIND = "hand_over"
    TRIPS = False

    def __init__(self, row: TenantRow, only: str, heir: TenantRow) -> None:
        super().__init__(row, only)
        self.heir = heir

    def title_text(self) -> str:
        return t("tenant.hand_over.place", number=self.row.number, heir=self.heir.number)

    def form(self) -> FormDialog:
        return LeavingForm(self, (REFUND, KEEP, TRANSFER))

    def advance(self, way: Way, by: Operator) -> None:
        assert self.only is not None
        moving.hand_over(
            self.only, self.heir.number, by, money=self.app.config.money,
            zone=self.app.config.site.zone, keep=way.keep,
            transfer_to=way.transfer_to, pay=way.pay, why=way.why, write_off=way.write_off,
        )  # fmt: skip


class LeavingForm(WayForm):
    """What becomes of the credit; then the number is typed again."""

    def __init__(self, checklist: ChecklistScreen, ways: Sequence[str]) -> None:
        super().__init__(checklist)
        self.ways = ways

    def entries(self) -> Sequence[Entry]:
        return (
            *owed_entry(self.checklist),
            Choose("way", "tenant.label.way", values=self.ways,
                   said=lambda value: t(f"tenant.way.{value}")),
            Choose("pay", "tenant.label.refund_by", PayKind, values=self.app.config.money.pays,
                   said=lambda value: t(f"screen.pay.{value}")),
            FromList("target", "tenant.label.target", make=self._targets),
            *self._held(),
            why_entry(self.checklist),
        )  # fmt: skip

    def _held(self) -> tuple[Entry, ...]:
        """Asked only where the whole account ends and a deposit is held."""
        found = self.checklist.found
        if found is None or not found.deposit_fen or self.checklist.only is not None:
            return ()
        return (
            Choose("held", "tenant.label.deposit", values=("returned", "kept"),
                   said=lambda value: t(f"tenant.held.{value}")),
        )  # fmt: skip

    def _targets(self) -> Picked:
        """Opened meters; of the tenant's own only those that do not leave too."""
        own = {meter.serial for meter in self.checklist.row.meters}
        leaving = own if self.checklist.only is None else {self.checklist.only}
        rows = [
            row
            for row in self.app.meters.values()
            if row.state is not MeterState.NOT_OPENED and row.serial not in leaving
        ]
        rows.sort(key=lambda row: (row.serial not in own, row.shop, row.serial))
        return Picked(
            lambda: [Choice(row.serial, partial(_target_text, row)) for row in rows],
            title="tenant.close.pick_target",
            many=False,
            hint="tenant.close.only_transfer",
        )

    def submitted(self, values: dict[str, Any]) -> None:
        target = next(iter(values["target"]), None) if values["way"] == TRANSFER else None
        if values["way"] == TRANSFER and target is None:
            self.form.input_of("target").focus()
            return
        way = self.way_of(values, transfer_to=target, keep=values["way"] == KEEP)
        confirm(self, way, partial(self._facts, values["way"], way))

    def _facts(self, key: str, way: Way) -> str:
        found = self.checklist.found
        assert found is not None
        pay = t(f"screen.pay.{way.pay}")
        balance, target = words.yuan(found.left_fen), way.transfer_to or ""
        lines = [
            self.checklist.head(found),
            t(f"tenant.way.{key}_all", balance=balance, pay=pay, target=target),
        ]
        if found.payable_fen and self.checklist.only is None:
            paid = yuan_text(found.payable_fen)
            lines.append(t("tenant.way.owed_too", paid=paid, pay=pay))
        if way.return_deposit:
            deposit = yuan_text(found.deposit_fen)
            lines.append(t("tenant.held.facts", deposit=deposit, pay=pay))
        return "\n".join([*lines, t(f"tenant.{self.checklist.KIND}.note")])


class MoveForm(WayForm):
    """To which meter; then the tenant's number is typed again."""

    def entries(self) -> Sequence[Entry]:
        return (
            *owed_entry(self.checklist),
            FromList("target", "tenant.label.new_meter", make=self._targets),
            why_entry(self.checklist),
        )

    def _targets(self) -> Picked:
        return Picked(
            partial(free_meters, self),
            title="tenant.form.pick_meter",
            label=self._named,
            many=False,
            hint="tenant.open.pick_meters",
        )

    def _named(self, serial: str) -> str:
        shops = {row.serial: row.shop for row in self.app.meters.values()}
        return f"{shops.get(serial, '')}  {serial}"

    def submitted(self, values: dict[str, Any]) -> None:
        target = next(iter(values["target"]), None)
        if target is None:
            self.form.input_of("target").focus()
            return
        way = self.way_of(values, transfer_to=target)
        confirm(self, way, partial(self._facts, target))

    def _facts(self, target: str) -> str:
        found = self.checklist.found
        assert found is not None
        to = t("tenant.move.to", target=self._named(target), balance=words.yuan(found.left_fen))
        return "\n".join((self.checklist.head(found), to, t("tenant.move.note")))


def confirm(form: WayForm, way: Way, facts: Callable[[], str]) -> None:
    """The last question: the tenant's number again, then `y`."""

    def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if sure:
            form.begin(way)

    number = form.checklist.row.number
    title = f"tenant.{form.checklist.KIND}.confirm"
    form.app.push_screen(ConfirmScreen(title, facts, word=number), answered)


def owed_entry(checklist: ChecklistScreen) -> tuple[Entry, ...]:
    """Asked only where a meter owes."""
    if checklist.found is None or not checklist.found.owes:
        return ()
    return (
        Choose("owed", "tenant.label.owed", values=("pay", "write_off"),
               said=lambda value: t(f"tenant.owed.{value}")),
    )  # fmt: skip


def why_entry(checklist: ChecklistScreen) -> Entry:
    reason = t(f"tenant.{checklist.KIND}.reason")
    return Entry("why", "tenant.label.why", rules.checked_note, reason, 200)


def _target_text(row: MeterRow) -> str:
    return f"{meter_text(row)}  {row.tenant}"
