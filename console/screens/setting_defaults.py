"""Defaults of buildings and models: who is to hold what, said by whom."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import setting_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.pick import Choice, PickScreen
from console.screens.setting_forms import DefaultForm
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.work import ask
from engine.domain.resolving import Defaults, typed
from engine.i18n import t
from engine.views import setting_defaults as views
from engine.views import settings_store as store
from engine.views.setting_defaults import DefaultRow
from models.enums import DefaultScope

Scope = tuple[DefaultScope, str]


class DefaultsScreen(ListPlace[DefaultRow]):
    NAME = "setting_defaults"
    BINDINGS: ClassVar[list[BindingType]] = bindings("setting_defaults")
    EMPTY = "settings.none_of_scope"

    def columns(self) -> Sequence[Column[DefaultRow]]:
        def column(
            name: str, cells: Callable[[], int], cell: Callable[[DefaultRow], Cell]
        ) -> Column[DefaultRow]:
            return Column(name, cells, cell, titles="settings.column", shrinks=name == "value")

        zone = self.app.config.site.zone
        return (
            column(
                "scope", width(17), lambda row: Cell(_scope_text((row.scope, row.key)), "strong")
            ),
            column("name", _name_width, lambda row: Cell(setting_words.name(row.name))),
            column("value", width(23), _value),
            column("set_by", width(8), lambda row: Cell(row.set_by)),
            column("since", width(11), lambda row: Cell(words.moment(row.set_at, zone)[:-3])),
        )

    def fetch(self) -> Callable[[], Sequence[DefaultRow]]:
        return views.default_rows

    def key_of(self, row: DefaultRow) -> Hashable:
        return row.scope, row.key, row.name

    def summary(self) -> str:
        return f" {t('settings.place.defaults')}"

    def action_new(self) -> None:
        """For whom? Of buildings and models that there are meters of."""
        ask(self, views.scopes, self._pick)

    def _pick(self, scopes: Sequence[Scope]) -> None:
        choices = [Choice(scope, partial(_scope_text, scope)) for scope in scopes]

        def picked(choice: Choice | None) -> None:
            if choice is not None:
                assert isinstance(choice.value, tuple)
                self._edit(choice.value)

        self.app.push_screen(PickScreen("settings.place.for_whom", choices), picked)

    @on(LineTable.Chosen)
    def _open(self) -> None:
        if (row := self.table.current) is not None:
            self._edit((row.scope, row.key))

    def _edit(self, scope: Scope) -> None:
        config, site = self.app.config, self.app.site

        def open_form(said: Defaults) -> None:
            own, kind = said.scoped.get(scope, {}), scope[0]
            form = DefaultForm(kind, scope[1], own, said.site, site)
            self.app.push_screen(form, lambda _: self.renew())

        ask(self, partial(store.defaults, config), open_form)


def _scope_text(scope: Scope) -> str:
    return f"{t(f'settings.scope.{scope[0]}')} {scope[1]}"


def _scope(row: DefaultRow) -> Cell:
    return Cell(_scope_text((row.scope, row.key)), "strong")


def _value(row: DefaultRow) -> Cell:
    return Cell(setting_words.text(row.name, typed(row.name, row.value)))


def _name_width() -> int:
    return words.widest(setting_words.name(name) for name in store.SETTINGS)
