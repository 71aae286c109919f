"""A pretend meter's life: deduction to the fen, relay, alarms, purchases, load control."""

import random

import pytest

from engine.bus.simulator.meter import Nameplate, SimMeter
from engine.bus.simulator.trades import Load, trade_of

MIDNIGHT_MS = 1_784_044_800_000  # Wednesday 2026-07-15 00:00 in China
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RESTAURANT = Load(trade_of("临江火锅"), 6000, 7)


@pytest.fixture
def meter() -> SimMeter:
    """Draws 1000 W all day at 1.20 sharp, 1.00 peak, 0.70 flat, 0.40 valley; 87.65 left."""
    plate = Nameplate("202106250001", 1, "DDSY1352-NK", 7, 1, RESTAURANT, 99)
    return SimMeter(
        plate,
        at_ms=MIDNIGHT_MS,
        number="202106250001",
        money_control=True,
        balance_fen=8765,
        count=5,
        load_w=1000,
    )


@pytest.mark.parametrize(
    ("load_w", "left_fen", "used_wh"),
    [
        # A day has 2 h sharp, 8 h peak, 6 h flat, 8 h valley: 2.40 + 8.00 + 4.20 + 3.20 = 17.80
        # yuan a kilowatt.
        pytest.param(1000, 8765 - 1780, 24_000, id="1 kW costs 17.80"),
        pytest.param(777, 8765 - 1383, 18_648, id="0.777 kW costs 13.8306, of which 13.83 are due"),
        pytest.param(1, 8765 - 1, 24, id="1 W costs 1.78 fen, of which one is due"),
        pytest.param(0, 8765, 0, id="nothing costs nothing"),
    ],
)
def test_a_day_is_deducted_to_the_fen(
    meter: SimMeter, load_w: int, left_fen: int, used_wh: int
) -> None:
    meter.load_w = load_w

    meter.advance(MIDNIGHT_MS + DAY_MS)

    assert meter.balance_fen == left_fen
    assert meter.energy_wh == used_wh


def test_energy_is_counted_by_rate(meter: SimMeter) -> None:
    meter.advance(MIDNIGHT_MS + DAY_MS)

    assert meter.rate_wh == [2000, 8000, 6000, 8000]


def test_reading_often_or_once_makes_no_difference(meter: SimMeter) -> None:
    meter.load_w = None  # as the shop draws
    plate = meter.plate
    other = SimMeter(plate, at_ms=MIDNIGHT_MS, number=meter.number)
    other.remember(meter.memory())
    dice = random.Random(5)

    meter.advance(MIDNIGHT_MS + DAY_MS)
    while other.at_ms < MIDNIGHT_MS + DAY_MS:
        other.advance(min(MIDNIGHT_MS + DAY_MS, other.at_ms + dice.randint(1, 900_000)))

    assert other.energy_wms == meter.energy_wms > 0
    assert (other.balance_fen, other.owed) == (meter.balance_fen, meter.owed)


def test_cumulative_registers_never_fall(meter: SimMeter) -> None:
    meter.load_w = None
    dice = random.Random(6)
    before = meter.energy_wms, *meter.rate_wms

    for _ in range(200):
        if dice.random() < 0.1:
            meter.purchase(dice.randint(1, 5000), meter.count + 1)
        meter.advance(meter.at_ms + dice.randint(0, 2 * HOUR_MS))
        after = meter.energy_wms, *meter.rate_wms
        assert all(new >= old for old, new in zip(before, after, strict=True))
        before = after


def test_the_relay_opens_in_the_instant_the_money_ends(meter: SimMeter) -> None:
    meter.balance_fen = 100  # at night 1 kWh costs 0.40: two and a half hours

    meter.advance(MIDNIGHT_MS + 6 * HOUR_MS)

    assert not meter.relay_closed
    assert meter.arrears
    assert meter.balance_fen == 0
    assert meter.energy_wh == 2500


def test_overdraft_lets_the_balance_go_below_zero(meter: SimMeter) -> None:
    meter.balance_fen, meter.overdraft_fen = 100, 60

    meter.advance(MIDNIGHT_MS + 6 * HOUR_MS)

    assert meter.balance_fen == -60
    assert meter.energy_wh == 4000
    assert meter.arrears


def test_a_purchase_closes_the_relay_within_three_seconds(meter: SimMeter) -> None:
    meter.balance_fen = 0
    meter.advance(MIDNIGHT_MS + 1)
    assert not meter.relay_closed

    meter.purchase(10_000, 6)
    meter.advance(meter.at_ms + 3000)

    assert meter.relay_closed
    assert not meter.arrears


def test_a_purchase_that_does_not_reach_zero_leaves_the_relay_open(meter: SimMeter) -> None:
    meter.balance_fen = -500
    meter.advance(MIDNIGHT_MS + 1)

    meter.purchase(500, 6)
    meter.advance(meter.at_ms + HOUR_MS)

    assert meter.balance_fen == 0
    assert not meter.relay_closed


