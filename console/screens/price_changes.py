"""调价记录: what the engine changed in meters, when it was due, and what a delay cost."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from console import tariff_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.reason import Given, ReasonScreen
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from console.work import ask
from engine.i18n import t
from engine.services import price_changes
from engine.views import price_changes as views
from engine.views.price_changes import ChangeRow, ChangeState

STYLES = {
    ChangeState.WAITING: "alarm1",
    ChangeState.REFUSED: "bad",
    ChangeState.APPLIED: "good",
    ChangeState.SUPERSEDED: "dim",
}


class PriceChangesScreen(ListPlace[ChangeRow]):
    NAME = "price_changes"
    BINDINGS: ClassVar[list[BindingType]] = bindings("price_changes")
    EMPTY = "prices.changes.none"
    FIXED = 2

    def __init__(self) -> None:
        super().__init__()
        self.rows: Sequence[ChangeRow] = ()

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Said(self._detail, classes="foot")

    def columns(self) -> Sequence[Column[ChangeRow]]:
        zone = self.app.config.site.zone

        def column(
            name: str, cells: int, cell: Callable[[ChangeRow], Cell], *, right: bool = False
        ) -> Column[ChangeRow]:
            return Column(name, width(cells), cell, titles="prices.column", right=right)

        return (
            column("shop", 9, lambda row: Cell(row.shop, "strong")),
            column("state", 15, _state),
            column("cause", 14, lambda row: Cell(t(f"tariff.cause.{row.cause}"))),
            column("due", 11, lambda row: Cell(words.moment(row.due_at, zone)[:11])),
            column("late", 8, lambda row: Cell(words.kwh(row.late_wh)), right=True),
            column("difference", 9, _late, right=True),
            column("applied", 11, lambda row: Cell(words.moment(row.applied_at, zone)[:11])),
            column("energy", 10, lambda row: Cell(words.kwh(row.energy_wh)), right=True),
            column("balance", 10, lambda row: Cell(words.yuan(row.balance_fen)), right=True),
            column("serial", 12, lambda row: Cell(row.serial)),
        )

    def fetch(self) -> Callable[[], Sequence[ChangeRow]]:
        """Open ones first, however old; then what is under way; then the newest."""

        def found() -> list[ChangeRow]:
            rows = {row.id: row for row in [*views.changes(only_open=True), *views.changes()]}
            return sorted(rows.values(), key=_order)

        return found

    def take(self, rows: Sequence[ChangeRow]) -> None:
        self.rows = rows
        super().take(rows)
        self._moved()

    def key_of(self, row: ChangeRow) -> Hashable:
        return row.id

    def summary(self) -> str:
        unsettled = sum(row.open for row in self.rows)
        return f" {t('prices.changes.counts', number=len(self.rows), unsettled=unsettled)}"

    def _detail(self) -> str:
        """What the row has no room for: prices from and to, the reading, the note."""
        row = self.table.current
        if row is None:
            return ""
        former, wanted = (
            tariff_words.held_prices(values) or words.NOTHING for values in (row.former, row.wanted)
        )
        lines = [f"{row.serial}  {former} -> {wanted} {t('prices.again.unit')}"]
        lines.append(
            t(
                "prices.changes.reading",
                at=words.moment(row.applied_at, self.app.config.site.zone) or words.NOTHING,
                kwh=words.kwh(row.energy_wh),
                yuan=words.yuan(row.balance_fen),
            )
        )
        if row.settled_at is not None:
            note = words.one_line(row.note)
            lines.append(t("prices.changes.settled", name=row.settled_by, note=note))
        elif row.open:
            lines.append(_sentence(row))
        return "\n".join(lines)

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.query_one(".foot", Said).say_again()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "settle" or (self.table.current is not None and self.table.current.open)

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter import MeterScreen  # noqa: PLC0415 (loaded when gone to)

        row = self.table.current
        for meter in self.app.meters.values():
            if row is not None and meter.serial == row.serial:
                self.app.push_screen(MeterScreen(meter.meter_id))
                return

    def action_settle(self) -> None:
        row, by = self.table.current, self.app.operator
        assert row is not None
        assert by is not None
        late = tariff_words.difference(row.late_fen, estimated=row.estimated)

        def given(reason: Given | None) -> None:
            if reason is not None:
                ask(self, lambda: price_changes.settle(row.id, reason.why, by), done)

        def done(_: object) -> None:
            self.app.tell(t("tariff.settled", change=row.id, serial=row.serial, late=late))
            self.renew()

        screen = ReasonScreen(
            lambda: t("prices.changes.settle", shop=row.shop, serial=row.serial, late=late),
            lambda _: f"{_sentence(row)}\n{t('prices.changes.not_posted')}",
        )
        self.app.push_screen(screen, given)


def _order(row: ChangeRow) -> tuple[int, int]:
    under_way = row.state in {ChangeState.WAITING, ChangeState.REFUSED}
    return (0 if row.open else 1 if under_way else 2), -row.id


def _sentence(row: ChangeRow) -> str:
    """Who paid too little or too much for the delay."""
    late_fen = row.late_fen or 0
    sense = "too_little" if late_fen > 0 else "too_much"
    return t(f"prices.changes.{sense}", late=words.yuan(abs(late_fen)))


def _state(row: ChangeRow) -> Cell:
    if row.open:
        return Cell(t("prices.changes.open"), "bad")
    return Cell(t(f"tariff.change_state.{row.state}"), STYLES[row.state])


def _late(row: ChangeRow) -> Cell:
    look = "bad" if row.open else ""
    return Cell(tariff_words.difference(row.late_fen, estimated=row.estimated), look)
