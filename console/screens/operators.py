"""登录管理: who may sign in, as what."""

from collections.abc import Callable, Hashable, Sequence

from console import words
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from engine import clock
from engine.i18n import t
from engine.views import people
from engine.views.people import OperatorRow


def _state(row: OperatorRow) -> Cell:
    if row.disabled:
        return Cell(t("screen.operators.disabled"), "dim")
    return Cell(t("screen.operators.active"), "good")


def _shift(row: OperatorRow) -> Cell:
    if row.shift_since is None:
        return Cell(words.NOTHING)
    return Cell(t("screen.operators.shift", age=words.age(row.shift_since, clock.now())))


class OperatorsScreen(ListPlace[OperatorRow]):
    NAME = "operators"

    def columns(self) -> Sequence[Column[OperatorRow]]:
        return (
            Column("operator", width(20), lambda row: Cell(row.name, "strong")),
            Column("role", width(14), lambda row: Cell(t(f"screen.role.{row.role}"))),
            Column("operator_state", width(10), _state),
            Column("since", width(10), lambda row: Cell(f"{row.created_at:%Y-%m-%d}")),
            Column("shift", width(16), _shift),
        )

    def fetch(self) -> Callable[[], Sequence[OperatorRow]]:
        return people.operators

    def key_of(self, row: OperatorRow) -> Hashable:
        return row.name

    def summary(self) -> str:
        return f" {t('screen.operators.later')}"
