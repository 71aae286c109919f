"""Before a meter is emptied or a value vouched for: typed again, then y. Enter never does it."""

from collections.abc import Callable

from console.screens.type_again import TypeAgainScreen
from console.widgets.again import Again
from engine.i18n import t


class ConfirmExchangeScreen(TypeAgainScreen):
    def __init__(self, facts: Callable[[], str], again: Again) -> None:
        super().__init__(again)
        self.say_facts = facts

    def heading(self) -> str:
        return t("exchange.confirm.title")

    def facts(self) -> str:
        return self.say_facts()

    def press_y(self) -> str:
        return t("exchange.confirm.press_y")

    def differs(self) -> str:
        return t("exchange.confirm.differs")

    def nothing_yet(self) -> str:
        return t("exchange.confirm.type_it")
