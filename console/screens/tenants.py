"""用户管理: tenants with their meters and what these hold together."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from textual import on

from console import words
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.meter_table import RANK
from engine.i18n import t
from engine.views.meters import MeterRow
from models.enums import MeterState


@dataclass(frozen=True)
class Tenant:
    """A tenant as its meters show it."""

    number: str
    name: str
    meters: tuple[MeterRow, ...]

    @property
    def balance_fen(self) -> int | None:
        """The sum over the meters; None where one of them was never read."""
        known = [meter.balance_fen for meter in self.meters if meter.balance_fen is not None]
        return sum(known) if len(known) == len(self.meters) else None

    @property
    def worst(self) -> MeterState:
        return min((meter.state for meter in self.meters), key=RANK.index)


def tenants_of(rows: Sequence[MeterRow]) -> list[Tenant]:
    """By number; meters on nobody's account are left out."""
    by_number: dict[str, list[MeterRow]] = {}
    for row in rows:
        if row.tenant_number is not None:
            by_number.setdefault(row.tenant_number, []).append(row)
    return [
        Tenant(number, meters[0].tenant or "", tuple(meters))
        for number, meters in sorted(by_number.items())
    ]


class TenantsScreen(ListPlace[Tenant]):
    NAME = "tenants"
    FIXED = 2

    def columns(self) -> Sequence[Column[Tenant]]:
        return (
            Column("number", width(8), lambda row: Cell(row.number)),
            Column("tenant", width(20), lambda row: Cell(row.name, "strong")),
            Column(
                "worst",
                lambda: words.widest(map(words.state_word, MeterState)),
                lambda row: Cell(words.state_word(row.worst), words.STATE_STYLES[row.worst]),
            ),
            Column("balance", width(10), lambda row: Cell(words.yuan(row.balance_fen)), right=True),
            Column("meters", width(6), lambda row: Cell(str(len(row.meters))), right=True),
            Column(
                "shops",
                width(24),
                lambda row: Cell(" ".join(dict.fromkeys(meter.shop for meter in row.meters))),
                shrinks=True,
            ),
        )

    def fetch(self) -> Callable[[], Sequence[Tenant]]:
        rows = list(self.app.meters.values())
        return lambda: tenants_of(rows)

    def key_of(self, row: Tenant) -> Hashable:
        return row.number

    def summary(self) -> str:
        return f" {t('screen.tenants.later')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        """The live table with this tenant's meters."""
        if self.table.current is not None:
            self.app.show_meters(typed=self.table.current.name)
