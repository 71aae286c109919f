"""Locks, emergency supply, limits and the guard by their keys, on a small screen."""

import datetime as dt

import pytest
from rich.cells import cell_len

from console.screens.approvals import ApprovalScreen
from console.screens.control_verbs import (
    HoldForm,
    LimitForm,
    OrderConfirm,
    PlacedScreen,
    UnlockScreen,
)
from console.screens.guard import GuardHoldScreen, GuardScreen
from console.screens.legs import LegsScreen
from console.screens.meter import MeterScreen
from console.screens.orders import EndScreen, OrdersScreen
from console.screens.reason import ReasonScreen
from console.screens.sell import SellScreen
from console.screens.waiting import WaitingScreen
from engine.config import Config, MoneySection
from engine.services import locking, operators, selling, temporary
from models import base
from models.control import LockOut, Temporary
from models.enums import PayKind, Role, TemporaryPurpose, TemporaryState
from models.metering import DayUse
from tests.screens import on_table, screen_lines, seen, until

BOTH = pytest.mark.parametrize("language", ["zh_CN", "en"])
CONFIG = Config()


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "battery staple", Role.ENGINEER, at=clock.at)


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


def nothing_is_cut_off(app) -> None:
    assert [line for line in screen_lines(app) if cell_len(line) > 80] == []


def held(meter, by, clock, hours=2):
    until_ = clock.at + dt.timedelta(hours=hours)
    purpose = TemporaryPurpose.EMERGENCY
    return temporary.hold(meter.serial, until_, purpose, "冷柜", by, f"h{meter.id}", config=CONFIG)


@BOTH
async def test_a_lock_is_hung_with_a_reason_and_shown_loud(language, make_app, engineer, meters):
    app = make_app(language)
    async with on_table(app, engineer) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"breaker", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlacedScreen))
        assert ("验电" if language == "zh_CN" else "Test for voltage") in seen(app)
        nothing_is_cut_off(app)
        await pilot.press("enter")

        word = "挂牌" if language == "zh_CN" else "LOCKED"
        await until(pilot, lambda: word in screen_lines(app)[3])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen) and "breaker" in seen(app))
        nothing_is_cut_off(app)
    assert LockOut.get().holder == engineer


async def test_a_lock_placed_in_the_middle_of_a_sale_says_wait(
    make_app, engineer, operator, meters, carry
):
    selling.sell(meters[0].serial, 10_000, PayKind.CASH, operator, "r1", money=MoneySection())
    carry(None)
    app = make_app("en")
    async with on_table(app, engineer) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"x", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlacedScreen))

        assert "WAIT: sale (command 1)" in seen(app)


async def test_no_amount_is_typed_for_a_meter_that_is_locked_out(make_app, engineer, meters):
    locking.place(meters[0].serial, "换断路器", engineer)
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await until(pilot, lambda: "挂牌" in screen_lines(app)[3])
        await pilot.press("s")

        await until(pilot, lambda: "摘牌前不得售电" in seen(app))
        assert not isinstance(app.screen, SellScreen)


async def test_its_holder_takes_a_lock_off_after_typing_the_last_digits(make_app, engineer, meters):
    locking.place(meters[0].serial, "换断路器", engineer)
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, UnlockScreen))
        await pilot.press("enter", "y", *"0001", "y")
        await pilot.pause()
        assert isinstance(app.screen, UnlockScreen)

        await pilot.press(*["backspace"] * 4, *"0000", "y")
        await until(pilot, lambda: not isinstance(app.screen, UnlockScreen))
        assert LockOut.get().released_by == engineer


async def test_anothers_lock_waits_for_a_second_person(make_app, engineer, boss, meters):
    mate = operators.create("钱工", "battery staple", Role.ENGINEER, at=boss.created_at)
    locking.place(meters[0].serial, "换断路器", engineer)
    app = make_app()
    async with on_table(app, mate) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, UnlockScreen))
        assert "由第二人批准" in seen(app)
        await pilot.press(*"0000", "y")
        await until(pilot, lambda: isinstance(app.screen, WaitingScreen))
    assert LockOut.get().released_at is None

    app = make_app()
    async with on_table(app, boss) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "摘牌" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApprovalScreen))
        nothing_is_cut_off(app)


