"""A version of a tariff is typed, and judged as it is typed."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, ClassVar, cast

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from console import tariff_words
from console.keys import bindings
from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.screens.tariff_confirm import Draft, PublishScreen, UnlikelyScreen
from console.widgets import rate_strip
from console.widgets.form import Entry
from console.widgets.said import painted
from console.work import ask, error_text
from engine import clock
from engine.domain.errors import (
    BadTariff,
    BadTariffName,
    DomainError,
    TariffBackdated,
    TariffPublished,
)
from engine.domain.measurement import RATES
from engine.domain.tariff_meter import price_text
from engine.domain.tariff_presets import PRESETS, Preset
from engine.domain.tariff_schedule import parse_schedule
from engine.domain.tariff_steps import parse_cycle, parse_steps
from engine.domain.tariffs import parse_plan
from engine.domain.units import HALF_WIDTH
from engine.i18n import t
from engine.services import tariffs
from engine.views import tariffs as views
from engine.views.tariffs import VersionRow, VersionState

TEXT_LENGTH_MAX = 4000
TEXTS = ("schedule", "steps", "cycle")


def parse_day(text: str) -> dt.date:
    """Raises BadTariff."""
    try:
        return dt.date.fromisoformat(text.translate(HALF_WIDTH).strip())
    except ValueError:
        raise BadTariff(where="valid_from", why="bad_day", number=1, found=text[:20]) from None


def parse_price(name: str, text: str) -> Decimal:
    """Raises BadTariff; `name` is the rate's."""
    try:
        price = Decimal(text.translate(HALF_WIDTH).strip())
        parse_plan((price,) * 4, "")
    except InvalidOperation:
        why, where = "not_a_price", tariff_words.rate(name)
        raise BadTariff(where=where, why=why, number=1, found=text[:20]) from None
    except BadTariff as error:
        error.params["where"] = tariff_words.rate(name)
        raise
    return price


def _texts_of(version: VersionRow) -> dict[str, str]:
    prices = zip(RATES, version.prices, strict=True)
    return {
        **{f"price_{rate}": price_text(price) for rate, price in prices},
        **{name: tariff_words.as_typed(getattr(version, name)) for name in TEXTS},
    }


