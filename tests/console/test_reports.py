"""The reports' place: what is owed day by day, and the list of drift."""

import datetime as dt

import pytest

from console.screens.meter import MeterScreen
from console.screens.report import ReportScreen
from models import base
from models.metering import Latest
from tests.screens import on_table, screen_lines, seen, until


@pytest.fixture
def drifted(meters, clock):
    with base.readings_transaction():
        for number, meter in enumerate(meters[:3]):
            Latest.update(
                drift_fen=(-1) ** number * 100 * number, drift_alarmed=number == 2,
                asserted_at=clock.at - dt.timedelta(hours=30 * number),
            ).where(Latest.meter_id == meter.id).execute()  # fmt: skip
    return meters


async def test_owed_is_shown_for_today_and_the_days_before(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "应付租户款" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await until(pilot, lambda: "2026-11-23" in seen(app))
        today = seen(app)
        assert "应付合计" in today

        await pilot.press("b")
        await until(pilot, lambda: "2026-11-22" in seen(app))
        await pilot.press("n")
        await until(pilot, lambda: "2026-11-23" in seen(app))
        await pilot.press("n")  # there is no day after today
        await pilot.pause()
        assert "2026-11-24" not in seen(app)


async def test_drift_comes_largest_first(make_app, operator, drifted):
    app = make_app("en")
    async with on_table(app, operator) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "Drift of meters" in seen(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "2.00" in seen(app))

        lines = screen_lines(app)[3:]  # below head, summary and titles
        assert [line.split()[0] for line in lines[:3]] == [
            "202600000002", "202600000001", "202600000000",
        ]  # fmt: skip

        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen))
        assert app.screen.row.serial == "202600000002"


async def test_the_live_table_sorts_by_drift_and_shows_days_left(make_app, operator, drifted):
    app = make_app("en")
    async with on_table(app, operator, size=(140, 40)) as pilot:
        header = screen_lines(app)[2]
        assert "days" in header
        assert "drift" in header

        app.screen.table.sort_by("drift", falling=False)
        await pilot.pause()

        assert [row.drift_fen for row in app.screen.table.rows[:4]] == [200, -100, 0, None]
