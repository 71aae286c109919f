"""用户管理: all tenants; find one, look at it, sell to it, open, edit, close."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content

from console.keys import bindings
from console.live import News
from console.screens import tenant_verbs
from console.screens.pick import Choice, PickScreen
from console.screens.sifted_place import SiftedPlace
from console.screens.tenant import TenantScreen
from console.screens.vacant import VacantScreen
from console.widgets.line_table import LineTable
from console.widgets.search import SearchInput
from console.widgets.tenant_table import TenantTable
from console.work import ask, error_text
from engine import clock
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.views import tenants as views
from engine.views.tenants import TenantRow, TenantState

VACANT = "vacant"  # what `f` offers beside the states: shops, not tenants


class TenantsScreen(SiftedPlace):
    NAME = "tenants"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tenants")
    AUTO_FOCUS = "TenantTable"

    def __init__(self) -> None:
        super().__init__()
        self._rev = -1
        self._fetching = False
        self._stale = False
        self._goal = ""

    def make_table(self) -> TenantTable:
        return TenantTable()

    @property
    def table(self) -> TenantTable:
        return self.query_one(TenantTable)

    def counts(self) -> Content:
        if self._rev < 0:
            return Content(f" {t('screen.head.loading')}")
        found = Counter(row.state for row in self.table.all.values())
        parts = [f" {t(f'tenant.state.{state}')}:{found[state]}" for state in TenantState]
        return Content("".join(parts))

    def wanted(self) -> list[str]:
        wanted = self.table.filter
        return [t(f"tenant.state.{wanted.state}")] if wanted.state else []

    def on_mount(self) -> None:
        super().on_mount()
        self.renew()
        self.fetch()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self.fetch()

    def fetch(self) -> None:
        """What changed since the last time; news that come meanwhile make one fetch more."""
        self._stale = True
        if self._fetching:
            return
        self._fetching, self._stale = True, False
        since, prices = self._rev, self.app.default_prices
        now = clock.now().astimezone(self.app.config.site.zone)
        ask(
            self,
            lambda: views.rows(since, now=now, default_prices=prices),
            self._take,
            refused=self._failed,
        )

    def _take(self, found: tuple[int, list[TenantRow]]) -> None:
        self._fetching = False
        self._rev, rows = found
        self.table.take(rows)
        for row in rows:
            if row.number == self._goal:
                self._goal = ""
                self.table.go_to(row.account_id)
        self.renew()
        self.refresh_bindings()
        if self._stale:
            self.fetch()

    def _failed(self, error: DomainError) -> None:
        self._fetching = False
        self.app.tell(error_text(error), bad=True)

    def hear(self, news: News) -> None:
        super().hear(news)
        if self.is_current:
            self.fetch()

    @on(LineTable.Chosen)
    def _open(self) -> None:
        if (row := self.table.current) is not None:
            self.app.push_screen(TenantScreen(row))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "verb" and parameters != ("register",):
            row = self.table.current
            return row is not None and tenant_verbs.may(str(parameters[0]), row)
        return True

    def action_verb(self, name: str) -> None:
        tenant_verbs.start(self, name, self.table.current, self._made)

    def _made(self, number: str) -> None:
        """A new tenant: the cursor goes there, once its row has come."""
        self._goal = number
        self.clear()
        self.fetch()

    def action_back(self) -> None:
        """From what a filter shows to all, from there to the live table."""
        if self.table.filter.active:
            self.clear()
        else:
            super().action_back()

    def clear(self) -> None:
        self.query_one(SearchInput).value = ""
        self.sift(typed="", state=None)

    def action_by_state(self) -> None:
        found = Counter(row.state for row in self.table.all.values())
        choices = [Choice(None, partial(t, "tenant.list.all"))]
        choices += [
            Choice(state, _counted(f"tenant.state.{state}", found[state])) for state in TenantState
        ]
        choices.append(Choice(VACANT, partial(t, "tenant.list.vacant")))

        def picked(choice: Choice | None) -> None:
            if choice is None:
                return
            if choice.value == VACANT:
                self.app.push_screen(VacantScreen())
            else:
                self.sift(state=choice.value)

        self.app.push_screen(PickScreen("tenant.list.by_state", choices), picked)


def _counted(key: str, number: int) -> Callable[[], str]:
    return lambda: f"{t(key)}  {number}"
