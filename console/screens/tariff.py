"""One tariff: its versions, the chosen one's days and steps, who does what, and its meters."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import tariff_words, words
from console.keys import bindings
from console.live import News
from console.screens.place import Place
from console.screens.tariff_assign import AssignForm, AssignScreen
from console.screens.tariff_confirm import WithdrawScreen
from console.screens.tariff_forms import open_publish
from console.screens.tariffs import today_line
from console.widgets import rate_strip
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask
from engine import clock
from engine.domain.tariff_calendar import Calendar, MonthDay
from engine.domain.tariff_meter import Capacity, runs
from engine.i18n import t
from engine.services import calendars
from engine.views import tariffs as views
from engine.views.tariffs import VersionRow, VersionState

STATE_STYLES = {
    VersionState.FUTURE: "alarm1",
    VersionState.IN_FORCE: "good",
    VersionState.PAST: "dim",
    VersionState.WITHDRAWN: "lost",
}
METERS_SHOWN = 60


@dataclass(frozen=True)
class Depth:
    versions: tuple[VersionRow, ...] = ()
    serials: tuple[str, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)


def look_up(name: str, today: dt.date) -> Depth:
    return Depth(
        tuple(views.versions(today, name)), tuple(views.meters_of(name)), calendars.calendar()
    )


class TariffScreen(Place):
    NAME = "tariff"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tariff")
    AUTO_FOCUS = "Scroll"

    def __init__(self, tariff: str) -> None:
        super().__init__()
        self.tariff = tariff
        self.depth = Depth()
        self.at: int | None = None  # the version that is shown; None: what is in force

    def body(self) -> Iterable[Widget]:
        with Scroll(id="tenant"):
            yield Said(self._text, classes="whole")

    def title_text(self) -> str:
        return t("prices.page.title", tariff=self.tariff)

    def on_mount(self) -> None:
        super().on_mount()
        self.renew()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self.renew()

    def hear(self, news: News) -> None:
        super().hear(news)
        if self.is_current and self.is_mounted:
            self.renew()

    @property
    def today(self) -> dt.date:
        return clock.now().astimezone(self.app.config.site.zone).date()

    def renew(self) -> None:
        def take(depth: Depth) -> None:
            if depth != self.depth:
                self.depth = depth
                self._say()

        ask(self, partial(look_up, self.tariff, self.today), take)

    def _say(self) -> None:
        self.query_one(".whole", Said).say_again()
        self.refresh_bindings()

    @property
    def shown(self) -> int:
        """Which of the versions: the one turned to, else the one in force, else the newest."""
        if self.at is not None and self.at < len(self.depth.versions):
            return self.at
        states = [version.state for version in self.depth.versions]
        in_force = VersionState.IN_FORCE
        return states.index(in_force) if in_force in states else 0

    @property
    def version(self) -> VersionRow | None:
        return self.depth.versions[self.shown] if self.depth.versions else None

    def _text(self) -> Content:
        if self.version is None:
            return Content(t("screen.head.loading"))
        return Content("\n").join(
            [
                today_line(self.today, self.depth.calendar),
                *self._versions(),
                Content(""),
                *self._days(self.version),
                Content(""),
                *self._steps(self.version),
                Content(""),
                *self._meters(),
            ]
        )

    def _versions(self) -> list[Content]:
        """A line each, a mark before the one shown below; who published it, and when."""
        zone = self.app.config.site.zone
        wide = words.widest(t(f"tariff.state.{state}") for state in VersionState)
        lines = [Content.styled(t("prices.page.versions"), "bold")]
        for number, each in enumerate(self.depth.versions):
            state = words.pad(t(f"tariff.state.{each.state}"), wide)
            prices = tariff_words.prices(each.prices)
            lines.append(
                Content.assemble(
                    "> " if number == self.shown else "  ",
                    f"{each.valid_from}  ",
                    painted(state, STATE_STYLES[each.state]),
                    f"  {prices}",
                )
            )
            if number == self.shown:
                lines.append(painted(f"    {_signed(each, zone)}", "dim"))
                if each.note:
                    lines.append(Content(f"    {words.one_line(each.note)}"))
        return lines

    def _days(self, version: VersionRow) -> list[Content]:
        plan = version.plan
        label = partial(rate_strip.part_label, parts=plan.parts)
        lines = [Content.styled(t("prices.page.days", day=version.valid_from), "bold")]
        lines += rate_strip.strips(plan.parts)
        lines += [
            Content(f"{label(part)}  {tariff_words.spans(part.schedule)}") for part in plan.parts
        ]
        today = MonthDay.of(self.today)
        now = rate_strip.part_of(plan.parts, today, self.depth.calendar, self.today.year)
        if now is not None:
            lines.append(Content(t("prices.page.part_today", part=label(now))))
        return lines

    def _steps(self, version: VersionRow) -> list[Content]:
        plan = version.plan
        lines = [Content.styled(t("prices.page.steps"), "bold")]
        found = tariff_words.step_lines(plan)
        wide = words.widest(span for span, _ in found)
        lines += [Content(f"{words.pad(span, wide)}  {prices}") for span, prices in found]
        if plan.cycle is not None:
            lines.append(Content(t("prices.page.cycle", cycle=cycle_text(plan.cycle_text))))
        lines += [Content(""), Content.styled(t("prices.page.who"), "bold")]
        return [*lines, *map(Content, tariff_words.who_does(runs(plan, Capacity())))]

    def _meters(self) -> list[Content]:
        shops = {row.serial: row.shop for row in self.app.meters.values()}
        said = [f"{shops.get(each, '')} {each}".strip() for each in self.depth.serials]
        title = t("prices.page.meters", number=len(said))
        lines = [Content.styled(title, "bold"), *map(Content, said[:METERS_SHOWN])]
        more = len(said) - METERS_SHOWN
        return [*lines, Content(t("prices.page.more", number=more))] if more > 0 else lines

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "withdraw":
            return self.version is not None and self.version.state is VersionState.FUTURE
        return action != "version" or len(self.depth.versions) > 1

    def action_version(self, by: int) -> None:
        if self.depth.versions:
            self.at = (self.shown + by) % len(self.depth.versions)
            self._say()

    def action_new(self) -> None:
        """From the version that is shown."""
        open_publish(self, self.version, self._changed)

    def action_withdraw(self) -> None:
        if self.version is not None:
            screen = WithdrawScreen(self.version, len(self.depth.serials))
            self.app.push_screen(screen, lambda done: self._changed() if done else None)

    def action_assign(self) -> None:
        def picked(serials: str | None) -> None:
            if serials:
                screen = AssignScreen(self.tariff, serials.split())
                self.app.push_screen(screen, lambda done: self._changed() if done else None)

        self.app.push_screen(AssignForm(self.tariff), picked)

    def _changed(self) -> None:
        self.at = None
        self.renew()


def _signed(version: VersionRow, zone: dt.tzinfo) -> str:
    name = version.published_by or t("tariff.by_import")
    at = words.moment(version.published_at, zone)
    said = t("prices.page.published", name=name, at=at)
    if version.withdrawn_at is None:
        return said
    at = words.moment(version.withdrawn_at, zone)
    return f"{said}  {t('prices.page.withdrew', name=version.withdrawn_by, at=at)}"


def cycle_text(text: str) -> str:
    """`monthly 15` in words."""
    name, _, begins = text.partition(" ")
    default = "1" if name == "monthly" else "01-01"
    return t(f"prices.cycle.{name}", begins=begins or default)
