"""系统设置: where meters hold something else than is desired; from here to defaults and config."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import setting_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.setting_verbs import accept, push
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said, painted
from engine import clock
from engine.config import Config
from engine.domain.selection import Selection
from engine.domain.setting_rules import IN_CONFIG
from engine.domain.wanted import SETTINGS
from engine.i18n import t
from engine.views import settings as views
from engine.views import settings_store as store
from engine.views.settings import DriftRow, Night
from models.enums import BatchVerb

ONE_BY_ONE_MAX = 5  # meters that are pushed without a plan


class Drift(list[DriftRow]):
    """The rows, and how far the night came."""

    def __init__(self, rows: Iterable[DriftRow], night: Night) -> None:
        super().__init__(rows)
        self.night = night


def _state(row: DriftRow) -> Cell:
    state = "accepted" if row.accepted else "differs"
    return Cell(t(f"settings.state.{state}"), setting_words.STATE_STYLES[state])


def _state_width() -> int:
    return words.widest(t(f"settings.state.{state}") for state in ("accepted", "differs"))


class SettingsScreen(ListPlace[DriftRow]):
    NAME = "settings"
    BINDINGS: ClassVar[list[BindingType]] = bindings("settings")
    EMPTY = "settings.no_drift"
    FIXED = 2

    def __init__(self) -> None:
        super().__init__()
        self.night: Night | None = None
        self.rows: Sequence[DriftRow] = ()

    def body(self) -> Iterable[Widget]:
        yield Said(self._site, classes="head")
        yield Said(self._night, classes="head")
        yield Said(self.summary, id="summary")
        yield LineTable(self.columns(), self.key_of, fixed=self.FIXED, marks=True, empty=self.EMPTY)

    def columns(self) -> Sequence[Column[DriftRow]]:
        def column(
            name: str, cells: Callable[[], int], cell: Callable[[DriftRow], Cell]
        ) -> Column[DriftRow]:
            return Column(name, cells, cell, titles="settings.column", shrinks=name == "wanted")

        return (
            column("shop", width(8), lambda row: Cell(row.shop, "strong")),
            column("name", _name_width, lambda row: Cell(setting_words.name(row.name))),
            column("state", _state_width, _state),
            column("since", width(5), lambda row: Cell(words.age(row.since, clock.now()))),
            column("wanted", width(34), lambda row: Cell(setting_words.wanted_and_held(row))),
            column("serial", width(12), lambda row: Cell(row.serial)),
            column("tenant", width(16), lambda row: Cell(row.tenant)),
        )

    def fetch(self) -> Callable[[], Sequence[DriftRow]]:
        config, now = self.app.config, clock.now().astimezone(self.app.config.site.zone)

        def found() -> Drift:
            rows = sorted(views.drifts(config), key=lambda row: row.accepted)
            return Drift(rows, views.night(config, now))

        return found

    def take(self, rows: Sequence[DriftRow]) -> None:
        assert isinstance(rows, Drift)
        self.rows, self.night = rows, rows.night
        super().take(rows)
        self.refresh_bindings()
        for said in self.query(".head").results(Said):
            said.say_again()

    def key_of(self, row: DriftRow) -> Hashable:
        return row.meter_id, row.name

    def _site(self) -> str:
        return t("settings.place.site", said=_site_text(self.app.config))

    def _night(self) -> Content:
        if self.night is None:
            return Content(t("screen.head.loading"))
        zone = self.app.config.site.zone
        said = t(
            "settings.night",
            due=words.moment(self.night.due_at, zone)[:-3],
            last=words.moment(self.night.last_at, zone)[:-3] or words.NOTHING,
            read=self.night.read,
            unread=self.night.unread,
        )
        return painted(said, "alarm1" if self.night.unread else "good")

    def summary(self) -> str:
        accepted = sum(row.accepted for row in self.rows)
        return f" {t('settings.place.counts', open=len(self.rows) - accepted, accepted=accepted)}"

    @property
    def chosen(self) -> list[DriftRow]:
        """The marked rows; none marked: the one under the cursor."""
        if self.table.marked:
            return [row for row in self.rows if self.key_of(row) in self.table.marked]
        return [self.table.current] if self.table.current else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action not in {"push", "accept"} or self.table.current is not None

    def action_push(self) -> None:
        by_meter: dict[str, list[str]] = {}
        for row in self.chosen:
            by_meter.setdefault(row.serial, []).append(row.name)
        if len(by_meter) > ONE_BY_ONE_MAX:
            self._batch(by_meter)
        else:
            push(self, by_meter, self._done)

    def _batch(self, by_meter: Mapping[str, Sequence[str]]) -> None:
        """Many meters get a plan first: of settings, or of prices where only they are chosen."""
        from console.screens.batch_verbs import (  # noqa: PLC0415 (loaded when first gone to)
            Chosen,
            with_verb,
        )

        names = {name for chosen in by_meter.values() for name in chosen}
        verb = BatchVerb.SETTINGS if names & SETTINGS else BatchVerb.PRICE
        number, of = len(by_meter), len(self.app.meters)
        with_verb(self, Chosen("marked", Selection(serials=tuple(by_meter)), number, of), verb)

    def action_accept(self) -> None:
        by_meter: dict[str, list[str]] = {}
        for row in self.chosen:
            if not row.accepted:
                by_meter.setdefault(row.serial, []).append(row.name)
        accept(self, by_meter, self._done)

    def _done(self) -> None:
        self.table.action_mark_none()
        self.renew()

    def action_defaults(self) -> None:
        from console.screens.setting_defaults import (  # noqa: PLC0415 (loaded when gone to)
            DefaultsScreen,
        )

        self.app.push_screen(DefaultsScreen())

    def action_config(self) -> None:
        from console.screens.config_page import (  # noqa: PLC0415 (loaded when first gone to)
            ConfigScreen,
        )

        self.app.push_screen(ConfigScreen())

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter_settings import (  # noqa: PLC0415 (loaded when first gone to)
            MeterSettingsScreen,
        )

        row = self.table.current
        if row is not None and row.meter_id in self.app.meters:
            self.app.push_screen(MeterSettingsScreen(self.app.meters[row.meter_id]))


def _name_width() -> int:
    return words.widest(setting_words.name(name) for name in store.NAMES)


def _site_text(config: Config) -> str:
    said = ((name, getattr(config.defaults, name)) for name in IN_CONFIG)
    return t("settings.place.comma").join(
        f"{setting_words.name(name)} {_or_alone(name, value)}" for name, value in said
    )


def _or_alone(name: str, value: int) -> str:
    """An overload of 0 there: the office does not look after it."""
    alone = name == "overload_w" and not value
    return t("settings.form.left_alone") if alone else setting_words.text(name, value)
