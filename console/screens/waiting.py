"""What needs a second person: asked for, followed until somebody decides it, taken back."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from console import evidence_text, words
from console.keys import bindings
from console.screens.place import Dialog, Speaks
from console.screens.reason import Given, ReasonScreen
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import FOLLOW_S, ask
from engine import clock
from engine.domain.errors import DomainError
from engine.domain.selection import Selection
from engine.domain.units import kwh_text, yuan_text
from engine.i18n import t
from engine.services import approvals, commands
from engine.views import approvals as views
from engine.views.approvals import Request
from models.cases import Approval
from models.commands import Command
from models.enums import ApprovalState

SERIALS_SHOWN = 4  # of many meters; how many they are is said beside it
STYLES = {
    ApprovalState.WAITING: "alarm1",
    ApprovalState.APPROVED: "good",
    ApprovalState.DECLINED: "bad",
    ApprovalState.EXPIRED: "bad",
}


class WaitingScreen(Dialog[Request]):
    """Ends with the request as it was last seen; closing it changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("waiting")

    def __init__(self, approval_id: int) -> None:
        super().__init__()
        self.approval_id = approval_id
        self.request: Request | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(lambda: Content.styled(t("cases.waiting.title"), "bold"))
            yield Said(self._facts)
            yield Said(self._outcome, id="outcome")
        yield KeyLine()

    def on_mount(self) -> None:
        self.timer = self.set_interval(FOLLOW_S, self._look)
        self._look()

    def _look(self) -> None:
        self.timer.pause()
        now = clock.now()
        ask(self, lambda: views.request(self.approval_id, now), self._seen)

    def _seen(self, found: Request | None) -> None:
        """Approved: on to what came of it. Otherwise it stays, and says why."""
        self.request = found
        for said in self.query(Said):
            said.say_again()
        self.refresh_bindings()
        if found is None or found.state is ApprovalState.APPROVED:
            self.dismiss(found)
        elif found.state is ApprovalState.WAITING:
            self.timer.resume()

    def _facts(self) -> str:
        return facts(self.request, self.app.config.site.zone) if self.request else ""

    def _outcome(self) -> Content:
        found = self.request
        if found is None:
            return Content(t("screen.head.loading"))
        text = t(
            f"cases.waiting.{found.state}",
            approval=found.approval,
            name=found.decided_by,
            why=evidence_text.refusal_text(found.refusal),
        )
        if found.state is ApprovalState.WAITING and found.refusal:
            why = evidence_text.refusal_text(found.refusal)
            text = f"{text}\n{t('cases.approval.refused', why=why)}"
        return painted(text, STYLES[found.state])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "decline":
            return self.request is not None and self.request.state is ApprovalState.WAITING
        return True

    def action_decline(self) -> None:
        """The asker takes it back."""
        decline(self, self.approval_id, lambda _: None, own=True)

    def action_back(self) -> None:
        self.dismiss(self.request)


def attempt(
    screen: Speaks[Any],
    verb: str,
    given: Mapping[str, str | int | None],
    request_id: str,
    done: Callable[[Command | None], object],
    *,
    refused: Callable[[DomainError], None] | None = None,
    declined: Callable[[], None] = lambda: None,
) -> None:
    """Do it, or where that needs a second person, ask for one and wait for the answer on screen.

    `done` gets the command that was made (None where the verb makes none), at once or when it
    was approved; `declined` is told that nobody can approve it any more: to ask again takes another
    request id. `given` are the verb's arguments: see `engine.services.approvable`.
    """
    app = screen.app
    operator, config = app.operator, app.config
    assert operator is not None, "nobody asks without signing in"

    def came(made: Command | Approval | None) -> None:
        app.wake_engine()
        if isinstance(made, Approval):
            app.push_screen(WaitingScreen(made.id), answered)
        else:
            done(made)

    def answered(found: Request | None) -> None:
        if found is None or found.state is not ApprovalState.APPROVED:
            if found is not None and found.state is not ApprovalState.WAITING:
                declined()
            return
        app.wake_engine()
        number = found.command
        if number is None:
            done(None)
        else:
            ask(screen, lambda: commands.get(number), done)

    ask(
        screen,
        lambda: approvals.attempt(verb, given, operator, request_id, config=config),
        came,
        refused=refused,
    )


def decline(
    screen: Speaks[Any], approval_id: int, then: Callable[[Approval], object], *, own: bool
) -> None:
    """Ask why, and say no to a request, or take one's `own` back."""
    app = screen.app
    operator = app.operator
    assert operator is not None, "nobody declines without signing in"

    def told(given: Given | None) -> None:
        if given is not None:
            ask(screen, lambda: approvals.decline(approval_id, operator, given.why), said)

    def said(declined: Approval) -> None:
        app.tell(t("cases.approval.declined", approval=approval_id))
        then(declined)

    key = "cases.approval.why_withdrawn" if own else "cases.approval.why_declined"
    app.push_screen(ReasonScreen(lambda: t(key, approval=approval_id), lambda _: ""), told)


def facts(request: Request, zone: dt.tzinfo) -> str:
    """Who asks for what, line by line, with what else the verb was asked with."""
    asked = f"{request.asked_by}, {words.moment(request.asked_at, zone)}"
    shown = {
        "asked_by": asked,
        "tenant": request.tenant or words.NOTHING,
        "serial": request.serial or words.NOTHING,
        "amount": yuan_text(request.amount_fen),
        "why": request.why,
    }
    given = json.loads(request.arguments)
    if "confirm" in given:  # of a batch: no one meter, no money
        shown = {name: shown[name] for name in ("asked_by", "why")}
    more = given.keys() - {"why", "serial", "source", "amount_fen", "digest"}  # are shown already
    told = [name for name in sorted(more) if given[name] not in (None, "{}")]
    shown |= {name: _value(name, given[name]) for name in told}
    labels = {name: t(f"cases.label.{name}") for name in shown}
    room = words.widest(labels.values()) + 2
    return "\n".join(f"{words.pad(labels[name], room)}{value}" for name, value in shown.items())


def _value(name: str, value: str | int) -> str:
    if name == "pay":
        return t(f"screen.pay.{value}")
    if name == "energy_wh":
        return kwh_text(int(value))
    if name == "balance_fen":
        return yuan_text(int(value))
    if name == "verb":
        return t(f"plan.verb.{value}")
    if name == "serials":
        serials = str(value).split(",")
        return ", ".join(serials[:SERIALS_SHOWN]) + (" …" if serials[SERIALS_SHOWN:] else "")
    if name == "selection":
        return Selection.from_json(json.loads(str(value))).summary()
    if name == "verdict":
        return t(f"cases.verdict.{value}")
    return str(value)
