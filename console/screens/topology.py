"""Station -> gateway -> line -> meter, each with its state and its last good frame."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.views import topology
from engine.views.meters import MeterRow
from engine.views.topology import LineRow
from models.enums import LineState, MeterState

INDENT = "  "
OWN_REASONS = frozenset(
    {"link_kind", "unknown_host", "connect_failed", "connect_timeout", "closed", "hung", "stopped"}
)
PARTLY = "partly"
LINK_MARKS = {LineState.UP: "=", PARTLY: "!", LineState.DOWN: "X", LineState.UNKNOWN: "-"}
LINK_STYLES = {
    LineState.UP: "good",
    PARTLY: "alarm1",
    LineState.DOWN: "bad",
    LineState.UNKNOWN: "dim",
}


@dataclass(frozen=True)
class Node:
    """One line of the tree. `meters` are those under it."""

    key: tuple[str, str]  # kind and name
    depth: int
    name: str
    detail: str
    state: LineState | MeterState | str
    last_good_at: dt.datetime | None
    meters: tuple[MeterRow, ...] = ()
    line: LineRow | None = None

    @property
    def lost(self) -> int:
        return sum(meter.state is MeterState.LOST for meter in self.meters)


def together(states: Sequence[LineState]) -> LineState | str:
    """The one state of all of them, or PARTLY."""
    return states[0] if len(set(states)) == 1 else PARTLY if states else LineState.UNKNOWN


def newest(moments: Sequence[dt.datetime | None]) -> dt.datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def tree(
    site: str, lines: Sequence[LineRow], meters: Mapping[str, list[MeterRow]], opened: set[str]
) -> Iterator[Node]:
    """All nodes from the station down; the meters only of the lines in `opened`."""
    everything = tuple(meter for line in lines for meter in meters.get(line.line, ()))
    yield Node(
        ("station", ""), 0, site, "", together([line.state for line in lines]),
        newest([line.last_good_at for line in lines]), everything,
    )  # fmt: skip
    for gateway, group in groupby(lines, lambda line: line.gateway):
        ports = list(group)
        under = tuple(meter for line in ports for meter in meters.get(line.line, ()))
        yield Node(
            ("gateway", gateway), 1, gateway, ports[0].location,
            together([line.state for line in ports]),
            newest([line.last_good_at for line in ports]), under,
        )  # fmt: skip
        for line in ports:
            own = tuple(meters.get(line.line, ()))
            yield Node(
                ("line", line.line), 2, line.line, line.where, line.state, line.last_good_at, own,
                line,
            )  # fmt: skip
            if line.line in opened:
                for meter in sorted(own, key=lambda meter: meter.address):
                    yield Node(
                        ("meter", meter.serial), 3, f"{meter.address:>3} {meter.serial}",
                        f"{meter.shop} {meter.tenant or ''}", meter.state, meter.read_at, (meter,),
                    )  # fmt: skip


def _name(node: Node) -> Cell:
    return Cell(INDENT * node.depth + node.name, "strong" if node.depth < 2 else "")


def _state(node: Node) -> Cell:
    if isinstance(node.state, MeterState):
        return Cell(words.state_word(node.state), words.STATE_STYLES[node.state])
    text = f"{LINK_MARKS[node.state]}  {t(f'state.line.{node.state}')}"
    return Cell(text, LINK_STYLES[node.state])


def _state_width() -> int:
    lines = words.widest(f"=  {t(f'state.line.{state}')}" for state in LINK_MARKS)
    return max(lines, words.widest(map(words.state_word, MeterState)))


def _lost(node: Node) -> Cell:
    if node.key[0] == "meter":
        return Cell("")
    return Cell(f"{node.lost}/{len(node.meters)}", "alarm1" if node.lost else "dim")


def _good(node: Node) -> Cell:
    return Cell(words.age(node.last_good_at, clock.now()))


def _faults(node: Node) -> Cell:
    line = node.line
    if line is None:
        return Cell("")
    text = t(
        "screen.topology.counters",
        requests=line.requests,
        timeouts=line.timeouts,
        crc=line.crc_errors,
        foreign=line.foreign_frames,
        load=line.load_pct,
    )
    return Cell(text, "dim")


def _why(node: Node) -> Cell:
    """The engine's own reasons are catalog codes; a gateway's words stand as they came."""
    said = node.line.message if node.line else ""
    return Cell(t(f"line.{said}", detail="") if said in OWN_REASONS else said, "bad")


class TopologyScreen(ListPlace[Node]):
    NAME = "topology"
    BINDINGS: ClassVar[list[BindingType]] = bindings("topology")

    def __init__(self) -> None:
        super().__init__()
        self.opened: set[str] = set()

    def columns(self) -> Sequence[Column[Node]]:
        return (
            Column("level", width(24), _name),
            Column("link", _state_width, _state),
            Column("last_good", width(6), _good, right=True),
            Column("lost", width(7), _lost, right=True),
            Column("at", width(22), lambda node: Cell(node.detail), shrinks=True),
            Column("counters", width(44), _faults, shrinks=True),
            Column("why", width(40), _why, shrinks=True),
        )

    def fetch(self) -> Callable[[], Sequence[Node]]:
        by_line: dict[str, list[MeterRow]] = {}
        for row in self.app.meters.values():
            by_line.setdefault(row.line, []).append(row)
        site, opened = self.app.config.site.name, set(self.opened)
        return lambda: list(tree(site, topology.lines(), by_line, opened))

    def key_of(self, row: Node) -> Hashable:
        return row.key

    def summary(self) -> str:
        return f" {t('screen.topology.explained')}"

    def action_open_close(self) -> None:
        """Show the meters of the line under the cursor, or hide them."""
        node = self.table.current
        if node is not None and node.line is not None:
            self.opened ^= {node.line.line}
            self.renew()

    @on(LineTable.Chosen)
    def _drill_down(self) -> None:
        """Gateway and line: the live table of their meters; a meter: all about it."""
        node = self.table.current
        if node is None:
            return
        kind, name = node.key
        if kind == "meter":
            from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
                MeterScreen,
            )

            self.app.push_screen(MeterScreen(node.meters[0].meter_id))
        else:
            part = {"line": {"line": name}, "gateway": {"gateway": name}}.get(kind, {})
            self.app.show_meters(**part)
