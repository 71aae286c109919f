"""What has to be typed again before something is done, and the line it is typed into."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import events

from console.widgets.field import LENGTH_MAX, AmountField, Field
from engine.domain.errors import BadAmount
from engine.domain.units import parse_yuan, yuan_text

YES = ("y", "ｙ")


@dataclass(frozen=True)
class Again:
    """`wanted` as it is written, and whether what was typed is that."""

    question: str  # catalog key
    wanted: str
    is_in: Callable[[str], bool]
    letters: bool = False  # of which `y` may be one


def amount_again(question: str, amount_fen: int, parse: Callable[[str], int] = parse_yuan) -> Again:
    """An amount, in whatever way `parse` takes it; whatever raises BadAmount is not it."""

    def is_in(typed: str) -> bool:
        try:
            return parse(typed) == amount_fen
        except BadAmount:
            return False

    return Again(question, yuan_text(amount_fen), is_in)


def word_again(question: str, word: str, *, letters: bool = False) -> Again:
    """A number or a name, to the letter."""
    return Again(question, word, lambda typed: typed.strip() == word, letters)


class AgainField(AmountField):
    """The keys of the question around it are taken in their turn. Bindings that come before the
    field would judge an amount that is still being typed, those behind it would let `y` overtake
    Escape.
    """

    def __init__(self, again: Again) -> None:
        super().__init__(id="again", submits=False)  # Enter must not look as if it agreed
        self.again = again
        if again.letters:
            self.restrict, self.max_length = None, LENGTH_MAX

    @property
    def agrees(self) -> bool:
        return self.again.is_in(self.value)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Once the word stands in it, `y` is the key of the question and no letter."""
        if not self.again.letters:
            return super().check_consume_key(key, character)
        return Field.check_consume_key(self, key, character) and not (self.agrees and key in YES)

    async def _on_key(self, event: events.Key) -> None:
        if self.check_consume_key(event.key, event.character):
            return  # typed, by the field
        active = self.screen.active_bindings.get(event.key)
        ours = active is not None and active.node is self.screen
        if ours or event.is_printable:  # a letter that is no key now must not become one later
            event.stop()
            event.prevent_default()
        if active is not None and ours:
            await self.app.run_action(active.binding.action, self.screen)
