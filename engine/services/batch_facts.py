"""What is known of every meter when a batch is planned: a few queries, however many meters."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee as pw

from engine.domain.batch_rules import Facts, Values, against, held_of
from engine.domain.line_time import Wire
from engine.domain.selection import stands_in
from engine.domain.states import StatusBits, meter_state, status_flags
from engine.services import transitions
from models.accounts import Account, Installation
from models.base import core, readings, tuples
from models.cases import Exchange
from models.commands import Command
from models.control import Batch, BatchItem, LockOut, Temporary
from models.enums import (
    BatchState,
    BatchVerb,
    CommandKind,
    Flag,
    ItemState,
    LineState,
    MeterKind,
    MeterState,
    Relay,
)
from models.metering import Latest, LineHealth
from models.site import Building, Gateway, Line, Meter

SWITCHES = tuple(kind for kind in CommandKind if kind.switch)
IN_HAND = (ItemState.WAITING, ItemState.QUEUED)


@dataclass(frozen=True, slots=True)
class Subject:
    """A living meter: where it is, for whoever selects, and what is known of it."""

    meter_id: int
    serial: str
    line: str
    gateway: str
    building: str
    floor: str
    location: str
    shop: str
    tenant: str | None
    tenant_number: str | None
    initials: str
    address: int
    state: MeterState
    wire: Wire
    facts: Facts

    def matches(self, text: str) -> bool:
        """As a row of the meter table does."""
        parts = (self.serial, self.shop, self.tenant or "", self.initials, self.location)
        return stands_in(text, parts)


class _Place(NamedTuple):
    meter_id: int
    serial: str
    line: str
    gateway: str
    building: str
    floor: str
    location: str
    shop: str
    tenant: str | None
    tenant_number: str | None
    initials: str
    address: int
    line_id: int
    kind: str
    protected: int
    baud: int
    parity: str
    stop_bits: int
    gap_ms: int | None


class _Known(NamedTuple):
    failed_attempts: int
    read_at: int | None
    reading: str | None
    settings: str | None
    settings_at: int | None
    held: str | None
    held_at: int | None


NOTHING_KNOWN = _Known(0, None, None, None, None, None, None)


def all_meters(
    verb: BatchVerb, *, apart_from: int | None = None, only: Collection[str] = ()
) -> list[Subject]:
    """Every living meter (`only` these serials), by line and address.

    `apart_from` is a batch that locks nobody here.
    """
    places = list(_places(only))
    known = _known([place.meter_id for place in places] if only else ())
    locks = _locks(verb, apart_from)
    temporary = _temporary()
    down = _lines_down()
    return [
        _subject(
            place,
            known.get(place.meter_id, NOTHING_KNOWN),
            frozenset(locks[place.meter_id]) if place.meter_id in locks else frozenset(),
            temporary.get(place.meter_id, frozenset()),
            line_down=place.line_id in down,
        )
        for place in places
    ]


def _places(only: Collection[str]) -> Iterator[_Place]:
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        Meter.select(
            Meter.id, Meter.serial, Line.name, Gateway.name, Building.code, Meter.floor,
            Meter.location, Meter.shop, Account.name, Account.number,
            pw.fn.COALESCE(Account.initials, ""), Meter.address, Meter.line, Meter.kind,
            Meter.protected, Line.baud, Line.parity, Line.stop_bits, Line.gap_ms,
        )
        .join(Line)
        .join(Gateway)
        .join(Building, on=Meter.building == Building.id)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(Meter.retired_at.is_null())
        .order_by(Line.name, Meter.address)
    )  # fmt: skip
    if only:
        query = query.where(Meter.serial.in_(list(only)))
    return map(_Place._make, core.execute(query))


def _known(only: Collection[int]) -> dict[int, _Known]:
    query = Latest.select(
        Latest.meter_id, Latest.failed_attempts, Latest.read_at, Latest.reading, Latest.settings,
        Latest.settings_at, Latest.held, Latest.held_at,
    )  # fmt: skip
    if only:
        query = query.where(Latest.meter_id.in_(list(only)))
    return {meter_id: _Known(*rest) for meter_id, *rest in readings.execute(query)}


def _subject(
    place: _Place,
    known: _Known,
    locks: frozenset[str],
    temporary: frozenset[str],
    *,
    line_down: bool,
) -> Subject:
    said: dict[str, Any] = json.loads(known.reading) if known.reading else {}
    status = _status(said) if said else None
    opened = place.tenant is not None
    state = meter_state(opened=opened, failed_attempts=known.failed_attempts, status=status)
    worded = status is not None and said.get("status1") is not None
    held, held_at = _held(known)
    facts = Facts(
        prepaid=place.kind == MeterKind.PREPAID.value,
        opened=opened,
        protected=bool(place.protected),
        failed_attempts=known.failed_attempts,
        read_at=Latest.read_at.python_value(known.read_at),
        line_down=line_down,
        force=_force(status) if worded and status else "none",
        relay=status.relay if worded and status else Relay.UNKNOWN,
        arrears=bool(worded and status and status.arrears),
        balance_fen=said.get("balance_fen"),
        power_w=said.get("power_w"),
        held=held,
        held_at=held_at,
        locks=locks,
        temporary=temporary,
    )
    wire = Wire(place.baud, place.parity, place.stop_bits, place.gap_ms)
    return Subject(*place[:12], state=state, wire=wire, facts=facts)


def _status(said: Mapping[str, Any]) -> StatusBits:
    phases = len(said.get("voltage_mv") or ()) or 3
    return StatusBits(said.get("status1") or 0, said.get("status2") or 0, phases)


def _force(status: StatusBits) -> str:
    flags = status_flags(status, overload_trips=None, overload_trips_max=None)
    if Flag.FORCED_ON in flags:
        return "on"
    return "off" if Flag.FORCED_OFF in flags else "none"


def _held(known: _Known) -> tuple[Values, dt.datetime | None]:
    at = known.held_at if known.held else known.settings_at
    moment: dt.datetime | None = Latest.held_at.python_value(at)
    return held_of(known.held, known.settings), moment


def _lines_down() -> set[int]:
    query = LineHealth.select(LineHealth.line_id).where(LineHealth.state == LineState.DOWN)
    return {row[0] for row in tuples(query)}


def lines_down() -> set[str]:
    """Names of the lines that nothing can be sent on now."""
    down = _lines_down()
    return {name for line_id, name in tuples(Line.select(Line.id, Line.name)) if line_id in down}


def _locks(verb: BatchVerb, apart_from: int | None) -> dict[int, set[str]]:
    """Meter -> what holds it."""
    found: dict[int, set[str]] = defaultdict(set)

    def note(lock: str, meter_ids: Collection[int | None]) -> None:
        for meter_id in meter_ids:
            if meter_id is not None:
                found[meter_id].add(lock)

    open_now = Command.select(Command.meter).where(Command.state.in_(transitions.OPEN))
    note("open_sale", _firsts(open_now.where(Command.counted == True)))  # noqa: E712 (SQL)
    note("open_switch", _firsts(open_now.where(Command.kind.in_(SWITCHES))))
    under_way = Exchange.finished_at.is_null()
    note("exchange", _firsts(Exchange.select(Exchange.old).where(under_way)))
    note("exchange", _firsts(Exchange.select(Exchange.new).where(under_way)))
    note("locked_out", _firsts(LockOut.select(LockOut.meter).where(LockOut.released_at.is_null())))
    note("batch", _in_other_batches(verb, apart_from))
    return found


def _firsts(query: Any) -> list[int | None]:
    return [row[0] for row in tuples(query)]


def _in_other_batches(verb: BatchVerb, apart_from: int | None) -> list[int | None]:
    hostile = [other for other in BatchVerb if against(verb, other)]
    query = (
        BatchItem.select(BatchItem.meter)
        .join(Batch)
        .where(
            Batch.state.in_((BatchState.RUNNING, BatchState.PAUSED)),
            Batch.verb.in_(hostile),
            BatchItem.state.in_(IN_HAND),
        )
    )
    if apart_from is not None:
        query = query.where(Batch.id != apart_from)
    return _firsts(query)


def _temporary() -> dict[int, frozenset[str]]:
    query = Temporary.select(Temporary.meter, Temporary.limit_w).where(Temporary.ended_at.is_null())
    found: dict[int, set[str]] = defaultdict(set)
    for meter_id, limit_w in tuples(query):
        found[meter_id].add("hold" if limit_w is None else "limit")
    return {meter_id: frozenset(kinds) for meter_id, kinds in found.items()}
