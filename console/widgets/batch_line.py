"""One line on every place while a batch runs or stands: which, how far, and the key to it."""

from typing import TYPE_CHECKING

from console import batch_words
from console.widgets.said import Said
from engine.i18n import t
from models.enums import BatchState

if TYPE_CHECKING:
    from console.app import ConsoleApp


class BatchLine(Said):
    """Hidden while no batch is open."""

    app: "ConsoleApp"

    def __init__(self) -> None:
        super().__init__(self._text)
        self.display = False

    def _text(self) -> str:
        found = self.app.news.batches
        if not found:
            return ""
        first = found[0]
        more = t("batch.line.more", number=len(found) - 1) if len(found) > 1 else ""
        return t(
            "batch.line.text", batch=first.batch, verb=batch_words.verb(first.verb),
            ended=batch_words.ended(first), total=first.total, state=batch_words.state(first),
            more=more,
        )  # fmt: skip

    def renew(self) -> None:
        found = self.app.news.batches
        self.display = bool(found)
        self.set_class(any(each.state is BatchState.PAUSED for each in found), "-paused")
        self.say_again()
