"""What waits for a second person; Enter shows a request, and there it is approved or declined."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from console import evidence_text, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.place import Dialog
from console.screens.type_again import Again
from console.screens.waiting import decline, facts
from console.widgets.columns import Cell, Column, width
from console.widgets.field import AmountField
from console.widgets.key_line import KeyLine
from console.widgets.line_table import LineTable
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, error_text
from engine import clock
from engine.domain.errors import DomainError
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import approvable, approvals
from engine.services.operators import RIGHTS
from engine.views import approvals as views
from engine.views.approvals import Request
from models.cases import Approval
from models.enums import Right


def _age(row: Request) -> Cell:
    return Cell(words.age(row.asked_at, clock.now()))


class ApprovalsScreen(ListPlace[Request]):
    NAME = "approvals"
    EMPTY = "cases.approvals.empty"
    FIXED = 2

    def columns(self) -> Sequence[Column[Request]]:
        return (
            Column("waiting", width(6), _age, right=True),
            Column(
                "verb",
                lambda: words.widest(t(f"cases.verb.{verb}") for verb in approvable.VERBS),
                lambda row: Cell(t(f"cases.verb.{row.verb}"), "strong"),
            ),
            Column("amount", width(10), lambda row: Cell(yuan_text(row.amount_fen)), right=True),
            Column("tenant", width(14), lambda row: Cell(row.tenant or words.NOTHING)),
            Column("asked_by", width(10), lambda row: Cell(row.asked_by)),
            Column("serial", width(12), lambda row: Cell(row.serial)),
            Column("reason", width(40), lambda row: Cell(row.why), shrinks=True),
        )

    def fetch(self) -> Callable[[], Sequence[Request]]:
        now = clock.now()
        return lambda: views.waiting(now)

    def key_of(self, row: Request) -> Hashable:
        return row.approval

    def summary(self) -> str:
        return f" {t('cases.approvals.explained')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        if self.table.current is not None:
            self.app.push_screen(ApprovalScreen(self.table.current), lambda _: self.renew())


class ApprovalScreen(Dialog[None]):
    """One request, whole. The amount again and y approve it; x says no."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("approval")
    AUTO_FOCUS = "#again"

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request
        self.again = Again(request.amount_fen, request.serial)
        self.refusal: DomainError | None = None
        self.sending = False

    def compose(self) -> ComposeResult:
        with Scroll(classes="box question"):
            yield Said(self._title)
            yield Said(self._facts)
            if self._may_approve:
                with Horizontal(classes="field"):
                    yield Said(lambda: self.again.question, classes="label wide")
                    yield AmountField(id="again", submits=False)
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    @property
    def _own(self) -> bool:
        assert self.app.operator is not None, "nobody sees requests without signing in"
        return self.request.asked_by == self.app.operator.name

    @property
    def _may_approve(self) -> bool:
        operator = self.app.operator
        assert operator is not None, "nobody sees requests without signing in"
        return not self._own and Right.APPROVE in RIGHTS[operator.role]

    def _title(self) -> Content:
        verb = t(f"cases.verb.{self.request.verb}")
        text = t("cases.approval.title", approval=self.request.approval, verb=verb)
        return Content.styled(text, "bold")

    def _facts(self) -> str:
        lines = [facts(self.request, self.app.config.site.zone)]
        if self.request.refusal:
            why = evidence_text.refusal_text(self.request.refusal)
            lines.append(t("cases.approval.refused", why=why))
        return "\n".join(lines)

    @property
    def agrees(self) -> bool:
        found = self.query("#again")
        return bool(found) and self.again.is_in(found.first(Input).value)

    def _verdict(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        if self._own:
            return painted(t("cases.approval.own"), "alarm1")
        if not self._may_approve:
            return painted(t("cases.approval.no_right"), "alarm1")
        if not self.agrees:
            return Content(t("cases.approval.incomplete", wanted=self.again.text))
        assert self.app.operator is not None, "nobody approves without signing in"
        amount, name = yuan_text(self.request.amount_fen), self.app.operator.name
        return painted(t("cases.approval.press_y", amount=amount, name=name), "good")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.refusal = None
        self._say()

    def _say(self) -> None:
        self.query_one("#verdict", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "confirm":
            return self.agrees and not self.sending
        return action != "decline" or self._own or self._may_approve

    def action_confirm(self) -> None:
        operator, config, number = self.app.operator, self.app.config, self.request.approval
        assert operator is not None, "nobody approves without signing in"
        self.sending = True
        ask(
            self,
            lambda: approvals.approve(number, operator, config=config),
            self._approved,
            refused=self._refused,
        )

    def _approved(self, approved: Approval) -> None:
        self.app.wake_engine()
        self.app.tell(t("cases.approval.approved", approval=approved.id))
        self.dismiss(None)

    def _refused(self, refusal: DomainError) -> None:
        self.sending, self.refusal = False, refusal
        self._say()

    def action_decline(self) -> None:
        decline(self, self.request.approval, lambda _: self.dismiss(None), own=self._own)

    def action_back(self) -> None:
        self.dismiss(None)
