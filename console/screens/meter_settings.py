"""The settings of one meter: desired, who says so, held, and whether the two agree."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import setting_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.setting_forms import MeterForm
from console.screens.setting_verbs import accept, push
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said, painted
from console.work import ask
from engine import clock
from engine.domain.resolving import Values
from engine.i18n import t
from engine.views import settings as views
from engine.views import settings_store as store
from engine.views.meters import MeterRow
from engine.views.settings import SettingRow


def _state(row: SettingRow) -> Cell:
    state = setting_words.state_of(row)
    return Cell(t(f"settings.state.{state}"), setting_words.STATE_STYLES[state])


def _source(row: SettingRow) -> Cell:
    return Cell(t(f"settings.source.{row.source}") if row.source else "", "dim")


class MeterSettingsScreen(ListPlace[SettingRow]):
    NAME = "meter_settings"
    BINDINGS: ClassVar[list[BindingType]] = bindings("meter_settings")

    def __init__(self, row: MeterRow) -> None:
        super().__init__()
        self.row = row
        self.rows: Sequence[SettingRow] = ()

    def title_text(self) -> str:
        who = f"{self.row.shop} {self.row.tenant or ''}".strip()
        return t("settings.place.of_meter", who=who)

    def body(self) -> Iterable[Widget]:
        yield Said(self.head, id="summary")
        yield LineTable(self.columns(), self.key_of, marks=True, empty=self.EMPTY)
        yield Said(self.detail, classes="foot")

    def columns(self) -> Sequence[Column[SettingRow]]:
        def column(
            name: str, cells: Callable[[], int], cell: Callable[[SettingRow], Cell]
        ) -> Column[SettingRow]:
            return Column(name, cells, cell, titles="settings.column")

        return (
            column("name", _name_width, lambda row: Cell(setting_words.name(row.name), "strong")),
            column("desired", width(16), lambda row: Cell(_text(row, row.desired))),
            column("source", _source_width, _source),
            column("held", width(16), lambda row: Cell(_text(row, row.held))),
            column("state", _state_width, _state),
        )

    def fetch(self) -> Callable[[], Sequence[SettingRow]]:
        serial, config = self.row.serial, self.app.config
        return lambda: views.of_meter(serial, config)

    def take(self, rows: Sequence[SettingRow]) -> None:
        self.rows = rows
        super().take(rows)
        self._moved()

    def _say(self) -> None:
        self.query_one(".foot", Said).say_again()

    def key_of(self, row: SettingRow) -> Hashable:
        return row.name

    def head(self) -> Content:
        """When it was read back, and in how many it differs."""
        at = next((row.held_at for row in self.rows if row.held_at), None)
        if at is None:
            never = t("settings.place.never", serial=self.row.serial)
            return painted(f" {never}", "lost")
        differ = sum(row.differs and not row.accepted for row in self.rows)
        age = words.age(at, clock.now())
        said = t("settings.place.read", serial=self.row.serial, age=age, number=differ)
        return painted(f" {said}", "bad" if differ else "good")

    def detail(self) -> str:
        """What the row under the cursor has no room for: long texts, and why it was accepted."""
        row = self.table.current
        if row is None:
            return ""
        desired, held = (setting_words.text(row.name, value) for value in (row.desired, row.held))
        lines = [f"{setting_words.name(row.name)}: {desired}"]
        if held != desired:
            lines.append(f"{t('settings.column.held')}: {held}")
        if row.why:
            lines.append(t("settings.place.accepted", why=words.one_line(row.why)))
        return "\n".join(lines)

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self._say()
        self.refresh_bindings()

    @property
    def chosen(self) -> list[SettingRow]:
        if self.table.marked:
            return [row for row in self.rows if row.name in self.table.marked]
        return [self.table.current] if self.table.current else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "push":
            return any(row.desired is not None for row in self.chosen)
        if action == "accept":
            return any(row.differs and not row.accepted for row in self.chosen)
        return True

    def action_push(self) -> None:
        names = [row.name for row in self.chosen if row.desired is not None]
        push(self, {self.row.serial: names} if names else {}, self._done)

    def action_accept(self) -> None:
        names = [row.name for row in self.chosen if row.differs and not row.accepted]
        accept(self, {self.row.serial: names} if names else {}, self._done)

    @on(LineTable.Chosen)
    def action_edit(self) -> None:
        def edited(serial: str | None) -> None:
            if serial is not None:
                self.renew()

        def open_form(wishes: tuple[Values, Values]) -> None:
            form = MeterForm(serial, *wishes, self.app.site)
            self.app.push_screen(form, edited)

        serial, config = self.row.serial, self.app.config
        ask(self, lambda: views.wishes(serial, config), open_form)

    def _done(self) -> None:
        self.table.action_mark_none()
        self.renew()


def _text(row: SettingRow, value: str | int | None) -> str:
    return setting_words.text(row.name, value)


def _name_width() -> int:
    return words.widest(setting_words.name(name) for name in store.NAMES)


def _source_width() -> int:
    sources = ("meter", "model", "building", "site", "tariff", "limit")
    return words.widest(t(f"settings.source.{source}") for source in sources)


def _state_width() -> int:
    return words.widest(t(f"settings.state.{state}") for state in setting_words.STATE_STYLES)
