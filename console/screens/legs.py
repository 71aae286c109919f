"""Several commands on their way at once: each with its own three ticks and its own outcome."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from console import words
from console.keys import bindings
from console.screens.place import Dialog
from console.screens.sale import RECEIPT_WIDTH, STYLES, TICKS
from console.widgets.columns import fit
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask
from engine import i18n
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import commands, receipt_text, receipts
from engine.services.receipt_page import Page
from models.commands import Command
from models.enums import CommandState

FOLLOW_S = 0.3
SAID = {
    CommandState.APPLIED: "good",
    CommandState.REFUSED: "bad",
    CommandState.UNKNOWN: "alarm2",
    CommandState.SUSPENSE: "bad",
}


class LegsScreen(Dialog[None]):
    """Follows the commands' rows; closing this screen changes nothing.

    Parts of one `payment` share a receipt, shown once every one of them has ended.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("legs")
    AUTO_FOCUS = "Scroll"

    def __init__(
        self,
        title: Callable[[], str],
        ids: Sequence[int],
        *,
        payment: int | None = None,
    ) -> None:
        super().__init__()
        self.title_said, self.ids, self.payment = title, tuple(ids), payment
        self.commands: dict[int, Command] = {}
        self.shops: dict[str, str] = {}
        self.receipt = ""

    def compose(self) -> ComposeResult:
        with Scroll(classes="box"):
            yield Said(lambda: Content.styled(self.title_said(), "bold"))
            yield Said(self._legs, id="ticks")
            yield Said(self._outcome, id="outcome")
            yield Said(lambda: self.receipt, id="receipt")
        yield KeyLine()

    def on_mount(self) -> None:
        self.shops = {row.serial: row.shop for row in self.app.meters.values()}
        self._timer = self.set_interval(FOLLOW_S, self._look)
        self._look()

    def _look(self) -> None:
        self._timer.pause()  # one look at a time, however slow the store
        ask(self, lambda: [commands.get(number) for number in self.ids], self._seen)

    def _seen(self, found: list[Command]) -> None:
        before = self.commands
        self.commands = {command.id: command for command in found}
        if {number: command.rev for number, command in before.items()} != {
            number: command.rev for number, command in self.commands.items()
        }:
            self._note(found)
            self.say()
        if any(command.state.open for command in found):
            self._timer.resume()

    def _note(self, found: list[Command]) -> None:
        """Money of a refused leg is said here; a receipt is due once nothing is open."""
        self.app.told |= {command.id for command in found if command.state is CommandState.REFUSED}
        some = any(command.state is CommandState.APPLIED for command in found)
        if self.payment and some and not any(command.state.open for command in found):
            self._fetch_receipt()

    def _fetch_receipt(self) -> None:
        """One paper for all of them, as it stands now."""
        first = next(iter(self.commands.values()))
        page = Page(self.app.config.site, i18n.current(), RECEIPT_WIDTH, qr="none")

        def take(text: str) -> None:
            self.receipt = text
            self.say()

        ask(self, lambda: receipt_text.draw(receipts.require(first), page), take)

    def speak_anew(self) -> None:
        super().speak_anew()
        if self.receipt:
            self._fetch_receipt()

    def say(self) -> None:
        for said in self.query(Said):
            said.say_again()
        self.refresh_bindings()

    def _legs(self) -> Content:
        if not self.commands:
            return Content(t("screen.head.loading"))
        marks = painted(t("tenant.legs.marks"), "dim")
        return Content("\n").join([marks, *map(self._leg, self.commands.values())])

    def _leg(self, command: Command) -> Content:
        """`[x][x][ ] A-101 2026…  100.00  under way`, and why where it is not well."""
        marks = TICKS[command.state]
        ticks = [painted(mark, STYLES[mark]) for mark in marks]
        amount = yuan_text(command.amount_fen)
        what = fit(amount if command.counted else t(f"state.kind.{command.kind}"), 9, right=True)
        line = f" {self.shops.get(command.serial, '')} {command.serial} {what} "
        state = painted(t(f"state.command.{command.state}"), SAID.get(command.state, ""))
        why = words.reason(command.reason)
        tail = ""
        if command.state is CommandState.APPLIED and command.counted:
            tail = t(
                "tenant.legs.proved",
                before=words.yuan(command.base_balance_fen),
                after=words.yuan(command.after_balance_fen),
            )
        elif why:
            tail = f"        {why}"
        return Content.assemble(*ticks, line, state, f"\n{tail}" if tail else "")

    def _outcome(self) -> Content:
        """What the cashier must know now: wait, give back, or all well."""
        found = list(self.commands.values())
        back_fen = sum(
            command.amount_fen + command.fee_fen
            for command in found
            if command.pay and command.state in (CommandState.REFUSED, CommandState.VOIDED)
        )
        doubtful = [
            command
            for command in found
            if command.state in (CommandState.UNKNOWN, CommandState.SUSPENSE)
        ]
        parts = []
        if back_fen:
            parts.append(painted(t("tenant.legs.give_back", paid=yuan_text(back_fen)), "bad"))
        if doubtful:
            parts.append(painted(t("tenant.legs.unknown", number=len(doubtful)), "alarm2"))
        if any(command.state in (CommandState.QUEUED, CommandState.SENT) for command in found):
            key = "no_engine" if self._engine_stands_still else "under_way"
            parts.append(Content(t(f"tenant.legs.{key}")))
        if found and not parts:
            parts.append(painted(t("tenant.legs.all_proved", number=len(found)), "good"))
        return Content("\n").join(parts)

    @property
    def _engine_stands_still(self) -> bool:
        return self.app.news.engine_state not in ("running", "")

    def tick(self) -> None:
        self.say()

    def action_back(self) -> None:
        self.dismiss(None)
