"""The meter table: what a row says, and that only what changed is fetched again."""

import datetime as dt
from decimal import Decimal

import pytest

from engine.domain.errors import NoSuchMeter
from engine.domain.measurement import MeterSettings
from engine.views import meters
from models import base
from models.commands import Command
from models.enums import CommandKind, CommandState, Flag, MeterKind, MeterState, Relay
from models.metering import Latest, Reading
from models.site import Meter
from models.tariffs import Tariff, TariffVersion

ALARM1, ALARM2, ARREARS, OVER, FAULT = 1 << 6, 1 << 7, 1 << 5, 1 << 4, 1 << 8
CLOSED = 1 << 13


def only_row(noon, **options):
    _, rows = meters.rows(now=noon, **options)
    assert len(rows) == 1
    return rows[0]


def test_a_meter_never_read_has_nothing_rather_than_zeros(meter, noon):
    row = only_row(noon)

    assert (row.balance_fen, row.energy_wh, row.power_w, row.read_at) == (None, None, None, None)
    assert (row.state, row.relay) == (MeterState.LOST, Relay.UNKNOWN)
    shown = row.as_json(noon)
    assert (shown["age_s"], shown["read_at"], shown["phases"]) == (None, None, [])
    assert shown["energy_by_rate_wh"] == dict.fromkeys(("sharp", "peak", "flat", "valley"))


def test_json_has_the_units_and_names_of_the_contract(meter, learn, noon):
    learn(meter, seconds_ago=90)

    assert only_row(noon).as_json(noon) == {
        "serial": "202611230001",
        "model": "DDSY1352-NK",
        "line": "L01",
        "address": 1,
        "building": "A",
        "floor": "",
        "location": "",
        "shop": "A-101",
        "tenant": "张三丰茶馆",
        "state": "normal",
        "flags": [],
        "relay": "closed",
        "balance_fen": 10_000,
        "remaining_wh": None,
        "days_left": None,
        "drift_fen": None,
        "asserted_at": None,
        "purchase_count": 7,
        "energy_wh": 1_000_000,
        "energy_by_rate_wh": {
            "sharp": 100_000,
            "peak": 200_000,
            "flat": 300_000,
            "valley": 400_000,
        },
        "power_w": 270,
        "phases": [{"v": 220.1, "a": 1.23, "w": 270, "pf": 0.985}],
        "read_at": "2026-11-23T11:58:30+08:00",
        "age_s": 90,
    }


@pytest.mark.parametrize(
    ("bits", "state"),
    [
        pytest.param(CLOSED, MeterState.NORMAL, id="nothing said"),
        pytest.param(CLOSED | ALARM1, MeterState.ALARM1, id="first threshold"),
        pytest.param(CLOSED | ALARM1 | ALARM2, MeterState.ALARM2, id="both thresholds"),
        pytest.param(ALARM1 | ALARM2 | ARREARS, MeterState.ARREARS, id="nothing left"),
    ],
)
def test_the_meters_own_bits_give_the_state(meter, learn, noon, bits, state):
    learn(meter, status1=bits)

    assert only_row(noon).state is state


def test_a_meter_of_nobody_is_not_opened_whatever_it_says(add_meter, learn, noon):
    learn(add_meter(tenant=""), status1=ARREARS)

    row = only_row(noon)

    assert (row.state, row.tenant) == (MeterState.NOT_OPENED, None)


def test_three_failed_attempts_make_it_lost_and_keep_what_was_known(meter, learn, noon):
    learn(meter, failed_attempts=3, seconds_ago=7200)

    row = only_row(noon)

    assert (row.state, row.balance_fen, row.age_s(noon)) == (MeterState.LOST, 10_000, 7200)


