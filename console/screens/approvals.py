"""What waits for a second person; Enter shows a request, and there it is approved or declined."""

import json
from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content

from console import evidence_text, words
from console.keys import bindings
from console.screens.case_confirm import case_again
from console.screens.list_place import ListPlace
from console.screens.type_again import TypeAgainAndSendScreen
from console.screens.waiting import decline
from console.screens.waiting import facts as said_of
from console.widgets.again import word_again
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import painted
from console.widgets.scroll import Scroll
from engine import clock
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import approvable, approvals
from engine.services.operators import RIGHTS
from engine.views import approvals as views
from engine.views.approvals import Request
from models.cases import Approval
from models.enums import Right
from models.people import Operator


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
            operator = self.app.operator
            assert operator is not None, "nobody sees requests without signing in"
            question = ApprovalScreen(self.table.current, operator)
            self.app.push_screen(question, lambda _: self.renew())


def meters_asked_for(request: Request) -> int | None:
    """Of a batch: how many meters; None where it is about one."""
    number: int | None = json.loads(request.arguments).get("confirm")
    return number


class ApprovalScreen(TypeAgainAndSendScreen):
    """One request, whole. The amount again and y approve it; x says no."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("approval")
    BOX = Scroll

    def __init__(self, request: Request, operator: Operator) -> None:
        self.request, self.operator = request, operator
        self.own = request.asked_by == operator.name
        self.may_approve = not self.own and Right.APPROVE in RIGHTS[operator.role]
        self.number = meters_asked_for(request)
        again = (
            case_again(request.amount_fen, request.serial)
            if self.number is None
            else word_again("cases.again.number", str(self.number))
        )
        super().__init__(again if self.may_approve else None)

    def heading(self) -> str:
        verb = t(f"cases.verb.{self.request.verb}")
        return t("cases.approval.title", approval=self.request.approval, verb=verb)

    def facts(self) -> str:
        lines = [said_of(self.request, self.app.config.site.zone)]
        if self.request.refusal:
            why = evidence_text.refusal_text(self.request.refusal)
            lines.append(t("cases.approval.refused", why=why))
        return "\n".join(lines)

    def press_y(self) -> str:
        if self.number is not None:
            name = self.operator.name
            return t("cases.approval.press_y_batch", number=self.number, name=name)
        amount = yuan_text(self.request.amount_fen)
        return t("cases.approval.press_y", amount=amount, name=self.operator.name)

    def nothing_yet(self) -> str:
        return t("cases.approval.incomplete", wanted=self.again.wanted if self.again else "")

    def verdict(self) -> Content:
        if self.refusal is None and not self.may_approve:
            why = "cases.approval.own" if self.own else "cases.approval.no_right"
            return painted(t(why), "alarm1")
        return super().verdict()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "decline":
            return self.is_current and (self.own or self.may_approve)
        if action == "confirm" and not self.may_approve:
            return False
        return super().check_action(action, parameters)

    def action_confirm(self) -> None:
        operator, config, number = self.operator, self.app.config, self.request.approval
        self.send(lambda: approvals.approve(number, operator, config=config), self._approved)

    def _approved(self, approved: Approval) -> None:
        self.app.wake_engine()
        self.app.tell(t("cases.approval.approved", approval=approved.id))
        self.dismiss(True)

    def action_decline(self) -> None:
        decline(self, self.request.approval, lambda _: self.dismiss(True), own=self.own)
