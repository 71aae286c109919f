"""A form is a list of entries: each a label, an input, and a line for what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from console.widgets.choice import OneOf
from console.widgets.field import AmountField, Field
from console.widgets.picked import Picked
from console.widgets.said import Said, painted
from engine.domain.errors import DomainError
from engine.i18n import error_text, t


@dataclass(frozen=True)
class Entry:
    """A line of text. `check` makes a value of what was typed, or raises a DomainError."""

    name: str
    label: str | Callable[[], str]  # catalog key, or what says it
    check: Callable[[str], Any] = str
    value: str = ""
    length_max: int = 120
    hint: str | Callable[[], str] = "tenant.form.optional"  # of what an empty line says: as label
    amount: bool = False  # takes no letters
    fixed: bool = False  # shown, not typed
    label_cells: int = 0  # 0: as wide as the form's others

    def widget(self) -> Widget:
        if self.fixed:
            return Said(lambda: self.value, id=self.name)
        if self.amount:
            made: Field = AmountField(id=self.name)
            made.value = self.value
        else:
            made = Field(self.value, id=self.name, max_length=self.length_max)
        made.placeholder = _label(self.hint)()
        return made

    def text(self, widget: Widget) -> str:
        return widget.value if isinstance(widget, Input) else self.value

    def read(self, widget: Widget) -> Any:
        return self.check(self.text(widget))


@dataclass(frozen=True)
class Choose(Entry):
    """One of a few values on one line."""

    values: Sequence[str] = ()
    said: Callable[[str], str] = str

    def widget(self) -> Widget:
        return OneOf(self.values, self.said, id=self.name)

    def text(self, widget: Widget) -> str:
        assert isinstance(widget, OneOf)
        return widget.value


@dataclass(frozen=True)
class FromList(Entry):
    """One or several values picked from a list by search; its value is a list of them."""

    make: Callable[[], Picked] = field(default=Picked)
    accept: Callable[[list[Any]], Any] = list  # as `check`, of what was picked

    def widget(self) -> Widget:
        made = self.make()
        made.id = self.name
        return made

    def read(self, widget: Widget) -> Any:
        assert isinstance(widget, Picked)
        return self.accept(widget.values)


class Form(Vertical):
    """Enter goes to the next line and from the last one submits; errors stand under their line."""

    DEFAULT_CSS = """
    Form { height: auto; }
    Form .entry { height: auto; }
    Form .entry > Input { width: 1fr; }
    Form .entry > Said { width: 1fr; }
    Form .error { width: 1fr; display: none; }
    """

    class Submitted(Message):
        """Every line is good; `values` by the entries' names."""

        def __init__(self, values: dict[str, Any]) -> None:
            super().__init__()
            self.values = values

    class Changed(Message):
        """Something was typed, turned or picked."""

    def __init__(self, entries: Sequence[Entry], *, label_cells: int = 14) -> None:
        super().__init__()
        self.entries, self.label_cells = tuple(entries), label_cells
        self.errors: dict[str, DomainError] = {}
        self._touched: set[str] = set()

    def compose(self) -> ComposeResult:
        for entry in self.entries:
            with Horizontal(classes="entry"):
                label = Said(_label(entry.label), classes="label")
                label.styles.width = entry.label_cells or self.label_cells
                yield label
                yield entry.widget()
            error = Said(self._error(entry.name), classes="error", id=f"{entry.name}-error")
            error.styles.margin = (0, 0, 0, self.label_cells)
            yield error

    def _error(self, name: str) -> Callable[[], Any]:
        def say() -> Any:
            error = self.errors.get(name)
            return painted(error_text(error.code, error.params), "bad") if error else ""

        return say

    def input_of(self, name: str) -> Widget:
        return self.query_one(f"#{name}")

    def text_of(self, name: str) -> str:
        (entry,) = (entry for entry in self.entries if entry.name == name)
        return entry.text(self.input_of(name))

    def speak(self) -> None:
        """Draw what is kept of a text anew: the language has changed."""
        for entry in self.entries:
            widget = self.input_of(entry.name)
            if isinstance(widget, Input):
                widget.placeholder = _label(entry.hint)()

    def fill(self, texts: Mapping[str, str]) -> None:
        """Put values where the operator has not typed any."""
        for name, text in texts.items():
            widget = self.input_of(name)
            if name not in self._touched and isinstance(widget, Input):
                with widget.prevent(Input.Changed):
                    widget.value = text

    def values(self) -> dict[str, Any]:
        """What can be read now; lines with errors are left out, and nothing is said of them."""
        found = {}
        for entry in self.entries:
            try:
                found[entry.name] = entry.read(self.input_of(entry.name))
            except DomainError:
                continue
        return found

    def check(self, *, only: str | None = None) -> bool:
        """Say what is wrong, of all lines or one; whether nothing is."""
        for entry in self.entries:
            if only is None or entry.name == only:
                self._judge(entry)
        self._show()
        return not self.errors

    def _judge(self, entry: Entry) -> None:
        self.errors.pop(entry.name, None)
        try:
            entry.read(self.input_of(entry.name))
        except DomainError as error:
            self.errors[entry.name] = error

    def _show(self) -> None:
        for entry in self.entries:
            said = self.query_one(f"#{entry.name}-error", Said)
            said.display = entry.name in self.errors
            said.say_again()

    def blame(self, name: str, error: DomainError) -> None:
        """A service's refusal, shown where it belongs."""
        self.errors[name] = error
        self._show()
        self.input_of(name).focus()

    def _focusable(self) -> Iterator[tuple[Entry, Widget]]:
        for entry in self.entries:
            widget = self.input_of(entry.name)
            if widget.focusable:
                yield entry, widget

    def step(self, by: int) -> bool:
        """To the next line or the one before; whether there was one."""
        lines = list(self._focusable())
        at = next((place for place, (_, it) in enumerate(lines) if it.has_focus), -1)
        if not 0 <= at + by < len(lines):
            return False
        lines[at + by][1].focus()
        return True

    def go_on(self) -> None:
        """Enter: the line is checked; then the next one, or all of them."""
        entry = next((entry for entry, it in self._focusable() if it.has_focus), None)
        if entry is not None and not self.check(only=entry.name) and entry.name in self.errors:
            return
        if not self.step(1):
            self.submit()

    def submit(self) -> None:
        if self.check():
            self.post_message(self.Submitted(self.values()))
            return
        wrong = next(entry.name for entry in self.entries if entry.name in self.errors)
        self.input_of(wrong).focus()

    @on(Input.Submitted)
    @on(Picked.Done)
    def _entered(self, event: Message) -> None:
        event.stop()
        self.go_on()

    @on(Input.Changed)
    @on(OneOf.Turned)
    @on(Picked.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        name = getattr(event.control, "id", None) or ""
        self._touched.add(name)
        if name in self.errors:
            self.check(only=name)
        self.post_message(self.Changed())

    @on(events.DescendantBlur)
    def _left(self, event: events.DescendantBlur) -> None:
        """A line that was typed in is checked when it is left."""
        name = event.widget.id or ""
        if name in self._touched:
            self.check(only=name)


def _label(label: str | Callable[[], str]) -> Callable[[], str]:
    return (lambda: t(label)) if isinstance(label, str) else label
