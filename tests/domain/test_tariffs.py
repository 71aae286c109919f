"""A tariff's version at an instant, what changes next, and what the meter holds of it."""

from datetime import date
from decimal import Decimal

import pytest

from engine.domain.tariff_calendar import Calendar, DayKind
from engine.domain.tariff_meter import Capacity, Runs, held, runs
from engine.domain.tariff_presets import PRESETS
from engine.domain.tariffs import (
    Plan,
    cycle_start,
    next_boundary,
    next_step_wh,
    parse_plan,
)
from models.enums import SpecialDayKind

PRICES = [Decimal(price) for price in ("1.2", "1.0", "0.7", "0.4")]
STEPS = "0-240: +0; 240-400: +0.05; 400-: +0.30"
TWO = "00:00 flat; 07-01..08-31 00:00 peak"
NO_DAYS = Calendar()
TODAY = date(2026, 7, 1)
FOUR = {
    "price_sharp": "1.2000",
    "price_peak": "1.0000",
    "price_flat": "0.7000",
    "price_valley": "0.4000",
}


def plan(schedule: str = "", steps: str = "", cycle: str = "") -> Plan:
    return parse_plan(PRICES, schedule, steps, cycle)


def test_a_day_is_what_the_week_says_unless_it_is_listed() -> None:
    calendar = Calendar.of(
        [
            (date(2026, 10, 1), SpecialDayKind.HOLIDAY),
            (date(2026, 10, 10), SpecialDayKind.WORKDAY),
        ]
    )

    assert calendar.day_kind(date(2026, 10, 1)) is DayKind.HOLIDAY
    assert calendar.day_kind(date(2026, 10, 2)) is DayKind.WORKDAY
    assert calendar.day_kind(date(2026, 10, 10)) is DayKind.WORKDAY
    assert calendar.day_kind(date(2026, 10, 11)) is DayKind.WEEKEND


@pytest.mark.parametrize(
    ("cycle", "day", "start"),
    [
        ("monthly", date(2026, 6, 1), date(2026, 6, 1)),
        ("monthly", date(2026, 6, 30), date(2026, 6, 1)),
        ("monthly 15", date(2026, 6, 15), date(2026, 6, 15)),
        ("monthly 15", date(2026, 6, 14), date(2026, 5, 15)),
        ("monthly 28", date(2027, 1, 1), date(2026, 12, 28)),
        ("yearly", date(2026, 12, 31), date(2026, 1, 1)),
        ("yearly 07-01", date(2026, 6, 30), date(2025, 7, 1)),
        ("yearly 07-01", date(2026, 7, 1), date(2026, 7, 1)),
    ],
)
def test_a_cycle_began_on_its_last_first_day(cycle: str, day: date, start: date) -> None:
    assert cycle_start(plan("", "0-: +0", cycle), day) == start


@pytest.mark.parametrize(
    ("used_wh", "flat", "next_wh"),
    [
        (0, "0.7", 240_000),
        (239_999, "0.7", 240_000),
        (240_000, "0.75", 400_000),
        (399_999, "0.75", 400_000),
        (400_000, "1.0", None),
        (9_000_000, "1.0", None),
    ],
)
def test_the_wh_at_a_boundary_belongs_below_it(
    used_wh: int, flat: str, next_wh: int | None
) -> None:
    stepped = plan("", STEPS, "monthly")

    assert stepped.prices_at(used_wh)[2] == Decimal(flat)
    assert next_step_wh(stepped, used_wh) == next_wh


@pytest.mark.parametrize(
    ("schedule", "cycle", "day", "boundary"),
    [
        pytest.param("00:00 flat", "", TODAY, None, id="never"),
        pytest.param("", "monthly", TODAY, date(2026, 8, 1), id="cycle"),
        pytest.param("", "yearly", TODAY, date(2027, 1, 1), id="year"),
        pytest.param(TWO, "", TODAY, date(2026, 9, 1), id="season ends"),
        pytest.param(TWO, "monthly 15", date(2026, 8, 20), date(2026, 9, 1), id="the sooner"),
        pytest.param(
            "00:00 flat; weekends 00:00 valley", "", date(2026, 7, 3), date(2026, 7, 4), id="Friday"
        ),
        pytest.param(
            "00:00 flat; holidays 00:00 valley", "", TODAY, date(2026, 10, 1), id="holiday"
        ),
    ],
)
def test_the_next_boundary_is_where_schedule_or_cycle_change(
    schedule: str, cycle: str, day: date, boundary: date | None
) -> None:
    calendar = Calendar({date(2026, 10, 1): DayKind.HOLIDAY})

    version = plan(schedule, "0-: +0" if cycle else "", cycle)

    assert next_boundary(version, calendar, day) == boundary


