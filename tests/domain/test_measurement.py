"""From decoded points to a reading, and to JSON and back without losing a digit."""

from decimal import Decimal

import pytest

from engine.domain.measurement import MeterReading, MeterSettings, reading_of

CLOCK = {
    "clock_year": 26, "clock_month": 7, "clock_day": 15,
    "clock_hour": 10, "clock_minute": 15, "clock_second": 30,
}  # fmt: skip
DEMAND = {
    "demand_w": 1250, "demand_month": 7, "demand_day": 14, "demand_hour": 9, "demand_minute": 45,
}  # fmt: skip


def read(**values: int | str) -> MeterReading:
    return reading_of({"energy_wh": 1_234_560, **values}, raw="00ff", energy_step_wh=10)


def test_points_are_gathered_by_their_names():
    reading = read(
        energy_sharp_wh=1, energy_peak_wh=2, energy_flat_wh=3, energy_valley_wh=4,
        voltage_a_mv=230_500, voltage_b_mv=231_000, voltage_c_mv=229_000,
        balance_fen=8_765, purchase_count=6, status1=0x2040,
    )  # fmt: skip

    assert reading.energy_wh == 1_234_560
    assert reading.energy_by_rate_wh == (1, 2, 3, 4)
    assert reading.voltage_mv == (230_500, 231_000, 229_000)
    assert (reading.balance_fen, reading.purchase_count, reading.status1) == (8_765, 6, 0x2040)
    assert (reading.raw, reading.energy_step_wh) == ("00ff", 10)


def test_a_point_the_model_does_not_have_is_none_never_0():
    reading = read()

    assert (reading.balance_fen, reading.purchase_count, reading.power_w) == (None, None, None)
    assert (reading.energy_by_rate_wh, reading.clock, reading.demand_at) == ((), None, None)
    assert (reading.pt_ratio, reading.ct_ratio) == (1, 1)


def test_a_zero_that_was_read_is_a_zero():
    assert read(balance_fen=0, power_w=0).balance_fen == 0


def test_a_map_without_energy_is_no_map():
    with pytest.raises(KeyError):
        reading_of({"balance_fen": 1}, raw="", energy_step_wh=10)


def test_the_meters_clock_is_local_time_without_an_offset():
    assert read(**CLOCK).clock == "2026-07-15T10:15:30"


@pytest.mark.parametrize("part", [{"clock_month": 0}, {"clock_hour": 25}, {"clock_day": 31}])
def test_a_clock_that_was_never_set_shows_no_time(part):
    clock = {**CLOCK, "clock_month": 6, **part}

    assert read(**clock).clock is None


def test_the_time_of_the_demand_has_no_year():
    assert (read(**DEMAND).demand_w, read(**DEMAND).demand_at) == (1250, "07-14 09:45")


def test_a_demand_that_never_happened_has_no_time():
    assert read(**{**DEMAND, "demand_month": 0}).demand_at is None


def test_a_reading_survives_json():
    reading = read(**CLOCK, **DEMAND, energy_sharp_wh=1, voltage_a_mv=230_500, balance_fen=-5)

    assert MeterReading.from_json(reading.to_json()) == reading


def test_settings_survive_json_to_the_last_digit():
    settings = MeterSettings(
        money_control=True,
        prices=(Decimal("1.2000"), Decimal("1.00"), Decimal("0.7"), Decimal("0.40001")),
        alarm1_fen=2000,
        alarm2_fen=500,
        overdraft_fen=0,
        purchase_count=6,
        balance_fen=-120,
    )

    again = MeterSettings.from_json(settings.to_json())

    assert again == settings
    assert [str(price) for price in again.prices] == ["1.2000", "1.00", "0.7", "0.40001"]


def test_the_highest_price_is_the_one_that_counts_for_the_tolerance():
    settings = MeterSettings(
        money_control=True,
        prices=(Decimal("0.7"), Decimal("1.2"), Decimal("0.4"), Decimal("0.3")),
        alarm1_fen=0,
        alarm2_fen=0,
        overdraft_fen=0,
        purchase_count=0,
        balance_fen=0,
    )

    assert settings.price_max == Decimal("1.2")
