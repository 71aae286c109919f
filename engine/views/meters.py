"""The meter table: all rows, or those that changed since a revision; one meter in depth."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

import peewee as pw

from engine.domain.errors import NoSuchMeter
from engine.domain.measurement import MeterSettings
from engine.views import orders, outlook
from engine.views.revision import Revision
from engine.views.rows import NOTHING_KNOWN, Known, MeterRow, Place, make_row
from models.accounts import Account, Installation
from models.base import core, readings, tuples
from models.commands import Command, Receipt
from models.enums import CommandKind, CommandState, Flag, MeterKind
from models.metering import Latest, MeterEvent
from models.site import Building, Gateway, Line, Meter
from models.tariffs import Tariff, TariffVersion

__all__ = ["MeterRow", "curve", "events", "one", "purchases", "rows", "rows_of", "settings"]

Prices = tuple[Decimal, ...]
NONE_SAID: frozenset[Flag] = frozenset()
RETIRED = Meter.retired_at.is_null(False)
CURVE_BEFORE_S = 86_400  # how far back the reading before a curve may lie
# From slot to slot that exists, then one look-up each: a range of slots holds every meter's rows.
CURVE = """
WITH RECURSIVE slots(slot) AS (
    SELECT MIN(slot) FROM reading WHERE slot >= :from
    UNION ALL
    SELECT (SELECT MIN(r.slot) FROM reading r WHERE r.slot > slots.slot)
    FROM slots WHERE slots.slot IS NOT NULL
      AND slots.slot < :to
)
SELECT r.slot, r.energy_wh, r.balance_fen
FROM slots CROSS JOIN reading r ON r.slot = slots.slot AND r.meter_id = :meter
WHERE r.slot < :to ORDER BY r.slot
"""


def rows(
    since_rev: int = -1, *, now: dt.datetime, default_prices: Prices = ()
) -> tuple[int, list[MeterRow]]:
    """(revision, rows changed since `since_rev`); -1: every living meter, by line and address.

    `now` is aware and in the site's own zone: it says which day is today. `default_prices`
    stand in for a meter without a tariff whose prices were not read back yet.
    """
    revision = Revision.now()
    if since_rev < 0:
        return int(revision), _rows(None, now, default_prices)
    changed = Revision.of(since_rev).changed_meters()
    return int(revision), _rows(changed, now, default_prices) if changed else []


def gone() -> frozenset[int]:
    """Ids of the meters that were taken out of service: no row is shown of them any more."""
    return frozenset(row[0] for row in tuples(Meter.select(Meter.id).where(RETIRED)))


def one(serial: str, now: dt.datetime, *, default_prices: Prices = ()) -> MeterRow:
    """Raises NoSuchMeter; a retired meter is none."""
    found = Meter.get_or_none((Meter.serial == serial) & Meter.retired_at.is_null())
    if found is None:
        raise NoSuchMeter(serial=serial)
    return _rows({found.id}, now, default_prices)[0]


def rows_of(
    ids: Collection[int] | None, now: dt.datetime, default_prices: Prices = ()
) -> list[MeterRow]:
    """The living ones of these meters (None: all), by line and address."""
    return _rows(ids, now, default_prices)


def _rows(ids: Collection[int] | None, now: dt.datetime, default: Prices) -> list[MeterRow]:
    places = _places(ids)
    known = _known(ids)
    unknown = _with_unknown_command()
    wanted = _tariff_prices(now.date().isoformat())
    use = outlook.profiles(now.date(), ids)
    said = orders.flags(ids)
    return [
        make_row(
            place,
            known.get(place.meter_id, NOTHING_KNOWN),
            unknown_command=place.meter_id in unknown,
            said=said.get(place.meter_id, NONE_SAID),
            wanted=wanted.get(place.tariff or "", default),
            use=use.get(place.meter_id),
            now=now,
        )
        for place in places
    ]


def _places(ids: Collection[int] | None) -> list[Place]:
    columns = (
        Meter.id, Meter.serial, Meter.model, Meter.kind, Line.name, Gateway.name, Meter.address,
        Building.code, Meter.floor, Meter.location, Meter.shop, Account.name, Account.number,
        pw.fn.COALESCE(Account.initials, ""), Meter.tariff,
        pw.fn.COALESCE(Meter.interval_s, Line.interval_s), Meter.protected, Meter.frozen,
    )  # fmt: skip
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        Meter.select(*columns)
        .join(Line)
        .join(Gateway)
        .join(Building, on=Meter.building == Building.id)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(Meter.retired_at.is_null())
        .order_by(Line.name, Meter.address)
    )
    if ids is not None:
        query = query.where(Meter.id.in_(list(ids)))
    return [Place(*row)._replace(kind=MeterKind(row[3])) for row in core.execute(query)]


def _known(ids: Collection[int] | None) -> dict[int, Known]:
    query = Latest.select(
        Latest.meter_id, Latest.failed_attempts, Latest.read_at, Latest.reading, Latest.settings,
        Latest.day, Latest.day_first_wh, Latest.quarantined.is_null(False), Latest.drift_fen,
        Latest.drift_alarmed, Latest.settings_differ, Latest.asserted_at,
    )  # fmt: skip
    if ids is not None:
        query = query.where(Latest.meter_id.in_(list(ids)))
    instant = Latest.read_at.python_value
    return {
        meter_id: Known._make((failed, instant(read_at), *others, instant(asserted_at)))
        for meter_id, failed, read_at, *others, asserted_at in readings.execute(query)
    }


def _with_unknown_command() -> set[int]:
    query = Command.select(Command.meter).where(Command.state == CommandState.UNKNOWN)
    return {row[0] for row in tuples(query)}


def _tariff_prices(today: str) -> Mapping[str, Prices]:
    """Prices in force today by the tariff's name."""
    query = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(TariffVersion.valid_from <= today, TariffVersion.withdrawn_at.is_null())
        .order_by(TariffVersion.valid_from)
    )
    return {version.tariff.name: version.prices for version in query}


