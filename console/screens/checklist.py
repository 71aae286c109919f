"""What each meter that leaves its tenant needs next, step by step; left and gone on with freely."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.live import News
from console.screens.checklist_forms import PayOutForm
from console.screens.form_dialog import FormDialog
from console.screens.place import Place
from console.screens.sale import DONE, FAILED, NOW, STYLES, WAIT
from console.screens.standing import Standing, Way, failed, standing
from console.screens.tenant_blocks import short
from console.screens.waiting import attempt
from console.widgets.columns import fit
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, error_text
from engine.domain.errors import ApprovalNeeded, DomainError
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import closing_approval
from engine.services.closing_approval import Asked
from engine.services.closing_steps import MeterPlan, Step, Terms
from engine.views.tenants import TenantRow
from models.people import Operator

STEPS = (Step.READ, Step.TAKE_OUT, Step.CLEAR, Step.TRIP, Step.RELEASE)


class ChecklistScreen(Place):
    """Once begun it goes on by itself, step by step, until a person is needed or all is done.

    Subclasses say what is asked (`form`), one step of it (`advance`), and what it is about.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("checklist")
    AUTO_FOCUS = "Scroll"
    NAME = "checklist"
    KIND: ClassVar[str]  # its texts stand under `tenant.<KIND>`
    TRIPS: ClassVar[bool] = True  # a meter that goes to another tenant stays on

    def __init__(self, row: TenantRow, only: str | None = None) -> None:
        super().__init__()
        self.row, self.only = row, only
        self.found: Standing | None = None
        self.way: Way | None = None
        self.trouble: DomainError | None = None
        self._busy = False

    def form(self) -> FormDialog:
        raise NotImplementedError

    def advance(self, way: Way, by: Operator) -> None:
        """One step of the service, in the background."""
        raise NotImplementedError

    def finished(self) -> None:
        """All is done; looked at once."""

    def body(self) -> Iterable[Widget]:
        with Scroll(classes="page"):
            yield Said(self._head)
            yield Said(self._meters, id="ticks")
            yield Said(self._next, id="outcome")
            yield Said(self.paper, id="receipt")

    def title_text(self) -> str:
        return t(f"tenant.{self.KIND}.place", number=self.row.number, name=short(self.row.name))

    def paper(self) -> str:
        """What is shown below, once it is done."""
        return ""

    def on_mount(self) -> None:
        super().on_mount()
        self.look()

    def hear(self, news: News) -> None:
        super().hear(news)
        self.look()

    def tick(self) -> None:
        super().tick()
        self.look()

    def look(self) -> None:
        """How far it is; then what can be done by itself."""
        if self._busy or (self.found is not None and self.found.done):
            return
        self._busy = True
        keep = self.way is not None and self.way.keep
        query = partial(standing, self.row.number, only=self.only, keep=keep)
        ask(self, query, self._take, refused=self._refused)

    def _take(self, found: Standing) -> None:
        self._busy = False
        self.found = found
        if found.done:
            self.way = None
            self.finished()
        elif self.way is not None and found.may_go_on(self.way):
            self._advance(self.way)
        self.say()

    def _advance(self, way: Way) -> None:
        operator, number = self.app.operator, self.row.number
        assert operator is not None, "nobody does this without signing in"
        self._busy = True

        def advance() -> Standing:
            self.advance(way, operator)
            return standing(number, only=self.only, keep=way.keep)

        def advanced(found: Standing) -> None:
            self.app.wake_engine()
            self._take(found)

        ask(self, advance, advanced, refused=self._refused)

    def _refused(self, error: DomainError) -> None:
        self._busy = False
        way, self.trouble, self.way = self.way, error, None
        if isinstance(error, ApprovalNeeded) and way is not None:
            self._ask_second(way)
        self.say()

    def _ask_second(self, way: Way) -> None:
        """A second person approves it in a session of their own; then it goes on from here."""
        terms = Terms(
            pay=way.pay, why=way.why, transfer_to=way.transfer_to, keep=way.keep,
            write_off=way.write_off, return_deposit=way.return_deposit,
        )  # fmt: skip

        def found(asked: Asked | None) -> None:
            if asked is not None:
                attempt(self, asked.verb, asked.given, asked.request_id, approved)

        def approved(_command: object) -> None:
            self.begin(way)

        number, only = self.row.number, self.only
        ask(self, lambda: closing_approval.of(number, terms, only=only), found)

    def begin(self, way: Way) -> None:
        """From the form: this is how. Every step is tried (again)."""
        self.way, self.trouble = way, None
        self._advance(way)
        self.say()

    def say(self) -> None:
        for said in self.query("Scroll Said").results(Said):
            said.say_again()
        self.refresh_bindings()

    def _head(self) -> Content:
        if self.found is None:
            return Content(t("screen.head.loading"))
        return Content(self.head(self.found))

    def head(self, found: Standing) -> str:
        return t(
            f"tenant.{self.KIND}.head",
            number=self.row.number,
            name=self.row.name,
            balance=words.yuan(found.left_fen),
            deposit=yuan_text(found.deposit_fen),
        )

    def _meters(self) -> Content:
        if self.found is None:
            return Content()
        return Content("\n").join(self._meter(meter) for meter in self.found.meters)

    def _meter(self, meter: MeterPlan) -> Content:
        """Shop, number, balance; below it the steps with their ticks, and why one failed."""
        assert self.found is not None
        step = self.found.waits.get(meter.serial, meter.step)
        head = f"\n{fit(meter.shop, 10)} {meter.serial} {words.yuan(meter.balance_fen):>10}\n"
        parts = [Content(head)]
        steps = self._steps(step)
        if meter.protected:
            steps = [one for one in steps if one is not Step.TRIP]
        parts += [_tick(one, step, steps, meter) for one in steps]
        if meter.protected and self.TRIPS:
            told = t("control.protect.not_tripped", serial=meter.serial)
            parts.append(painted(f"\n    {told}", "alarm1"))
        if meter.step is Step.WAIT:
            parts.append(painted(t("tenant.list_steps.waiting"), "strong"))
        if failed(meter):
            parts.append(painted(f"\n    {words.reason(meter.reason)}", "bad"))
        return Content.assemble(*parts)

    def _steps(self, now: Step) -> Sequence[Step]:
        """Arrears and what blocks stand in the list only where there are any."""
        steps = [step for step in STEPS if self.TRIPS or step is not Step.TRIP]
        if now is Step.PAY_ARREARS:
            steps[1:2] = [Step.PAY_ARREARS]
        if now is Step.BLOCKED:
            steps.insert(0, Step.BLOCKED)
        return steps

    def _next(self) -> Content:
        found = self.found
        if found is None:
            return Content()
        if self.trouble is not None:
            return painted(error_text(self.trouble), "bad")
        if found.done:
            parts = [painted(t(f"tenant.{self.KIND}.done"), "good")]
            if found.deposit_fen:
                held = t("tenant.list_steps.deposit", deposit=yuan_text(found.deposit_fen))
                parts.append(painted(f"\n{held}", "alarm1"))
            if found.payable:
                paid = t("tenant.list_steps.payable", paid=yuan_text(found.payable_fen))
                parts.append(painted(f"\n{paid}", "alarm1"))
            return Content.assemble(*parts)
        if found.owes and not (self.way and self.way.write_off):
            return painted(t("tenant.list_steps.arrears"), "alarm1")
        if found.stopped:
            return painted(t("tenant.list_steps.stopped"), "bad")
        return Content(t(f"tenant.list_steps.{'press_enter' if self.way is None else 'goes_on'}"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return self._needs_word if action == "go_on" else True

    @property
    def _needs_word(self) -> bool:
        """Not begun, stopped, or somebody owes: a person must say how it goes on."""
        found = self.found
        if found is None or found.done:
            return found is not None and bool(found.payable)
        return self.way is None or found.owes or found.stopped

    def action_go_on(self) -> None:
        if self.found is not None and self.found.done:
            self.app.push_screen(PayOutForm(self))
        else:
            self.app.push_screen(self.form())

    def paid_out(self) -> None:
        """What waited for it is paid: the list says so."""
        assert self.found is not None
        self.found = replace(self.found, payable=())
        self.say()


def _tick(one: Step, now: Step, steps: Sequence[Step], meter: MeterPlan) -> Content:
    order = [*steps, Step.DONE]
    at = order.index(now) if now in order else 0
    mark = DONE if order.index(one) < at else WAIT
    if one is now:
        mark = FAILED if failed(meter) else NOW
    return painted(f"{mark} {t(f'tenant.step.{one}')} ", STYLES[mark])
