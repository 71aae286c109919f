"""All tenants: a row each, or those that changed since a revision; and shops nobody rents."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

import peewee as pw

from engine.domain.errors import NoSuchTenant
from engine.domain.outlook import DaysLeft
from engine.views import meters, outlook
from engine.views.meters import MeterRow
from engine.views.revision import Revision
from models.accounts import Account, Installation, PlannedMeter
from models.base import highest_rev, tuples
from models.enums import AccountKind, MeterState
from models.ledger import LedgerAccount, LedgerEntry
from models.site import Meter

Prices = tuple[Decimal, ...]
REVISION_BITS = 120  # of the meters' revision, see `Revision`
PHONE_SEPARATOR = ";"


class TenantState(StrEnum):
    OPEN = "open"  # 已开户
    PRE_REGISTERED = "pre_registered"  # 预开户: no meter yet
    CLOSED = "closed"  # 已销户


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant as the table shows it. `meters` are those on its account now."""

    account_id: int
    number: str
    name: str
    initials: str
    phones: tuple[str, ...]
    lease_from: str  # local date, ISO; empty: not said
    lease_to: str
    state: TenantState
    deposit_fen: int
    fee_pct: Decimal | None = None  # None: the site's
    planned: tuple[str, ...] = ()  # serials that one key opens
    meters: tuple[MeterRow, ...] = ()

    @property
    def worst(self) -> MeterState | None:
        """The worst state of the meters; None where there is none."""
        return min((meter.state for meter in self.meters), key=RANK.index, default=None)

    @property
    def balance_fen(self) -> int | None:
        """The sum over the meters; None where there is none, or one of them was never read."""
        known = [meter.balance_fen for meter in self.meters if meter.balance_fen is not None]
        return sum(known) if known and len(known) == len(self.meters) else None

    @property
    def days_left(self) -> DaysLeft | None:
        """Until the first of the meters runs out: a range, an estimate; None: not known."""
        first = outlook.first_out(self.meters)
        return None if first is None else first.days_left

    @property
    def shops(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(meter.shop for meter in self.meters))

    @property
    def haystack(self) -> str:
        """What typing is looked for in: number, name, initials, phones, shops, meters."""
        parts = (self.number, self.name, self.initials, *self.phones, *self.planned, *self.shops)
        return "\n".join([*parts, *(meter.serial for meter in self.meters)]).casefold()


RANK = tuple(MeterState)


@dataclass(frozen=True, slots=True)
class VacantShop:
    """A shop whose meters are on nobody's account."""

    building: str
    shop: str
    floor: str
    meters: tuple[MeterRow, ...]
    since: dt.datetime | None  # None: it never had a tenant
    last_tenant: str | None
    planned_for: str | None  # the pre-registered tenant

    @property
    def haystack(self) -> str:
        parts = (self.shop, self.floor, self.last_tenant or "", self.planned_for or "")
        return "\n".join([*parts, *(meter.serial for meter in self.meters)]).casefold()


def rows(
    since_rev: int = -1, *, now: dt.datetime, default_prices: Prices = ()
) -> tuple[int, list[TenantRow]]:
    """(revision, tenants changed since `since_rev`); -1: every tenant, by number.

    `now` and `default_prices` as in `engine.views.meters.rows`.
    """
    revision = last_rev() << REVISION_BITS | int(Revision.now())
    if since_rev < 0:
        return revision, _rows(None, now, default_prices)
    ids = _changed(since_rev)
    return revision, _rows(ids, now, default_prices) if ids else []


def last_rev() -> int:
    """Rises with every change of an account's own row."""
    return highest_rev(Account)


def one(number: str, now: dt.datetime, *, default_prices: Prices = ()) -> TenantRow:
    """Raises NoSuchTenant."""
    account = Account.get_or_none(Account.number == number)
    if account is None:
        raise NoSuchTenant(number=number)
    return _rows({account.id}, now, default_prices)[0]


def _changed(since_rev: int) -> set[int]:
    """Ids of accounts whose own row, or whose meters' rows, changed since."""
    meters_rev = Revision.of(since_rev & (1 << REVISION_BITS) - 1)
    own = Account.select(Account.id).where(Account.rev > since_rev >> REVISION_BITS)
    ids = {row[0] for row in tuples(own)}
    if changed := meters_rev.changed_meters():  # those who had the meter before, too: it may be new
        had = Installation.select(Installation.account)
        ids |= {row[0] for row in tuples(had.where(Installation.meter.in_(list(changed))))}
    return ids


