"""Shops nobody rents: their meters are on no account. Enter opens them for a tenant."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens import tenant_verbs
from console.screens.list_place import ListPlace
from console.screens.moving import pick_tenant
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.views import tenants as views
from engine.views.tenants import VacantShop


class VacantScreen(ListPlace[VacantShop]):
    NAME = "vacant"
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")
    EMPTY = "tenant.vacant.none"

    def columns(self) -> Sequence[Column[VacantShop]]:
        zone = self.app.config.site.zone
        return (
            Column("shop", width(10), lambda row: Cell(row.shop, "strong")),
            Column("floor", width(5), lambda row: Cell(row.floor)),
            Column("vacant_since", width(12), lambda row: Cell(_since(row.since, zone))),
            Column("last_tenant", width(12), lambda row: Cell(row.last_tenant or words.NOTHING)),
            Column("planned_for", width(12), lambda row: Cell(row.planned_for or words.NOTHING)),
            Column(
                "serial",
                width(40),
                lambda row: Cell(" ".join(meter.serial for meter in row.meters)),
                shrinks=True,
            ),
        )

    def fetch(self) -> Callable[[], Sequence[VacantShop]]:
        now = clock.now().astimezone(self.app.config.site.zone)
        return lambda: views.vacant(now)

    def key_of(self, row: VacantShop) -> Hashable:
        return row.building, row.shop

    def summary(self) -> str:
        return f" {t('tenant.vacant.explained', number=len(self.table.rows))}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        """For whom? Then the opening form with this shop's meters."""
        shop = self.table.current
        if shop is not None:
            serials = [meter.serial for meter in shop.meters]
            opens = partial(tenant_verbs.open_for, self, serials=serials)
            pick_tenant(self, "tenant.vacant.for_whom", opens)


def _since(at: dt.datetime | None, zone: dt.tzinfo) -> str:
    return words.NOTHING if at is None else f"{at.astimezone(zone):%Y-%m-%d}"
