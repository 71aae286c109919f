"""A reason in a few words, with a choice above it where there is one to make."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.choice import OneOf
from console.widgets.field import Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from engine.domain.errors import NoReason
from engine.i18n import t
from engine.services.approving import REASON_LENGTH_MAX, checked_reason


class Given(NamedTuple):
    """What was chosen (empty: there was no choice) and why."""

    choice: str
    why: str


class ReasonScreen(Dialog[Given]):
    """Ends with what was given, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("reason")
    AUTO_FOCUS = "OneOf, #why"

    def __init__(
        self,
        title: Callable[[], str],
        facts: Callable[[str], str],
        *,
        choices: Sequence[str] = (),
        label: Callable[[str], str] = str,
    ) -> None:
        super().__init__()
        self.say_title, self.say_facts = title, facts
        self.choices, self.label = tuple(choices), label
        self.empty = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(lambda: Content.styled(self.say_title(), "bold"))
            if self.choices:
                with Horizontal(classes="field"):
                    yield Said(lambda: t("cases.reason.choice"), classes="label")
                    yield OneOf(self.choices, self.label, id="choice")
            with Horizontal(classes="field"):
                yield Said(lambda: t("cases.reason.why"), classes="label")
                yield Field(id="why", max_length=REASON_LENGTH_MAX)
            yield Said(self._consequence, id="consequence")
        yield KeyLine()

    @property
    def choice(self) -> str:
        return self.query_one("#choice", OneOf).value if self.choices else ""

    def _consequence(self) -> Content:
        if self.empty:
            return painted(t("error.no_reason"), "alarm1")
        return Content(self.say_facts(self.choice))

    @on(OneOf.Turned)
    @on(Input.Changed)
    def _changed(self) -> None:
        self.empty = False
        self.query_one("#consequence", Said).say_again()

    def action_next(self) -> None:
        if not self.query_one("#why", Input).has_focus:
            self.query_one("#why", Input).focus()
            return
        self._submit()

    @on(Input.Submitted)
    def _submit(self) -> None:
        try:
            why = checked_reason(self.query_one("#why", Input).value)
        except NoReason:
            self.empty = True
            self.query_one("#consequence", Said).say_again()
            return
        self.dismiss(Given(self.choice, why))

    def action_back(self) -> None:
        self.dismiss(None)
