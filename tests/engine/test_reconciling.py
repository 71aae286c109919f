"""Meter and books over real sockets: a day under load, a sale behind our back, a spoilt balance."""

import dataclasses
import datetime as dt
import json

import pytest

from engine.domain import drift
from engine.domain.measurement import MeterSettings
from engine.services import drifting, ledger, refunding, transferring, verify
from engine.views import drift as views
from models import base
from models.commands import Transfer
from models.enums import AccountKind, CommandState, EventKind, PayKind
from models.ledger import DayFreeze
from models.metering import Latest, MeterEvent
from models.site import Meter
from tests.engine.conftest import CHECKED, COUNT, MONEY, OTHER, PLACES

HALF_HOUR_S = 1800
LOADS_W = {serial: 700 * (number + 1) + 13 for number, serial in enumerate(PLACES)}


class SteppedClock:
    """The engine's wall clock: goes with the test's half hours, and on by itself within them."""

    def __init__(self, now):
        self._real, self._ahead = now, dt.timedelta()

    def __call__(self):
        return self._real() + self._ahead

    def move_on(self, seconds):
        self._ahead += dt.timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch):
    from engine import clock  # noqa: PLC0415 (its own `now` is what is replaced)

    stepped = SteppedClock(clock.now)
    monkeypatch.setattr("engine.clock.now", stepped)
    return stepped


@pytest.fixture
def prepaid(practice):
    """All meters deduct, at four prices, and have plenty. No night falls in between."""
    collection = dataclasses.replace(practice.config.collection, settings_at="")
    practice.config = dataclasses.replace(practice.config, collection=collection)
    for meter in practice.meters.meters.values():
        meter.money_control, meter.balance_fen = True, 500_000
    return practice


def latest(serial) -> Latest | None:
    meter = Meter.get(Meter.serial == serial)
    return Latest.get_or_none(Latest.meter_id == meter.id)


def events(kind):
    return [
        json.loads(row.detail)
        for row in MeterEvent.select().where(MeterEvent.kind == kind).order_by(MeterEvent.id)
    ]


def all_priced():
    return all((row := latest(serial)) is not None and row.settings for serial in PLACES)


def all_closed(*, days):
    """Has every meter so many closed days?"""
    closed = [row.meter.serial for row in DayFreeze.select()]
    return all(closed.count(serial) >= days for serial in PLACES)


async def poll_all(practice, time, *, seconds=HALF_HOUR_S):
    """Half an hour passes at the site, then every meter is read again."""
    time.move_on(seconds)
    practice.meters.clock.move_on(seconds)
    with base.readings_transaction():
        Latest.update(attempted_at=None).execute()
    await practice.until(lambda: not Latest.select().where(Latest.attempted_at.is_null()).exists())


async def begin(practice, time):
    await practice.until(all_priced)
    await poll_all(practice, time)
    await practice.until(lambda: all(latest(serial).drift_fen == 0 for serial in PLACES))


async def test_a_day_under_load_drifts_by_less_than_a_step_and_closes_with_its_revenue(
    prepaid, time
):
    async with prepaid.engine():
        await begin(prepaid, time)
        for serial, load_w in LOADS_W.items():
            prepaid.meters.inject(f"meter:{serial}", "set_load", value=load_w)
        for _ in range(48):
            await poll_all(prepaid, time)
            for serial in PLACES:
                track = drifting.track_of(latest(serial))
                assert abs(track.drift_fen) <= drift.uncertainty_fen(track.point), serial
        await prepaid.until(lambda: all_closed(days=1))

    assert events(EventKind.DRIFT) == []
    used_fen = {serial: 500_000 - prepaid.meters.meter(serial).balance_fen for serial in PLACES}
    assert min(used_fen.values()) > 1_000
    assert verify.faults() == []
    for serial in PLACES:
        of_it = DayFreeze.meter == Meter.get(Meter.serial == serial)
        *before, freeze = DayFreeze.select().where(of_it).order_by(DayFreeze.id)
        earned_fen = sum(each.revenue_fen for each in (*before, freeze))  # begun near midnight: two
        assert 500_000 - earned_fen == freeze.balance_fen
        assert ledger.balance_of(ledger.meter_credit(serial)) == freeze.balance_fen
    assert ledger.balance_of(ledger.account(AccountKind.REVENUE)) > 0


