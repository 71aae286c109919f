"""The chart of a meter's last days: whole local days, numbers beside the bars."""

import datetime as dt
from zoneinfo import ZoneInfo

from console.widgets.day_chart import Day, chart, days_of
from engine import i18n

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)


def test_use_is_summed_by_the_local_day():
    """23:30 in Shanghai is 15:30 UTC of the same day, 00:30 is 16:30 UTC of the day before."""
    points = [(at(21, 15), 1_000, 900), (at(21, 16), 200, 890), (at(22, 3), 300, 880)]

    days = days_of(points, last=dt.date(2026, 11, 22), number=3, zone=SHANGHAI)

    assert days == [Day(dt.date(2026, 11, 21), 1_000, 900), Day(dt.date(2026, 11, 22), 500, 880)]


def test_a_day_without_a_reading_is_a_gap_and_no_zero():
    points = [(at(20, 3), 1_000, 900), (at(22, 3), 300, 880)]

    days = days_of(points, last=dt.date(2026, 11, 22), number=5, zone=SHANGHAI)

    assert [day.used_wh for day in days] == [1_000, None, 300]


def test_the_day_that_used_most_has_the_longest_bar_and_every_day_its_number():
    i18n.use("en")
    days = [Day(dt.date(2026, 11, 21), 6_000, 900), Day(dt.date(2026, 11, 22), 3_000, -50)]

    lines = chart(days).plain.splitlines()

    assert [line.count("#") for line in lines] == [0, 24, 12]
    assert "6.00" in lines[1]
    assert lines[1].endswith("9.00")
    assert lines[2].endswith("-0.50")


def test_the_least_use_is_still_a_mark():
    days = [Day(dt.date(2026, 11, 21), 100_000, 0), Day(dt.date(2026, 11, 22), 10, 0)]

    assert [line.count("#") for line in chart(days).plain.splitlines()] == [0, 24, 1]
