"""When does the office open next? Nights, weekends, holidays, 调休, summer time, the year's end."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from engine.domain.office import Hours, closes_at, is_worked, opens_next
from models.enums import SpecialDayKind

SHANGHAI, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")
USUAL = Hours.of("09:00", "18:00", weekends=False, holidays=False)
HOLIDAY, WORKDAY = SpecialDayKind.HOLIDAY, SpecialDayKind.WORKDAY
DAYS = {
    **{dt.date(2026, 10, day): HOLIDAY for day in range(1, 8)},  # 国庆, Thursday to Wednesday
    dt.date(2026, 10, 10): WORKDAY,  # a Saturday that is worked instead
    dt.date(2026, 12, 31): HOLIDAY,
    dt.date(2027, 1, 1): HOLIDAY,
}


def at(text: str, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-11-23 08:59", "2026-11-23 09:00", id="before it opens"),
        pytest.param("2026-11-23 09:00", "2026-11-24 09:00", id="it has just opened"),
        pytest.param("2026-11-23 17:00", "2026-11-24 09:00", id="an hour before a night"),
        pytest.param("2026-11-23 18:00", "2026-11-24 09:00", id="it has just closed"),
        pytest.param("2026-11-24 02:00", "2026-11-24 09:00", id="at night"),
        pytest.param("2026-11-27 17:00", "2026-11-30 09:00", id="before a weekend"),
        pytest.param("2026-11-28 12:00", "2026-11-30 09:00", id="on a Saturday"),
        pytest.param("2026-09-30 17:00", "2026-10-08 09:00", id="before a week of holidays"),
        pytest.param("2026-10-03 12:00", "2026-10-08 09:00", id="in the middle of holidays"),
        pytest.param("2026-10-09 17:00", "2026-10-10 09:00", id="a Saturday worked instead"),
        pytest.param("2026-10-10 17:00", "2026-10-12 09:00", id="the Sunday after it is not"),
        pytest.param("2026-12-30 18:30", "2027-01-04 09:00", id="over the year's end"),
    ],
)
def test_opens_next(now, opens):
    assert opens_next(at(now), USUAL, DAYS, SHANGHAI) == at(opens)


@pytest.mark.parametrize(
    ("now", "closes"),
    [
        pytest.param("2026-11-23 08:59", None, id="closed"),
        pytest.param("2026-11-23 09:00", "2026-11-23 18:00", id="just opened"),
        pytest.param("2026-11-23 17:59", "2026-11-23 18:00", id="the last minute"),
        pytest.param("2026-11-23 18:00", None, id="just closed"),
        pytest.param("2026-11-28 12:00", None, id="a Saturday"),
        pytest.param("2026-10-10 12:00", "2026-10-10 18:00", id="a Saturday worked instead"),
        pytest.param("2026-10-01 12:00", None, id="a holiday"),
    ],
)
def test_closes_at(now, closes):
    assert closes_at(at(now), USUAL, DAYS, SHANGHAI) == (closes and at(closes))


def test_an_office_open_on_weekends_and_holidays_is_closed_at_night_only():
    hours = Hours.of("10:00", "22:00", weekends=True, holidays=True)

    assert opens_next(at("2026-10-03 23:00"), hours, DAYS, SHANGHAI) == at("2026-10-04 10:00")


def test_one_that_closes_after_midnight_is_open_until_then():
    hours = Hours.of("18:00", "02:00", weekends=True, holidays=False)

    assert closes_at(at("2026-11-24 01:30"), hours, {}, SHANGHAI) == at("2026-11-24 02:00")
    assert opens_next(at("2026-11-24 01:30"), hours, {}, SHANGHAI) == at("2026-11-24 18:00")


def test_one_that_is_open_round_the_clock_never_opens_and_never_closes():
    hours = Hours.of("00:00", "00:00", weekends=True, holidays=True)

    assert opens_next(at("2026-11-24 01:30"), hours, {}, SHANGHAI) is None
    assert closes_at(at("2026-11-24 01:30"), hours, {}, SHANGHAI) is None


def test_round_the_clock_on_working_days_is_closed_from_saturday_to_monday():
    hours = Hours.of("00:00", "00:00", weekends=False, holidays=False)

    assert closes_at(at("2026-11-26 12:00"), hours, {}, SHANGHAI) == at("2026-11-28 00:00")
    assert opens_next(at("2026-11-28 12:00"), hours, {}, SHANGHAI) == at("2026-11-30 00:00")


def test_one_that_is_never_open_never_opens():
    days = {dt.date(2026, 1, 1) + dt.timedelta(days=n): HOLIDAY for n in range(800)}

    assert opens_next(at("2026-11-24 12:00"), USUAL, days, SHANGHAI) is None


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        pytest.param("2026-03-28 18:00", 14, id="an hour shorter in spring"),
        pytest.param("2026-10-24 18:00", 16, id="an hour longer in autumn"),
        pytest.param("2026-06-06 18:00", 15, id="as long as any other"),
    ],
)
def test_a_night_in_which_the_clocks_change_ends_at_nine_all_the_same(now, hours):
    daily = Hours.of("09:00", "18:00", weekends=True, holidays=False)
    closed = at(now, LONDON)

    opens = opens_next(closed, daily, {}, LONDON)

    assert opens.astimezone(LONDON).time() == dt.time(9)
    assert opens - closed.astimezone(dt.UTC) == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        pytest.param("01:30", "2026-03-29 01:30+00:00", id="a time that is skipped comes later"),
        pytest.param("02:30", "2026-03-29 01:30+00:00", id="a time after it"),
    ],
)
def test_an_opening_in_the_hour_that_summer_time_skips(opens, expected):
    hours = Hours.of(opens, "18:00", weekends=True, holidays=False)

    found = opens_next(at("2026-03-28 20:00", LONDON), hours, {}, LONDON)

    assert found == dt.datetime.fromisoformat(expected)


def test_a_holiday_on_a_weekend_is_none_for_an_office_that_is_closed_then():
    hours = Hours.of("09:00", "18:00", weekends=False, holidays=True)

    assert not is_worked(dt.date(2026, 10, 3), hours, DAYS)
    assert is_worked(dt.date(2026, 10, 1), hours, DAYS)
