"""Which reading may follow which. Limits worked out by hand."""

from dataclasses import replace

import pytest

from engine.domain.measurement import MeterReading
from engine.domain.plausible import Doubt, doubt, rise_max_wh

SINGLE = MeterReading(
    energy_wh=10_000, energy_by_rate_wh=(1_000, 2_000, 3_000, 4_000), voltage_mv=(230_000,)
)
THREE_CT = replace(SINGLE, voltage_mv=(230_000,) * 3, ct_ratio=40, pt_ratio=1, energy_step_wh=400)
HALF_HOUR_S = 1800


def seen(total_wh: int, *rates_wh: int, **fields: object) -> MeterReading:
    return replace(
        SINGLE, energy_wh=total_wh, energy_by_rate_wh=rates_wh or (1_000, 2_000, 3_000, 4_000),
        **fields,
    )  # fmt: skip


def test_the_same_again_is_plausible():
    assert doubt(SINGLE, SINGLE, elapsed_s=HALF_HOUR_S) is None


@pytest.mark.parametrize(
    ("reading", "elapsed_s", "limit_wh"),
    [
        (SINGLE, 1800, 13_220),  # 264 V x 100 A / 2, and two steps of 10 Wh
        (SINGLE, 0, 20),
        (replace(SINGLE, voltage_mv=(1, 1, 1)), 3600, 79_220),  # three phases for an hour
        (replace(SINGLE, voltage_mv=()), 3600, 79_220),  # phases not told: the larger meter
        (THREE_CT, 3600, 190_880),  # 264 V x 6 A x CT 40 x 3, and two steps of 400 Wh
        (replace(THREE_CT, pt_ratio=100), 3600, 19_008_800),
    ],
)
def test_the_rating_limits_what_can_have_been_counted(reading, elapsed_s, limit_wh):
    assert rise_max_wh(reading, elapsed_s) == limit_wh


@pytest.mark.parametrize(("total_wh", "why"), [(23_220, None), (23_221, Doubt.JUMPED)])
def test_a_rise_up_to_the_rating_is_plausible(total_wh, why):
    assert doubt(SINGLE, seen(total_wh), elapsed_s=HALF_HOUR_S) is why


def test_a_total_that_fell_is_doubted():
    assert doubt(SINGLE, seen(9_999), elapsed_s=HALF_HOUR_S) is Doubt.FELL


def test_a_rate_that_fell_is_doubted_though_the_total_rose():
    assert doubt(SINGLE, seen(10_100, 999, 2_000, 3_000, 4_100), elapsed_s=60) is Doubt.FELL


def test_a_rate_that_jumped_is_doubted_though_the_total_did_not():
    reading = seen(10_010, 1_000, 2_000, 90_000, 4_000)

    assert doubt(SINGLE, reading, elapsed_s=HALF_HOUR_S) is Doubt.JUMPED


def test_a_fall_is_told_before_a_jump():
    reading = seen(900_000, 0, 2_000, 3_000, 4_000)

    assert doubt(SINGLE, reading, elapsed_s=HALF_HOUR_S) is Doubt.FELL


def test_a_corrupt_ratio_does_not_raise_its_own_limit():
    reading = seen(4_000_000, ct_ratio=4_000)

    assert doubt(SINGLE, reading, elapsed_s=HALF_HOUR_S) is Doubt.JUMPED


def test_the_meters_own_clock_counts_where_ours_was_set_back():
    last = replace(SINGLE, clock="2026-11-23T09:00:00")
    reading = seen(20_000, clock="2026-11-23T09:30:00")

    assert doubt(last, reading, elapsed_s=-3600) is None


@pytest.mark.parametrize("clocks", [(None, "2026-11-23T09:30:00"), ("2026-11-23T09:00:00", None)])
def test_without_both_clocks_ours_counts(clocks):
    last, reading = replace(SINGLE, clock=clocks[0]), seen(20_000, clock=clocks[1])

    assert doubt(last, reading, elapsed_s=60) is Doubt.JUMPED


def test_where_both_clocks_stood_still_only_rounding_is_plausible():
    assert doubt(SINGLE, seen(10_020), elapsed_s=-5) is None
    assert doubt(SINGLE, seen(10_021), elapsed_s=-5) is Doubt.JUMPED


def test_a_model_without_rates_is_compared_by_its_total():
    last = replace(SINGLE, energy_by_rate_wh=())

    assert doubt(last, replace(last, energy_wh=10_100), elapsed_s=60) is None
