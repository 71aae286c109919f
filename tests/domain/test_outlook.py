"""Days left: whole days from broken records, and a walk through the weekdays to the last Wh."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.outlook import DayRow, Profile, daily_use, days_left, profile, use_until

MONDAY = dt.date(2026, 11, 23).toordinal()
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
MIDNIGHT = NOON.replace(hour=0)


def every(wh, *, days=7):
    return Profile((wh,) * days, (wh,) * days)


def steady(first_day, days, wh, start_wh=0):
    """Rows of `days` days, each read from its first minute to its last."""
    return [
        DayRow(first_day + n, start_wh + n * wh, start_wh + (n + 1) * wh - 5) for n in range(days)
    ]


def test_a_day_ends_where_the_next_begins():
    rows = steady(MONDAY - 4, 5, 1000)

    assert daily_use(rows) == {MONDAY - 3: 1000, MONDAY - 2: 1000, MONDAY - 1: 1000}


def test_the_first_day_of_a_meter_began_in_the_middle_and_does_not_count():
    rows = [DayRow(1, 900, 1000), DayRow(2, 1010, 2000), DayRow(3, 2010, 3000)]

    assert daily_use(rows) == {2: 1000}


def test_what_was_used_in_a_gap_is_spread_over_its_days_and_counted_once():
    rows = [
        DayRow(1, 0, 990), DayRow(2, 1000, 1400), DayRow(5, 4700, 4900), DayRow(6, 5000, 5900),
    ]  # fmt: skip

    assert daily_use(rows) == {2: 1000, 3: 1000, 4: 1000, 5: 1000}


def test_a_register_that_fell_adds_nothing():
    rows = [DayRow(1, 0, 1000), DayRow(2, 1000, 2000), DayRow(3, 50, 1050), DayRow(4, 1050, 1100)]

    assert daily_use(rows) == {2: 1000, 3: 1000}


def test_fewer_than_three_known_days_of_the_last_week_say_nothing():
    assert profile(steady(MONDAY - 3, 4, 1000), MONDAY) is None
    assert profile(steady(MONDAY - 4, 5, 1000), MONDAY) == every(1000)
    assert profile(steady(MONDAY - 20, 12, 1000), MONDAY) is None  # lost since


def test_a_weekday_is_the_last_one_and_the_average_of_four():
    rows, at_wh = [], 0
    for day in range(MONDAY - 29, MONDAY + 1):
        used_wh = 4000 if day == MONDAY - 1 else 1000
        rows.append(DayRow(day, at_wh, at_wh + used_wh))
        at_wh += used_wh

    known = profile(rows, MONDAY)

    assert known is not None
    assert known.recent == (1000, 1000, 1000, 1000, 1000, 1000, 4000)
    assert known.usual == (1000, 1000, 1000, 1000, 1000, 1000, 1750)


@pytest.mark.parametrize(
    ("energy_wh", "known", "now", "expected"),
    [
        pytest.param(None, every(1000), NOON, None, id="no balance"),
        pytest.param(5000, None, NOON, None, id="use not known"),
        pytest.param(0, every(1000), NOON, (0, 0), id="nothing left"),
        pytest.param(5000, every(1000), MIDNIGHT, (5, 5), id="whole days"),
        pytest.param(5000, every(1000), NOON, (5, 5), id="from noon to noon"),
        pytest.param(5100, every(1000), NOON, (5, 6), id="the last day begun"),
        pytest.param(900, every(1000), MIDNIGHT, (0, 1), id="not a day"),
        pytest.param(1000, every(0), NOON, (365, 365), id="nothing is used"),
        pytest.param(
            1500, Profile((1000, 0, 0, 0, 0, 0, 0), (1000,) * 7), NOON, (1, 8), id="closed all week"
        ),
        pytest.param(10**9, every(1000), NOON, (365, 365), id="a year or more"),
        pytest.param(
            7000, Profile((1000, 1000, 1000, 1000, 1000, 5000, 5000), (1000,) * 7), MIDNIGHT,
            (5, 7), id="a busy week end",
        ),
    ],
)  # fmt: skip
def test_days_left(energy_wh, known, now, expected):
    assert days_left(energy_wh, known, now) == expected


weeks = st.lists(st.integers(0, 50_000), min_size=7, max_size=7).map(tuple)
moments = st.integers(0, 365 * 86_400).map(lambda s: MIDNIGHT + dt.timedelta(seconds=s))


@given(st.integers(0, 10**7), st.integers(0, 10**6), weeks, weeks, moments)
def test_more_energy_never_lasts_shorter(energy_wh, more_wh, recent, usual, now):
    known = Profile(recent, usual)
    less, more = days_left(energy_wh, known, now), days_left(energy_wh + more_wh, known, now)

    assert less is not None
    assert more is not None
    assert less[0] <= less[1]
    assert less[0] <= more[0]
    assert less[1] <= more[1]


@given(st.integers(1, 10**6), weeks, moments)
def test_the_energy_of_a_walk_lasts_just_that_long(energy_wh, week, now):
    """Walked hour by hour instead: the answer lies within the days told."""
    found = days_left(energy_wh, Profile(week, week), now)
    assert found is not None
    low, high = found

    def used_by(days):
        end, at, used = now + dt.timedelta(days=days), now, 0.0
        while at < end:
            then = min(end, at.replace(hour=0, minute=0, second=0) + dt.timedelta(days=1))
            used += week[at.weekday()] * (then - at).total_seconds() / 86_400
            at = then
        return used

    assert used_by(min(low, 400)) <= energy_wh + 1
    if high < 365:
        assert used_by(high) >= energy_wh - 1


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 900), st.integers(0, 100))))
def test_no_energy_is_counted_twice(steps):
    rows, day, at_wh = [], 0, 0
    for gap, in_day, between in steps:
        day += gap
        at_wh += between
        rows.append(DayRow(day, at_wh, at_wh + in_day))
        at_wh += in_day

    assert sum(daily_use(rows).values()) <= at_wh
    assert all(rows[0].day < each < rows[-1].day for each in daily_use(rows))


WEEKDAYS = Profile(recent=(2_400,) * 5 + (4_800, 0), usual=(1_200,) * 7)


@pytest.mark.parametrize(
    ("now", "until", "wh"),
    [
        pytest.param("2026-11-23T18:00", "2026-11-24T09:00", (750, 1_500), id="one night"),
        pytest.param("2026-11-27T18:00", "2026-11-30T09:00", (3_150, 6_300), id="a weekend"),
        pytest.param("2026-11-23T18:00", "2026-11-23T18:00", (0, 0), id="no time at all"),
        pytest.param("2026-12-31T12:00", "2027-01-01T12:00", (1_200, 2_400), id="the year's end"),
    ],
)
def test_what_is_used_until_a_time_is_known_by_the_days_in_between(now, until, wh):
    begin, end = (dt.datetime.fromisoformat(f"{text}+08:00") for text in (now, until))

    assert use_until(WEEKDAYS, begin, end) == wh


def test_a_day_of_23_hours_uses_as_much_as_any_other():
    london = zoneinfo.ZoneInfo("Europe/London")
    begin, end = (dt.datetime(2026, 3, day, tzinfo=london) for day in (29, 30))

    assert use_until(Profile((2_400,) * 7, (2_400,) * 7), begin, end) == (2_400, 2_400)