def test_flags_say_what_stands_beside_the_state(add_meter, learn, noon):
    meter = add_meter(protected=True, frozen=True)
    learn(meter, status1=CLOSED | OVER | FAULT, status2=0)
    with base.readings_transaction():
        Latest.update(quarantined="{}").execute()

    assert only_row(noon).flags == {
        Flag.OVERLOAD, Flag.FAULT, Flag.PREPAY_OFF, Flag.DRIFT, Flag.QUARANTINED, Flag.PROTECTED
    }  # fmt: skip


def test_an_ordinary_meter_is_not_blamed_for_lacking_prepayment(add_meter, learn, noon):
    learn(add_meter(kind=MeterKind.ORDINARY), status2=0)

    assert only_row(noon).flags == frozenset()


def test_an_unknown_sale_shows_on_its_meter(meter, noon, clock):
    queue_sale(meter, clock, state=CommandState.UNKNOWN)

    assert only_row(noon).flags == {Flag.UNKNOWN_COMMAND}


def queue_sale(meter, clock, **fields):
    with base.write_transaction():
        highest = max((command.rev for command in Command.select()), default=0)
        return Command.create(
            request_id=f"r{highest}", kind=CommandKind.SELL, counted=True, meter=meter,
            meter_epoch=1, serial=meter.serial, amount_fen=100, created_at=clock.at,
            rev=highest + 1, **fields,
        )  # fmt: skip


PRICES = (Decimal("1.2"), Decimal(1), Decimal("0.7"), Decimal("0.4"))


def read_back(*prices):
    return MeterSettings(True, tuple(map(Decimal, prices)), 2000, 500, 0, 7, 10_000)


@pytest.mark.parametrize(
    ("reading", "expected_wh"),
    [
        # 100 yuan; 0.1×1.2 + 0.2×1 + 0.3×0.7 + 0.4×0.4 = 0.69 yuan/kWh on the mix used so far
        pytest.param({}, 144_927, id="by the mix of rates used so far"),
        # nothing used yet: (1.2 + 1 + 0.7 + 0.4) / 4 = 0.825
        pytest.param({"energy_by_rate_wh": (0, 0, 0, 0)}, 121_212, id="all rates alike"),
        pytest.param({"balance_fen": -50}, 0, id="overdrawn"),
    ],
)
def test_remaining_energy_is_estimated_from_balance_and_prices(
    meter, learn, noon, reading, expected_wh
):
    learn(meter, **reading)

    assert only_row(noon, default_prices=PRICES).remaining_wh == expected_wh


def test_prices_read_back_come_before_the_tariff_and_that_before_the_sites(add_meter, learn, noon):
    meter = add_meter(tariff="T1")
    with base.write_transaction():
        tariff = Tariff.create(name="T1")
        for day, price in (("2026-01-01", "2"), ("2026-11-24", "9")):
            prices = dict.fromkeys(
                ("price_sharp", "price_peak", "price_flat", "price_valley"), Decimal(price)
            )
            TariffVersion.create(tariff=tariff, valid_from=day, **prices)
    learn(meter)
    assert only_row(noon, default_prices=PRICES).remaining_wh == 50_000  # 100 yuan at 2 yuan/kWh

    learn(meter, settings=read_back(1, 1, 1, 1))

    assert only_row(noon, default_prices=PRICES).remaining_wh == 100_000


def test_a_meter_whose_energy_is_free_has_no_remaining_energy(meter, learn, noon):
    learn(meter, settings=read_back(0, 0, 0, 0))

    assert only_row(noon, default_prices=PRICES).remaining_wh is None


def test_todays_use_counts_from_the_first_reading_of_the_local_day(meter, learn, noon):
    learn(meter)

    assert only_row(noon).today_wh == 10_000
    tomorrow = noon + dt.timedelta(hours=12)
    assert only_row(tomorrow).today_wh is None


def test_three_phases_are_shown_one_by_one(meter, learn, noon):
    learn(
        meter, voltage_mv=(220_000, 221_000, 222_000), current_ma=(1, 2, 3),
        phase_power_w=(10, 20, 30), power_factor_pm=(1000, 900, 800), status1=0b111 << 13,
    )  # fmt: skip

    row = only_row(noon)

    assert [phase["w"] for phase in row.as_json(noon)["phases"]] == [10, 20, 30]
    assert row.relay is Relay.CLOSED


