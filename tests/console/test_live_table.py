"""The live table by its keys, at 80 columns and 24 lines."""

import dataclasses

import pytest
from rich.cells import cell_len
from textual import events

from console.screens.meters import MetersScreen
from engine.config import MoneySection
from engine.domain.counted import Step
from engine.services import selling
from models.enums import MeterState, PayKind
from tests.screens import on_table, screen_lines, seen, until


@pytest.fixture
def shops():
    def of(app) -> list[str]:
        return [row.shop for row in app.screen.table.rows]

    return of


async def test_every_line_is_exactly_as_wide_as_the_screen_whatever_the_names(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator):
        assert {cell_len(line) for line in screen_lines(app)} == {80}


async def test_twenty_meters_are_in_sight_at_80_by_24(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator):
        assert app.screen.table.page == 20
        assert "A-100" in screen_lines(app)[3]
        assert "A-119" in screen_lines(app)[22]


@pytest.mark.parametrize(
    ("shop", "words"),
    [
        pytest.param("A-100", "=  正常", id="normal"),
        pytest.param("A-101", "!  报警1", id="alarm 1"),
        pytest.param("A-102", "!! 报警2", id="alarm 2"),
        pytest.param("A-103", "X  欠费", id="arrears"),
        pytest.param("A-104", "?  失联", id="lost"),
        pytest.param("A-109", "-  未开户", id="not opened"),
    ],
)
async def test_each_state_is_a_mark_and_a_word(make_app, operator, meters, shop, words):
    app = make_app()
    async with on_table(app, operator):
        (line,) = (line for line in screen_lines(app) if shop in line)

        assert line.startswith(f" {words}")


async def test_a_value_never_read_is_a_dash_and_no_zero(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator):
        (line,) = (line for line in screen_lines(app) if "A-104" in line)

        assert line.split()[4:] == ["-", "-", "不明", "-"]


async def test_the_head_counts_the_meters_of_each_state(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator):
        assert "正常:25 报警1:1 报警2:1 欠费:1 失联:1 未开户:1" in screen_lines(app)[1]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        pytest.param("zsfcg", ["A-100"], id="pinyin initials"),
        pytest.param("面馆", ["A-101"], id="a part of the tenant"),
        pytest.param("ocean", ["A-102"], id="without regard to case"),
        pytest.param("202600000003", ["A-103"], id="the meter's number"),
        pytest.param("a-11", [f"A-{n}" for n in range(110, 120)], id="the shop"),
        pytest.param("zz nothing", [], id="nothing fits"),
    ],
)
async def test_typing_filters_at_once(make_app, operator, meters, shops, typed, found):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("slash", *["space" if char == " " else char for char in typed])

        assert shops(app) == found


