"""One tenant in depth: its meters through moves and exchanges, its use, its money, its events."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import peewee as pw

from engine.views import orders, tenants
from engine.views.orders import Order as Told
from engine.views.rows import MeterRow
from engine.views.tenants import TenantRow
from models.accounts import Account, Installation
from models.base import tuples
from models.commands import Command, Receipt
from models.enums import CommandKind, CommandState, EventKind, InstallationEnd, PayKind
from models.metering import DayUse, MeterEvent
from models.people import Operator
from models.site import Meter

DAYS = 14  # of use, one by one
PURCHASES, EVENTS = 50, 20


@dataclass(frozen=True, slots=True)
class Stay:
    """A meter's time on the account: one Installation. `last_*` of a running one is the newest."""

    meter_id: int
    serial: str
    shop: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    first_energy_wh: int | None
    last_energy_wh: int | None
    first_balance_fen: int | None
    last_balance_fen: int | None
    ended: InstallationEnd | None

    @property
    def used_wh(self) -> int | None:
        if self.first_energy_wh is None or self.last_energy_wh is None:
            return None
        return max(0, self.last_energy_wh - self.first_energy_wh)


@dataclass(frozen=True, slots=True)
class Order:
    """A counted command to a meter while it was the tenant's, and what became of it."""

    command: int
    kind: CommandKind
    created_at: dt.datetime
    state: CommandState
    reason: str | None
    meter_id: int
    serial: str
    shop: str
    amount_fen: int
    fee_fen: int
    pay: PayKind | None
    operator: str | None
    receipt: str | None
    payment: int | None


@dataclass(frozen=True, slots=True)
class Event:
    at: dt.datetime
    kind: EventKind
    serial: str
    shop: str


@dataclass(frozen=True, slots=True)
class Use:
    """Wh by local days and months, over all meters of the tenant; None: no reading to tell by."""

    today_wh: int | None
    this_month_wh: int | None
    last_month_wh: int | None
    per_day_wh: int | None  # mean of the whole days among `days` that have a reading
    days: tuple[tuple[dt.date, int | None], ...]  # oldest first, today last


@dataclass(frozen=True, slots=True)
class Tenant:
    row: TenantRow
    id_number: str
    note: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    stays: tuple[Stay, ...]
    use: Use
    orders: tuple[Order, ...]
    events: tuple[Event, ...]
    told: tuple[Told, ...]  # what his meters were told for a time, with what it left owed


def page(number: str, now: dt.datetime, *, default_prices: tuple[Decimal, ...] = ()) -> Tenant:
    """All that is known of a tenant; `now` in the site's own zone. Raises NoSuchTenant."""
    row = tenants.one(number, now, default_prices=default_prices)
    account = Account.get_by_id(row.account_id)
    stays = stays_of(account, row.meters)
    return Tenant(
        row=row,
        id_number=account.id_number,
        note=account.note,
        opened_at=account.opened_at,
        closed_at=account.closed_at,
        stays=tuple(stays),
        use=use_of(stays, now),
        orders=tuple(_orders(account)),
        events=tuple(_events(stays)),
        told=tuple(orders.of_tenant(number)),
    )


def stays_of(account: Account, running: Iterable[MeterRow]) -> list[Stay]:
    """Those of the meters `running` now first, then by when they ended, newest first."""
    query = (
        Installation.select(
            Meter.id, Meter.serial, Installation.shop, Installation.opened_at,
            Installation.closed_at, Installation.first_energy_wh, Installation.last_energy_wh,
            Installation.first_balance_fen, Installation.last_balance_fen, Installation.ended,
            Meter.shop,
        )
        .join(Meter)
        .where(Installation.account == account)
        .order_by(Installation.closed_at.is_null(False), Installation.closed_at.desc(), Meter.shop)
    )  # fmt: skip
    found = tuples(query)
    newest = {row.meter_id: (row.energy_wh, row.balance_fen) for row in running}
    stays = []
    for meter_id, serial, shop, *rest, ended, shop_now in found:
        opened_at, closed_at, first_wh, last_wh, first_fen, last_fen = rest
        if closed_at is None:
            last_wh, last_fen = newest.get(meter_id, (None, None))
        stays.append(
            Stay(
                meter_id, serial, shop or shop_now, opened_at, closed_at, first_wh, last_wh,
                first_fen, last_fen, ended,
            )
        )  # fmt: skip
    return stays


