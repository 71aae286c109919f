"""A day's end: what the fall of a balance earned is posted once, and nothing is guessed."""

import datetime as dt

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import StaleEngine
from engine.services import freezing, ledger, verify
from models import base
from models.accounts import Installation
from models.enums import AccountKind, EntryKind, MeterKind
from models.ledger import DayFreeze, LedgerEntry
from tests.services.conftest import ZONE


def revenue_fen():
    return ledger.balance_of(ledger.account(AccountKind.REVENUE))


def freezes():
    return [
        (row.day, row.energy_wh, row.balance_fen, row.revenue_fen)
        for row in DayFreeze.select().order_by(DayFreeze.id)
    ]


@pytest.fixture
def next_day(clock):
    """00:10 of the next local day."""

    def turn(days=1):
        local = clock.at.astimezone(ZONE)
        then = (local + dt.timedelta(days=days)).replace(hour=0, minute=10)
        clock.at = then.astimezone(dt.UTC)

    return turn


def test_the_first_reading_after_a_day_posts_what_it_earned(poll, meter, clock, next_day):
    poll(meter, 1000, balance_fen=10_000)
    next_day()
    poll(meter, 5000, balance_fen=9_700)
    clock.advance(minutes=30)
    poll(meter, 5000, balance_fen=9_690)

    assert freezes() == [("2026-11-23", 5000, 9_700, 300)]
    entry = LedgerEntry.get(LedgerEntry.kind == EntryKind.REVENUE)
    assert (entry.amount_fen, entry.operator, entry.command) == (300, None, None)
    assert DayFreeze.get().entry == entry
    assert (revenue_fen(), ledger.balance_of(ledger.meter_credit(meter.serial))) == (300, 9_700)
    assert verify.faults() == []


def test_each_day_posts_its_own(poll, meter, next_day):
    for balance_fen in (10_000, 9_700, 9_650):
        poll(meter, 1000, balance_fen=balance_fen)
        next_day()

    assert freezes() == [("2026-11-23", 1000, 9_700, 300), ("2026-11-24", 1000, 9_650, 50)]


def test_days_without_a_reading_are_covered_by_the_next(poll, meter, next_day):
    poll(meter, 1000, balance_fen=10_000)
    next_day(4)
    poll(meter, 9000, balance_fen=9_000)

    assert freezes() == [("2026-11-26", 9000, 9_000, 1_000)]


def test_a_day_without_use_is_closed_without_an_entry(poll, meter, next_day):
    poll(meter, 1000, balance_fen=10_000)
    next_day()
    poll(meter, 1000, balance_fen=10_000)

    assert freezes() == [("2026-11-23", 1000, 10_000, 0)]
    assert DayFreeze.get().entry is None


def test_more_in_the_meter_than_in_the_books_earns_nothing(poll, meter, next_day):
    poll(meter, 1000, balance_fen=10_000)
    next_day()
    poll(meter, 1000, balance_fen=10_400)
    next_day()
    poll(meter, 2000, balance_fen=9_900)

    assert freezes() == [("2026-11-23", 1000, 10_400, 0), ("2026-11-24", 2000, 9_900, 100)]
    assert verify.faults() == []


def test_an_open_sale_puts_the_freeze_off(poll, meter, sell, send, settle, next_day, clock):
    poll(meter, 1000, balance_fen=500)
    command = send(sell())
    next_day()
    poll(meter, 1100, balance_fen=10_400, count=5)
    assert freezes() == []

    settle(command, Step.CONFIRM, PurchaseState(5, 10_400, 1100))
    clock.advance(minutes=30)
    poll(meter, 1100, balance_fen=10_400, count=5)

    assert freezes() == [("2026-11-23", 1100, 10_400, 100)]
    assert verify.faults() == []


def test_a_frozen_meter_waits_for_a_person(poll, meter, next_day):
    poll(meter, 1000, balance_fen=10_000, count=4)
    next_day()
    poll(meter, 1000, balance_fen=14_000, count=5)

    assert freezes() == []


@pytest.mark.parametrize(
    "fields", [{"tenant": ""}, {"kind": MeterKind.ORDINARY}], ids=["no tenant", "ordinary"]
)
def test_who_has_no_credit_in_the_books_has_no_freeze(poll, add_meter, next_day, fields):
    meter = add_meter(**fields)
    poll(meter, 1000, balance_fen=10_000)
    next_day()
    poll(meter, 2000, balance_fen=9_000)

    assert freezes() == []


def test_a_stale_engine_freezes_nothing(poll, meter, next_day, clock, lease):
    poll(meter, 1000, balance_fen=10_000)
    next_day()

    with pytest.raises(StaleEngine):
        freezing.freeze_day(
            meter, energy_wh=1000, balance_fen=9_000, at=clock.at, epoch=lease + 1, zone=ZONE
        )

    assert (freezes(), revenue_fen()) == ([], 0)


def test_a_day_on_which_a_meter_changes_hands_is_closed_for_each_of_them(
    poll, meter, clock, next_day
):
    poll(meter, 1000, balance_fen=10_000)
    clock.advance(hours=3)
    with base.write_transaction():
        first = Installation.get()
        freezing.final(first, energy_wh=3000, balance_fen=0, at=clock.at, zone=ZONE)
        Installation.update(closed_at=clock.at).execute()
        second = Installation.create(meter=meter, account=first.account, opened_at=clock.at)
    clock.advance(hours=1)
    poll(meter, 3000, balance_fen=500)
    next_day()
    poll(meter, 4000, balance_fen=480)

    assert freezes() == [("2026-11-23", 3000, 0, 10_000), ("2026-11-23", 4000, 480, 20)]
    assert [row.installation for row in DayFreeze.select().order_by(DayFreeze.id)] == [
        first, second,
    ]  # fmt: skip
    assert verify.faults() == []
