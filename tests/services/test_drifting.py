"""Drift in the store: found by readings, told once, never hidden, never invented."""

import json
from decimal import Decimal

import pytest

from engine.domain.measurement import MeterSettings
from engine.services import ledger, readings
from models import base
from models.accounts import Account, Installation
from models.enums import AccountKind, EntryKind, EventKind, MeterKind
from models.metering import Latest, MeterEvent
from models.site import Meter

SETTINGS = MeterSettings(
    money_control=True, prices=tuple(map(Decimal, ("1.2", "1.0", "0.7", "0.4"))), alarm1_fen=0,
    alarm2_fen=0, overdraft_fen=0, purchase_count=4, balance_fen=500,
)  # fmt: skip


@pytest.fixture
def priced(lease, meter, clock):
    """The meter's prices were read back: 0.40 yuan in the valley, where `poll` puts all energy."""
    readings.store_settings(meter.id, SETTINGS, at=clock.at, epoch=lease)
    return meter


def latest(meter) -> Latest:
    return Latest.get_by_id(meter.id)


def told(kind=EventKind.DRIFT):
    return [
        json.loads(event.detail)
        for event in MeterEvent.select().where(MeterEvent.kind == kind).order_by(MeterEvent.id)
    ]


def test_what_is_used_at_the_price_read_back_is_no_drift(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(priced, 11_000, balance_fen=9_600)

    assert latest(priced).drift_fen == 0
    assert latest(priced).asserted_at == clock.at


def test_without_prices_drift_is_not_known_and_nothing_asserted(poll, meter, clock):
    poll(meter, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(meter, 11_000, balance_fen=9_600)

    assert (latest(meter).drift_fen, latest(meter).asserted_at) == (None, None)


def test_our_own_sale_is_no_drift(poll, priced, sell, prove, clock):
    poll(priced, 1000, balance_fen=500)
    clock.advance(minutes=1)
    prove(sell())
    clock.advance(minutes=29)
    poll(priced, 1000, balance_fen=10_500, count=5)

    assert latest(priced).drift_fen == 0


def test_while_a_sale_is_open_nothing_is_concluded(poll, priced, sell, send, clock):
    poll(priced, 1000, balance_fen=500)
    since = latest(priced).asserted_at
    send(sell())
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=10_500, count=5)

    assert (latest(priced).drift_fen, latest(priced).asserted_at) == (0, since)


def test_drift_beyond_the_limit_is_told_once_a_crossing(poll, priced, clock):
    for balance_fen in (10_000, 9_000, 8_990, 9_800, 10_000, 11_000):
        poll(priced, 1000, balance_fen=balance_fen)
        clock.advance(minutes=30)

    assert [each["drift_fen"] for each in told()] == [-1000, 1000]
    assert told()[0] == {
        "drift_fen": -1000, "balance_fen": 9_000, "expected_fen": 10_000,
        "since": "2026-11-23T01:00:00+00:00",
    }  # fmt: skip
    assert latest(priced).drift_alarmed


def test_an_alarm_ends_below_half_of_the_limit(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000)
    for balance_fen, alarmed in ((9_000, True), (9_600, True), (9_800, False), (9_600, False)):
        clock.advance(minutes=30)
        poll(priced, 1000, balance_fen=balance_fen)

        assert latest(priced).drift_alarmed is alarmed, balance_fen


def test_a_price_change_hides_no_drift(poll, priced, lease, clock):
    poll(priced, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=9_000)
    dear = MeterSettings.from_json(SETTINGS.to_json().replace('"0.4"', '"0.8"'))
    readings.store_settings(priced.id, dear, at=clock.at, epoch=lease)
    clock.advance(minutes=30)
    poll(priced, 11_000, balance_fen=8_400)  # 10 kWh cost 4 to 8 yuan

    assert latest(priced).drift_fen == -1000


def test_a_purchase_made_elsewhere_is_told_with_its_likely_amount(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(priced, 11_000, balance_fen=14_600, count=5)

    assert told(EventKind.FOREIGN_PURCHASE) == [
        {"expected": 4, "found": 5, "amount_fen": 5_000, "since": "2026-11-23T01:00:00+00:00"}
    ]
    assert (latest(priced).drift_fen, latest(priced).drift_alarmed) == (5_000, True)
    assert told() == []  # one alarm for one matter


def test_what_two_persons_decide_explains_the_drift(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=15_000, count=5)
    adjustment = ledger.account(AccountKind.ADJUSTMENT, priced.serial)
    with base.write_transaction():
        credit = ledger.meter_credit(priced.serial)
        ledger.post(adjustment, credit, 5_000, EntryKind.ADJUSTMENT)
        Meter.update(frozen=False).execute()
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=15_000, count=5)

    assert (latest(priced).drift_fen, latest(priced).drift_alarmed) == (0, False)


def test_the_next_tenant_begins_without_drift(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000)
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=9_000)
    with base.write_transaction():
        Installation.update(closed_at=clock.at).execute()
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=9_000)
    assert (latest(priced).drift_fen, latest(priced).drift_alarmed) == (None, False)

    with base.write_transaction():
        account = Account.create(number="T2", name="新租户", opened_at=clock.at)
        Installation.create(meter=priced, account=account, opened_at=clock.at)
    clock.advance(minutes=30)
    poll(priced, 1000, balance_fen=9_000)

    assert latest(priced).drift_fen == 0


def test_a_meter_that_deducts_nothing_uses_energy_for_nothing(poll, priced, clock):
    poll(priced, 1000, balance_fen=10_000, status2=0)
    clock.advance(minutes=30)
    poll(priced, 11_000, balance_fen=10_000, status2=0)

    assert latest(priced).drift_fen == 0


def test_an_ordinary_meter_has_no_drift(poll, add_meter):
    meter = add_meter(kind=MeterKind.ORDINARY)
    poll(meter, balance_fen=500)

    assert latest(meter).drift_from is None