async def test_sales_amid_the_load_are_no_drift(prepaid, time):
    async with prepaid.engine():
        await begin(prepaid, time)
        prepaid.meters.inject(f"meter:{CHECKED}", "set_load", value=4_321)
        for _ in range(4):
            await poll_all(prepaid, time)
            assert (await prepaid.ended(prepaid.sell(paid_fen=12_345))).receipt_set is not None
        await poll_all(prepaid, time)
        track = drifting.track_of(latest(CHECKED))

    assert prepaid.meters.meter(CHECKED).count == COUNT + 4
    assert abs(track.drift_fen) <= drift.uncertainty_fen(track.point)


async def test_refunds_transfers_and_reversals_amid_the_load_are_no_drift(prepaid, time):
    chief = prepaid.chief
    async with prepaid.engine():
        await begin(prepaid, time)
        for serial in (CHECKED, OTHER):
            prepaid.meters.inject(f"meter:{serial}", "set_load", value=4_321)
        await poll_all(prepaid, time)
        refund = refunding.refund(CHECKED, 30_000, PayKind.CASH, "搬走", chief, "a1", money=MONEY)
        assert (await prepaid.ended(refund.id)).state is CommandState.APPLIED
        await poll_all(prepaid, time)
        move = transferring.begin(CHECKED, OTHER, 40_000, "换铺", chief, "a2", money=MONEY)
        await prepaid.until(lambda: Transfer.get_by_id(move.id).finished_at is not None)
        await poll_all(prepaid, time)
        sale = prepaid.sell(paid_fen=20_000)
        await prepaid.ended(sale)
        undone = refunding.reverse(sale, "输错", chief, "a3", money=MONEY)
        assert (await prepaid.ended(undone.id)).state is CommandState.APPLIED
        await poll_all(prepaid, time)
        tracks = [drifting.track_of(latest(serial)) for serial in (CHECKED, OTHER)]

    assert prepaid.meters.meter(CHECKED).balance_fen < 430_000
    for track in tracks:
        assert abs(track.drift_fen) <= 2 * drift.uncertainty_fen(track.point)
    assert events(EventKind.DRIFT) == []
    assert verify.faults() == []


async def test_credit_bought_behind_our_back_is_found_within_one_poll_with_its_amount(
    prepaid, time
):
    async with prepaid.engine():
        await begin(prepaid, time)
        prepaid.meters.inject(f"meter:{CHECKED}", "set_load", value=2_000)
        prepaid.meters.inject(f"meter:{CHECKED}", "foreign_purchase", amount_fen=7_700)
        await poll_all(prepaid, time)
        await prepaid.until(lambda: Meter.get(Meter.serial == CHECKED).frozen)

    (told,) = events(EventKind.FOREIGN_PURCHASE)
    assert (told["expected"], told["found"]) == (COUNT, COUNT + 1)
    assert abs(told["amount_fen"] - 7_700) <= 5
    row = views.rows()[0]
    assert (row.serial, row.foreign.found) == (CHECKED, COUNT + 1)
    assert row.foreign.since < row.foreign.at


async def test_a_spoilt_balance_raises_the_alarm_once_and_the_others_none(prepaid, time):
    async with prepaid.engine():
        await begin(prepaid, time)
        prepaid.meters.inject(f"meter:{CHECKED}", "set_balance", value=400_000)
        for _ in range(3):
            await poll_all(prepaid, time)

    (told,) = events(EventKind.DRIFT)
    assert told["drift_fen"] == -100_000
    assert (told["balance_fen"], told["expected_fen"]) == (400_000, 500_000)
    assert [row.serial for row in views.rows() if row.drift_fen] == [CHECKED]
    assert [code for code, _ in views.warnings(dt.datetime.now(dt.UTC), 500)] == ["drift"]


async def test_a_price_changed_by_others_is_drift_until_it_is_read_back(prepaid, time):
    async with prepaid.engine():
        await begin(prepaid, time)
        prepaid.meters.inject(f"meter:{CHECKED}", "set_load", value=10_000)
        prepaid.meters.meter(CHECKED).prices = [30_000] * 4
        await poll_all(prepaid, time)
        found_fen = latest(CHECKED).drift_fen
        assert found_fen < -500
        with base.readings_transaction():
            Latest.update(held_whole_at=None).execute()
        prepaid.meters.inject(f"meter:{CHECKED}", "set_load", value=0)
        await poll_all(prepaid, time, seconds=1)  # prices are read after a sweep
        await prepaid.until(
            lambda: MeterSettings.from_json(latest(CHECKED).settings).prices[0] == 3
        )
        prepaid.meters.inject(f"meter:{CHECKED}", "set_load", value=10_000)
        await poll_all(prepaid, time)
        await poll_all(prepaid, time)

    track = drifting.track_of(latest(CHECKED))
    assert abs(track.whole_fen - found_fen) <= 2 * drift.uncertainty_fen(track.point)
