"""A sale on its way: recorded, written to the meter, read back. Then the receipt."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from console import words
from console.keys import bindings
from console.screens import command_story
from console.screens.place import Dialog, Speaks
from console.widgets.key_line import KeyLine
from console.widgets.qr_code import qr_code
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, follow
from engine import clock, i18n
from engine.i18n import t
from engine.services import commands, printing, receipt_text, receipts, selling
from engine.services.receipt_page import Page
from engine.views import cases
from engine.views import receipts as receipt_views
from engine.views.cases import Case
from engine.views.receipts import Paper
from models.commands import Command
from models.enums import CommandKind, CommandState

PAID_OUT = (CommandKind.REFUND, CommandKind.REVERSE)  # what leaves the meter goes to its payer
RECEIPT_WIDTH = 40
PAPER_LOOK_S = 1.0
WAIT, NOW, DONE, FAILED, DOUBT = "[ ]", "[>]", "[x]", "[!]", "[?]"
STYLES = {WAIT: "dim", NOW: "strong", DONE: "good", FAILED: "bad", DOUBT: "alarm2"}
TICKS = {  # cash recorded, written to the meter, read back
    CommandState.QUEUED: (DONE, WAIT, WAIT),
    CommandState.SENT: (DONE, NOW, WAIT),
    CommandState.UNKNOWN: (DONE, DOUBT, WAIT),
    CommandState.APPLIED: (DONE, DONE, DONE),
    CommandState.REFUSED: (FAILED, FAILED, WAIT),
    CommandState.VOIDED: (FAILED, WAIT, WAIT),
    CommandState.SUSPENSE: (DONE, DOUBT, DOUBT),
}


def reprint(screen: Speaks[Any], command_id: int, then: Callable[[], object]) -> None:
    """One more paper for the receipt of a command, asked for by whoever is signed in."""
    operator = screen.app.operator
    assert operator is not None, "nobody prints without signing in"

    def asked() -> str:
        command = commands.get(command_id)
        receipt = receipts.require(command)
        printing.reprint(receipt, operator)
        return receipt.number

    def told(number: str) -> None:
        screen.app.tell(t("print.queued", number=number))
        then()

    ask(screen, asked, told)


class Whose(Protocol):
    """Whose meter it was when the command was asked for: a meter's row, a sale's, a case's."""

    @property
    def tenant(self) -> str | None: ...
    @property
    def shop(self) -> str: ...
    @property
    def serial(self) -> str: ...


