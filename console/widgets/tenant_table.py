"""The table of all tenants: its columns, its order, and which rows a filter lets through."""

from dataclasses import dataclass

from console import words
from console.widgets.columns import Cell, Column, width
from console.widgets.sifted_table import SiftedTable
from engine.domain.outlook import DaysLeft
from engine.i18n import t
from engine.views.tenants import RANK, TenantRow, TenantState
from models.enums import MeterState

SOON_DAYS, VERY_SOON_DAYS = 7, 3
STATE_STYLES = {TenantState.PRE_REGISTERED: "", TenantState.CLOSED: "dim"}


def state_text(row: TenantRow) -> str:
    """The word of its worst meter, or why it has none."""
    if row.worst is None:
        return f"-  {t(f'tenant.state.{row.state}')}"
    sign = "*" if any(meter.flags for meter in row.meters) else ""
    return words.state_word(row.worst) + sign


def state_style(row: TenantRow) -> str:
    return STATE_STYLES.get(row.state, "") if row.worst is None else words.STATE_STYLES[row.worst]


def _state_width() -> int:
    states = words.widest(words.state_word(state) for state in MeterState) + 1
    return max(states, 3 + words.widest(t(f"tenant.state.{state}") for state in TenantState))


def _balance(row: TenantRow) -> Cell:
    owing = row.balance_fen is not None and row.balance_fen < 0
    return Cell(words.yuan(row.balance_fen), "bad" if owing else "")


def days_left_style(days: DaysLeft | None) -> str:
    if days is None or days[0] > SOON_DAYS:
        return ""
    return "alarm2" if days[0] <= VERY_SOON_DAYS else "alarm1"


def _days_left(row: TenantRow) -> Cell:
    return Cell(words.days_left(row.days_left), days_left_style(row.days_left))


def _deposit(row: TenantRow) -> Cell:
    return Cell(words.yuan(row.deposit_fen) if row.deposit_fen else words.NOTHING)


def _worst_first(row: TenantRow) -> int:
    return len(RANK) if row.worst is None else RANK.index(row.worst)


def columns() -> tuple[Column[TenantRow], ...]:
    return (
        Column("number", width(8), lambda row: Cell(row.number), lambda row: row.number),
        Column("tenant", width(14), lambda row: Cell(row.name, "strong"), lambda row: row.name),
        Column(
            "worst",
            _state_width,
            lambda row: Cell(state_text(row), state_style(row)),
            _worst_first,
        ),
        Column(
            "balance",
            width(10),
            _balance,
            lambda row: (row.balance_fen is None, row.balance_fen or 0),
            right=True,
        ),
        Column(
            "days_left",
            width(8),
            _days_left,
            lambda row: (row.days_left is None, row.days_left or (0, 0)),
            right=True,
        ),
        Column(
            "shops",
            width(20),
            lambda row: Cell(" ".join(row.shops)),
            lambda row: row.shops,
            shrinks=True,
        ),
        Column(
            "meters",
            width(4),
            lambda row: Cell(str(len(row.meters) or len(row.planned) or words.NOTHING)),
            right=True,
        ),
        Column("phone", width(28), lambda row: Cell(" ".join(row.phones)), shrinks=True),
        Column("deposit", width(10), _deposit, lambda row: -row.deposit_fen, right=True),
        Column(
            "lease_to",
            width(10),
            lambda row: Cell(row.lease_to or words.NOTHING),
            lambda row: row.lease_to or "9999",
        ),
    )


@dataclass(frozen=True)
class TenantFilter:
    """What the operator wants to see. `typed` matches anywhere, case aside, every word of it."""

    typed: str = ""
    state: TenantState | None = None

    @property
    def active(self) -> bool:
        return self != TenantFilter()

    def lets_through(self, row: TenantRow, haystack: str) -> bool:
        return (self.state is None or row.state is self.state) and (
            all(
                word in haystack or _digits(word) in haystack
                for word in self.typed.casefold().split()
            )
        )


def _digits(word: str) -> str:
    """A phone as somebody reads it out, with dashes."""
    bare = word.replace("-", "")
    return bare if bare.isdigit() else word


class TenantTable(SiftedTable[TenantRow]):
    filter: TenantFilter

    def __init__(self) -> None:
        super().__init__(
            columns(),
            lambda row: row.account_id,
            nothing=TenantFilter(),
            sorted_by="number",
            empty="tenant.list.none",
        )

    def haystack_of(self, row: TenantRow) -> str:
        return row.haystack

    def home(self, row: TenantRow) -> str:
        return row.number
