"""What a meter holds, by the names of engine.domain.wanted: looked at and given through its map.

A group is a block that is read and the order that writes it. An order writes more than one name,
so what is not to change is sent back as it was read.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine import clock
from engine.bus.blocks import MeterMap, Order, Values
from engine.bus.bus import Bus
from engine.bus.driver import Driver, order_pdu
from engine.bus.errors import BadReading, Refused
from engine.bus.points import Value
from engine.bus.tables import (
    hours_of,
    hours_rows,
    schedule_rows,
    schedule_text,
    zones_rows,
    zones_text,
)
from engine.domain import time_control
from engine.domain.errors import DomainError
from engine.domain.measurement import PHASES, MeterReading
from engine.domain.states import StatusBits
from engine.domain.wanted import (
    ALARMS,
    LOAD,
    OVERLOAD_STEP,
    PRICE_NAMES,
    differing,
)

Held = dict[str, str | int]
Wanted = Mapping[str, str | int]
ALL_PHASES, THIS_PHASE = 0xFF, 1
PHASE_ORDERS = ("", "_b", "_c")  # ends of the names of orders for one phase
KEPT = ("malignant_step", "malignant_factor", "unnamed_bytes")


class Misfit(Exception):
    """A meter cannot be told that: `reason` is the command's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Group:
    block: str
    order: str
    names: frozenset[str]
    status: bool = False  # whether it is on stands in the main block's status words

    def touched(self, names: Iterable[str]) -> bool:
        return not self.names.isdisjoint(names)


GROUPS = (  # in the order in which they are written: tables before what puts them in force
    Group("schedule1", "schedule1", frozenset({"schedule1"})),
    Group("schedule2", "schedule2", frozenset({"schedule2"})),
    Group("zones", "zones", frozenset({"zones"})),
    Group("run_state", "run_state", frozenset({"multi_rate"})),
    Group("load", "load_control", LOAD, status=True),
    Group("time", "time_control", frozenset({"time_control"}), status=True),
    Group(
        "money",
        "money_control",
        frozenset({"money_control", *PRICE_NAMES, *ALARMS, "overdraft_fen"}),
    ),
)


def groups_in(meter_map: MeterMap) -> tuple[Group, ...]:
    """Those that this model lets be read."""
    return tuple(group for group in GROUPS if group.block in meter_map.blocks)


def groups_for(names: Collection[str], meter_map: MeterMap) -> tuple[Group, ...]:
    """Those that hold `names`. Raises Misfit where the model has no place or no order for one."""
    found = tuple(
        group
        for group in groups_in(meter_map)
        if group.touched(names) and group.order in meter_map.orders
    )
    if missing := set(names) - {name for group in found for name in group.names}:
        raise Misfit("no_order" if len(missing) == len(names) else "no_place")
    return found