def _rows(ids: Collection[int] | None, now: dt.datetime, default: Prices) -> list[TenantRow]:
    query = Account.select().order_by(Account.number)
    if ids is not None:
        query = query.where(Account.id.in_(list(ids)))
    accounts = list(query)
    installed = _installed(ids)
    wanted = None if ids is None else {meter for each in installed.values() for meter in each}
    found = {row.meter_id: row for row in meters.rows_of(wanted, now, default)}
    planned = _planned(ids)
    deposits = deposits_fen([account.number for account in accounts] if ids is not None else None)
    return [
        TenantRow(
            account.id,
            account.number,
            account.name,
            account.initials,
            phones_of(account.phone),
            account.lease_from,
            account.lease_to,
            state_of(account, opened=account.id in installed),
            deposits.get(account.number, 0),
            None if account.fee_pct is None else Decimal(account.fee_pct),
            tuple(planned[account.id]),
            tuple(found[meter] for meter in installed.get(account.id, ()) if meter in found),
        )
        for account in accounts
    ]


def phones_of(stored: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in stored.split(PHONE_SEPARATOR) if part.strip())


def state_of(account: Account, *, opened: bool) -> TenantState:
    if account.closed_at is not None:
        return TenantState.CLOSED
    return TenantState.OPEN if opened else TenantState.PRE_REGISTERED


def _installed(ids: Collection[int] | None) -> dict[int, list[int]]:
    """Meters on each account now, by shop."""
    query = (
        Installation.select(Installation.account, Installation.meter)
        .join(Meter)
        .where(Installation.closed_at.is_null())
        .order_by(Meter.shop, Meter.serial)
    )
    if ids is not None:
        query = query.where(Installation.account.in_(list(ids)))
    return _gathered(tuples(query))


def _planned(ids: Collection[int] | None) -> dict[int, list[str]]:
    query = (
        PlannedMeter.select(PlannedMeter.account, Meter.serial).join(Meter).order_by(Meter.serial)
    )
    if ids is not None:
        query = query.where(PlannedMeter.account.in_(list(ids)))
    return _gathered(tuples(query))


def _gathered(pairs: Iterable[tuple[int, ...]]) -> defaultdict[int, list]:  # type: ignore[type-arg]
    by_account = defaultdict(list)
    for account, value in pairs:
        by_account[account].append(value)
    return by_account


def deposits_fen(numbers: Collection[str] | None = None) -> dict[str, int]:
    """What the books hold of each tenant's deposit, by its number."""
    totals: dict[str, int] = defaultdict(int)
    for side, sign in ((LedgerEntry.credit, 1), (LedgerEntry.debit, -1)):
        query = (
            LedgerEntry.select(LedgerAccount.key, pw.fn.SUM(LedgerEntry.amount_fen))
            .join(LedgerAccount, on=side == LedgerAccount.id)
            .where(LedgerAccount.kind == AccountKind.DEPOSIT)
            .group_by(LedgerAccount.key)
        )
        if numbers is not None:
            query = query.where(LedgerAccount.key.in_(list(numbers)))
        for number, amount_fen in tuples(query):
            totals[number] += sign * amount_fen
    return totals


def vacant(now: dt.datetime, *, default_prices: Prices = ()) -> list[VacantShop]:
    """Shops of which no living meter is on an account, by building and shop."""
    everything = meters.rows_of(None, now, default_prices)
    last = _last_installations()
    plans = PlannedMeter.select(Meter.serial, Account.name).join(Meter)
    planned = dict(tuples(plans.switch(PlannedMeter).join(Account)))
    shops = []
    everything.sort(key=_place)
    for (building, shop), group in groupby(everything, _place):
        own = tuple(group)
        if any(row.tenant_number is not None for row in own):
            continue
        ended = [last[row.meter_id] for row in own if row.meter_id in last]
        since, tenant = max(ended, default=(None, None))
        planned_for = next((planned[row.serial] for row in own if row.serial in planned), None)
        shops.append(VacantShop(building, shop, own[0].floor, own, since, tenant, planned_for))
    return shops


def _place(row: MeterRow) -> tuple[str, str]:
    return row.building, row.shop or row.serial


def _last_installations() -> dict[int, tuple[dt.datetime, str]]:
    """When the last tenant of a meter left, and who that was."""
    query = (
        Installation.select(Installation.meter, Installation.closed_at, Account.name)
        .join(Account)
        .where(Installation.closed_at.is_null(False))
        .order_by(Installation.closed_at)
    )
    return {meter: (closed_at, name) for meter, closed_at, name in tuples(query)}
