"""One line for what nobody else would tell: orders that are stuck, and who runs out tonight."""

from typing import TYPE_CHECKING

from console import order_words
from console.widgets.said import Said
from engine.i18n import t

if TYPE_CHECKING:
    from console.app import ConsoleApp


class OrderLine(Said):
    """Hidden while nothing is stuck, and the guard is off or has nobody to tell of."""

    app: "ConsoleApp"

    def __init__(self) -> None:
        super().__init__(self._text)
        self.display = False

    def _text(self) -> str:
        news = self.app.news
        if news.stuck:
            return t("control.orders.stuck", number=news.stuck)
        if news.at_risk is None:
            return ""
        number, opens_at = news.at_risk
        opens = order_words.short_moment(opens_at, self.app.config.site.zone)
        return t("control.guard.remind", number=number, opens=opens)

    def renew(self) -> None:
        self.display = bool(self._text())
        self.say_again()
