"""One line that cannot be overlooked: outcomes not known yet, and money to be given back."""

from typing import TYPE_CHECKING

from console import words
from console.widgets.said import Said
from engine import clock
from engine.domain.units import yuan_text
from engine.i18n import t
from models.enums import CommandState

if TYPE_CHECKING:
    from console.app import ConsoleApp


DOUBTFUL = (CommandState.UNKNOWN, CommandState.SUSPENSE)


class TrayLine(Said):
    """Hidden while nothing is unknown and nobody waits for his money."""

    app: "ConsoleApp"

    def __init__(self) -> None:
        super().__init__(self._text)
        self.display = False

    def _text(self) -> str:
        if returned := self.app.to_give_back:
            paid_fen = sum(sale.amount_fen + sale.fee_fen for sale in returned)
            return t("screen.tray.returned", number=len(returned), amount=yuan_text(paid_fen))
        unknown = [sale for sale in self.app.news.undecided if sale.state in DOUBTFUL]
        if not unknown:
            return ""
        return t(
            "screen.tray.line",
            number=len(unknown),
            amount=yuan_text(sum(sale.amount_fen for sale in unknown)),
            age=words.age(min(sale.created_at for sale in unknown), clock.now()),
        )

    def renew(self) -> None:
        self.display = bool(self._text())
        self.say_again()