class SaleScreen(Dialog[None]):
    """Follows the command's row; closing this screen changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("sale")

    AUTO_FOCUS = "Scroll"

    def __init__(self, command_id: int, whose: Whose) -> None:
        super().__init__()
        self.command_id = command_id
        self.whose = whose
        self.command: Command | None = None
        self.receipt = ""
        self.qr = Content()
        self.paper: Paper | None = None
        self.payable_fen: int | None = None  # not known yet

    def compose(self) -> ComposeResult:
        with Scroll(classes="box"):
            yield Said(self._title)
            yield Said(self._ticks, id="ticks")
            yield Said(self._outcome, id="outcome")
            yield Said(self._paper, id="paper")
            yield Said(lambda: self.receipt, id="receipt")
            yield Said(lambda: self.qr, id="qr")
        yield KeyLine()

    def on_mount(self) -> None:
        follow(self, self.command_id, self._seen)

    def _seen(self, command: Command) -> bool:
        """Returns whether there is more to come."""
        before, self.command = self.command, command
        if before is None or before.rev != command.rev:
            self._say()
            if command.state is CommandState.APPLIED and command.kind in receipts.WITH_RECEIPT:
                self._fetch_receipt(command)
                self._look_for_payable()
            if command.state is CommandState.REFUSED and command.kind is CommandKind.SELL:
                self.app.told.add(command.id)
        return bool(command.state.open)

    def _fetch_receipt(self, command: Command) -> None:
        page = Page(self.app.config.site, i18n.current(), RECEIPT_WIDTH, qr="none")

        def drawn() -> tuple[str, str]:
            receipt = receipts.require(command)
            return receipt_text.draw(receipt, page), receipts.code(receipt)

        def take(found: tuple[str, str]) -> None:
            self.receipt, code = found
            self.qr = qr_code(code, plain=self.app.plain, rows=self.app.size.height)
            self._say()
            self._look_at_paper()

        ask(self, drawn, take)

    def _look_at_paper(self) -> None:
        """Ask how its printing stands, until that is decided."""

        def take(paper: Paper | None) -> None:
            before, self.paper = self.paper, paper
            self._say()
            if paper is not None and paper.under_way:
                self.set_timer(PAPER_LOOK_S, self._look_at_paper)
            elif before is not None and before.under_way and self.command is not None:
                self._fetch_receipt(self.command)  # a payment's other sales may have ended since

        ask(self, lambda: receipt_views.paper_of(self.command_id), take)

    def speak_anew(self) -> None:
        super().speak_anew()
        if self.receipt and self.command is not None:
            self._fetch_receipt(self.command)

    def _say(self) -> None:
        for said in self.query(Said):
            said.say_again()
        self.refresh_bindings()

    def tick(self) -> None:
        self._say()

    def _title(self) -> Content:
        whose = self.whose
        text = t("screen.sale.title", tenant=whose.tenant, shop=whose.shop, serial=whose.serial)
        if self.command is not None:
            kind = command_story.title(self.command.kind)
            text = t("screen.story.title", kind=kind, of=text)
        return Content.styled(text, "bold")

    def _ticks(self) -> Content:
        if self.command is None:
            return Content(t("screen.head.loading"))
        command = self.command
        texts = command_story.steps(command)
        marks = TICKS[command.state]
        lines = [
            painted(f"{mark} {number}. {text}", STYLES[mark])
            for number, (mark, text) in enumerate(zip(marks, texts, strict=True), start=1)
        ]
        return Content("\n").join(lines)

    def _outcome(self) -> Content:
        if self.command is None:
            return Content()
        command = self.command
        said = {
            CommandState.APPLIED: "good",
            CommandState.REFUSED: "bad",
            CommandState.UNKNOWN: "alarm2",
            CommandState.SUSPENSE: "bad",
        }
        text = command_story.outcome(
            command,
            self._situation(command),
            next=words.moment(command.next_check_at, self.app.config.site.zone),
            left=self._undo_left_s(command),
        )
        return painted(text, said.get(command.state, ""))

    def _paper(self) -> Content:
        """What became of the printing: of interest above all where it failed."""
        if self.paper is None:
            return Content()
        return painted(words.printing(self.paper), "bad" if self.paper.failed else "dim")

    def _situation(self, command: Command) -> str:
        """The key of what is said of the state: a queued sale may wait for an engine."""
        if command.state is CommandState.APPLIED and self.payable_fen == 0:
            return "paid" if command.kind in PAID_OUT else str(command.state)
        if command.state is not CommandState.QUEUED:
            return str(command.state)
        if self.app.news.engine_state not in ("running", ""):
            return "queued_no_engine"
        return "queued_undo" if self._undo_left_s(command) else "queued"

    def _undo_left_s(self, command: Command) -> int:
        end = command.created_at + dt.timedelta(seconds=self.app.config.money.undo_s)
        return max(0, int((end - clock.now()).total_seconds()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "reprint":
            return bool(self.receipt)
        if action == "undo":
            command = self.command
            queued = command is not None and command.state is CommandState.QUEUED
            return bool(queued and command and self._undo_left_s(command))
        if action == "pay_out":
            return bool(self.payable_fen)
        return True

    def action_pay_out(self) -> None:
        """What the meter has proved to be out of it, to whom it belongs."""
        from console.screens.payout import PayOutScreen  # noqa: PLC0415 (loaded when gone to)

        def pay(case: Case | None) -> None:
            if case is not None:
                self.app.push_screen(PayOutScreen(case), lambda _: self._look_for_payable())

        ask(self, lambda: cases.payable_of(self.command_id), pay)

    def _look_for_payable(self) -> None:
        def take(case: Case | None) -> None:
            self.payable_fen = case.amount_fen if case else 0
            self._say()

        ask(self, lambda: cases.payable_of(self.command_id), take)

    def action_undo(self) -> None:
        operator, undo_s = self.app.operator, self.app.config.money.undo_s
        assert operator is not None, "nobody voids without signing in"
        ask(
            self,
            lambda: selling.void(self.command_id, operator, undo_s=undo_s),
            self._seen,
        )

    def action_reprint(self) -> None:
        reprint(self, self.command_id, self._look_at_paper)

    def action_back(self) -> None:
        self.dismiss(None)
