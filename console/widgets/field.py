"""A one-line input as every form uses it: plain, still, and its Enter shown among the keys."""

import re
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.widgets import Input

from console.keys import bindings

NO_LETTERS = r"[^A-Za-zＡ-Ｚａ-ｚ]*"  # all else is taken, to be refused aloud: a `。` that
# vanished would make 100。50 into 10050
LENGTH_MAX, AMOUNT_LENGTH_MAX = 64, 16


class Field(Input):
    """No border, no blinking cursor: an idle form sends nothing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("field")

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        password: bool = False,
        max_length: int = LENGTH_MAX,
        restrict: str | None = None,
    ) -> None:
        super().__init__(
            value,
            id=id,
            password=password,
            max_length=max_length,
            restrict=restrict,
            compact=True,
        )
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        """Backspace in its turn: as a binding it would run after digits typed behind it."""
        if event.key == "backspace":
            event.stop()
            event.prevent_default()
            self.action_delete_left()
        else:
            await super()._on_key(event)

    @property
    def _value(self) -> Text:
        """Stars for a password: Textual's bullet has no certain width on Chinese terminals."""
        if self.password:
            return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="")
        return super()._value


class AmountField(Field):
    """Where an amount is typed. It takes no letters: they can be keys of the screen around it."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        submits: bool = True,
    ) -> None:
        super().__init__(id=id, max_length=AMOUNT_LENGTH_MAX, restrict=NO_LETTERS)
        self.submits = submits  # where Enter must not go on, it is no key at all

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return self.submits or action != "submit"

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return (
            super().check_consume_key(key, character)
            and re.fullmatch(NO_LETTERS, character or "") is not None
        )
