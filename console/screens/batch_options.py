"""What a verb over many meters is to know beside the meters: why, until when, over what."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from console import batch_words
from console.screens.batch_verbs import Chosen
from console.screens.form_dialog import FormDialog
from console.screens.place import Place
from console.widgets.form import Choose, Entry
from console.work import ask
from engine import clock
from engine.config import GuardSection
from engine.domain.errors import BadBatch
from engine.domain.office import Hours, opens_next
from engine.i18n import t
from engine.services.approving import REASON_LENGTH_MAX, checked_reason
from engine.services.batch_plan import Options
from engine.views import guard
from models.enums import BatchVerb

NO, YES = "no", "yes"
OVERRIDES = (BatchVerb.TRIP, BatchVerb.RESUME, BatchVerb.SETTINGS, BatchVerb.RECONNECT)
UNOPENED = (
    BatchVerb.PRICE, BatchVerb.SETTINGS, BatchVerb.HOLD, BatchVerb.RESUME, BatchVerb.RECONNECT,
)  # fmt: skip
FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
WIDE = str.maketrans("０１２３４５６７８９：－　", "0123456789:- ")


def ask_options(
    screen: Place, chosen: Chosen, verb: BatchVerb, then: Callable[[Options, str], object]
) -> None:
    zone, section = screen.app.config.site.zone, screen.app.config.guard

    def show(until: str) -> None:
        dialog = OptionsScreen(chosen, verb, zone, until)

        def given(name: str | None) -> None:
            if name is not None:
                then(dialog.options, dialog.why)

        screen.app.push_screen(dialog, given)

    if verb is BatchVerb.HOLD:
        ask(screen, partial(_office_opens, section, zone), show)
    else:
        show("")


def _office_opens(section: GuardSection, zone: dt.tzinfo) -> str:
    """When somebody can sell again; empty where the office never closes."""
    hours = Hours.of(
        section.opens, section.closes, weekends=section.weekends, holidays=section.holidays
    )
    at = opens_next(clock.now(), hours, guard.special_days(), zone)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""


class OptionsScreen(FormDialog):
    """Ends with the verb, and `options` and `why` set; or None."""

    LABEL_CELLS = 24

    def __init__(self, chosen: Chosen, verb: BatchVerb, zone: dt.tzinfo, until: str) -> None:
        super().__init__()
        self.chosen, self.verb, self.zone, self.until = chosen, verb, zone, until
        self.options: dict[str, str | int | None] = {}
        self.why = ""

    def heading(self) -> str:
        return t("batch.options.title", verb=batch_words.verb(self.verb), of=self.chosen.said())

    def entries(self) -> Sequence[Entry]:
        found: list[Entry] = []
        if self.verb.switch:
            found.append(_why(checked_reason, "batch.options.why_hint"))
        elif self.verb is not BatchVerb.EXPORT:
            found.append(_why(str.strip, "tenant.form.optional"))
        if self.verb is BatchVerb.HOLD:
            check = partial(until_of, zone=self.zone)
            hint = "batch.options.until_hint"
            found.append(Entry("until", "batch.options.until", check, self.until, hint=hint))
        if self.verb in OVERRIDES:
            found.append(_yes_or_no("override", f"batch.options.override_{self.verb}"))
        if self.verb in UNOPENED:
            found.append(_yes_or_no("unopened", "batch.options.unopened"))
        if self.verb is BatchVerb.EXPORT:
            found.append(_yes_or_no("fresh", "batch.options.fresh"))
        return found

    def consequence(self) -> str:
        said = t(f"batch.consequence.{self.verb}")
        return f"{said}\n{t('batch.options.plan_first')}"

    def submitted(self, values: dict[str, Any]) -> None:
        self.why = values.pop("why", "")
        self.options = {
            name: (1 if value == YES else value)
            for name, value in values.items()
            if value not in (NO, "")
        }
        self.dismiss(self.verb.value)


def _yes_or_no(name: str, label: str) -> Entry:
    return Choose(name, label, values=(NO, YES), said=lambda value: t(f"batch.options.{value}"))


def _why(check: Callable[[str], str], hint: str) -> Entry:
    return Entry("why", "batch.options.why", check, length_max=REASON_LENGTH_MAX, hint=hint)


def until_of(text: str, zone: dt.tzinfo) -> str:
    """`09:00` (the next one), `11-24 09:00` or with a year -> an ISO instant; nothing stays so.

    Raises BadBatch where it is no time to come.
    """
    typed = text.translate(WIDE).strip()
    if not typed:
        return ""
    now = clock.now().astimezone(zone)
    for full in (typed, f"{now:%Y}-{typed}", f"{now:%Y-%m-%d} {typed}"):
        if (at := _parsed(full)) is None:
            continue
        at = at.replace(tzinfo=zone)
        if at <= now and full.endswith(f" {typed}"):
            at += dt.timedelta(days=1)
        if at > now:
            return at.isoformat()
    raise BadBatch(why="until", option=typed[:40], verb="")


def _parsed(text: str) -> dt.datetime | None:
    for form in FORMS:
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 (the zone is the caller's)
        except ValueError:
            continue
    return None
