"""The tray: outcomes not known, meters whose sales are stopped, money to be given back.

Empty is the goal.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens.command_columns import SERIAL, SHOP, STATE_STYLES, TENANT
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.views import cases
from engine.views.cases import Case, CaseKind
from models.enums import CommandKind, CommandState

STYLES = {
    CaseKind.STOPPED: "bad",
    CaseKind.CLEARING: "alarm1",
    CaseKind.PAYABLE: "alarm1",
    CaseKind.RETURNED: "bad",
}


def _age(row: Case) -> Cell:
    return Cell(words.age(row.since, clock.now()))


def _next(row: Case) -> Cell:
    """When the meter is asked again by itself; what no meter can settle waits for a person."""
    if row.next_check_at is None:
        waits = row.state in (CommandState.QUEUED, CommandState.SENT)
        return Cell(words.NOTHING if waits else t("cases.tray.by_person"), "dim")
    left = int((row.next_check_at - clock.now()).total_seconds())
    return Cell(t("cases.tray.in_s", seconds=left) if left > 0 else t("cases.tray.now"))


def _what(row: Case) -> Cell:
    if row.kind is CaseKind.UNDECIDED and row.state is not None:
        return Cell(t(f"state.command.{row.state}"), STATE_STYLES[row.state])
    return Cell(t(f"cases.kind.{row.kind}"), STYLES[row.kind])


def _what_width() -> int:
    states = [t(f"state.command.{state}") for state in CommandState]
    return words.widest([*states, *(t(f"cases.kind.{kind}") for kind in CaseKind)])


def _amount(row: Case) -> Cell:
    """A stopped meter has none."""
    return Cell(yuan_text(row.amount_fen) if row.command else words.NOTHING, "strong")


def _verb(row: Case) -> Cell:
    return Cell(t(f"state.kind.{row.verb}") if row.verb else words.NOTHING)


class TrayScreen(ListPlace[Case]):
    NAME = "tray"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tray")
    EMPTY = "cases.tray.empty"
    FIXED = 2

    def columns(self) -> Sequence[Column[Case]]:
        return (
            Column("waiting", width(6), _age, right=True),
            Column("outcome", _what_width, _what),
            Column("credit", width(10), _amount, right=True),
            TENANT,
            Column("next_check", width(10), _next),
            Column(
                "verb",
                lambda: words.widest(t(f"state.kind.{k}") for k in CommandKind if k.counted),
                _verb,
            ),
            SHOP,
            SERIAL,
            Column("reason", width(40), lambda row: Cell(words.reason(row.reason)), shrinks=True),
        )

    def fetch(self) -> Callable[[], Sequence[Case]]:
        returned = [cases.of_returned(sale) for sale in self.app.to_give_back]

        def found() -> list[Case]:
            waiting = cases.tray()
            listed = {case.command for case in waiting}
            return [*(case for case in returned if case.command not in listed), *waiting]

        return found

    def key_of(self, row: Case) -> Hashable:
        return row.kind, row.command, row.meter_id

    def summary(self) -> str:
        return f" {t('cases.tray.explained')}"

    @on(LineTable.Chosen)
    def _open(self) -> None:
        case = self.table.current
        if case is None:
            return
        if case.kind is CaseKind.PAYABLE:
            self._pay_out(case)
        elif case.kind is CaseKind.RETURNED:
            self._show_sale(case)
        else:
            self._show_evidence(case)

    def _show_sale(self, case: Case) -> None:
        from console.screens.sale import SaleScreen  # noqa: PLC0415 (loaded when first gone to)

        if case.command is not None:
            self.app.push_screen(SaleScreen(case.command, case))

    def _show_evidence(self, case: Case) -> None:
        from console.screens.evidence import (  # noqa: PLC0415 (loaded when first gone to)
            EvidenceScreen,
        )

        self.app.push_screen(EvidenceScreen(case))

    def _pay_out(self, case: Case) -> None:
        from console.screens.payout import (  # noqa: PLC0415 (loaded when first gone to)
            PayOutScreen,
        )

        self.app.push_screen(PayOutScreen(case), lambda _: self.renew())

    def action_evidence(self) -> None:
        """The evidence of any case, also of one that waits to be paid out."""
        if self.table.current is not None:
            self._show_evidence(self.table.current)

    def action_ask_now(self) -> None:
        from console.screens.evidence import (  # noqa: PLC0415 (loaded when first gone to)
            ask_now,
        )

        if self.table.current is not None:
            ask_now(self, self.table.current)
