"""销户 as a checklist: what each meter needs next; it can be left and gone on with at any time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.live import News
from console.screens.confirm import ConfirmScreen
from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice
from console.screens.place import Place
from console.screens.sale import DONE, FAILED, NOW, STYLES, WAIT
from console.screens.tenant_forms import meter_text
from console.widgets.columns import fit
from console.widgets.form import Choose, Entry, FromList
from console.widgets.picked import Picked
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, error_text
from engine import i18n
from engine.domain import tenants as rules
from engine.domain.errors import DomainError
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import closing, commands
from engine.services.closing import Plan
from engine.services.closing_steps import MeterPlan, Step
from engine.views.tenants import TenantRow
from models.enums import CommandKind, MeterState, PayKind

STEPS = (Step.READ, Step.TAKE_OUT, Step.CLEAR, Step.TRIP, Step.RELEASE)
STEP_OF = {  # which step a command under way belongs to
    CommandKind.READ: Step.READ,
    CommandKind.REFUND: Step.TAKE_OUT,
    CommandKind.TRANSFER_OUT: Step.TAKE_OUT,
    CommandKind.TRANSFER_IN: Step.TAKE_OUT,
    CommandKind.SELL: Step.PAY_ARREARS,
    CommandKind.CLEAR: Step.CLEAR,
    CommandKind.TRIP: Step.TRIP,
}
STATEMENT_COLUMNS = 48
TOO_LITTLE = "too_little"
REFUND, TRANSFER = "refund", "transfer"


@dataclass(frozen=True)
class Way:
    """What is to become of the credit, as the operator said once for all meters."""

    pay: PayKind
    why: str
    transfer_to: str | None = None
    write_off: bool = False


class CloseTenantScreen(Place):
    """Once begun it goes on by itself, step by step, until a person is needed or all is done."""

    NAME = "close_tenant"
    BINDINGS: ClassVar[list[BindingType]] = bindings("closing")
    AUTO_FOCUS = "Scroll"

    def __init__(self, row: TenantRow) -> None:
        super().__init__()
        self.row = row
        self.plan: Plan | None = None
        self.waits_for: dict[str, Step] = {}
        self.way: Way | None = None
        self.trouble: DomainError | None = None
        self.statement = ""
        self._busy = False

    def body(self) -> Iterable[Widget]:
        with Scroll(classes="page"):
            yield Said(self._head)
            yield Said(self._meters, id="ticks")
            yield Said(self._next, id="outcome")
            yield Said(lambda: self.statement, id="receipt")

    def title_text(self) -> str:
        return t("tenant.close.place", number=self.row.number, name=self.row.name)

    def on_mount(self) -> None:
        super().on_mount()
        self.look()

    def hear(self, news: News) -> None:
        super().hear(news)
        self.look()

    def look(self) -> None:
        """The plan as it stands; then what can be done by itself."""
        if self._busy:
            return
        self._busy = True
        ask(self, partial(plan_of, self.row.number), self._take, refused=self._refused)

    def _take(self, found: tuple[Plan, dict[str, Step]]) -> None:
        self._busy = False
        self.plan, self.waits_for = found
        self.say()
        if self.plan.closed:
            self.way = None
            self._fetch_statement()
        elif self.way is not None and self.may_go_on:
            self._advance(self.way)

    @property
    def may_go_on(self) -> bool:
        """Is there a step that needs neither a person nor an answer that is still awaited?"""
        assert self.plan is not None
        steps = [meter.step for meter in self.plan.meters]
        owed_too = (Step.PAY_ARREARS,) if self.way and not self.way.write_off else ()
        waiting = bool(steps) and all(step in (Step.WAIT, *owed_too) for step in steps)
        return not any(map(failed, self.plan.meters)) and not waiting and self.trouble is None

    def _advance(self, way: Way) -> None:
        number, operator, money = self.row.number, self.app.operator, self.app.config.money
        assert operator is not None, "nobody closes without signing in"
        self._busy = True

        def advance() -> tuple[Plan, dict[str, Step]]:
            closing.advance(
                number,
                operator,
                money=money,
                pay=way.pay,
                why=way.why,
                transfer_to=way.transfer_to,
                write_off=way.write_off,
            )
            return plan_of(number)

        def advanced(found: tuple[Plan, dict[str, Step]]) -> None:
            self.app.wake_engine()
            self._take(found)

        ask(self, advance, advanced, refused=self._refused)

    def _refused(self, error: DomainError) -> None:
        self._busy = False
        self.trouble, self.way = error, None
        self.say()

    def _fetch_statement(self) -> None:
        number, language = self.row.number, i18n.current()

        def take(text: str) -> None:
            self.statement = text
            self.say()

        ask(self, lambda: closing.statement(number, language, STATEMENT_COLUMNS), take)

    def speak_anew(self) -> None:
        super().speak_anew()
        if self.statement:
            self._fetch_statement()

    def say(self) -> None:
        for said in self.query("Scroll Said").results(Said):
            said.say_again()
        self.refresh_bindings()

    def _head(self) -> Content:
        if self.plan is None:
            return Content(t("screen.head.loading"))
        return Content(
            t(
                "tenant.close.head",
                number=self.row.number,
                name=self.row.name,
                balance=words.yuan(self.left_fen),
                deposit=yuan_text(self.plan.deposit_fen),
            )
        )

    @property
    def left_fen(self) -> int | None:
        """What all meters hold together; None where one was never read."""
        assert self.plan is not None
        known = [meter.balance_fen for meter in self.plan.meters]
        return None if None in known else sum(fen for fen in known if fen is not None)

    def _meters(self) -> Content:
        if self.plan is None:
            return Content()
        return Content("\n").join(self._meter(meter) for meter in self.plan.meters)

    def _meter(self, meter: MeterPlan) -> Content:
        """Shop, number, balance; below it the steps with their ticks, and why one failed."""
        step = self.waits_for.get(meter.serial, meter.step)
        head = f"\n{fit(meter.shop, 10)} {meter.serial} {words.yuan(meter.balance_fen):>10}\n"
        parts = [Content(head)]
        parts += [_tick(one, step, meter) for one in _steps(step)]
        if meter.step is Step.WAIT:
            parts.append(painted(t("tenant.close.waiting"), "strong"))
        if failed(meter):
            parts.append(painted(f"\n    {words.reason(meter.reason)}", "bad"))
        return Content.assemble(*parts)

    def _next(self) -> Content:
        if self.plan is None:
            return Content()
        if self.trouble is not None:
            return painted(error_text(self.trouble), "bad")
        if self.plan.closed:
            return painted(t("tenant.close.closed"), "good")
        if any(meter.step is Step.PAY_ARREARS for meter in self.plan.meters):
            return painted(t("tenant.close.arrears"), "alarm1")
        if any(map(failed, self.plan.meters)):
            return painted(t("tenant.close.stopped"), "bad")
        if self.way is None:
            return Content(t("tenant.close.press_enter"))
        return Content(t("tenant.close.goes_on"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "go_on":
            return self.plan is not None and not self.plan.closed and self._needs_word
        return True

    @property
    def _needs_word(self) -> bool:
        """Not begun, stopped, or somebody owes: a person must say how it goes on."""
        assert self.plan is not None
        owes = any(meter.step is Step.PAY_ARREARS for meter in self.plan.meters)
        return self.way is None or owes or any(map(failed, self.plan.meters))

    def action_go_on(self) -> None:
        if self.plan is not None:
            self.app.push_screen(WayScreen(self))

    def begin(self, way: Way) -> None:
        """From the form: this is how. Every step is tried (again)."""
        self.way, self.trouble = way, None
        self._advance(way)


class WayScreen(FormDialog):
    """Asked once: how the credit leaves, in what kind of money, why; then the tenant's number."""

    TITLE = "tenant.close.title"

    def __init__(self, closing_screen: CloseTenantScreen) -> None:
        super().__init__()
        self.closing_screen = closing_screen

    @property
    def arrears(self) -> bool:
        plan = self.closing_screen.plan
        return plan is not None and any(m.step is Step.PAY_ARREARS for m in plan.meters)

    def entries(self) -> Sequence[Entry]:
        entries: list[Entry] = [
            Choose("way", "tenant.label.way", values=(REFUND, TRANSFER),
                   said=lambda value: t(f"tenant.way.{value}")),
            Choose("pay", "tenant.label.refund_by", PayKind, values=self.app.config.money.pays,
                   said=lambda value: t(f"screen.pay.{value}")),
            FromList("target", "tenant.label.target", make=self._targets),
            Entry("why", "tenant.label.why", rules.checked_note, t("tenant.close.reason"), 200),
        ]  # fmt: skip
        if self.arrears:
            entries.insert(
                0,
                Choose("owed", "tenant.label.owed", values=("pay", "write_off"),
                       said=lambda value: t(f"tenant.owed.{value}")),
            )  # fmt: skip
        return entries

    def _targets(self) -> Picked:
        own = {meter.serial for meter in self.closing_screen.row.meters}
        rows = [
            row
            for row in self.app.meters.values()
            if row.state is not MeterState.NOT_OPENED and row.serial not in own
        ]
        rows.sort(key=lambda row: (row.shop, row.serial))
        return Picked(
            lambda: [Choice(row.serial, partial(_target_text, row)) for row in rows],
            title="tenant.close.pick_target",
            many=False,
            hint="tenant.close.only_transfer",
        )

    def consequence(self) -> str:
        return t("tenant.close.note")

    def submitted(self, values: dict[str, Any]) -> None:
        target = next(iter(values["target"]), None) if values["way"] == TRANSFER else None
        if values["way"] == TRANSFER and target is None:
            self.form.input_of("target").focus()
            return
        way = Way(values["pay"], values["why"], target, values.get("owed") == "write_off")
        row = self.closing_screen.row

        def facts() -> str:
            key = "facts_transfer" if target else "facts_refund"
            plan = self.closing_screen.plan
            return t(
                f"tenant.close.{key}",
                number=row.number,
                name=row.name,
                balance=words.yuan(self.closing_screen.left_fen),
                deposit=yuan_text(plan.deposit_fen if plan else 0),
                pay=t(f"screen.pay.{way.pay}"),
                target=target or "",
            )

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self.dismiss(None)
                self.closing_screen.begin(way)

        self.app.push_screen(
            ConfirmScreen("tenant.close.confirm", facts, word=row.number), answered
        )