async def test_letters_typed_into_the_search_are_no_keys(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("slash", *"srqfnaLQ1")

        assert isinstance(app.screen, MetersScreen)
        assert app.screen.query_one("#search").value == "srqfnaLQ1"
        assert app.screen.table.marked == set()


async def test_escape_from_a_filtered_table_shows_all_again(make_app, operator, meters, shops):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("slash", *"ocean", "enter", "escape")

        assert len(shops(app)) == 30


async def test_filter_by_state_and_by_line_are_keys(make_app, operator, meters, shops):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("f", "down", "down", "down", "enter")  # all, not opened, lost, arrears

        assert shops(app) == ["A-103"]
        assert app.screen.table.filter.state is MeterState.ARREARS

        await pilot.press("escape", "n", *"l01", "enter")

        assert app.screen.table.filter.line == "L01"
        assert len(shops(app)) == 30


async def test_sort_by_balance_and_turn_it(make_app, operator, meters, shops):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("o", *"余额", "enter")

        assert shops(app)[:2] == ["A-129", "A-128"]
        assert shops(app)[-1] == "A-104"
        assert "余额^" in screen_lines(app)[2]

        await pilot.press("O")

        assert "余额v" in screen_lines(app)[2]
        assert shops(app)[1] == "A-100"


async def test_the_cursor_stays_on_its_meter_when_the_order_changes(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("down", "down", "o", *"余额", "enter")

        assert app.screen.table.current.shop == "A-102"


async def test_marks_are_counted_and_follow_their_meters(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("space", "space", "shift+down")
        assert {row.shop for row in app.screen.table.chosen} == {"A-100", "A-101", "A-102", "A-103"}
        assert "已选 4" in screen_lines(app)[1]

        await pilot.press("i")
        assert "已选 26" in screen_lines(app)[1]

        await pilot.press("a")
        assert "已选 30" in screen_lines(app)[1]

        await pilot.press("a")
        assert "已选" not in screen_lines(app)[1]


async def test_a_marked_meter_keeps_the_colour_of_its_state(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        arrears = 4  # A-103, below the header

        def state_colour():
            return next(iter(app.screen.table.render_line(arrears))).style.color

        before = state_colour()
        await pilot.press("down", "down", "down", "space", "down")

        assert {row.shop for row in app.screen.table.chosen} == {"A-103"}
        assert state_colour() == before


async def test_columns_move_whole_while_the_first_two_stay(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        assert "表号" not in screen_lines(app)[2]
        assert screen_lines(app)[2].rstrip().endswith(">")

        await pilot.press("right", "right", "right")

        header = screen_lines(app)[2]
        assert header.startswith(" 状态")
        assert "店铺" in header
        assert "表号" in header
        assert "余额" not in header
        assert "202600000000" in screen_lines(app)[3]


async def test_a_new_reading_appears_by_itself(make_app, operator, meters, poll, clock):
    app = make_app()
    async with on_table(app, operator) as pilot:
        clock.advance(minutes=1)
        poll(meters[0], balance_fen=99_001)

        await until(pilot, lambda: "990.01" in seen(app))


async def test_a_stale_value_shows_its_age(make_app, operator, meters, clock):
    app = make_app()
    async with on_table(app, operator) as pilot:
        clock.advance(hours=3)
        app.screen.tick()
        await pilot.pause()

        assert "3时" in screen_lines(app)[3]


async def test_the_language_changes_while_everything_stands(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("L")
        await pilot.pause()

        text = seen(app)
        assert "normal:25" in text
        assert "tenant" in text
        assert "Enter open" in text
        assert "正常" not in text
        assert {cell_len(line) for line in screen_lines(app)} == {80}


async def test_the_tray_line_stands_while_a_sale_is_unknown(make_app, operator, meters, carry):

    app = make_app()
    async with on_table(app, operator) as pilot:
        assert "结果不明" not in seen(app)

        selling.sell(meters[0].serial, 5000, PayKind.CASH, operator, "r1", money=MoneySection())
        carry(Step.KEEP, "no_reply")
        await until(pilot, lambda: "1 笔售电共 50.00 元结果不明" in seen(app))
        assert app.screen.table.page == 19

        await pilot.press("p")
        await until(pilot, lambda: "A-100" in seen(app))
        assert "下次查询" in seen(app)


async def test_money_to_give_back_stays_in_sight_until_the_sale_was_looked_at(
    make_app, operator, meters, carry
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        selling.sell(meters[0].serial, 5000, PayKind.CASH, operator, "r1", money=MoneySection())
        carry(Step.REFUSE, "not_applied")
        await until(pilot, lambda: "1 笔没有售出，请退还 50.00 元" in seen(app))

        await pilot.press("p")
        await until(pilot, lambda: "A-100" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.told)
        await pilot.press("escape", "escape")

        await until(pilot, lambda: "请退还" not in seen(app))


async def test_what_is_typed_ahead_into_the_search_never_sells(make_app, operator, meters):
    """All keys at once, as over a slow line: s would open the sell form."""
    app = make_app()
    async with on_table(app, operator) as pilot:
        for key in ("slash", "s"):
            app.post_message(events.Key(key, "/" if key == "slash" else key))
        await until(pilot, lambda: app.screen.query_one("#search").has_focus)
        await pilot.pause(0.2)

        assert isinstance(app.screen, MetersScreen)


async def test_ten_thousand_meters_are_filtered_and_sorted(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        row = app.screen.table.rows[0]
        many = [
            dataclasses.replace(row, meter_id=n, serial=f"{n:012d}", shop=f"B-{n:05d}")
            for n in range(1000, 11_000)
        ]
        app.meters.update((row.meter_id, row) for row in many)
        app.screen.table.take(many)
        await pilot.press("end", "slash", *"b-07777")

        assert [row.serial for row in app.screen.table.rows] == ["000000007777"]
