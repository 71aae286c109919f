"""What was typed of a tariff is questioned, approved by typing, published or withdrawn."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial

from textual.content import Content

from console import tariff_words
from console.screens.type_again import TypeAgainAndSendScreen, TypeAgainScreen
from console.widgets import rate_strip
from console.widgets.again import Again, word_again
from console.widgets.said import painted
from engine import clock
from engine.domain.measurement import RATES
from engine.domain.tariff_meter import price_text
from engine.domain.tariffs import Plan, Question
from engine.domain.units import HALF_WIDTH
from engine.i18n import t
from engine.services import tariffs
from engine.views.tariffs import VersionRow
from models.people import Operator


@dataclass(frozen=True)
class Draft:
    """What was typed, and what it would follow."""

    name: str
    valid_from: dt.date
    plan: Plan
    note: str
    before: Plan | None
    meters: int
    questions: tuple[Question, ...]


class UnlikelyScreen(TypeAgainScreen):
    """A price out of the ordinary: typed again, it is meant."""

    def __init__(self, questions: Sequence[Question]) -> None:
        found = questions[0].found
        super().__init__(Again("prices.again.price", found, partial(_is_price, found)))
        self.questions = tuple(questions)

    def heading(self) -> str:
        return t("prices.again.unlikely")

    def facts(self) -> str:
        return "\n".join(map(tariff_words.question, self.questions))

    def press_y(self) -> str:
        return t("prices.again.y_price")


class PublishScreen(TypeAgainAndSendScreen):
    """Old and new, and how many meters it is about: their number is typed."""

    def __init__(self, draft: Draft, asked: Sequence[str]) -> None:
        super().__init__(word_again("prices.again.meters", str(draft.meters)))
        self.draft, self.asked = draft, tuple(asked)

    def heading(self) -> str:
        return t(
            "prices.again.publish", tariff=self.draft.name, day=self.draft.valid_from.isoformat()
        )

    def facts(self) -> Content:
        draft = self.draft
        lines = [_difference(rate, at, draft) for at, rate in enumerate(RATES)]
        for name, mark in (("schedule", ""), ("steps", "_text"), ("cycle", "_text")):
            now = getattr(draft.plan, f"{name}{mark}")
            was = getattr(draft.before, f"{name}{mark}") if draft.before else ""
            word = (
                "same" if now == was else ("taken" if not now else ("new" if not was else "other"))
            )
            said = f"{t(f'tariff.line.{name}')}: {t(f'prices.again.{word}')}"
            lines.append(painted(said, "" if word == "same" else "alarm1"))
        lines += rate_strip.strips(draft.plan.parts)
        today = clock.now().astimezone(self.app.config.site.zone).date()
        key = "prices.again.number_now" if draft.valid_from == today else "prices.again.number"
        lines.append(Content.styled(t(key, number=draft.meters), "bold"))
        return Content("\n").join(lines)

    def press_y(self) -> str:
        return t("prices.again.y_publish")

    def action_confirm(self) -> None:
        draft, by, config, asked = self.draft, operator_of(self), self.app.config, self.asked
        plan = draft.plan

        def published() -> object:
            return tariffs.publish(
                draft.name, draft.valid_from, plan.prices, plan.schedule, plan.steps_text,
                plan.cycle_text, draft.note, by, config=config, asked=asked,
            )  # fmt: skip

        self.send(published, self._done)

    def _done(self, _: object) -> None:
        self.app.wake_engine()
        self.app.tell(t("prices.again.published", tariff=self.draft.name))
        self.dismiss(True)


class WithdrawScreen(TypeAgainAndSendScreen):
    """A version that has not begun: its day is typed."""

    def __init__(self, version: VersionRow, meters: int) -> None:
        super().__init__(word_again("prices.again.day", version.valid_from))
        self.version, self.meters = version, meters

    def heading(self) -> str:
        version = self.version
        return t("prices.again.withdraw", tariff=version.tariff, day=version.valid_from)

    def facts(self) -> str:
        prices = tariff_words.prices(self.version.prices)
        return f"{prices}\n{t('prices.again.number', number=self.meters)}"

    def press_y(self) -> str:
        return t("prices.again.y_withdraw")

    def action_confirm(self) -> None:
        version, by, config = self.version, operator_of(self), self.app.config
        day, why = dt.date.fromisoformat(version.valid_from), t("prices.again.by_hand")
        self.send(lambda: tariffs.withdraw(version.tariff, day, why, by, config=config), self._done)

    def _done(self, _: object) -> None:
        version = self.version
        self.app.tell(t("tariff.withdrawn", tariff=version.tariff, day=version.valid_from))
        self.dismiss(True)


def operator_of(screen: TypeAgainScreen) -> Operator:
    operator = screen.app.operator
    assert operator is not None, "nobody gets here without signing in"
    return operator


def _is_price(found: str, typed: str) -> bool:
    try:
        return Decimal(typed.translate(HALF_WIDTH).strip()) == Decimal(found)
    except InvalidOperation:
        return False


def _difference(rate: str, at: int, draft: Draft) -> Content:
    """`峰  1.0000 -> 1.2000`: yuan/kWh."""
    now = price_text(draft.plan.prices[at])
    was = price_text(draft.before.prices[at]) if draft.before else ""
    said = f"{tariff_words.rate(rate)}: {was or t('prices.again.nothing')} -> {now} "
    look = "" if was == now else "alarm1"
    return painted(f"{said}{t('prices.again.unit')}", look)


def _change_word(was: str, now: str) -> str:
    if was == now:
        return "same"
    if not now:
        return "taken"
    return "other" if was else "new"