def use_of(stays: Iterable[Stay], now: dt.datetime) -> Use:
    """Continuous through moves and exchanges: each meter counts from its first to its last value.

    The use of a day is what was counted from the reading before it to its last one, so that days
    add up to months. A register that fell counts as 0.
    """
    assert now.tzinfo is not None
    today = now.date()
    this_month = today.replace(day=1)
    last_month = (this_month - dt.timedelta(days=1)).replace(day=1)
    since = min(last_month, today - dt.timedelta(days=DAYS))
    by_day: dict[dt.date, int] = {}
    for stay in stays:
        for day, used_wh in _daily(stay, since, today, now.tzinfo):
            by_day[day] = by_day.get(day, 0) + used_wh
    days = tuple(
        (day, by_day.get(day))
        for day in (today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1))
    )
    whole = [used_wh for day, used_wh in days if used_wh is not None and day != today]
    return Use(
        today_wh=by_day.get(today),
        this_month_wh=_total(by_day, this_month, today),
        last_month_wh=_total(by_day, last_month, this_month - dt.timedelta(days=1)),
        per_day_wh=sum(whole) // len(whole) if whole else None,
        days=days,
    )


def _total(by_day: dict[dt.date, int], first: dt.date, last: dt.date) -> int | None:
    found = [used_wh for day, used_wh in by_day.items() if first <= day <= last]
    return sum(found) if found else None


def _daily(
    stay: Stay, since: dt.date, last: dt.date, zone: dt.tzinfo
) -> Iterable[tuple[dt.date, int]]:
    """(day, Wh) of each day of [since, last] that has a reading of this stay."""
    opened = stay.opened_at.astimezone(zone).date()
    closed = stay.closed_at.astimezone(zone).date() if stay.closed_at else None
    start, end = max(opened, since - dt.timedelta(days=1)), min(closed or last, last)
    days = [start + dt.timedelta(days=number) for number in range((end - start).days + 1)]
    query = (  # one look-up a day: a range of days holds every meter's rows
        DayUse.select(DayUse.day, DayUse.first_energy_wh, DayUse.last_energy_wh)
        .where(DayUse.meter_id == stay.meter_id, DayUse.day.in_([str(day) for day in days]))
        .order_by(DayUse.day)
    )
    before_wh = stay.first_energy_wh if start == opened else None
    for text, first_wh, last_wh in tuples(query):
        day = dt.date.fromisoformat(text)
        end_wh = last_wh
        if day == closed and stay.last_energy_wh is not None:
            end_wh = stay.last_energy_wh  # what came later is the next tenant's
        if day >= since:
            yield day, max(0, end_wh - (first_wh if before_wh is None else before_wh))
        before_wh = end_wh


def _orders(account: Account) -> list[Order]:
    """The latest counted commands of his time on each meter, newest first."""
    his_time = (
        (Installation.meter == Command.meter)
        & (Installation.account == account)
        & (Installation.opened_at <= Command.created_at)
        & (Installation.closed_at.is_null() | (Installation.closed_at >= Command.created_at))
    )
    receipt = (Receipt.command == Command.id) | (Receipt.payment == Command.payment)
    query = (
        Command.select(
            Command.id, Command.kind, Command.created_at, Command.state, Command.reason,
            Command.meter, Command.serial, pw.fn.COALESCE(pw.fn.NULLIF(Installation.shop, ""),
            Meter.shop), Command.amount_fen, Command.fee_fen, Command.pay, Operator.name,
            Receipt.number, Command.payment,
        )
        .join(Installation, on=his_time)
        .join(Meter, on=Command.meter == Meter.id)
        .join(Operator, pw.JOIN.LEFT_OUTER, on=Command.operator == Operator.id)
        .join(Receipt, pw.JOIN.LEFT_OUTER, on=receipt)
        .where(Command.counted)
        .order_by(Command.id.desc())
        .limit(PURCHASES)
    )  # fmt: skip
    return [Order(*row) for row in tuples(query)]


def _events(stays: Sequence[Stay]) -> list[Event]:
    """What readings and commands showed of his meters in his time, newest first."""
    found = []
    for stay in stays:
        query = MeterEvent.select(MeterEvent.at, MeterEvent.kind).where(
            MeterEvent.meter_id == stay.meter_id, MeterEvent.at >= stay.opened_at
        )
        if stay.closed_at is not None:
            query = query.where(MeterEvent.at <= stay.closed_at)
        query = query.order_by(MeterEvent.id.desc()).limit(EVENTS)
        found += [Event(at, kind, stay.serial, stay.shop) for at, kind in tuples(query)]
    return sorted(found, key=lambda event: event.at, reverse=True)[:EVENTS]