@dataclass
class Holding:
    """One meter in one turn: what was seen of it so far."""

    driver: Driver
    bus: Bus
    held: Held = field(default_factory=dict)
    reading: MeterReading | None = None  # the newest main block
    read_at: dt.datetime | None = None  # and when it was read
    raw: dict[str, dict[str, Value]] = field(default_factory=dict)  # by block

    async def look(self, groups: Collection[Group], *, step: str) -> None:
        """Read these groups. Raises BusError; nothing of a block that failed is kept."""
        if any(group.status for group in groups):
            await self.read(step=step)
        for group in groups:
            await self._look(group, step)

    async def survey(self, groups: Collection[Group], *, step: str) -> list[str]:
        """Read what can be read: the blocks the meter refuses, or that make no sense, are named."""
        failed = []
        await self.read(step=step)
        for group in groups:
            try:
                await self._look(group, step)
            except (Refused, BadReading):
                failed.append(group.block)
        return failed

    async def read(self, *, step: str) -> MeterReading:
        """The main block: what the meter counts, and what is switched on."""
        self.reading = await self.driver.read_main(self.bus, step=step)
        self.read_at = clock.now()
        return self.reading

    async def _look(self, group: Group, step: str) -> None:
        block = self.driver.map.blocks[group.block]
        self.raw[group.block] = await self.driver.read_block(self.bus, block, step=step)
        for name in group.names:
            self.held.pop(name, None)
        self.held |= self._decoded(group.block)

    def differing(self, group: Group, wanted: Wanted) -> bool:
        return bool(differing(self._of(group, wanted), self.held))

    def _of(self, group: Group, wanted: Wanted) -> Wanted:
        return {name: value for name, value in wanted.items() if name in group.names}

    # -- what was read

    def _decoded(self, block: str) -> Held:
        raw = self.raw[block]
        match block:
            case "schedule1" | "schedule2":
                rows = str(raw[block])
                return {block: schedule_text(rows) or (rows and f"? {rows}")}
            case "zones":
                rows = str(raw[block])
                text = zones_text(rows)
                return {block: f"? {rows}" if text is None else text}
            case "run_state":
                return {"multi_rate": _whole(raw["multi_rate"])}
            case "load":
                return self._load(raw)
            case "time":
                return {"time_control": self._hours(raw)}
        return _money(raw)

    @property
    def _status(self) -> StatusBits:
        reading = self.reading
        assert reading is not None, "status is read before what it says"
        return StatusBits(reading.status1 or 0, reading.status2 or 0, self.driver.map.phases)

    @property
    def _phases(self) -> tuple[str, ...]:
        return PHASES[: self.driver.map.phases]

    @property
    def _count_w(self) -> int:
        """What one count of every phase's limit is worth together, in primary W."""
        assert self.reading is not None
        return len(self._phases) * self.reading.pt_ratio * self.reading.ct_ratio

    def _load(self, raw: Values) -> Held:
        """A limit of all phases together; phases that differ are told apart."""
        limits = [_whole(raw[f"limit_{phase}_w"]) for phase in self._phases]
        found: Held = {OVERLOAD_STEP: self._count_w}
        if not self._status.load_active:
            found["overload_w"] = 0
        elif len(set(limits)) == 1:
            found["overload_w"] = limits[0] * self._count_w
        else:
            found["overload_w"] = "/".join(map(str, limits))
        for name, point in (
            ("overload_trips_max", "trips_max"),
            ("overload_recovery_min", "recovery_min"),
        ):
            values = [_whole(raw[f"{point}_{phase}"]) for phase in self._phases]
            found[name] = values[0] if len(set(values)) == 1 else "/".join(map(str, values))
        return found

    def _hours(self, raw: Values) -> str:
        if not self._status.time_active:
            return time_control.OFF
        texts = [
            hours_of(
                _whole(raw[f"weekday_mask_{phase}"]),
                str(raw[f"free_day_slots_{phase}"]),
                str(raw[f"work_day_slots_{phase}"]),
            ).text()
            for phase in self._phases
        ]
        return texts[0] if len(set(texts)) == 1 else " | ".join(texts)

    # -- what is written

    def order(self, group: Group, wanted: Wanted) -> Values:
        """The values of the group's order that bring it to `wanted`, of which it may say a part.

        Raises Misfit where the meter cannot hold that.
        """
        given = self._of(group, wanted)
        match group.block:
            case "schedule1" | "schedule2":
                return {group.block: schedule_rows(str(given[group.block]))}
            case "zones":
                if str(self.held["zones"]).startswith("?"):
                    raise Misfit("zones_unreadable")
                return {"zones": zones_rows(str(given["zones"]))}
            case "run_state":
                word = _whole(self.raw["run_state"]["run_state"])
                return {"run_state": word | 1 if given["multi_rate"] else word & ~1}
            case "load":
                return self._load_order(given)
            case "time":
                return self._time_order(str(given["time_control"]))
        return self._money_order(given)

    def _money_order(self, given: Wanted) -> Values:
        """Prices go together, and so do both alarms: one flag each."""
        names = set(given)
        for together in (PRICE_NAMES, ALARMS):
            if names & set(together):
                names |= set(together)
        values = {name: given.get(name, self.held[name]) for name in names}
        return {
            name: Decimal(value) if isinstance(value, str) else value
            for name, value in values.items()
        }

    def _load_order(self, given: Wanted) -> Values:
        raw = self.raw["load"]
        enabled = self._status.load_active
        values: dict[str, Value] = {"apply_to": self._apply_to}
        if "overload_w" in given:
            limit_w = int(given["overload_w"])
            enabled = limit_w > 0
            count = limit_w // self._count_w
            if enabled and not 0 < count <= 0xFFFF:
                raise Misfit("does_not_fit")
            if enabled:
                values["limit_w"] = count
                values["malignant_step"] = raw["malignant_step_a"]
                values["malignant_factor"] = raw["malignant_factor_a"]
        if "overload_recovery_min" in given:
            values["recovery_min"] = int(given["overload_recovery_min"])
        if "overload_trips_max" in given:
            values["trips_max"] = int(given["overload_trips_max"])
        return {**values, "enabled": int(enabled)}

    def _time_order(self, text: str) -> Values:
        raw = self.raw["time"]
        hours = time_control.parse(text)
        if hours is None:
            return {"apply_to": self._apply_to, "enabled": 0}
        mask, free, work = hours_rows(hours)
        return {
            "apply_to": self._apply_to,
            "enabled": 1,
            "weekday_mask": mask,
            "unnamed_bytes": raw["unnamed_bytes_a"],
            "free_day_slots": free,
            "work_day_slots": work,
        }

    @property
    def _apply_to(self) -> int:
        return ALL_PHASES if len(self._phases) > 1 else THIS_PHASE

    def orders(self, group: Group, wanted: Wanted) -> list[tuple[Order, Values]]:
        """What `give` sends: one order, or one for each phase where what goes back unchanged
        (malignant load, unnamed bytes) is not the same in all. Raises Misfit.
        """
        found = []
        try:
            values = self.order(group, wanted)
            own = [self._kept(group, values, phase) for phase in self._phases]
            if all(each == own[0] for each in own):
                found = [(group.order, values)]
            else:
                found = [
                    (group.order + end, {**values, **each, "apply_to": THIS_PHASE})
                    for end, each in zip(PHASE_ORDERS, own, strict=True)
                ]
            orders = [(self.driver.map.orders[name], each) for name, each in found]
            for order, each in orders:
                order_pdu(order, each)
        except (ValueError, DomainError):
            raise Misfit("does_not_fit") from None
        return orders

    def _kept(self, group: Group, values: Values, phase: str) -> Values:
        """Of `values` what this phase holds and is to hold again."""
        raw = self.raw[group.block]
        return {name: raw[f"{name}_{phase}"] for name in KEPT if name in values}

    async def give(self, group: Group, wanted: Wanted, *, ciphered: bool) -> None:
        """Write the group, once. Only a look at it tells what came of that."""
        for order, values in self.orders(group, wanted):
            await self.driver.give(
                self.bus, order, values, step="write", ciphered=ciphered and bool(order.cipher)
            )


def _money(raw: Values) -> Held:
    found: Held = {"money_control": int(bool(raw["money_control"]))}
    for name in PRICE_NAMES:
        found[name] = format(Decimal(raw[name]), "f")
    for name in (*ALARMS, "overdraft_fen"):
        found[name] = _whole(raw[name])
    return found


def _whole(value: Value) -> int:
    assert isinstance(value, int), value
    return value
