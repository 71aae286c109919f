"""Tenants in a table and in depth: what their meters hold together, use through moves, money."""

import datetime as dt

import pytest

from engine.domain.errors import NoSuchTenant
from engine.services import ledger
from engine.views import tenant as pages
from engine.views import tenants
from engine.views.tenants import TenantState
from models import base
from models.accounts import Account, Installation, PlannedMeter
from models.commands import Command, Receipt
from models.enums import (
    CommandKind,
    CommandState,
    EntryKind,
    EventKind,
    InstallationEnd,
    MeterState,
    PayKind,
)
from models.metering import DayUse, MeterEvent
from models.site import Meter

ARREARS, CLOSED_RELAY = 1 << 5, 1 << 13
ZONE = dt.timezone(dt.timedelta(hours=8))


def only_row(noon):
    _, rows = tenants.rows(now=noon)
    assert len(rows) == 1
    return rows[0]


@pytest.fixture
def two_meters(add_meter, clock):
    """Two meters of one tenant, T0001."""
    first, second = add_meter("202611230001"), add_meter("202611230002", tenant="")
    with base.write_transaction():
        Installation.create(meter=second, account=Account.get(), opened_at=clock.at)
    return first, second


def test_a_tenant_shows_its_worst_meter_and_what_all_hold_together(two_meters, learn, noon):
    first, second = two_meters
    learn(first, balance_fen=12_050)
    learn(second, balance_fen=-1_000, status1=ARREARS)

    row = only_row(noon)

    assert (row.number, row.name, row.state) == ("T0001", "张三丰茶馆", TenantState.OPEN)
    assert row.worst is MeterState.ARREARS
    assert row.balance_fen == 11_050
    assert [meter.serial for meter in row.meters] == ["202611230001", "202611230002"]


def test_a_meter_never_read_leaves_the_sum_unknown(two_meters, learn, noon):
    learn(two_meters[0], balance_fen=12_050)

    assert only_row(noon).balance_fen is None


def test_a_tenant_without_a_meter_has_no_balance_and_no_worst_state(db, clock, noon):
    with base.write_transaction():
        Account.create(number="T9", name="新店", opened_at=clock.at)

    row = only_row(noon)

    assert (row.state, row.worst, row.balance_fen) == (TenantState.PRE_REGISTERED, None, None)


def test_everything_a_tenant_is_known_by_is_found(two_meters, noon):
    with base.write_transaction():
        Account.update(initials="ZSFCG", phone="13800000001; 021-5555").execute()

    row = only_row(noon)

    assert row.phones == ("13800000001", "021-5555")
    for typed in ("t0001", "茶馆", "zsf", "021-5555", "a-101", "230002"):
        assert typed in row.haystack


def test_a_changed_meter_or_account_brings_its_tenant_only(two_meters, add_meter, learn, noon):
    add_meter("202611230003", tenant="李记面馆")
    rev, rows = tenants.rows(now=noon)
    assert [row.number for row in rows] == ["T0001", "T0003"]

    learn(two_meters[1], rev=9)
    rev, rows = tenants.rows(rev, now=noon)
    assert [row.number for row in rows] == ["T0001"]

    with base.write_transaction():
        Account.update(rev=1, name="李记").where(Account.number == "T0003").execute()
    rev, rows = tenants.rows(rev, now=noon)
    assert [row.name for row in rows] == ["李记"]
    assert tenants.rows(rev, now=noon) == (rev, [])


def test_a_meter_that_goes_to_another_tenant_changes_both(two_meters, clock, noon):
    rev, _ = tenants.rows(now=noon)
    with base.write_transaction():
        heir = Account.create(number="T9", name="新店", opened_at=clock.at)
        meter = two_meters[1]
        Installation.update(closed_at=clock.at).where(Installation.meter == meter).execute()
        Installation.create(meter=meter, account=heir, opened_at=clock.at)
        Meter.update(rev=7).where(Meter.id == meter.id).execute()

    _, rows = tenants.rows(rev, now=noon)

    assert {row.number: len(row.meters) for row in rows} == {"T0001": 1, "T9": 1}


