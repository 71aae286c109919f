"""班次: my shift as it stands by kind of payment, and the reports of those that are closed."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.shift_close import CloseShiftScreen, ClosingFacts
from console.screens.shift_open import OpenShiftScreen
from console.screens.shift_paper import ShiftReportScreen
from console.widgets.columns import Cell, Column, fit, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said, painted
from console.work import ask
from engine.domain.errors import NoOpenShift
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import operators, shifts
from engine.views import shifts as shift_views
from engine.views.shifts import KindLine, ShiftRow, ShiftView
from models.commands import Command
from models.enums import Right
from models.people import Operator

HIDDEN = "***"
Mine = tuple[ShiftView | None, list[Command]]
FIGURES: tuple[tuple[str, int], ...] = (  # catalog name and cells of what is shown of a kind
    ("pay", 8), ("sales_number", 4), ("sales", 10), ("fees", 8), ("returned", 9),
    ("paid_out", 9), ("deposits", 10), ("expected", 10),
)  # fmt: skip


def may_see_others(operator: Operator) -> bool:
    return Right.SHIFTS in operators.RIGHTS.get(operator.role, frozenset())


class ShiftScreen(ListPlace[ShiftRow]):
    """What should be in the till stays hidden until asked for: counting is done blind."""

    NAME = "shift"
    BINDINGS: ClassVar[list[BindingType]] = bindings("shift")
    EMPTY = "shift.screen.none_closed"

    def __init__(self) -> None:
        super().__init__()
        self.mine: ShiftView | None = None
        self.waiting: list[Command] = []
        self.known = False
        self.revealed = False

    def body(self) -> Iterable[Widget]:
        yield Said(self._facts, id="shift-facts")
        yield Said(self._figures, id="shift-figures")
        yield from super().body()

    def columns(self) -> Sequence[Column[ShiftRow]]:
        zone = self.app.config.site.zone
        return (
            Column("number", width(14), lambda row: Cell(row.number or words.NOTHING, "strong")),
            Column("operator", width(10), lambda row: Cell(row.operator)),
            Column("shift_opened", width(14), lambda row: Cell(words.moment(row.opened_at, zone))),
            Column(
                "shift_closed",
                width(14),
                lambda row: _until(row, zone),
            ),
            Column("till_difference", width(10), _difference, right=True),
            Column("till_explanation", width(40), lambda row: Cell(row.explanation), shrinks=True),
        )

    @property
    def me(self) -> Operator:
        assert self.app.operator is not None, "nobody is here without signing in"
        return self.app.operator

    def fetch(self) -> Callable[[], Sequence[ShiftRow]]:
        only = None if may_see_others(self.me) else self.me.id
        return lambda: shift_views.latest(operator_id=only)

    def take(self, rows: Sequence[ShiftRow]) -> None:
        super().take(rows)
        me = self.me
        ask(self, lambda: mine_of(me), self._take_mine)

    def _take_mine(self, found: Mine) -> None:
        self.mine, self.waiting = found
        self.known = True
        self._say()

    def _say(self) -> None:
        for said in self.query(Said):
            said.say_again()
        self.refresh_bindings()

    def key_of(self, row: ShiftRow) -> Hashable:
        return row.id

    def summary(self) -> str:
        return f" {t('shift.screen.closed_ones')}"

    def _facts(self) -> Content:
        if not self.known:
            return Content(f" {t('screen.head.loading')}")
        if self.mine is None:
            return painted(f" {t('shift.screen.none_open', operator=self.me.name)}\n", "strong")
        opened = t(
            "shift.screen.mine",
            operator=self.mine.operator,
            opened=words.moment(self.mine.opened_at, self.app.config.site.zone),
            float=yuan_text(self.mine.float_fen),
        )
        if not self.waiting:
            waiting = painted(f" {t('shift.screen.nothing_open')}", "good")
        else:
            text = t("shift.screen.still_open", number=len(self.waiting))
            waiting = painted(f" {text}", "alarm2")
        return Content("\n").join([painted(f" {opened}", "strong"), waiting])

    def _figures(self) -> Content:
        if self.mine is None:
            return Content()
        pays = self.app.config.money.pays
        shown = [line for line in self.mine.kinds if line.pay in pays or line.moved]
        header = [t(f"shift.screen.{name}") for name, _ in FIGURES]
        lines = [_row(header), *(_row(self._cells(line)) for line in shown)]
        return Content("\n").join(
            [painted(lines[0], "strong"), *(Content(line) for line in lines[1:])]
        )

    def _cells(self, line: KindLine) -> list[str]:
        return [
            t(f"screen.pay.{line.pay}"),
            str(line.sales),
            yuan_text(line.sales_fen),
            yuan_text(line.fees_fen),
            yuan_text(-line.returned_fen),
            yuan_text(-line.paid_out_fen),
            yuan_text(line.deposits_fen - line.deposits_returned_fen),
            yuan_text(line.expected_fen) if self.revealed else HIDDEN,
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "open_shift":
            return self.known and self.mine is None
        if action in {"close_shift", "reveal"}:
            return self.mine is not None
        return True

    def action_reveal(self) -> None:
        self.revealed = not self.revealed
        self._say()

    def action_open_shift(self) -> None:
        self.app.push_screen(OpenShiftScreen(), lambda _: self.renew())

    def action_close_shift(self) -> None:
        self._close(self.me)

    @on(LineTable.Chosen)
    def _open_row(self) -> None:
        """A closed one: its report. An open one: to be closed."""
        row = self.table.current
        if row is None:
            return
        if row.number is not None:
            self.app.push_screen(ShiftReportScreen(row.number, reprint=True))
        else:
            name = row.operator
            ask(self, lambda: shifts.named(name), self._close)

    def _close(self, owner: Operator) -> None:
        ask(self, lambda: closing_facts(owner), self._show_form)

    def _show_form(self, facts: ClosingFacts) -> None:
        self.revealed = False
        self._say()
        self.app.push_screen(CloseShiftScreen(facts), self._ended)

    def _ended(self, number: str | None) -> None:
        self.renew()
        if number is not None:
            self.app.push_screen(ShiftReportScreen(number))


def mine_of(operator: Operator) -> Mine:
    """His open shift, and what he would have to hand over."""
    shift = shifts.open_of(operator)
    if shift is None:
        return None, []
    return shift_views.open_of(operator.id), shifts.to_hand_over(shift)


def closing_facts(owner: Operator) -> ClosingFacts:
    """Raises NoOpenShift."""
    shift, waiting = mine_of(owner)
    if shift is None:
        raise NoOpenShift(operator=owner.name)
    return ClosingFacts(owner, shift, tuple(waiting), tuple(shifts.may_take_over(owner)))


def _row(cells: Sequence[str]) -> str:
    fitted = [
        fit(cell, max(size, cell_len(cell)), right=at > 0)
        for at, (cell, (_, size)) in enumerate(zip(cells, FIGURES, strict=True))
    ]
    return " " + " ".join(fitted)


def _until(row: ShiftRow, zone: dt.tzinfo) -> Cell:
    if row.closed_at is None:
        return Cell(t("shift.is_open"), "alarm1")
    return Cell(words.moment(row.closed_at, zone))


def _difference(row: ShiftRow) -> Cell:
    return Cell(words.yuan(row.difference_fen), "bad" if row.difference_fen else "")
