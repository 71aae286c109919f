"""Who runs out before the office opens: by use, by the age of the reading, protected ones first."""

import datetime as dt
from decimal import Decimal

import pytest

from engine.config import Config
from engine.domain.measurement import MeterSettings
from engine.domain.office import Hours
from engine.services import operators, temporary
from engine.views import guard
from models import base
from models.enums import Role, SpecialDayKind, TemporaryPurpose
from models.metering import DayUse
from models.tariffs import SpecialDay

HOURS = Hours.of("09:00", "18:00", weekends=False, holidays=False)
CLOSED, ARREARS, FORCED_ON = 1 << 13, 1 << 5, 1 << 13 | 1 << 3 | 1


def settings(overdraft_fen=0):
    return MeterSettings(
        money_control=True, prices=(Decimal("1.0000"),) * 4, alarm1_fen=0, alarm2_fen=0,
        overdraft_fen=overdraft_fen, purchase_count=7, balance_fen=10_000,
    )  # fmt: skip


@pytest.fixture
def use(db, noon):
    """A meter uses so many Wh a day; noon is a Monday, four weeks are known."""

    def use(meter, wh):
        with base.readings_transaction():
            for ago in range(30, -1, -1):
                day = (noon.date() - dt.timedelta(days=ago)).isoformat()
                first_wh = (30 - ago) * wh
                DayUse.create(
                    day=day, meter_id=meter.id, first_energy_wh=first_wh,
                    last_energy_wh=first_wh + wh,
                )  # fmt: skip

    return use


@pytest.fixture
def shop(add_meter, learn, use):
    """A shop that uses 24 kWh a day, with so much credit at 1 yuan a kWh."""

    def shop(number, balance_fen, *, overdraft_fen=0, protected=False, **said):
        meter = add_meter(f"20261123000{number}", tenant=f"租户{number}", protected=protected)
        learn(meter, balance_fen=balance_fen, settings=settings(overdraft_fen), **said)
        use(meter, 24_000)
        return meter

    return shop


def test_who_lasts_until_tomorrow_morning_is_not_on_the_list(shop, noon):
    shop(1, 2_099)  # 20.99 kWh; 21 hours at 1 kWh an hour
    shop(2, 2_100)

    watch = guard.watch(noon, HOURS)

    assert [risk.row.serial for risk in watch.risks] == ["202611230001"]
    assert (watch.closes_at.hour, watch.opens_at.isoformat()) == (18, "2026-11-24T09:00:00+08:00")
    risk = watch.risks[0]
    assert (risk.short_wh, risk.sure) == (10, True)
    assert risk.out_at.isoformat() == "2026-11-24T08:59:24+08:00"


def test_before_holidays_more_run_out_than_before_a_night(shop, noon):
    with base.write_transaction():
        for day in (24, 25, 26, 27):
            SpecialDay.create(
                day=f"2026-11-{day}", kind=SpecialDayKind.HOLIDAY, name="节", set_at=noon
            )
    shop(1, 5_000)

    watch = guard.watch(noon, HOURS)

    assert watch.opens_at.isoformat() == "2026-11-30T09:00:00+08:00"
    assert [risk.row.serial for risk in watch.risks] == ["202611230001"]


def test_protected_ones_come_first_then_who_runs_out_soonest(shop, noon):
    shop(1, 900)
    shop(2, 300)
    shop(3, 1_900, protected=True)

    found = [risk.row.serial[-1] for risk in guard.watch(noon, HOURS).risks]

    assert found == ["3", "2", "1"]


def test_who_is_dark_already_stands_apart(shop, noon):
    shop(1, -500, status1=ARREARS)

    watch = guard.watch(noon, HOURS)

    assert (watch.risks, [row.serial for row in watch.arrears]) == ((), ["202611230001"])


def test_who_is_held_by_a_hand_or_for_a_time_will_not_be_cut(shop, noon, monkeypatch):
    monkeypatch.setattr("engine.clock.now", lambda: noon)
    shop(1, 300, status1=FORCED_ON)
    meter = shop(2, 300, status1=CLOSED)
    engineer = operators.create("赵工", "correct horse", Role.ENGINEER, at=noon)
    until = noon + dt.timedelta(hours=21)
    temporary.hold(
        meter.serial, until, TemporaryPurpose.NO_CUT, "夜间", engineer, "h", config=Config()
    )

    watch = guard.watch(noon, HOURS)

    assert (watch.risks, watch.held) == ((), 2)


def test_an_old_reading_counts_from_when_it_was_read(shop, noon):
    shop(1, 2_300, seconds_ago=3 * 3600)  # 20 kWh are left by now

    assert [risk.row.serial for risk in guard.watch(noon, HOURS).risks] == ["202611230001"]


def test_an_overdraft_lasts_too(shop, noon):
    shop(1, 1_000, overdraft_fen=2_000)

    assert guard.watch(noon, HOURS).risks == ()


def test_of_a_meter_that_nobody_knows_enough_of_nothing_is_said_but_that(add_meter, learn, noon):
    learn(add_meter("202611230001"), balance_fen=100, settings=settings())

    watch = guard.watch(noon, HOURS)

    assert (watch.risks, watch.unknown) == ((), 1)


def test_an_office_that_never_closes_leaves_nobody_in_the_dark(shop, noon):
    shop(1, 1)
    always = Hours.of("00:00", "00:00", weekends=True, holidays=True)

    watch = guard.watch(noon, always)

    assert (watch.opens_at, watch.risks) == (None, ())


def test_the_list_as_json_has_instants_with_their_offset(shop, noon):
    shop(1, 300)

    told = guard.watch(noon, HOURS).as_json()

    assert told["opens_at"] == "2026-11-24T09:00:00+08:00"
    assert told["at_risk"][0]["out_at"] == "2026-11-23T15:00:00+08:00"
    assert told["at_risk"][0]["short_wh"] == 18_000
