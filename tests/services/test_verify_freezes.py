"""Closed days under verify: a forged revenue, a lost freeze, a day out of order are named."""

import pytest

from engine.services import ledger, verify
from models import base
from models.enums import AccountKind, EntryKind
from models.ledger import DayFreeze, LedgerEntry


@pytest.fixture
def two_days(poll, meter, clock):
    for balance_fen in (10_000, 9_700, 9_650):
        poll(meter, 1000, balance_fen=balance_fen)
        clock.advance(days=1)
    return list(DayFreeze.select().order_by(DayFreeze.id))


def found():
    return [(fault.code, fault.params) for fault in verify.faults()]


def test_honest_days_have_no_faults(two_days):
    assert [freeze.revenue_fen for freeze in two_days] == [300, 50]
    assert found() == []


@pytest.mark.parametrize(
    "change", [{"revenue_fen": 299}, {"balance_fen": 9_600}], ids=["revenue", "balance"]
)
def test_a_freeze_that_says_something_else_than_its_entry_is_named(two_days, change):
    with base.write_transaction():
        DayFreeze.update(change).where(DayFreeze.id == two_days[0].id).execute()

    assert found() == [
        ("freeze_differs", {"freeze": 1, "serial": "202611230001", "day": "2026-11-23"})
    ]


def test_revenue_that_no_day_earned_is_named(two_days, meter):
    with base.write_transaction():
        credit, revenue = ledger.meter_credit(meter.serial), ledger.account(AccountKind.REVENUE)
        entry = ledger.post(credit, revenue, 10, EntryKind.REVENUE)

    assert ("revenue_without_freeze", {"entry": entry.id}) in found()


def test_a_freeze_that_lost_its_entry_is_named(two_days):
    entry = LedgerEntry.get(LedgerEntry.kind == EntryKind.REVENUE)
    with base.write_transaction():
        DayFreeze.update(entry=None).where(DayFreeze.entry == entry).execute()

    assert [code for code, _ in found()] == ["freeze_differs", "revenue_without_freeze"]


def test_a_day_after_a_later_one_is_named(two_days):
    with base.write_transaction():
        DayFreeze.update(day="2026-11-22").where(DayFreeze.id == two_days[1].id).execute()

    assert found() == [
        ("freeze_out_of_order", {"freeze": 2, "serial": "202611230001", "day": "2026-11-22"})
    ]
