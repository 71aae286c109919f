"""Locks that hang, and what meters are told for a time: as lists, and of one meter or tenant."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import peewee as pw

from engine.views.sales import shop_then
from models.accounts import Account, Installation
from models.base import tuples
from models.control import LockOut, Temporary
from models.enums import Flag, TemporaryPurpose, TemporaryState
from models.people import Operator
from models.site import Meter

RECENT = dt.timedelta(days=7)  # how long an order that has ended is still listed


@dataclass(frozen=True, slots=True)
class Lock:
    lock: int
    meter_id: int
    serial: str
    shop: str
    tenant: str | None
    holder: str
    why: str
    placed_at: dt.datetime

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        """One element of `voltill locks --json`; `now` gives the time's offset."""
        return {
            "lock": self.lock,
            "serial": self.serial,
            "shop": self.shop,
            "tenant": self.tenant,
            "holder": self.holder,
            "why": self.why,
            "placed_at": self.placed_at.astimezone(now.tzinfo).isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Order:
    """Something a meter is told for a time, as it stands."""

    temporary: int
    purpose: TemporaryPurpose
    state: TemporaryState
    meter_id: int
    serial: str
    shop: str
    tenant: str | None
    limit_w: int | None
    why: str
    operator: str
    created_at: dt.datetime
    until: dt.datetime
    ended_at: dt.datetime | None
    before_balance_fen: int | None
    after_balance_fen: int | None
    before_energy_wh: int | None
    after_energy_wh: int | None
    debt_fen: int | None  # of what was used while it held, what was still owed at its end

    @property
    def open(self) -> bool:
        return self.ended_at is None

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        """One element of `voltill emergency list --json`; `now` gives the times' offset."""

        def local(at: dt.datetime | None) -> str | None:
            return at.astimezone(now.tzinfo).isoformat() if at else None

        plain = {name: getattr(self, name) for name in JSON_NAMES}
        times = {name: local(getattr(self, name)) for name in ("created_at", "until", "ended_at")}
        return {**plain, **times}


JSON_NAMES = (
    "temporary", "purpose", "state", "serial", "shop", "tenant", "limit_w", "why", "operator",
    "before_balance_fen", "after_balance_fen", "before_energy_wh", "after_energy_wh", "debt_fen",
)  # fmt: skip


def locks(meter_id: int | None = None) -> list[Lock]:
    """Those that hang now, the oldest first."""
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        LockOut.select(
            LockOut.id, LockOut.meter, Meter.serial, Meter.shop, Account.name, Operator.name,
            LockOut.why, LockOut.placed_at,
        )
        .join(Meter)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .join(Operator, on=LockOut.holder == Operator.id)
        .where(LockOut.released_at.is_null())
        .order_by(LockOut.id)
    )  # fmt: skip
    if meter_id is not None:
        query = query.where(LockOut.meter == meter_id)
    return [Lock(*row) for row in tuples(query)]


def orders(now: dt.datetime) -> list[Order]:
    """Stuck ones first, then the open ones by their end, then the ended of the last days."""
    recent = Temporary.ended_at.is_null() | (Temporary.ended_at > now - RECENT)
    return sorted(_orders(recent), key=_urgency)


def of_meter(meter_id: int, limit: int = 3) -> list[Order]:
    """The open ones, then the newest that ended: `limit` in all at least of what there is."""
    found = _orders(Temporary.meter == meter_id)
    opened = [order for order in found if order.open]
    ended = [order for order in found if not order.open]
    return [*opened, *ended[: max(0, limit - len(opened))]]


def of_tenant(number: str, limit: int = 5) -> list[Order]:
    """What the tenant's meters were told in his time, newest first."""
    return _orders(Account.number == number)[:limit]


def stuck() -> int:
    """How many could not be taken back and wait for a person."""
    return Temporary.select().where(Temporary.state == TemporaryState.STUCK).count()


def held() -> set[int]:
    """Ids of the meters that are held on for a time now."""
    query = Temporary.select(Temporary.meter).where(
        Temporary.ended_at.is_null(), Temporary.limit_w.is_null()
    )
    return {row[0] for row in tuples(query)}


def flags(ids: Collection[int] | None = None) -> dict[int, set[Flag]]:
    """LOCKED_OUT and TEMPORARY by meter; who is not in it has neither. Two small queries."""
    found: defaultdict[int, set[Flag]] = defaultdict(set)
    asked = (
        (Flag.LOCKED_OUT, LockOut.select(LockOut.meter).where(LockOut.released_at.is_null())),
        (Flag.TEMPORARY, Temporary.select(Temporary.meter).where(Temporary.ended_at.is_null())),
    )
    for flag, query in asked:
        for (meter_id,) in tuples(query):
            if ids is None or meter_id in ids:
                found[meter_id].add(flag)
    return found


def _orders(wanted: Any) -> list[Order]:  # as Peewee types a condition
    """Newest first, each with the shop and the tenant of the time it began."""
    then = (
        (Installation.meter == Temporary.meter)
        & (Installation.opened_at <= Temporary.created_at)
        & (Installation.closed_at.is_null() | (Installation.closed_at > Temporary.created_at))
    )
    query = (
        Temporary.select(
            Temporary.id, Temporary.purpose, Temporary.state, Temporary.meter, Temporary.serial,
            shop_then(), Account.name, Temporary.limit_w, Temporary.why, Operator.name,
            Temporary.created_at, Temporary.until, Temporary.ended_at,
            Temporary.before_balance_fen, Temporary.after_balance_fen,
            Temporary.before_energy_wh, Temporary.after_energy_wh, Temporary.debt_fen,
        )
        .join(Meter)
        .join(Operator, on=Temporary.operator == Operator.id)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=then)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(wanted)
        .order_by(Temporary.id.desc())
    )  # fmt: skip
    return [Order(*row) for row in tuples(query)]


def _urgency(order: Order) -> tuple[int, float]:
    if order.state is TemporaryState.STUCK:
        return 0, order.until.timestamp()
    if order.ended_at is None:
        return 1, order.until.timestamp()
    return 2, -order.ended_at.timestamp()