def test_the_deposit_is_what_the_books_hold_of_it(two_meters, operator, noon):
    from engine.services import operators  # noqa: PLC0415 (as the office does)

    with base.write_transaction():
        shift = operators.current_shift(operator)
        till = ledger.till(shift, PayKind.CASH)
        held = ledger.deposit("T0001")
        ledger.post(till, held, 50_000, EntryKind.DEPOSIT, by=operator, shift=shift)
        ledger.post(held, till, 20_000, EntryKind.DEPOSIT_RETURNED, by=operator, shift=shift)

    assert only_row(noon).deposit_fen == 30_000


def test_a_shop_without_a_tenant_is_vacant_since_the_last_one_left(add_meter, clock, noon):
    left, never = add_meter("202611230001"), add_meter("202611230002", tenant="")
    with base.write_transaction():
        Meter.update(shop="B-7").where(Meter.id == never.id).execute()
        Installation.update(closed_at=clock.at).execute()
        new = Account.create(number="T9", name="新店", opened_at=clock.at)
        PlannedMeter.create(account=new, meter=never, planned_at=clock.at)

    shops = tenants.vacant(noon)

    assert [(shop.shop, shop.since, shop.last_tenant, shop.planned_for) for shop in shops] == [
        ("A-101", clock.at, "张三丰茶馆", None),
        ("B-7", None, None, "新店"),
    ]
    assert [meter.serial for meter in shops[0].meters] == [left.serial]


def test_a_shop_with_one_meter_on_an_account_is_not_vacant(two_meters, noon):
    with base.write_transaction():
        closed = Installation.meter == two_meters[0]
        Installation.update(closed_at=noon).where(closed).execute()

    assert tenants.vacant(noon) == []


def test_a_number_nobody_has_is_an_error(db, noon):
    with pytest.raises(NoSuchTenant):
        pages.page("T404", noon)


def use_of_days(meter, **days):
    """`d1123=(first, last)`: what the meter counted on 23 November."""
    with base.readings_transaction():
        for name, (first_wh, last_wh) in days.items():
            DayUse.create(
                day=f"2026-{name[1:3]}-{name[3:]}",
                meter_id=meter.id,
                first_energy_wh=first_wh,
                last_energy_wh=last_wh,
            )


def test_use_goes_on_through_an_exchange(add_meter, clock, noon):
    """The old meter ends at 150 kWh on the 20th, the new one begins at 2 kWh the same day."""
    old, new = add_meter("202611230001"), add_meter("202611230002", tenant="")
    october = dt.datetime(2026, 10, 1, tzinfo=ZONE)
    swapped = dt.datetime(2026, 11, 20, 10, tzinfo=ZONE)
    with base.write_transaction():
        Installation.update(
            opened_at=october, first_energy_wh=100_000, closed_at=swapped,
            last_energy_wh=150_000, ended=InstallationEnd.EXCHANGED,
        ).execute()  # fmt: skip
        Installation.create(
            meter=new, account=Account.get(), opened_at=swapped, first_energy_wh=2_000
        )
    use_of_days(
        old, d1030=(100_000, 120_000), d1031=(120_500, 130_000), d1119=(139_000, 140_000),
        d1120=(140_500, 151_000),
    )  # fmt: skip
    use_of_days(new, d1120=(0, 5_000), d1122=(8_000, 9_000), d1123=(9_500, 10_000))

    use = pages.page("T0001", noon).use

    assert use.last_month_wh == 30_000
    assert use.this_month_wh == 10_000 + 10_000 + 8_000
    assert use.today_wh == 1_000
    days = {day.day: used_wh for day, used_wh in use.days}
    assert days[20] == 10_000 + 3_000
    assert days[21] is None
    assert days[22] == 4_000
    assert use.per_day_wh == (10_000 + 13_000 + 4_000) // 3


