"""Days that were closed: each revenue recomputed from the books as they stood, none without one."""

from collections import defaultdict
from collections.abc import Iterator

import peewee as pw

from models import base
from models.enums import AccountKind, EntryKind
from models.ledger import DayFreeze, LedgerAccount, LedgerEntry
from models.site import Meter

Found = tuple[str, dict[str, object]]  # code and params of `error.verify.<code>`


def faults() -> list[Found]:
    """Inside the caller's read transaction."""
    return [*_entries_differ(), *_revenue_without_freeze(), *_out_of_order()]


def _entries_differ() -> Iterator[Found]:
    """What a freeze says it earned is what its entry moved, and what the books had fallen by."""
    entries = _revenue_entries()
    query = (
        DayFreeze.select(
            DayFreeze.id,
            DayFreeze.day,
            Meter.serial,
            DayFreeze.balance_fen,
            DayFreeze.revenue_fen,
            DayFreeze.entry,
        )
        .join(Meter)
        .order_by(DayFreeze.id)
    )
    for freeze, day, serial, balance_fen, revenue_fen, entry in base.core.execute(query):
        posted = entries.get(entry)
        fits = (
            (posted is None and revenue_fen == 0)
            if entry is None
            else posted == (serial, revenue_fen, balance_fen + revenue_fen)
        )
        if not fits:
            yield "freeze_differs", {"freeze": freeze, "serial": serial, "day": day}


def _revenue_entries() -> dict[int, tuple[str, int, int]]:
    """Entry -> (meter, fen moved from its credit to revenue, its credit before)."""
    debit, credit = LedgerAccount.alias(), LedgerAccount.alias()
    meter_credit = AccountKind.METER_CREDIT
    query = (
        LedgerEntry.select(
            LedgerEntry.id,
            LedgerEntry.kind,
            LedgerEntry.amount_fen,
            debit.kind,
            debit.key,
            credit.kind,
            credit.key,
        )
        .join(debit, on=LedgerEntry.debit == debit.id)
        .switch(LedgerEntry)
        .join(credit, on=LedgerEntry.credit == credit.id)
        .where((debit.kind == meter_credit) | (credit.kind == meter_credit))
        .order_by(LedgerEntry.id)
    )
    found: dict[int, tuple[str, int, int]] = {}
    standing_fen: defaultdict[str, int] = defaultdict(int)
    for entry, kind, fen, giver, giver_key, taker, taker_key in base.core.execute(query):
        if kind == EntryKind.REVENUE and taker == AccountKind.REVENUE:
            found[entry] = (giver_key, fen, standing_fen[giver_key])
        if giver == meter_credit:
            standing_fen[giver_key] -= fen
        if taker == meter_credit:
            standing_fen[taker_key] += fen
    return found


def _revenue_without_freeze() -> list[Found]:
    """Each revenue entry is named by one freeze."""
    query = (
        LedgerEntry.select(LedgerEntry.id)
        .join(DayFreeze, pw.JOIN.LEFT_OUTER, on=DayFreeze.entry == LedgerEntry.id)
        .where(LedgerEntry.kind == EntryKind.REVENUE)
        .group_by(LedgerEntry.id)
        .having(pw.fn.COUNT(DayFreeze.id) != 1)
        .order_by(LedgerEntry.id)
    )
    return [("revenue_without_freeze", {"entry": entry}) for (entry,) in base.core.execute(query)]


def _out_of_order() -> Iterator[Found]:
    """Under one tenant, days and moments rise with the rows."""
    query = (
        DayFreeze.select(
            DayFreeze.id, DayFreeze.installation, DayFreeze.day, DayFreeze.at, Meter.serial
        )
        .join(Meter)
        .order_by(DayFreeze.id)
    )
    last: dict[int, tuple[str, int]] = {}
    for freeze, installation, day, at, serial in base.core.execute(query):
        before = last.get(installation)
        if before is not None and not (before[0] < day and before[1] < at):
            yield "freeze_out_of_order", {"freeze": freeze, "serial": serial, "day": day}
        last[installation] = (day, at)