@dataclass(frozen=True, slots=True)
class Purchase:
    """Credit put into a meter or taken out of it, and what became of that."""

    command: int
    kind: CommandKind
    created_at: dt.datetime
    state: CommandState
    reason: str | None
    amount_fen: int
    fee_fen: int
    pay: str | None
    count_before: int | None
    count_after: int | None
    balance_before_fen: int | None
    balance_after_fen: int | None
    receipt: str | None


def purchases(serial: str, limit: int = 20) -> list[Purchase]:
    """What last changed the credit of `serial`, newest first."""
    own = (Receipt.command == Command.id) | (Receipt.payment == Command.payment)
    query = (
        Command.select(
            Command.id, Command.kind, Command.created_at, Command.state, Command.reason,
            Command.amount_fen, Command.fee_fen, Command.pay, Command.base_count,
            Command.after_count,
            Command.base_balance_fen, Command.after_balance_fen, Receipt.number,
        )
        .join(Receipt, pw.JOIN.LEFT_OUTER, on=own)
        .where(Command.serial == serial, Command.counted)
        .order_by(Command.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Purchase(*row) for row in tuples(query)]


def latest_sale(serial: str) -> Purchase | None:
    """The newest sale that `serial` has proved: the one that could be reversed."""
    sold = (CommandKind.SELL, CommandState.APPLIED)
    found = (each for each in purchases(serial) if (each.kind, each.state) == sold)
    return next(found, None)


def curve(
    meter_id: int, start: dt.datetime, end: dt.datetime
) -> list[tuple[dt.datetime, int, int | None]]:
    """(slot, Wh used since the reading before, balance in fen) for [start, end).

    The first has the use since the last reading before `start`, or 0 where there is none. A
    register that fell counts as 0: the event says so, a chart must not.
    """
    since = int(start.timestamp())
    found = readings.execute_sql(
        CURVE, {"from": since - CURVE_BEFORE_S, "to": int(end.timestamp()), "meter": meter_id}
    ).fetchall()
    before = [row for row in found if row[0] < since]
    last_wh = before[-1][1] if before else None
    points = []
    for slot, energy_wh, balance_fen in found[len(before) :]:
        used_wh = max(0, energy_wh - last_wh) if last_wh is not None else 0
        points.append((dt.datetime.fromtimestamp(slot, tz=dt.UTC), used_wh, balance_fen))
        last_wh = energy_wh
    return points


def settings(meter_id: int) -> tuple[dt.datetime, MeterSettings] | None:
    """When and what was last read back of prices and thresholds; None: never."""
    found = Latest.get_or_none(Latest.meter_id == meter_id)
    if found is None or found.settings is None:
        return None
    return found.settings_at, MeterSettings.from_json(found.settings)


def events(meter_id: int, limit: int = 20) -> list[MeterEvent]:
    """What a person should know of this meter, newest first."""
    query = MeterEvent.select().where(MeterEvent.meter_id == meter_id)
    return list(query.order_by(MeterEvent.id.desc()).limit(limit))
