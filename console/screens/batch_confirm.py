"""The last question before many meters are told something: how many, typed; then y."""

from textual.content import Content

from console import batch_words
from console.screens.batch_verbs import Chosen
from console.screens.type_again import TypeAgainScreen
from console.widgets.again import word_again
from engine.domain.batch_rules import HARMLESS
from engine.i18n import t
from engine.services.batch_rows import Plan
from engine.services.in_parts import TWO_PERSONS


class ConfirmBatchScreen(TypeAgainScreen):
    """Of what changes nothing in a meter `y` alone is asked."""

    def __init__(self, plan: Plan, chosen: Chosen, why: str) -> None:
        self.plan, self.chosen, self.why = plan, chosen, why
        self.number = len(plan.change)
        harmless = plan.verb in HARMLESS
        super().__init__(None if harmless else word_again("batch.confirm.number", str(self.number)))

    def heading(self) -> str:
        verb = batch_words.verb(self.plan.verb)
        return t("batch.confirm.title", verb=verb, number=self.number)

    def facts(self) -> Content:
        plan, zone = self.plan, self.app.config.site.zone
        lines = [Content(self.chosen.said())]
        if said := batch_words.asked_with(plan, self.why, zone):
            lines.append(Content(said))
        lines.append(Content(t(f"batch.consequence.{plan.verb}")))
        if dark := len(plan.loses_power):
            loud = t("batch.confirm.dark", number=dark)
            lines.append(Content.styled(f" {loud} ", "$error bold reverse"))
        if left := len(plan.rows) - self.number:
            lines.append(Content(t("batch.confirm.left", number=left)))
        lines.append(Content(batch_words.line_time(plan)))
        if self._heavy() >= self.app.config.control.second_from:
            lines.append(Content.styled(t("batch.confirm.second"), "$warning"))
        return Content("\n").join(lines)

    def _heavy(self) -> int:
        """As batch_store.require_two reckons."""
        return self.number if self.plan.verb in TWO_PERSONS else len(self.plan.loses_power)

    def press_y(self) -> str:
        return t("batch.confirm.press_y", verb=batch_words.verb(self.plan.verb), number=self.number)
