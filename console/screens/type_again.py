"""The last question before something that cannot be taken back: type it again, then y."""

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Dialog
from console.widgets.again import Again, AgainField
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.widgets.scroll import Box
from console.work import ask, error_text
from engine.domain.errors import DomainError
from engine.i18n import t

T = TypeVar("T")


class TypeAgainScreen(Dialog[bool]):
    """True only if `again` was typed (where something is due) and `y` pressed; Enter never agrees.

    Subclasses say the texts, asked for at every paint: `heading`, `facts` (who, what, how much)
    and `press_y`, and where they have better words the others. Their BINDINGS may name `y`
    otherwise.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("type_again")
    AUTO_FOCUS = "#again"
    BOX: ClassVar[type[VerticalScroll]] = Box
    FACTS_ID: ClassVar[str | None] = None

    def __init__(self, again: Again | None) -> None:
        super().__init__()
        self.again = again

    def compose(self) -> ComposeResult:
        with self.BOX(classes="box question"):
            yield Said(lambda: Content.styled(self.heading(), "bold"))
            yield Said(self.facts, id=self.FACTS_ID)
            yield from self.fields()
            if self.again is not None:
                with Horizontal(classes="field"):
                    yield Said(self.question, classes="label wide")
                    yield AgainField(self.again)
            yield Said(self.verdict, id="verdict")
        yield KeyLine()

    def heading(self) -> str:
        raise NotImplementedError

    def facts(self) -> str | Content:
        raise NotImplementedError

    def fields(self) -> Iterable[Widget]:
        """What else is asked for."""
        return ()

    def question(self) -> str:
        return t(self.again.question) if self.again else ""

    def press_y(self) -> str:
        raise NotImplementedError

    def nothing_yet(self) -> str:
        return t("cases.again.not_yet", wanted=self.again.wanted if self.again else "")

    def differs(self) -> str:
        return self.nothing_yet()

    @property
    def agrees(self) -> bool:
        return self.again is None or self.query_one(AgainField).agrees

    def verdict(self) -> Content:
        if self.agrees:
            return painted(self.press_y(), "good")
        if self.query_one(AgainField).value:
            return painted(self.differs(), "alarm1")
        return Content(self.nothing_yet())

    @on(Input.Changed)
    def _typed(self) -> None:
        self.typed()

    def typed(self) -> None:
        self.query_one("#verdict", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys typed behind the one that answered are too late: nothing may answer twice."""
        del parameters
        if action == "confirm":
            return self.is_current and self.agrees
        return self.is_current or action != "back"

    def action_confirm(self) -> None:
        self.dismiss(True)

    def action_back(self) -> None:
        self.dismiss(False)

    def action_turn_page(self, pages: int) -> None:
        """Where there is more to be read than fits."""
        box = self.query_one(self.BOX)
        box.scroll_relative(y=pages * max(1, box.size.height - 1), animate=False)


class TypeAgainAndSendScreen(TypeAgainScreen):
    """`y` sends the request from here, once; a refusal is said here. True only if it was done."""

    def __init__(self, again: Again | None) -> None:
        super().__init__(again)
        self.refusal: DomainError | None = None
        self.sending = False

    def verdict(self) -> Content:
        if self.refusal is not None:
            return painted(error_text(self.refusal), "bad")
        return super().verdict()

    def typed(self) -> None:
        self.refusal = None
        super().typed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) and not (
            action == "confirm" and self.sending
        )

    def send(self, query: Callable[[], T], done: Callable[[T], object]) -> None:
        self.sending = True
        ask(self, query, done, refused=self._refused)

    def _refused(self, refusal: DomainError) -> None:
        self.sending, self.refusal = False, refusal
        super().typed()  # which leaves the refusal in sight
