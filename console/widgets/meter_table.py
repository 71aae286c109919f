"""The live table of all meters: its columns, its order, and which rows a filter lets through."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console import words
from console.widgets.columns import Cell, Column, width
from console.widgets.sifted_table import SiftedTable
from engine import clock
from engine.domain.states import FLAG_RANK, by_rank, foremost
from engine.i18n import t
from engine.views.meters import MeterRow
from models.enums import Flag, MeterState, Relay

RANK = tuple(MeterState)


def _state(row: MeterRow) -> Cell:
    return Cell(words.state_word(row.state), words.STATE_STYLES[row.state])


def _state_width() -> int:
    return words.widest(words.state_word(state) for state in MeterState)


def _flag(row: MeterRow) -> Cell:
    """The flag that matters most; `+` where there are more."""
    flag = foremost(row.flags)
    if flag is None:
        return Cell("")
    more = "+" if len(row.flags) > 1 else ""
    return Cell(words.flag_short(flag) + more, words.FLAG_STYLES[flag])


def _flag_width() -> int:
    return words.widest(words.flag_short(flag) for flag in Flag) + 1


def _flag_order(row: MeterRow) -> tuple[int, int]:
    """Those with the gravest flag first, those without one last."""
    flag = foremost(row.flags)
    return (len(FLAG_RANK) if flag is None else FLAG_RANK.index(flag)), -len(row.flags)


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
    return Cell(flag_words(row), "loud" if Flag.LOCKED_OUT in row.flags else "alarm2")


def flag_words(row: MeterRow) -> str:
    stopped = [t("state.frozen")] if row.frozen else []
    return " ".join([*stopped, *(t(f"state.{flag}") for flag in by_rank(row.flags))])


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
        Column("flag", _flag_width, _flag, _flag_order),
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
        Column(
            "today",
            width(7),
            lambda row: Cell(words.kwh(row.today_wh)),
            _low_first(lambda row: row.today_wh),
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
            _flag_order,
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


class MeterTable(SiftedTable[MeterRow]):
    filter: Filter

    def __init__(self, site_interval_s: int) -> None:
        super().__init__(
            columns(site_interval_s),
            lambda row: row.meter_id,
            nothing=Filter(),
            sorted_by="shop",
            empty="screen.meters.none",
            marks=True,
        )

    def haystack_of(self, row: MeterRow) -> str:
        """Serial, shop, tenant, pinyin initials, place."""
        parts = (row.serial, row.shop, row.tenant or "", row.tenant_initials, row.location)
        return "\n".join(parts).casefold()

    def home(self, row: MeterRow) -> tuple[str, str, int]:
        return row.shop, row.line, row.address
