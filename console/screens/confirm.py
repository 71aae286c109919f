"""The question before a tenant's verb: y, after an amount or a number where one is due."""

from collections.abc import Callable

from console.screens.type_again import TypeAgainScreen
from console.widgets.again import amount_again, word_again
from engine.i18n import t


class ConfirmScreen(TypeAgainScreen):
    """The `amount_fen` or the `word` is typed again, whichever is given.

    `facts` name who, what and how much; they are asked for at every paint.
    """

    FACTS_ID = "consequence"

    def __init__(
        self, title: str, facts: Callable[[], str], *, amount_fen: int = 0, word: str = ""
    ) -> None:
        again = amount_again("tenant.confirm.amount", amount_fen) if amount_fen else None
        if word:
            again = word_again("tenant.confirm.word", word, letters=True)
        super().__init__(again)
        self.title_key, self.say_facts = title, facts

    def heading(self) -> str:
        return t(self.title_key)

    def facts(self) -> str:
        return self.say_facts()

    def press_y(self) -> str:
        return t("tenant.confirm.press_y")

    def differs(self) -> str:
        assert self.again is not None, "where nothing is due nothing differs"
        return t("tenant.confirm.differs", wanted=self.again.wanted)

    def nothing_yet(self) -> str:
        return t("tenant.confirm.nothing_yet")
