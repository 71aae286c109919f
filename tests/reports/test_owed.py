"""What we owe all tenants at the end of any day, computed from rows."""

import datetime as dt

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.reports.owed import owed
from engine.reports.period import Period
from engine.services import ledger
from models import base
from models.accounts import Account, Installation
from models.enums import AccountKind, EntryKind
from models.ledger import LedgerEntry
from tests.services.conftest import ZONE

MONDAY, TUESDAY = dt.date(2026, 11, 23), dt.date(2026, 11, 24)


@pytest.fixture
def of(clock):
    def table(first, last=None):
        return owed(Period(first, last or first, clock.at.astimezone(ZONE)))

    return table


def rows(table):
    """By day and meter: total, credit, in flight, to pay out, clearing, suspense."""
    return [(row[0], row[4], *row[5:]) for row in table.rows]


def test_a_day_is_told_as_it_ended_however_late_it_is_asked(of, poll, meter, sell, prove, clock):
    poll(meter, 1000, balance_fen=500)
    clock.advance(hours=1)
    prove(sell())  # 100 yuan
    clock.advance(hours=15)  # 01:00 of Tuesday
    poll(meter, 2000, balance_fen=10_300, count=5)
    clock.advance(hours=1)
    prove(sell("r2", paid_fen=2_000), PurchaseState(5, 10_300, 2000))

    assert rows(of(MONDAY)) == [("2026-11-23", meter.serial, 10_300, 10_300, 0, 0, 0, 0)]
    assert rows(of(TUESDAY)) == [("2026-11-24", meter.serial, 12_300, 12_300, 0, 0, 0, 0)]


def test_every_kind_of_claim_has_its_column(of, poll, add_meter, sell, send, settle, clock):
    shops = [add_meter(f"20261123100{number}") for number in range(3)]
    for shop in shops:
        poll(shop)
    clock.advance(minutes=1)
    sell("r0", to=shops[0])
    settle(send(sell("r1", to=shops[1])), Step.SUSPEND, PurchaseState(9, 1, 1000))
    command = sell("r2", to=shops[2])
    with base.write_transaction():
        ledger.post(
            ledger.meter_credit(shops[2].serial), ledger.refund_payable(), 300, EntryKind.REFUND,
            command=command,
        )  # fmt: skip

    assert rows(of(MONDAY)) == [
        ("2026-11-23", shops[0].serial, 10_500, 500, 10_000, 0, 0, 0),
        ("2026-11-23", shops[1].serial, 10_500, 500, 0, 0, 0, 10_000),
        ("2026-11-23", shops[2].serial, 10_500, 200, 10_000, 300, 0, 0),
    ]


def test_totals_are_what_the_ledger_holds(of, poll, add_meter, sell, clock):
    for number in range(3):
        poll(add_meter(f"20261123100{number}"), balance_fen=1_000 * number)
    clock.advance(minutes=1)

    totals = of(MONDAY).totals

    credit = LedgerEntry.select(LedgerEntry.amount_fen).where(
        LedgerEntry.kind == EntryKind.TAKE_OVER
    )
    assert totals["total_fen"] == sum(entry.amount_fen for entry in credit) == 3_000
    assert totals["meter_credit_fen"] == 3_000


def test_of_several_days_the_totals_are_the_last_ones(of, poll, meter, clock):
    poll(meter, 1000, balance_fen=500)
    clock.advance(days=1)
    poll(meter, 2000, balance_fen=400)

    table = of(MONDAY, TUESDAY)

    assert [(row[0], row[5]) for row in table.rows] == [("2026-11-23", 400), ("2026-11-24", 400)]
    assert table.totals["total_fen"] == 400


def test_before_anything_was_nothing_is_owed(of, poll, meter):
    poll(meter, 1000, balance_fen=500)

    assert of(dt.date(2026, 11, 22)).rows == []


def test_a_claim_stays_with_whose_it_was(of, poll, meter, clock):
    poll(meter, 1000, balance_fen=500)
    clock.advance(days=1)
    with base.write_transaction():
        Installation.update(closed_at=clock.at).execute()
        account = Account.create(number="T0002", name="新租户", opened_at=clock.at)
        Installation.create(meter=meter, account=account, opened_at=clock.at, taken_over=True)

    assert [row[1] for row in of(MONDAY).rows] == ["T0001"]
    assert [row[1] for row in of(TUESDAY).rows] == ["T0002"]


def test_what_belongs_to_no_meter_is_not_left_out(of, db, clock):
    with base.write_transaction():
        ledger.post(
            ledger.account(AccountKind.CASH, "1:cash"), ledger.account(AccountKind.CLEARING, "9"),
            700, EntryKind.ADJUSTMENT,
        )  # fmt: skip

    assert rows(of(MONDAY)) == [("2026-11-23", "", 700, 0, 0, 0, 700, 0)]


def test_a_report_changes_nothing(of, poll, meter, picture):
    poll(meter, 1000, balance_fen=500)
    before = picture()

    of(MONDAY)

    assert picture() == before
