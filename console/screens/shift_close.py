"""Close a shift (交班): count blind, explain what differs, hand over what is not decided."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from console.keys import bindings
from console.screens.pick import Choice, PickScreen
from console.screens.place import Dialog
from console.screens.shift_confirm import ConfirmCloseScreen
from console.widgets.field import AmountField, Field
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine.domain.counting import parse_counted
from engine.domain.errors import DomainError, NotExplained
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import shifts
from engine.services.approving import REASON_LENGTH_MAX
from engine.views.shifts import KindLine, ShiftView
from models.commands import Command
from models.enums import PayKind
from models.people import Operator, Shift

NAMED_MAX = 8  # commands that fit on a line


@dataclass(frozen=True)
class ClosingFacts:
    """Whose shift it is, what is not decided, and who may mind that."""

    owner: Operator
    shift: ShiftView
    waiting: tuple[Command, ...]
    heirs: tuple[Operator, ...]


class CloseShiftScreen(Dialog[str]):
    """Ends with the number of the report, or with None. What is expected shows once counted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("shift_form")
    AUTO_FOCUS = "AmountField"

    def __init__(self, facts: ClosingFacts) -> None:
        super().__init__()
        self.facts = facts
        self.heir: Operator | None = None
        self.refusal: DomainError | None = None
        self.sending = False

    @property
    def lines(self) -> list[KindLine]:
        """Kinds that are taken here, and any other that moved."""
        pays = self.app.config.money.pays
        by_kind = {line.pay: line for line in self.facts.shift.kinds}
        others = [line for pay, line in by_kind.items() if pay not in pays and line.moved]
        return [by_kind[pay] for pay in pays] + others

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Said(self._title)
            for line in self.lines:
                with Horizontal(classes="field tight counted"):
                    yield Said(partial(_name, line), classes="label")
                    yield AmountField(id=f"counted-{line.pay}")
                    yield Said(partial(self._compared, line))
            with Horizontal(classes="field"):
                yield Said(lambda: t("shift.screen.explanation"), classes="label")
                yield Field(id="explanation", max_length=REASON_LENGTH_MAX)
            yield Said(self._hand_over, id="hand-over")
            yield Said(self._verdict, id="verdict")
        yield KeyLine()

    def _title(self) -> Content:
        title = t("shift.screen.close_title", operator=self.facts.owner.name)
        return Content("\n").join([Content.styled(title, "bold"), Content(t("shift.screen.count"))])

    def _typed(self, line: KindLine) -> str:
        return self.query_one(f"#counted-{line.pay}", Input).value

    def _compared(self, line: KindLine) -> Content:
        """Nothing before a count stands there."""
        typed = self._typed(line)
        if not typed:
            return Content()
        try:
            difference_fen = parse_counted(typed, line.pay) - line.expected_fen
        except DomainError:
            return painted(t("shift.screen.no_amount"), "alarm1")
        expected = yuan_text(line.expected_fen)
        if not difference_fen:
            return painted(t("shift.screen.fits", expected=expected), "good")
        key = "shift.screen.over" if difference_fen > 0 else "shift.screen.short"
        text = t(key, expected=expected, difference=yuan_text(abs(difference_fen)))
        return painted(text, "bad")

    def _hand_over(self) -> Content:
        waiting = self.facts.waiting
        if not waiting:
            return painted(t("shift.screen.nothing_open"), "good")
        numbers = ", ".join(f"#{command.id}" for command in waiting[:NAMED_MAX])
        if len(waiting) > NAMED_MAX:
            numbers += f" ... ({len(waiting)})"
        if self.heir is None:
            return painted(t("shift.screen.must_hand_over", commands=numbers), "alarm2")
        return Content(t("shift.screen.goes_to", commands=numbers, operator=self.heir.name))

    def _verdict(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        return Content(t("shift.screen.close_hint"))

    def _say(self, refusal: DomainError | None = None) -> None:
        self.refusal = refusal
        for said in self.query(Said):
            said.say_again()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._say()

    @on(Input.Submitted)
    def action_next(self) -> None:
        """From field to field; after the last one to what is missing, then to the question."""
        fields = list(self.query(Input))
        focused = self.focused
        if isinstance(focused, Input) and focused is not fields[-1]:
            fields[fields.index(focused) + 1].focus()
            return
        counted = self._counted()
        if counted is None or not self._explained(counted):
            return
        if self.facts.waiting and self.heir is None:
            self._pick_heir()
        elif not self.sending:
            self._ask(counted)

    def _counted(self) -> dict[PayKind, int] | None:
        """What was typed, or None where something is no count: the cursor is there then."""
        counted = {}
        for line in self.lines:
            try:
                counted[line.pay] = parse_counted(self._typed(line), line.pay)
            except DomainError as error:
                self._say(error)
                self.query_one(f"#counted-{line.pay}").focus()
                return None
        return counted

    def _explained(self, counted: dict[PayKind, int]) -> bool:
        differing = [line for line in self.lines if counted[line.pay] != line.expected_fen]
        if differing and not self.query_one("#explanation", Input).value.strip():
            texts = (
                f"{t(f'screen.pay.{line.pay}')} {yuan_text(counted[line.pay] - line.expected_fen)}"
                for line in differing
            )
            self._say(NotExplained(differences=", ".join(texts)))
            self.query_one("#explanation").focus()
            return False
        return True

    def _pick_heir(self) -> None:
        if not self.facts.heirs:
            self.app.tell(t("shift.screen.no_heir"), bad=True)
            return
        choices = [Choice(heir, partial(str, heir.name)) for heir in self.facts.heirs]

        def picked(choice: Choice | None) -> None:
            if choice is not None and isinstance(choice.value, Operator):
                self.heir = choice.value
                self._say()
                self.action_next()

        self.app.push_screen(PickScreen("shift.screen.pick_heir", choices), picked)

    def _ask(self, counted: dict[PayKind, int]) -> None:
        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._close(counted)

        lines = [(line, counted[line.pay]) for line in self.lines]
        heir = self.heir.name if self.heir else None
        self.app.push_screen(
            ConfirmCloseScreen(self.facts.owner.name, lines, len(self.facts.waiting), heir),
            answered,
        )

    def _close(self, counted: dict[PayKind, int]) -> None:
        by, owner, heir = self.app.operator, self.facts.owner, self.heir
        assert by is not None, "nobody closes a shift without signing in"
        why, zone = self.query_one("#explanation", Input).value, self.app.config.site.zone
        self.sending = True
        ask(
            self,
            lambda: shifts.close_shift(by, counted, why, heir, zone=zone, of=owner),
            self._done,
            refused=self._refused,
        )

    def _done(self, shift: Shift) -> None:
        self.dismiss(shift.number)

    def _refused(self, error: DomainError) -> None:
        """Something came in meanwhile, perhaps: the figures are fetched again by reopening."""
        self.sending = False
        self._say(error)

    def action_back(self) -> None:
        self.dismiss(None)


def _name(line: KindLine) -> str:
    return t(f"screen.pay.{line.pay}")
