"""One line for whoever may approve: requests that wait for a second person."""

from typing import TYPE_CHECKING

from console import words
from console.widgets.said import Said
from engine import clock
from engine.i18n import t
from engine.services.operators import RIGHTS
from engine.views.approvals import Request
from models.enums import Right

if TYPE_CHECKING:
    from console.app import ConsoleApp


def mine(app: "ConsoleApp") -> list[Request]:
    """The requests that whoever is signed in may approve: not his own."""
    operator = app.operator
    if operator is None or Right.APPROVE not in RIGHTS[operator.role]:
        return []
    return [each for each in app.news.waiting if each.asked_by != operator.name]


class ApprovalLine(Said):
    """Hidden from whoever could not approve anything now."""

    app: "ConsoleApp"

    def __init__(self) -> None:
        super().__init__(self._text)
        self.display = False

    def _text(self) -> str:
        waiting = mine(self.app)
        if not waiting:
            return ""
        oldest = words.age(min(each.asked_at for each in waiting), clock.now())
        return t("cases.approvals.line", number=len(waiting), age=oldest)

    def renew(self) -> None:
        self.display = bool(self._text())
        self.say_again()
