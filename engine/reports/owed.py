"""What the office owes its tenants at the end of a day: credit in meters, and money on its way."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

import peewee as pw

from engine.reports.period import Period
from engine.reports.table import Table, summed
from models import base
from models.accounts import Account, Installation
from models.commands import Command, Transfer
from models.enums import AccountKind, EntryKind
from models.ledger import DayFreeze, LedgerAccount, LedgerEntry
from models.site import Meter

KINDS = {  # ledger accounts that tenants have a claim on, and the column of each
    AccountKind.METER_CREDIT: "meter_credit_fen",
    AccountKind.IN_FLIGHT: "in_flight_fen",
    AccountKind.REFUND_PAYABLE: "refund_payable_fen",
    AccountKind.CLEARING: "clearing_fen",
    AccountKind.SUSPENSE: "suspense_fen",
}
MONEY = ("total_fen", *KINDS.values())
COLUMNS = ("day", "tenant_number", "tenant", "shop", "serial", *MONEY)

Owed = dict[str, dict[AccountKind, int]]  # by meter: fen on each kind of account


def owed(period: Period) -> Table:
    """One row a meter that anything is owed for, day by day. A negative credit is an overdraft.

    A day's use is revenue of that day, though it is posted after midnight, when the meter is
    read. A day that is not over is told as it stands. Totals are those of the last day.
    """
    rows = [row for day in period.days() for row in _rows(day, period.end_of(day))]
    last = period.last.isoformat()
    total = summed("owed", COLUMNS, [row for row in rows if row[0] == last], *MONEY)
    return Table("owed", COLUMNS, rows, total.totals)


def _rows(day: dt.date, end: dt.datetime) -> Iterator[tuple[str | int, ...]]:
    standing = owed_at(day, end)
    tenants = _tenants(end)
    nobody = ("", "", "")
    by_tenant = sorted(standing, key=lambda serial: (tenants.get(serial, nobody)[0], serial))
    for serial in by_tenant:
        money = [standing[serial].get(kind, 0) for kind in KINDS]
        if any(money):
            number, name, shop = tenants.get(serial, nobody)
            yield (day.isoformat(), number, name, shop, serial, sum(money), *money)


def owed_at(day: dt.date, end: dt.datetime) -> Owed:
    """By meter, from all entries of `day` and before; `end` is the midnight after it.

    What belongs to no meter stands under "": nothing is left out.
    """
    with base.core.atomic():
        targets = _meters_of_transfers()
        found: Owed = defaultdict(lambda: defaultdict(int))
        for side, sign in ((LedgerEntry.credit, 1), (LedgerEntry.debit, -1)):
            for kind, key, commanded, fen in _sums(side, day, end):
                serial = {
                    AccountKind.REFUND_PAYABLE: commanded,
                    AccountKind.CLEARING: targets.get(key),
                }.get(AccountKind(kind), key)
                found[serial or ""][AccountKind(kind)] += sign * fen
    return found


def _sums(
    side: pw.ForeignKeyField, day: dt.date, end: dt.datetime
) -> list[tuple[str, str, str | None, int]]:
    """(kind, key, serial of the command, fen) of one side of the entries."""
    revenue = LedgerEntry.kind == EntryKind.REVENUE
    in_time = (~revenue & (LedgerEntry.posted_at < end)) | (
        revenue & (DayFreeze.day <= day.isoformat())
    )
    query = (
        LedgerEntry.select(
            LedgerAccount.kind,
            LedgerAccount.key,
            Command.serial,
            pw.fn.SUM(LedgerEntry.amount_fen),
        )
        .join(LedgerAccount, on=side == LedgerAccount.id)
        .switch(LedgerEntry)
        .join(Command, pw.JOIN.LEFT_OUTER, on=LedgerEntry.command == Command.id)
        .switch(LedgerEntry)
        .join(DayFreeze, pw.JOIN.LEFT_OUTER, on=DayFreeze.entry == LedgerEntry.id)
        .where(LedgerAccount.kind.in_(list(KINDS)), in_time)
        .group_by(LedgerAccount.id, Command.serial)
    )
    return list(base.core.execute(query))


def _meters_of_transfers() -> dict[str, str]:
    """Transfer -> the meter it came from, or where that is another system's, where it goes."""
    source, target = Meter.alias(), Meter.alias()
    query = (
        Transfer.select(Transfer.id, pw.fn.COALESCE(source.serial, target.serial))
        .join(source, pw.JOIN.LEFT_OUTER, on=Transfer.source == source.id)
        .switch(Transfer)
        .join(target, pw.JOIN.LEFT_OUTER, on=Transfer.target == target.id)
    )
    return {str(number): serial for number, serial in base.core.execute(query)}


def _tenants(end: dt.datetime) -> dict[str, tuple[str, str, str]]:
    """Meter -> (number, name, shop) of whose it was last before `end`."""
    query = (
        Installation.select(
            Meter.serial,
            Account.number,
            Account.name,
            Installation.shop,
            Meter.shop,
            Installation.closed_at,
        )
        .join(Account)
        .switch(Installation)
        .join(Meter)
        .where(Installation.opened_at < end)
        .order_by(Installation.opened_at, Installation.id)
    )
    return {
        serial: (number, name, then or ("" if closed else now))
        for serial, number, name, then, now, closed in base.core.execute(query)
    }
