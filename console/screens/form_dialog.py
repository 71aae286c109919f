"""A dialog that is a form: its entries, what they will lead to, and the service they go to."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.form import Entry, Form
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.widgets.scroll import Box
from console.work import ask, error_text
from engine.domain.errors import DomainError
from engine.i18n import t
from models.people import Operator

T = TypeVar("T")


class FormDialog(Dialog[str], inherit_bindings=False):
    """Ends with the number of what was made or changed, or None.

    The request id is made with the form: however often it is sent, it is done once.

    Subclasses say TITLE, `entries` and `submitted`; `consequence` says in words what Enter will
    lead to, and BLAME which line a service's refusal is about.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog"), *bindings("form")]
    AUTO_FOCUS = "Form Input, Form OneOf, Form Picked"
    TITLE: ClassVar[str]
    LABEL_CELLS: ClassVar[int] = 14
    BLAME: ClassVar[dict[type[DomainError], str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.request_id = uuid4().hex
        self.refusal: DomainError | None = None
        self.sending = False

    def compose(self) -> ComposeResult:
        with Box(classes="box"):
            yield Said(lambda: Content.styled(self.heading(), "bold"))
            yield Form(self.entries(), label_cells=self.LABEL_CELLS)
            yield Said(self._consequence, id="consequence")
        yield KeyLine()

    def heading(self) -> str:
        return t(self.TITLE)

    def entries(self) -> Sequence[Entry]:
        raise NotImplementedError

    def consequence(self) -> str | Content:
        """What is said below the form while nothing was refused."""
        return ""

    def submitted(self, values: dict[str, Any]) -> None:
        raise NotImplementedError

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    @property
    def operator(self) -> Operator:
        assert self.app.operator is not None, "nobody gets here without signing in"
        return self.app.operator

    def _consequence(self) -> str | Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        return self.consequence()

    def say(self, refusal: DomainError | None = None) -> None:
        self.refusal = refusal
        said = self.query_one("#consequence", Said)
        said.say_again()
        if refusal is not None:
            said.scroll_visible(animate=False)

    @on(Form.Changed)
    def _changed(self) -> None:
        self.say()

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        if not self.sending:
            self.submitted(event.values)

    def send(self, query: Callable[[], T], then: Callable[[T], object]) -> None:
        """Run a service; while it runs the form cannot be sent again."""
        self.sending = True

        def done(result: T) -> None:
            self.sending = False
            self.app.wake_engine()
            then(result)

        ask(self, query, done, refused=self.refused)

    def refused(self, error: DomainError) -> None:
        self.sending = False
        name = self.BLAME.get(type(error))
        if name is None:
            self.say(error)
        else:
            self.form.blame(name, error)

    def speak_anew(self) -> None:
        self.form.speak()
        super().speak_anew()

    def action_next(self) -> None:
        self.form.go_on()

    def action_step(self, by: int) -> None:
        self.form.step(by)

    def action_send(self) -> None:
        self.form.submit()

    def action_back(self) -> None:
        self.dismiss(None)