@BOTH
async def test_a_cashier_holds_a_meter_for_some_hours(language, make_app, operator, meters, clock):
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HoldForm))
        await pilot.press("tab", *"freezer")
        assert "11-23 17:00" in seen(app)
        nothing_is_cut_off(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, OrderConfirm))
        nothing_is_cut_off(app)
        await pilot.press("enter", *"0000", "y")
        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
        await pilot.press("escape", "enter")
        await until(
            pilot, lambda: isinstance(app.screen, MeterScreen) and "11-23 17:00" in seen(app)
        )
        nothing_is_cut_off(app)
    row = Temporary.get()
    assert (row.purpose, row.why, row.until) == (
        TemporaryPurpose.EMERGENCY,
        "freezer",
        clock.at + dt.timedelta(hours=8),
    )


async def test_hours_that_are_none_are_said_at_their_line(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HoldForm))
        await pilot.press("backspace", *"99", "tab", *"x", "enter")
        await until(pilot, lambda: isinstance(app.screen, OrderConfirm))
        await pilot.press(*"0000", "y")

        await until(pilot, lambda: "最长 12 小时" in seen(app))
        assert Temporary.select().count() == 0
        await pilot.press("escape")


async def test_a_limit_is_set_from_the_page_of_a_meter(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitForm))
        await pilot.press(*"2000", "tab", "tab", *"grid", "enter")
        await until(pilot, lambda: isinstance(app.screen, OrderConfirm))
        assert "限电 2000 W" in seen(app)
        await pilot.press(*"0000", "y")
        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
    assert Temporary.get().limit_w == 2000


@BOTH
async def test_a_limit_below_what_the_meter_draws_says_that_it_trips(
    language, make_app, engineer, meters
):
    app = make_app(language)
    async with on_table(app, engineer) as pilot:
        assert app.meters[meters[1].id].power_w == 100
        await pilot.press("down", "l")
        await until(pilot, lambda: isinstance(app.screen, LimitForm))
        await pilot.press(*"90", "tab", "tab", *"grid", "enter")
        await until(pilot, lambda: isinstance(app.screen, OrderConfirm))

        assert ("写入后即跳闸断电" if language == "zh_CN" else "TRIP AT ONCE") in seen(app)
        nothing_is_cut_off(app)


@BOTH
async def test_the_list_has_locks_and_orders_and_ends_one_early(
    language, make_app, engineer, operator, meters, clock
):
    locking.place(meters[1].serial, "换断路器", engineer)
    order = held(meters[0], operator, clock)
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, OrdersScreen) and "A-101" in seen(app))
        nothing_is_cut_off(app)
        assert "11-23 11:00" in seen(app)
        await pilot.press("down", "e")
        await until(pilot, lambda: isinstance(app.screen, EndScreen))
        nothing_is_cut_off(app)
        await pilot.press(*"0000", "y")
        await until(pilot, lambda: isinstance(app.screen, OrdersScreen))
    assert Temporary.get_by_id(order.id).until == clock.at


@BOTH
async def test_what_is_stuck_stands_on_every_screen(language, make_app, operator, meters, clock):
    order = held(meters[0], operator, clock)
    with base.write_transaction():
        Temporary.update(state=TemporaryState.STUCK).where(Temporary.id == order.id).execute()
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        word = "未能恢复" if language == "zh_CN" else "could not be taken back"
        await until(pilot, lambda: word in seen(app))
        nothing_is_cut_off(app)


@pytest.fixture
def use(meters, clock, set_prices):
    """The first three meters use 24 kWh a day and have 23 yuan at 0.5 yuan a kWh."""
    with base.readings_transaction():
        for meter in meters[:3]:
            DayUse.delete().where(DayUse.meter_id == meter.id).execute()
            for ago in range(30, -1, -1):
                day = (clock.at.date() - dt.timedelta(days=ago)).isoformat()
                first_wh = (30 - ago) * 60_000
                DayUse.create(
                    day=day, meter_id=meter.id, first_energy_wh=first_wh,
                    last_energy_wh=first_wh + 60_000,
                )  # fmt: skip
    for meter in meters[:3]:
        set_prices(meter)


@BOTH
async def test_the_guard_lists_who_runs_out_and_holds_the_marked(
    language, make_app, engineer, meters, use
):
    app = make_app(language)
    async with on_table(app, engineer) as pilot:
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, GuardScreen) and "A-102" in seen(app))
        nothing_is_cut_off(app)
        assert "11-24 09:00" in screen_lines(app)[1]
        await pilot.press("space", "space", "h")
        await until(pilot, lambda: isinstance(app.screen, GuardHoldScreen))
        nothing_is_cut_off(app)
        await pilot.press("enter", "2", "y")
        await until(pilot, lambda: isinstance(app.screen, GuardScreen))
        await until(pilot, lambda: len(app.screen.table.rows) == 2)  # one is dark already
    assert Temporary.select().where(Temporary.purpose == TemporaryPurpose.NO_CUT).count() == 2
