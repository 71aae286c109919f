"""Tenants: registered, edited, found. Opening is `opening`, closing `closing`, moving `moving`."""

from collections.abc import Mapping, Sequence

from engine import clock
from engine.domain import tenants
from engine.domain.errors import (
    AlreadyOpen,
    MeterPlanned,
    NoSuchTenant,
    NotPrepaid,
    TenantClosed,
    TenantNumberTaken,
)
from engine.services import audit, meters, operators
from engine.services.initials import initials
from models.accounts import Account, Installation, PlannedMeter
from models.base import next_rev, write_transaction
from models.enums import MeterKind, Right
from models.people import Operator
from models.site import Meter

FIELDS = ("name", "phone", "id_number", "lease_from", "lease_to", "fee_pct", "note")


def register(
    number: str,
    name: str,
    phone: str,
    by: Operator,
    *,
    id_number: str = "",
    lease_from: str = "",
    lease_to: str = "",
    fee_pct: str = "",
    note: str = "",
    planned: Sequence[str] = (),
) -> Account:
    """Pre-registration (预开户): a tenant, and the meters that one key will open for it.

    `fee_pct` is text, empty: the site's. Raises Forbidden, TenantNumberTaken, BadTenantNumber,
    BadTenantName, BadPhone, BadIdNumber, BadLease, BadFeePct, BadNote, NoSuchMeter,
    MeterRetired, NotPrepaid, AlreadyOpen, MeterPlanned; then nothing has changed.
    """
    with write_transaction():
        operators.require(by, Right.ACCOUNTS)
        return register_within(
            number,
            by,
            {
                "name": name,
                "phone": phone,
                "id_number": id_number,
                "lease_from": lease_from,
                "lease_to": lease_to,
                "fee_pct": fee_pct,
                "note": note,
            },
            planned,
        )


def register_within(
    number: str, by: Operator, typed: Mapping[str, str], planned: Sequence[str] = ()
) -> Account:
    """The same as part of another verb, whose right and transaction hold; `typed` by field."""
    values = _checked({field: typed.get(field, "") for field in FIELDS})
    number = tenants.checked_number(number)
    if Account.get_or_none(Account.number == number):
        raise TenantNumberTaken(number=number)
    account: Account = Account.create(
        number=number, opened_at=clock.now(), rev=next_rev(Account), **values
    )
    _plan(account, planned)
    detail = {**{field: values[field] for field in FIELDS}, "planned": list(planned)}
    audit.write(by.name, "tenant_register", number, detail)
    return account


def edit(
    number: str,
    by: Operator,
    *,
    name: str | None = None,
    phone: str | None = None,
    id_number: str | None = None,
    lease_from: str | None = None,
    lease_to: str | None = None,
    fee_pct: str | None = None,
    note: str | None = None,
    planned: Sequence[str] | None = None,
) -> Account:
    """Change what is given; None leaves a field as it is, "" empties it.

    Raises as `register`, and NoSuchTenant, TenantClosed.
    """
    given = {
        "name": name,
        "phone": phone,
        "id_number": id_number,
        "lease_from": lease_from,
        "lease_to": lease_to,
        "fee_pct": fee_pct,
        "note": note,
    }
    with write_transaction():
        operators.require(by, Right.ACCOUNTS)
        account = open_one(number)
        before = {field: getattr(account, field) for field in FIELDS}
        as_typed = {field: value or "" for field, value in before.items()}
        values = _checked(as_typed | {key: text for key, text in given.items() if text is not None})
        changed = {key: [before[key], values[key]] for key in FIELDS if before[key] != values[key]}
        planned_before = planned_of(account)
        if planned is not None and list(planned) != planned_before:
            PlannedMeter.delete().where(PlannedMeter.account == account).execute()
            _plan(account, planned)
            changed["planned"] = [planned_before, list(planned)]
        if changed:
            Account.update(rev=next_rev(Account), **values).where(
                Account.id == account.id
            ).execute()
            announce(account)
            audit.write(by.name, "tenant_edit", number, changed)
        return get(number)


def get(number: str) -> Account:
    """The tenant of that number, closed or not. Raises NoSuchTenant."""
    account = Account.get_or_none(Account.number == number)
    if account is None:
        raise NoSuchTenant(number=number)
    assert isinstance(account, Account)
    return account


def open_one(number: str) -> Account:
    """The tenant of that number. Raises NoSuchTenant, TenantClosed."""
    account = get(number)
    if account.closed_at is not None:
        raise TenantClosed(number=number)
    return account


def planned_of(account: Account) -> list[str]:
    """Serials of the meters that one key opens for the tenant."""
    query = (
        PlannedMeter.select(PlannedMeter, Meter)
        .join(Meter)
        .where(PlannedMeter.account == account)
        .order_by(PlannedMeter.id)
    )
    return [planned.meter.serial for planned in query]


def installations_of(account: Account) -> list[Installation]:
    """What is open for the tenant, by serial, each with its meter."""
    query = (
        Installation.select(Installation, Meter)
        .join(Meter)
        .where(Installation.account == account, Installation.closed_at.is_null())
        .order_by(Meter.serial)
    )
    return list(query)


def require_free(meter: Meter, account: Account) -> None:
    """May it be opened for `account`? Raises NotPrepaid, AlreadyOpen, MeterPlanned."""
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=meter.serial)
    if found := meters.installation_of(meter):
        whose = found.account
        raise AlreadyOpen(serial=meter.serial, number=whose.number, name=whose.name)
    require_unplanned(meter, account)


def require_unplanned(meter: Meter, account: Account) -> None:
    """Raises MeterPlanned where it is kept for another than `account`."""
    planned = PlannedMeter.get_or_none(PlannedMeter.meter == meter)
    if planned is not None and planned.account.id != account.id:
        whose = planned.account
        raise MeterPlanned(serial=meter.serial, number=whose.number, name=whose.name)


def touch(account: Account) -> None:
    """A screen that shows the tenant or its meters draws it anew. In a write_transaction."""
    Account.update(rev=next_rev(Account)).where(Account.id == account.id).execute()
    announce(account)


def announce(account: Account) -> None:
    """A new revision for the tenant's meters: its name stands in their rows."""
    ids = Installation.select(Installation.meter).where(
        Installation.account == account, Installation.closed_at.is_null()
    )
    Meter.update(rev=next_rev(Meter)).where(Meter.id.in_(ids)).execute()


def _checked(typed: dict[str, str]) -> dict[str, str | None]:
    """Every field as stored, the initials of the name with it."""
    name = tenants.checked_name(typed["name"])
    lease_from, lease_to = tenants.checked_lease(typed["lease_from"], typed["lease_to"])
    return {
        "name": name,
        "initials": initials(name),
        "phone": tenants.checked_phones(typed["phone"]),
        "id_number": tenants.checked_id_number(typed["id_number"]),
        "lease_from": lease_from,
        "lease_to": lease_to,
        "fee_pct": tenants.checked_fee_pct(typed["fee_pct"]),
        "note": tenants.checked_note(typed["note"]),
    }


def _plan(account: Account, serials: Sequence[str]) -> None:
    """Keep meters for the tenant; whoever has one now may leave it later."""
    for serial in dict.fromkeys(serials):
        meter = meters.living(serial)
        if meter.kind is not MeterKind.PREPAID:
            raise NotPrepaid(serial=serial)
        found = meters.installation_of(meter)
        if found is not None and found.account.id == account.id:
            raise AlreadyOpen(serial=serial, number=account.number, name=account.name)
        require_unplanned(meter, account)
        PlannedMeter.create(account=account, meter=meter, planned_at=clock.now())
