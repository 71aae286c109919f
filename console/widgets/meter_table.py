"""The live table of all meters: its columns, its order, and which rows a filter lets through."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from console import words
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.views.meters import MeterRow
from models.enums import Flag, MeterState, Relay

RANK = tuple(MeterState)


def _state(row: MeterRow) -> Cell:
    sign = "*" if row.flags else ""
    return Cell(words.state_word(row.state) + sign, words.STATE_STYLES[row.state])


def _state_width() -> int:
    return words.widest(words.state_word(state) for state in MeterState) + 1


def _balance(row: MeterRow) -> Cell:
    owing = row.balance_fen is not None and row.balance_fen < 0
    return Cell(words.yuan(row.balance_fen), "bad" if owing else "")


def _drift(row: MeterRow) -> Cell:
    return Cell(words.yuan(row.drift_fen), "bad" if Flag.DRIFT in row.flags else "")


def _relay(row: MeterRow) -> Cell:
    style = {Relay.OPEN: "alarm2", Relay.UNKNOWN: "dim"}.get(row.relay, "")
    return Cell(t(f"state.{row.relay}"), style)


def _relay_width() -> int:
    return words.widest(t(f"state.{relay}") for relay in Relay)


def _age(site_interval_s: int) -> Callable[[MeterRow], Cell]:
    def cell(row: MeterRow) -> Cell:
        now = clock.now()
        stale = words.is_stale(row.read_at, row.interval_s or site_interval_s, now)
        return Cell(words.age(row.read_at, now), "alarm1" if stale else "")

    return cell


def _flags(row: MeterRow) -> Cell:
    return Cell(flag_words(row), "alarm2")


def flag_words(row: MeterRow) -> str:
    stopped = [t("state.frozen")] if row.frozen else []
    return " ".join([*stopped, *(t(f"state.{flag}") for flag in sorted(row.flags))])


def _text(pick: Callable[[MeterRow], str | None]) -> Callable[[MeterRow], Cell]:
    return lambda row: Cell(pick(row) or "")


def _low_first(pick: Callable[[MeterRow], Any]) -> Callable[[MeterRow], Any]:
    """Sort by a value; rows without one come last, whatever the value."""
    return lambda row: (pick(row) is None, *([] if pick(row) is None else [pick(row)]))


def _largest_first(pick: Callable[[MeterRow], int | None]) -> Callable[[MeterRow], Any]:
    """By size, whatever the sign; rows without one come last."""
    return lambda row: (pick(row) is None, -abs(pick(row) or 0))


def _oldest_first(row: MeterRow) -> dt.datetime:
    return row.read_at or dt.datetime.min.replace(tzinfo=dt.UTC)


def columns(site_interval_s: int) -> tuple[Column[MeterRow], ...]:
    return (
        Column("state", _state_width, _state, lambda row: -RANK.index(row.state)),
        Column("shop", width(8), _text(lambda row: row.shop), lambda row: row.shop),
        Column(
            "tenant", width(14), _text(lambda row: row.tenant), lambda row: row.tenant or "\uffff"
        ),
        Column("balance", width(9), _balance, _low_first(lambda row: row.balance_fen), right=True),
        Column(
            "power",
            width(7),
            lambda row: Cell(words.kw(row.power_w)),
            _low_first(lambda row: row.power_w),
            right=True,
        ),
        Column(
            "today",
            width(7),
            lambda row: Cell(words.kwh(row.today_wh)),
            _low_first(lambda row: row.today_wh),
            right=True,
        ),
        Column("relay", _relay_width, _relay, lambda row: row.relay),
        Column("age", width(4), _age(site_interval_s), _oldest_first, right=True),
        Column("serial", width(12), _text(lambda row: row.serial), lambda row: row.serial),
        Column(
            "days_left",
            width(7),
            lambda row: Cell(words.days_left(row.days_left)),
            _low_first(lambda row: row.days_left),
            right=True,
        ),
        Column("drift", width(8), _drift, _largest_first(lambda row: row.drift_fen), right=True),
        Column("line", width(6), _text(lambda row: row.line), lambda row: (row.line, row.address)),
        Column("floor", width(5), _text(lambda row: row.floor), lambda row: row.floor),
        Column(
            "location",
            width(16),
            _text(lambda row: row.location),
            lambda row: row.location,
            shrinks=True,
        ),
        Column("model", width(12), _text(lambda row: row.model), lambda row: row.model),
        Column(
            "flags",
            width(24),
            _flags,
            lambda row: (-len(row.flags), sorted(row.flags)),
            shrinks=True,
        ),
    )


@dataclass(frozen=True)
class Filter:
    """What the operator wants to see. `typed` matches anywhere, case and spaces aside."""

    typed: str = ""
    state: MeterState | None = None
    line: str | None = None
    gateway: str | None = None

    @property
    def active(self) -> bool:
        return self != Filter()

    def lets_through(self, row: MeterRow, haystack: str) -> bool:
        return (
            (self.state is None or row.state is self.state)
            and (self.line is None or row.line == self.line)
            and (self.gateway is None or row.gateway == self.gateway)
            and (not self.typed or all(word in haystack for word in self.typed.casefold().split()))
        )


def haystack_of(row: MeterRow) -> str:
    """What typing is looked for in: serial, shop, tenant, pinyin initials, place."""
    parts = (row.serial, row.shop, row.tenant or "", row.tenant_initials, row.location)
    return "\n".join(parts).casefold()


def _home(row: MeterRow) -> tuple[str, str, int]:
    return row.shop, row.line, row.address


class MeterTable(LineTable[MeterRow]):
    """Rows come by id and stay; order and filter are this widget's own."""

    def __init__(self, site_interval_s: int) -> None:
        super().__init__(
            columns(site_interval_s),
            lambda row: row.meter_id,
            fixed=2,
            marks=True,
            empty="screen.meters.none",
        )
        self.all: dict[int, MeterRow] = {}
        self.filter = Filter()
        self.sorted_by = ("shop", False)
        self._haystacks: dict[int, str] = {}

    def take(self, changed: Iterable[MeterRow]) -> None:
        """New values. Only the lines that differ are painted; the order follows the values."""
        stirred = False
        for row in changed:
            before = self.all.get(row.meter_id)
            self.all[row.meter_id] = row
            self._haystacks[row.meter_id] = haystack_of(row)
            stirred = stirred or before is None or self._standing(before) != self._standing(row)
            self.replace(row)
        if stirred:
            self.reorder()
        else:
            self.repaint()

    def drop(self, gone: Iterable[int]) -> None:
        """Meters that are in service no more."""
        if known := [meter_id for meter_id in gone if meter_id in self.all]:
            for meter_id in known:
                del self.all[meter_id], self._haystacks[meter_id]
                self.marked.discard(meter_id)
            self.reorder()

    def sift(self, **wanted: Any) -> None:
        """Change the filter: `typed=`, `state=`, `line=`, `gateway=`."""
        self.filter = dataclasses.replace(self.filter, **wanted)
        self.reorder()

    def sort_by(self, name: str, *, falling: bool) -> None:
        self.sorted_by = (name, falling)
        self.reorder()
        self.repaint()

    def reorder(self) -> None:
        """Filter and sort anew. Equal rows stay in the order of their shops."""
        rank, falling = self._rank, self.sorted_by[1]
        rows = [
            row
            for row in self.all.values()
            if self.filter.lets_through(row, self._haystacks[row.meter_id])
        ]
        rows.sort(key=_home)
        rows.sort(key=rank, reverse=falling)
        self.show(rows)

    @property
    def _rank(self) -> Callable[[MeterRow], Any]:
        (rank,) = (column.sort for column in self.columns if column.name == self.sorted_by[0])
        return rank or _home

    def _standing(self, row: MeterRow) -> tuple[Any, ...]:
        """What decides whether and where a row is shown."""
        shown = self.filter.lets_through(row, self._haystacks[row.meter_id])
        return shown, self._rank(row), _home(row)

    @property
    def chosen(self) -> list[MeterRow]:
        """The marked meters, hidden ones included; none marked: the one under the cursor."""
        if self.marked:
            return [row for row in self.all.values() if row.meter_id in self.marked]
        return [self.current] if self.current else []