class PublishForm(FormDialog):
    """Ends with the name; what was typed is in `draft`."""

    TITLE = "prices.form.title"
    LABEL_CELLS = 17
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("dialog"), *bindings("form"), *bindings("tariff_form"),
    ]  # fmt: skip
    BLAME: ClassVar[dict[type[DomainError], str]] = {
        BadTariffName: "name", TariffBackdated: "valid_from", TariffPublished: "valid_from",
    }  # fmt: skip

    def __init__(self, seed: VersionRow | None) -> None:
        super().__init__()
        self.seed = seed
        self.draft: Draft | None = None

    def entries(self) -> Sequence[Entry]:
        said = _texts_of(self.seed) if self.seed else {}
        needed = "tenant.form.needed"
        tomorrow = clock.now().astimezone(self.app.config.site.zone).date() + dt.timedelta(days=1)
        prices = [
            Entry(
                f"price_{rate}", partial(_price_label, rate), partial(parse_price, rate),
                said.get(f"price_{rate}", ""), hint=needed, amount=True,
            )
            for rate in RATES
        ]  # fmt: skip
        checks: dict[str, Callable[[str], object]] = {
            "schedule": parse_schedule, "steps": parse_steps, "cycle": parse_cycle,
        }  # fmt: skip
        texts = [
            Entry(
                name, f"tariff.line.{name}", partial(_as_typed, check), said.get(name, ""),
                TEXT_LENGTH_MAX, hint=f"prices.form.hint_{name}",
            )
            for name, check in checks.items()
        ]  # fmt: skip
        name = self.seed.tariff if self.seed else ""
        return [
            Entry("name", "prices.form.name", tariffs.checked_name, name, 200, hint=needed),
            Entry("valid_from", "prices.form.from", parse_day, tomorrow.isoformat(), 20),
            *prices,
            *texts,
            Entry("note", "tariff.line.note", length_max=300),
        ]

    def consequence(self) -> Content:
        """The days that the texts make, as they are typed; what is wrong, with its place."""
        lines = []
        typed = {name: self.form.text_of(name) for name in TEXTS}
        try:
            lines += rate_strip.strips(parse_schedule(typed["schedule"]))
            prices = [self._price(rate) for rate in RATES]
            plan = parse_plan(prices, *typed.values())
            if plan.steps:
                found = tariff_words.step_lines(plan)
                lines += [Content(f"{span}  {said}") for span, said in found]
        except BadTariff as error:
            return Content("\n").join([painted(error_text(error), "alarm1"), *lines])
        return Content("\n").join(lines)

    def _price(self, rate: str) -> Decimal:
        text = self.form.text_of(f"price_{rate}")
        return parse_price(rate, text) if text.strip() else Decimal(0)

    def submitted(self, values: dict[str, Any]) -> None:
        config = self.app.config

        def drafted() -> Draft:
            prices = [values[f"price_{rate}"] for rate in RATES]
            plan = parse_plan(prices, *(values[name] for name in TEXTS))
            name, day = values["name"], values["valid_from"]
            today = clock.now().astimezone(config.site.zone).date()
            if day < today:
                raise TariffBackdated(day=day.isoformat(), today=today.isoformat())
            tariffs.require_unpublished(name, day)
            before = tariffs.before_of(name, day)
            asked = tariffs.questions_of(plan, before, config)
            number = len(views.meters_of(name))
            return Draft(name, day, plan, values["note"], before, number, tuple(asked))

        self.send(drafted, self._question)

    def _question(self, draft: Draft, typed: tuple[str, ...] = ()) -> None:
        """Each unlikely price is typed again; then the whole is approved."""
        left = [each for each in draft.questions if each.found not in typed]
        if not left:
            self.app.push_screen(PublishScreen(draft, typed), self._published)
            return
        found = left[0].found
        same = [each for each in left if each.found == found]

        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self._question(draft, (*typed, found))

        self.app.push_screen(UnlikelyScreen(same), answered)

    def _published(self, sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if sure:
            self.dismiss("published")

    def action_preset(self) -> None:
        """What to begin from: a version in force, or an example."""
        today = clock.now().astimezone(self.app.config.site.zone).date()

        def pick(found: Sequence[VersionRow]) -> None:
            copies = [
                Choice(
                    each, partial(t, "prices.form.copy", tariff=each.tariff, day=each.valid_from)
                )
                for each in found
                if each.state is VersionState.IN_FORCE
            ]
            presets = [
                Choice(each, partial(t, f"tariff_rule.preset_{each.code}")) for each in PRESETS
            ]
            self.app.push_screen(PickScreen("tariff_rule.preset_example", copies + presets), picked)

        def picked(choice: Choice | None) -> None:
            if choice is not None:
                self._insert(choice.value)

        ask(self, partial(views.versions, today), pick)

    def _insert(self, value: object) -> None:
        if isinstance(value, VersionRow):
            texts = _texts_of(value)
        else:
            assert isinstance(value, Preset)
            said = {name: getattr(value, name) for name in TEXTS}
            texts = {name: tariff_words.as_typed(text) for name, text in said.items() if text}
            flat = self.form.text_of("price_flat").strip()
            if value.schedule and flat:
                try:
                    prices = value.prices(parse_price("flat", flat))
                except BadTariff:
                    prices = None
                for rate, price in zip(RATES, prices or (), strict=False):
                    texts[f"price_{rate}"] = price_text(price)
        for name, text in texts.items():
            cast("Input", self.form.input_of(name)).value = text


def open_publish(screen: Place, seed: VersionRow | None, then: Callable[[], object]) -> None:
    def done(name: str | None) -> None:
        if name:
            then()

    screen.app.push_screen(PublishForm(seed), done)


def _price_label(rate: str) -> str:
    return t("prices.form.price", rate=tariff_words.rate(rate))


def _as_typed(check: Callable[[str], object], text: str) -> str:
    check(text)
    return text


def _copy_label(version: VersionRow) -> str:
    return t("prices.form.copy", tariff=version.tariff, day=version.valid_from)


def _preset_label(preset: Preset) -> str:
    return t(f"tariff_rule.preset_{preset.code}")
