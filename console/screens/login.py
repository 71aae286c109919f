"""Sign in: name and password of an operator. The practice site offers one."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console.keys import bindings
from console.screens.place import Place
from console.widgets.field import Field
from console.widgets.said import Said, painted
from console.work import ask, error_text
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.services import operators
from models.people import Operator


class LoginScreen(Place):
    """Enter goes from field to field, then in."""

    NAME = "login"
    BINDINGS: ClassVar[list[BindingType]] = bindings("login")
    AUTO_FOCUS = "#name"

    def __init__(self) -> None:
        super().__init__()
        self._refusal: DomainError | None = None
        self._busy = False

    def body(self) -> Iterable[Widget]:
        name, password = self.app.offer or ("", "")
        with Vertical(id="login"):
            yield Said(lambda: t("screen.login.welcome", site=self.app.config.site.name))
            with Horizontal(classes="field"):
                yield Said(lambda: t("screen.login.name"), classes="label")
                yield Field(name, id="name", max_length=32)
            with Horizontal(classes="field"):
                yield Said(lambda: t("screen.login.password"), classes="label")
                yield Field(password, id="password", password=True)
            yield Said(self._hint, id="hint")

    def on_mount(self) -> None:
        super().on_mount()
        if self.app.offer:
            self.query_one("#password", Input).focus()

    def _hint(self) -> str | Content:
        if self._busy:
            return t("screen.login.checking")
        if self._refusal is not None:
            return painted(error_text(self._refusal), "bad")
        if self.app.offer:
            return t("screen.login.practice", name=self.app.offer[0])
        return t("screen.login.hint")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_next()

    def action_next(self) -> None:
        name, password = (self.query_one(f"#{part}", Input) for part in ("name", "password"))
        if self.focused is name or not password.value:
            password.focus()
        elif not self._busy:
            self._say(busy=True)
            typed = (name.value, password.value)
            ask(self, lambda: operators.sign_in(*typed), self._in, refused=self._refused)

    def _in(self, operator: Operator) -> None:
        self._say(busy=False)
        self.app.signed_in(operator)

    def _refused(self, error: DomainError) -> None:
        self._say(busy=False, refusal=error)
        self.query_one("#password", Input).value = ""

    def _say(self, *, busy: bool, refusal: DomainError | None = None) -> None:
        self._busy, self._refusal = busy, refusal
        self.query_one("#hint", Said).say_again()
