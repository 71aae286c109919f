"""A one-line input as every form uses it: plain, still, and its Enter shown among the keys."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.widgets import Input

from console.keys import bindings

AMOUNT_SIGNS = frozenset(
    ".,-¥￥元．，－0123456789" + "".join(map(chr, range(0xFF10, 0xFF1A)))
)  # ０ to ９ too: an input method may be on
AMOUNT_LENGTH_MAX = 16


class Field(Input):
    """No border, no blinking cursor: an idle form sends nothing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("field")

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        password: bool = False,
        max_length: int = 64,
    ) -> None:
        super().__init__(value, id=id, password=password, max_length=max_length, compact=True)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        """Stars for a password: Textual's bullet has no certain width on Chinese terminals."""
        if self.password:
            return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="")
        return super()._value


class AmountField(Field):
    """Where an amount is typed. Letters are not taken: they stay keys of the screen around it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id, max_length=AMOUNT_LENGTH_MAX)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        del key
        return character in AMOUNT_SIGNS if character else False

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            return
        await super()._on_key(event)
