"""Exact cost, and what a change that came late cost; the bills by hand stand in tests/bills."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from engine.domain.errors import BadTariff
from engine.domain.tariff_bill import Use, bill, difference_fen, late_fen
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_schedule import Rate, parse_day
from engine.domain.tariffs import Plan, parse_plan
from engine.domain.units import nearest_fen, whole_fen

ZONE = ZoneInfo("Asia/Shanghai")
PRICES = [Decimal(price) for price in ("1.2", "1.0", "0.7", "0.4")]
STEPPED = parse_plan(PRICES, "00:00 flat", "0-240: +0; 240-400: +0.05; 400-: +0.30", "monthly")
OWN = parse_plan(PRICES, "00:00 flat", "0-10: 1.2/1.0/0.7/0.4; 10-: 2.0/1.5/1.0/0.5", "monthly")
NOON = datetime(2026, 6, 10, 4, tzinfo=UTC)  # 12:00 in the zone
NO_DAYS = Calendar()


@pytest.mark.parametrize(
    ("cost", "whole", "nearest"),
    [("0", 0, 0), ("99/100", 0, 1), ("1/2", 0, 1), ("-1/2", -1, -1), ("-49/100", -1, 0)],
)
def test_a_meter_cuts_and_a_difference_goes_to_the_nearest(
    cost: str, whole: int, nearest: int
) -> None:
    assert whole_fen(Fraction(cost)) == whole
    assert nearest_fen(Fraction(cost)) == nearest


def test_energy_of_an_hour_may_be_told_instead_of_power() -> None:
    used = Use.of_wh(NOON, NOON + timedelta(minutes=7), 1000)

    priced = bill(STEPPED, NO_DAYS, ZONE, [used])

    assert (priced.wh, priced.cost) == (1000, 70)


def test_a_bill_tells_rate_step_and_cycle() -> None:
    used = Use(NOON, NOON + timedelta(hours=2), 1000)

    first, second = bill(STEPPED, NO_DAYS, ZONE, [used], used_wh=239_000).lines

    assert (first.step, first.rate, first.price, first.wh) == (1, Rate.FLAT, Decimal("0.7"), 1000)
    assert (second.step, second.price, second.cost) == (2, Decimal("0.75"), 75)
    assert second.cycle_on == date(2026, 6, 1)


def test_four_prices_and_no_schedule_cannot_be_billed() -> None:
    unknown = parse_plan(PRICES, "")

    with pytest.raises(BadTariff, match="no_schedule"):
        bill(unknown, NO_DAYS, ZONE, [Use(NOON, NOON + timedelta(hours=1), 1000)])


def test_the_worked_step_that_was_passed_before_the_download() -> None:
    """0.25 kWh at 0.70 that should have cost 0.75: 1.25 fen, so 1 fen too little."""
    assert difference_fen(STEPPED, 240_000, 240_250, [0, 0, 250, 0], PRICES) == 1


@pytest.mark.parametrize(
    ("plan", "span", "rate_wh", "expected"),
    [
        pytest.param(STEPPED, (230_000, 240_000), [0, 0, 10, 0], 0, id="up to the boundary"),
        pytest.param(STEPPED, (230_000, 250_000), [0, 0, 20, 0], 50, id="half of it above"),
        pytest.param(STEPPED, (230_000, 250_000), [0, 10, 0, 10], 50, id="two rates"),
        pytest.param(STEPPED, (230_000, 410_000), [0, 0, 9, 0], 1100, id="two boundaries"),
        pytest.param(STEPPED, (240_000, 240_000), [0, 0, 0, 0], 0, id="nothing"),
        pytest.param(OWN, (10_000, 20_000), [0, 5_000, 0, 5_000], 300, id="prices of its own"),
    ],
)
def test_what_a_late_step_cost(
    plan: Plan, span: tuple[int, int], rate_wh: list[int], expected: int
) -> None:
    assert difference_fen(plan, *span, rate_wh, PRICES) == expected


def test_a_cycle_that_began_before_the_download_cost_too_much() -> None:
    dearest = [price + Decimal("0.30") for price in PRICES]

    assert difference_fen(STEPPED, 0, 10_000, [0, 0, 10_000, 0], dearest) == -300


def test_what_a_schedule_that_came_late_cost() -> None:
    """A holiday is valley; the meter ran flat until 02:00: 2 kWh at 0.70 instead of 0.40."""
    holiday = parse_plan(PRICES, "00:00 flat; 06-10..06-10 00:00 valley")
    midnight = datetime(2026, 6, 9, 16, tzinfo=UTC)
    span = Use.of_wh(midnight, midnight + timedelta(hours=2), 2000)

    found = late_fen(
        holiday,
        NO_DAYS,
        ZONE,
        span,
        used_from_wh=0,
        charged=PRICES,
        schedule=parse_day("00:00 flat"),
    )

    assert found == -60


def test_what_a_version_that_came_late_cost_on_the_meters_own_schedule() -> None:
    dearer = parse_plan([price + Decimal("0.1") for price in PRICES], "")
    span = Use.of_wh(NOON, NOON + timedelta(hours=2), 2000)

    found = late_fen(
        dearer,
        NO_DAYS,
        ZONE,
        span,
        used_from_wh=0,
        charged=PRICES,
        schedule=parse_day("00:00 flat, 13:00 peak"),
    )

    assert found == 20