def test_without_a_schedule_only_prices_are_told() -> None:
    assert held(plan(), NO_DAYS, TODAY, 0, Capacity()) == FOUR


def test_the_prices_told_are_those_of_the_step() -> None:
    assert held(plan("", STEPS, "monthly"), NO_DAYS, TODAY, 400_000, Capacity()) == {
        "price_sharp": "1.5000",
        "price_peak": "1.3000",
        "price_flat": "1.0000",
        "price_valley": "0.7000",
    }


def test_one_schedule_all_year_stands_in_both_and_needs_no_zones() -> None:
    assert held(plan("00:00 flat, 07:00 peak"), NO_DAYS, TODAY, 0, Capacity()) == {
        **FOUR,
        "schedule1": "00:00 flat, 07:00 peak",
        "schedule2": "00:00 flat, 07:00 peak",
        "multi_rate": 1,
    }


def test_seasons_that_fit_are_told_whole_and_the_same_every_day() -> None:
    told = {
        **FOUR,
        "schedule1": "00:00 flat",
        "schedule2": "00:00 peak",
        "zones": "01-01 1, 07-01 2, 09-01 1",
        "multi_rate": 1,
    }

    assert held(plan(TWO), NO_DAYS, TODAY, 0, Capacity()) == told
    assert held(plan(TWO), NO_DAYS, date(2026, 12, 1), 0, Capacity()) == told


@pytest.mark.parametrize(
    ("schedule", "capacity"),
    [
        pytest.param(TWO + "; holidays 00:00 valley", Capacity(), id="kinds of day"),
        pytest.param(TWO + "; 09-01..09-30 00:00 sharp", Capacity(), id="three schedules"),
        pytest.param(TWO + "; 03-01..03-31 00:00 peak", Capacity(), id="five zones"),
        pytest.param(TWO, Capacity(zones=2), id="a meter of few zones"),
    ],
)
def test_what_does_not_fit_is_told_day_by_day(schedule: str, capacity: Capacity) -> None:
    today = {**FOUR, "schedule1": "00:00 peak", "schedule2": "00:00 peak", "multi_rate": 1}

    assert held(plan(schedule), NO_DAYS, TODAY, 0, capacity) == today
    assert runs(plan(schedule), capacity) == Runs(
        seasons_by_meter=False, days_by_engine=True, steps_by_engine=False
    )


def test_a_kind_of_day_that_changes_nothing_is_not_in_use() -> None:
    same = plan("00:00 flat; holidays 00:00 flat")

    assert not runs(same, Capacity()).days_by_engine


def test_a_meter_of_one_schedule_is_told_today_only() -> None:
    told = held(plan(TWO), NO_DAYS, TODAY, 0, Capacity(schedules=1, zones=0))

    assert told == {**FOUR, "schedule1": "00:00 peak", "multi_rate": 1}


def test_who_does_what() -> None:
    assert runs(plan(), Capacity()) == Runs(
        seasons_by_meter=False, days_by_engine=False, steps_by_engine=False
    )
    assert runs(plan(TWO), Capacity()).seasons_by_meter
    assert runs(plan("", STEPS, "monthly"), Capacity()).steps_by_engine
    assert not runs(plan("", "0-: +0", "monthly"), Capacity()).steps_by_engine


def test_which_examples_a_meter_runs_by_itself() -> None:
    """Zhejiang's two seasons need five zones: 1 January begins a second piece of the winter."""
    alone = [
        preset.code
        for preset in PRESETS
        if preset.schedule and not runs(plan(preset.schedule), Capacity()).days_by_engine
    ]

    assert alone == ["guangdong", "guangxi"]