def test_without_readings_nothing_is_known_of_use(meter, noon):
    use = pages.page("T0001", noon).use

    assert (use.today_wh, use.this_month_wh, use.last_month_wh, use.per_day_wh) == (None,) * 4


def test_each_stay_of_a_meter_is_kept_the_running_ones_first(two_meters, learn, clock, noon):
    first, second = two_meters
    with base.write_transaction():
        Installation.update(
            closed_at=clock.at, ended=InstallationEnd.MOVED, first_energy_wh=10_000,
            last_energy_wh=35_000, shop="B-2",
        ).where(Installation.meter == first).execute()  # fmt: skip
        Installation.update(first_energy_wh=980_000).where(Installation.meter == second).execute()
    learn(second, energy_wh=1_000_000, balance_fen=500)

    stays = pages.page("T0001", noon).stays

    assert [(stay.serial, stay.shop, stay.ended, stay.used_wh) for stay in stays] == [
        ("202611230002", "A-101", None, 20_000),
        ("202611230001", "B-2", InstallationEnd.MOVED, 25_000),
    ]


@pytest.fixture
def order(clock, operator):
    def one(meter, kind, number, **fields):
        with base.write_transaction():
            return Command.create(
                request_id=f"r{number}", kind=kind, counted=True, meter=meter, meter_epoch=1,
                serial=meter.serial, amount_fen=number * 100, operator=operator,
                created_at=clock.at, **{"state": CommandState.APPLIED, **fields},
            )  # fmt: skip

    return one


def test_all_five_verbs_of_his_time_are_listed_with_outcome_and_receipt(meter, order, clock, noon):
    sale = order(meter, CommandKind.SELL, 1, pay=PayKind.CASH)
    order(meter, CommandKind.SELL, 2, state=CommandState.VOIDED, pay=PayKind.CASH)
    order(meter, CommandKind.REVERSE, 3, reverses=sale)
    order(meter, CommandKind.REFUND, 4, state=CommandState.REFUSED, reason="timeout")
    order(meter, CommandKind.TRANSFER_OUT, 5)
    with base.write_transaction():
        Receipt.create(number="20261123-000001", command=sale, issued_at=clock.at)

    orders = pages.page("T0001", noon).orders

    assert [(each.kind, each.state, each.receipt) for each in orders] == [
        (CommandKind.TRANSFER_OUT, CommandState.APPLIED, None),
        (CommandKind.REFUND, CommandState.REFUSED, None),
        (CommandKind.REVERSE, CommandState.APPLIED, None),
        (CommandKind.SELL, CommandState.VOIDED, None),
        (CommandKind.SELL, CommandState.APPLIED, "20261123-000001"),
    ]


def test_what_the_tenant_before_bought_is_not_his(meter, order, clock, noon):
    order(meter, CommandKind.SELL, 1, pay=PayKind.CASH)
    clock.advance(minutes=1)
    with base.write_transaction():
        heir = Account.create(number="T9", name="新店", opened_at=clock.at)
        Installation.update(closed_at=clock.at).execute()
        Installation.create(meter=meter, account=heir, opened_at=clock.at)
    clock.advance(minutes=1)
    order(meter, CommandKind.SELL, 2, pay=PayKind.CASH)

    assert [each.amount_fen for each in pages.page("T9", noon).orders] == [200]
    assert [each.amount_fen for each in pages.page("T0001", noon).orders] == [100]


def test_events_of_his_meters_in_his_time_are_shown(meter, clock, noon):
    with base.readings_transaction():
        for days in (-1, 0):
            MeterEvent.create(
                meter_id=meter.id, kind=EventKind.FOREIGN_PURCHASE,
                at=clock.at + dt.timedelta(days=days),
            )  # fmt: skip

    events = pages.page("T0001", noon).events

    assert [(event.at, event.kind, event.shop) for event in events] == [
        (clock.at, EventKind.FOREIGN_PURCHASE, "A-101")
    ]