def test_a_meter_held_open_stays_open_after_a_purchase(meter: SimMeter) -> None:
    meter.force_active = meter.force_trip = True
    meter.advance(MIDNIGHT_MS + 1)

    meter.purchase(10_000, 6)
    meter.advance(meter.at_ms + HOUR_MS)

    assert not meter.relay_closed
    assert meter.energy_wh == 0


def test_a_meter_held_closed_consumes_beyond_zero(meter: SimMeter) -> None:
    meter.balance_fen = 10
    meter.force_active = True

    meter.advance(MIDNIGHT_MS + 6 * HOUR_MS)

    assert meter.relay_closed
    assert meter.balance_fen == 10 - 240
    assert meter.arrears


def test_released_from_force_an_empty_meter_opens(meter: SimMeter) -> None:
    meter.balance_fen = 0
    meter.force_active = True
    meter.advance(MIDNIGHT_MS + HOUR_MS)
    assert meter.relay_closed

    meter.force_active = False
    meter.decide()

    assert not meter.relay_closed


def test_without_money_control_nothing_is_deducted(meter: SimMeter) -> None:
    meter.money_control = False
    meter.balance_fen = 0

    meter.advance(MIDNIGHT_MS + DAY_MS)

    assert meter.balance_fen == 0
    assert meter.relay_closed
    assert meter.energy_wh == 24_000
    assert (meter.arrears, meter.alarm1, meter.alarm2) == (False, False, False)


@pytest.mark.parametrize(
    ("balance_fen", "alarms"),
    [
        pytest.param(2001, (False, False, False), id="above"),
        pytest.param(2000, (True, False, False), id="alarm 1 at its threshold"),
        pytest.param(500, (True, True, False), id="alarm 2 at its threshold"),
        pytest.param(1, (True, True, False), id="one fen left"),
        pytest.param(0, (True, True, True), id="arrears at zero"),
    ],
)
def test_alarms_follow_the_thresholds(
    meter: SimMeter, balance_fen: int, alarms: tuple[bool, bool, bool]
) -> None:
    meter.balance_fen = balance_fen

    assert (meter.alarm1, meter.alarm2, meter.arrears) == alarms


@pytest.mark.parametrize("count", [4, 5, 7, 0])
def test_a_checked_meter_refuses_any_but_the_next_count(meter: SimMeter, count: int) -> None:
    assert not meter.purchase(10_000, count)

    assert (meter.balance_fen, meter.count, meter.purchases) == (8765, 5, [])


def test_a_checked_meter_takes_the_next_count_once(meter: SimMeter) -> None:
    assert meter.purchase(10_000, 6)
    assert not meter.purchase(10_000, 6)

    assert (meter.balance_fen, meter.count, meter.purchases) == (18_765, 6, [(6, 10_000)])


def test_a_blind_meter_adds_whatever_comes_and_stores_its_count(meter: SimMeter) -> None:
    meter.checked = False

    for count in (6, 6, 3):
        assert meter.purchase(10_000, count)

    assert (meter.balance_fen, meter.count) == (38_765, 3)


def test_overload_trips_and_recovers_after_its_time(meter: SimMeter) -> None:
    meter.overload.enabled, meter.overload.limit_w = True, 800
    meter.advance(MIDNIGHT_MS + 1)
    assert meter.tripped
    assert not meter.relay_closed

    meter.load_w = 700
    meter.advance(MIDNIGHT_MS + 5 * 60_000 + 3001)

    assert meter.relay_closed
    assert meter.overload.trips == 1


def test_after_the_allowed_trips_the_meter_is_locked_out(meter: SimMeter) -> None:
    meter.overload.enabled, meter.overload.limit_w, meter.overload.trips_max = True, 800, 3

    meter.advance(MIDNIGHT_MS + DAY_MS)

    assert meter.overload.trips == 3
    assert meter.overload.locked_out
    assert not meter.relay_closed


def test_a_restaurant_is_busiest_in_the_evening_and_quiet_at_night() -> None:
    local_midnight = (MIDNIGHT_MS + 8 * HOUR_MS) // 60_000

    evening_w = RESTAURANT.power_w(local_midnight + 19 * 60)
    night_w = RESTAURANT.power_w(local_midnight + 4 * 60)

    assert evening_w > 4 * night_w > 0


def test_an_office_is_empty_on_sunday() -> None:
    office = Load(trade_of("采薇会计事务所"), 6000, 7)
    wednesday_noon = (MIDNIGHT_MS + 8 * HOUR_MS) // 60_000 + 11 * 60

    assert office.power_w(wednesday_noon) > 2 * office.power_w(wednesday_noon + 4 * 1440)


def test_the_same_seed_draws_the_same(meter: SimMeter) -> None:
    minutes = range(30_000_000, 30_000_100)

    first = [RESTAURANT.power_w(minute) for minute in minutes]

    assert first == [Load(trade_of("临江火锅"), 6000, 7).power_w(minute) for minute in minutes]
    assert first != [Load(trade_of("临江火锅"), 6000, 8).power_w(minute) for minute in minutes]
