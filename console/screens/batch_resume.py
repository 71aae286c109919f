"""The question before a paused batch goes on: how many are left, typed; then y."""

from textual.content import Content

from console import batch_words
from console.screens.type_again import TypeAgainScreen
from console.widgets.again import word_again
from engine.domain.batch_rules import HARMLESS
from engine.i18n import t
from engine.views.batches import Progress


class ResumeScreen(TypeAgainScreen):
    def __init__(self, progress: Progress) -> None:
        self.paused = progress.batch
        harmless = self.paused.verb in HARMLESS or not self.paused.waiting
        again = None if harmless else word_again("batch.resume.number", str(self.paused.waiting))
        super().__init__(again)

    def heading(self) -> str:
        verb = batch_words.verb(self.paused.verb)
        return t("batch.resume.title", batch=self.paused.batch, verb=verb)

    def facts(self) -> Content:
        batch = self.paused
        lines = [
            Content(batch_words.state(batch)),
            Content(t("batch.resume.facts", ended=batch_words.ended(batch), left=batch.waiting)),
            Content(t(f"batch.consequence.{batch.verb}")),
        ]
        if batch.verb.switch:
            lines.append(Content(t("batch.resume.again")))
        return Content("\n").join(lines)

    def press_y(self) -> str:
        return t("batch.resume.press_y", number=self.paused.waiting)