def test_nothing_new_is_fetched_when_nothing_changed(meter, learn, noon):
    learn(meter)
    rev, rows = meters.rows(now=noon)

    assert len(rows) == 1
    assert meters.rows(rev, now=noon) == (rev, [])


def test_only_the_meter_that_was_read_is_fetched_again(add_meter, learn, noon):
    first, second = add_meter("000000000001"), add_meter("000000000002")
    learn(first, 1)
    learn(second, 2)
    rev, _ = meters.rows(now=noon)

    learn(first, 3, balance_fen=5)
    newer, rows = meters.rows(rev, now=noon)

    assert newer > rev
    assert [(row.serial, row.balance_fen) for row in rows] == [("000000000001", 5)]


def test_a_command_or_a_changed_meter_counts_as_new_too(add_meter, clock, noon):
    first, second = add_meter("000000000001"), add_meter("000000000002")
    rev, _ = meters.rows(now=noon)

    queue_sale(first, clock)
    after_command, by_command = meters.rows(rev, now=noon)
    with base.write_transaction():
        Meter.update(rev=1, shop="B-2").where(Meter.id == second.id).execute()
    _, by_change = meters.rows(after_command, now=noon)

    assert [row.serial for row in by_command] == ["000000000001"]
    assert [(row.serial, row.shop) for row in by_change] == [("000000000002", "B-2")]


def test_a_retired_meter_is_gone_from_the_table(meter, clock, noon):
    with base.write_transaction():
        Meter.update(retired_at=clock.at).execute()

    assert meters.rows(now=noon)[1] == []
    with pytest.raises(NoSuchMeter):
        meters.one(meter.serial, noon)


def test_one_meter_is_the_same_row(meter, learn, noon):
    learn(meter)

    assert meters.one(meter.serial, noon) == only_row(noon)


def test_purchases_come_newest_first(meter, clock):
    queue_sale(meter, clock, state=CommandState.APPLIED, base_count=1, after_count=2)
    queue_sale(meter, clock)

    found = meters.purchases(meter.serial, limit=5)

    assert [purchase.state for purchase in found] == [CommandState.QUEUED, CommandState.APPLIED]
    assert (found[1].count_before, found[1].count_after, found[1].receipt) == (1, 2, None)


def store_readings(*rows):
    with base.readings_transaction():
        for meter_id, slot, energy_wh in rows:
            Reading.insert(
                slot=slot, meter_id=meter_id, read_at=dt.datetime.fromtimestamp(slot, dt.UTC),
                energy_wh=energy_wh, sharp_wh=0, peak_wh=0, flat_wh=0, valley_wh=0, balance_fen=1,
            ).execute()  # fmt: skip


def test_a_curve_has_the_use_of_each_slot_from_the_reading_before(db, noon):
    start = int(noon.timestamp())
    store_readings(
        (1, start - 1800, 100), (1, start, 150), (2, start, 7), (2, start + 60, 8),
        (1, start + 1800, 170), (1, start + 3600, 160), (1, start + 5400, 999),
    )  # fmt: skip

    points = meters.curve(1, noon, noon + dt.timedelta(hours=1.5))

    assert [used_wh for _, used_wh, _ in points] == [50, 20, 0]  # a fall is not negative use
    assert points[0][0] == noon


def test_a_curve_of_a_meter_without_readings_is_empty(db, noon):
    assert meters.curve(1, noon, noon + dt.timedelta(days=7)) == []


def test_settings_read_back_come_with_their_moment(meter, learn, noon):
    assert meters.settings(meter.id) is None

    learn(meter, settings=read_back(1, 1, 1, 1))

    at, settings = meters.settings(meter.id)
    assert (at, settings.price_max) == (noon, Decimal(1))
