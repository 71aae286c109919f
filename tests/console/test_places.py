"""The places beside the live table, one meter in depth, and signing in."""

import asyncio
import subprocess
import sys
import threading

import pytest
from textual.widgets import Input

from console.screens.login import LoginScreen
from console.screens.meter import MeterScreen
from console.screens.meters import MetersScreen
from console.screens.tray import TrayScreen
from console.work import ask
from models import base
from models.enums import LineState
from models.metering import LineHealth
from tests.screens import on_table, screen_lines, seen, until


async def test_signing_in_leads_to_the_live_table(make_app, meters):
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query("#name").first().has_focus)
        app.screen.query_one("#name", Input).value = "李娜"
        await pilot.press("enter", *"correct", "space", *"horse", "enter")

        await until(pilot, lambda: isinstance(app.screen, MetersScreen))
        assert app.operator.name == "李娜"


async def test_a_wrong_password_is_said_and_cleared(make_app, meters):
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query("#name").first().has_focus)
        app.screen.query_one("#name", Input).value = "李娜"
        await pilot.press("enter", *"wrong", "enter")

        await until(pilot, lambda: "姓名或密码" in seen(app) or "密码错误" in seen(app))
        assert app.screen.query_one("#password", Input).value == ""
        assert isinstance(app.screen, LoginScreen)


async def test_the_practice_site_offers_its_operator(make_app, operator, meters):
    app = make_app(practice=True, offer=("李娜", "correct horse"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "练习站点" in seen(app))
        await pilot.press("enter")

        await until(pilot, lambda: isinstance(app.screen, MetersScreen))
        assert screen_lines(app)[0].startswith(" 练习 - 不是真钱 ")


async def test_without_signing_in_no_place_is_reached(make_app, meters):
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query("#name").first().has_focus)
        app.screen.set_focus(None)
        await pilot.press("m", "4", "p", "t")

        assert isinstance(app.screen, LoginScreen)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param("1", "李娜", id="operators"),
        pytest.param("2", "夜间核对", id="settings"),
        pytest.param("3", "T0000", id="tenants"),
        pytest.param("4", "还没有售电", id="sales"),
        pytest.param("5", "应付租户款", id="reports"),
        pytest.param("t", "L01", id="topology"),
        pytest.param("p", "没有待处理事项", id="tray"),
        pytest.param("7", "没有等待批准的申请", id="requests"),
    ],
)
async def test_every_place_has_a_key_and_a_way_back(make_app, operator, meters, key, said):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: said in seen(app))

        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, MetersScreen))


async def test_enter_opens_a_meter_with_all_that_is_known(make_app, operator, meters, set_prices):
    set_prices(meters[0])
    app = make_app()
    async with on_table(app, operator, size=(120, 50)) as pilot:
        await pilot.press("enter")
        for said in (
            "尖 1.2000",
            "23.40 元",
            "约 46.80 度（按余额与电价估算）",
            "202600000000  DDSY1352-NK",
            "500.00 度",
            "229.5 V  6.52 A",
            "20.00 元",
            "L01，地址 1，W1",
            "11-23",
        ):
            await until(pilot, lambda said=said: said in seen(app))


async def test_a_meter_never_read_says_so(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("down", "down", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen))
        await until(pilot, lambda: "从未读到" in seen(app))

        assert "0.00" not in seen(app)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param("connect_failed", "无法连接", id="a reason of ours"),
        pytest.param("[port 3 in use] {busy}", "[port 3 in use] {busy}", id="a gateway's words"),
        pytest.param("refused", "refused", id="a gateway's word that is a code of something else"),
    ],
)
async def test_the_topology_shows_each_level_with_its_state(
    make_app, operator, meters, clock, message, said
):
    with base.readings_transaction():
        LineHealth.create(
            line_id=1, rev=1, state=LineState.DOWN, message=message, last_good_at=clock.at
        )
    clock.advance(minutes=7)
    app = make_app()
    async with on_table(app, operator, size=(220, 45)) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: "L01" in seen(app))

        station, gateway, line = screen_lines(app)[3:6]
        assert station.startswith("示范商场")
        assert gateway.startswith("  W1")
        assert line.startswith("    L01")
        for row in (station, gateway, line):
            assert "X  中断" in row
            assert "7分" in row
            assert "1/30" in row
        assert said in line


async def test_the_topology_unfolds_a_line_and_drills_down(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: "L01" in seen(app))
        await pilot.press("down", "down", "x")
        await until(pilot, lambda: "202600000003" in seen(app))

        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MetersScreen))
        assert app.screen.table.filter.line == "L01"


@pytest.mark.parametrize("place", ["1", "2", "3", "4", "5", "t", "p", "question_mark", "enter"])
async def test_every_place_is_drawn_in_english_after_the_language_key(
    make_app, operator, meters, place
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(place)
        await pilot.press("L")
        await until(pilot, lambda: "L 中文" in screen_lines(app)[-1])

        head, *_, footer = screen_lines(app)
        assert "engine" in head
        assert "Esc back" in footer


def test_the_console_starts_without_what_its_first_screen_does_not_need():
    """Each costs tens of milliseconds before the first paint."""
    heavy = ("pymodbus", "serial", "openpyxl", "lxml", "pypinyin", "apscheduler", "Crypto")
    code = f"import console.app, sys; print([n for n in {heavy!r} if n in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


async def test_an_answer_to_a_screen_that_is_being_taken_down_is_dropped(
    make_app, operator, meters
):
    """A list that is left while it loads is attached for a while, and empty."""
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, TrayScreen))
        answered = threading.Event()
        taken: list[str] = []
        await app.screen.remove_children()

        ask(app.screen, lambda: answered.set() or "late", taken.append)

        assert await asyncio.to_thread(answered.wait, 10)
        await pilot.pause(0.1)
        assert taken == []