def plan_of(number: str) -> tuple[Plan, dict[str, Step]]:
    """The plan, and of meters that wait: for which step."""
    plan = closing.plan(number)
    waits = {}
    for meter in plan.meters:
        if meter.step is Step.WAIT and meter.command is not None:
            kind = commands.get(meter.command).kind
            waits[meter.serial] = STEP_OF.get(kind, Step.TAKE_OUT)
    return plan, waits


def failed(meter: MeterPlan) -> bool:
    """Does a person have to look? Too little for a refund is not that: it is cleared instead."""
    return meter.reason not in (None, TOO_LITTLE)


def _steps(now: Step) -> Sequence[Step]:
    """Arrears stand in the list only where there are any."""
    if now is Step.PAY_ARREARS:
        return (Step.READ, Step.PAY_ARREARS, *STEPS[2:])
    if now is Step.BLOCKED:
        return (Step.BLOCKED, *STEPS)
    return STEPS


def _tick(one: Step, now: Step, meter: MeterPlan) -> Content:
    order = [*_steps(now), Step.DONE]
    at = order.index(now) if now in order else 0
    mark = DONE if order.index(one) < at else WAIT
    if one is now:
        mark = FAILED if failed(meter) else NOW
    return painted(f"{mark} {t(f'tenant.step.{one}')} ", STYLES[mark])


def _target_text(row: Any) -> str:
    return f"{meter_text(row)}  {row.tenant}"
