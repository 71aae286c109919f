"""The question before two persons decide what became of a command, or free a meter."""

from collections.abc import Callable

from console.screens.type_again import TypeAgainScreen
from console.widgets.again import Again, amount_again, word_again
from engine.i18n import t

LAST_DIGITS = 4


def case_again(amount_fen: int, serial: str) -> Again:
    """The amount, or where there is none the end of the meter's number."""
    if amount_fen:
        return amount_again("cases.again.amount", amount_fen)
    return word_again("cases.again.serial", serial[-LAST_DIGITS:])


class ConfirmCaseScreen(TypeAgainScreen):
    """Before the verb `cases.<verb>`; a second person is asked after it."""

    def __init__(self, verb: str, facts: Callable[[], str], again: Again) -> None:
        super().__init__(again)
        self.verb, self.say_facts = verb, facts

    def heading(self) -> str:
        return t(f"cases.{self.verb}.title")

    def facts(self) -> str:
        return self.say_facts()

    def press_y(self) -> str:
        return t("cases.again.press_y")
