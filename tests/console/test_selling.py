"""A sale by its keys: form, one question with content, three ticks, receipt, undo."""

import peewee as pw
import pytest
from textual import events

from console.screens.meters import MetersScreen
from console.screens.sale import SaleScreen
from console.screens.sell import SellScreen
from console.screens.sell_confirm import ConfirmSaleScreen
from engine.config import MoneySection
from engine.domain.counted import Step
from engine.services import selling
from models.commands import Command
from models.enums import CommandState
from tests.screens import on_table, seen, until

FORM = ("s",)
TO_QUESTION = (*FORM, *"100", "enter", "enter")
SELL = (*TO_QUESTION, *"100", "y")


async def sold(pilot) -> None:
    """Press all keys of a sale of 100 yuan to the first meter."""
    await pilot.press(*SELL)
    await until(pilot, lambda: isinstance(pilot.app.screen, SaleScreen))
    await until(pilot, lambda: pilot.app.screen.command is not None)


async def test_the_form_says_what_the_amount_will_do(make_app, operator, meters, set_prices):
    set_prices(meters[0])
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *"100")
        await until(pilot, lambda: "大约可用 246 度" in seen(app))

        assert "收款 100.00 元，100.00 元写入电表。" in seen(app)
        assert "余额 23.40 -> 约 123.40 元。" in seen(app)


async def test_a_fee_is_named_before_it_is_taken(make_app, operator, meters):
    app = make_app(money=MoneySection(fee_pct=2))
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *"100")

        assert "收款 100.00 元：手续费 2.00 元，98.00 元写入电表。" in seen(app)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("0", "退电", id="zero"),
        pytest.param("1.005", "0.01", id="three decimals"),
        pytest.param("--", "不", id="no number"),
        pytest.param("99999", "10000.00", id="over the ceiling"),
    ],
)
async def test_a_bad_amount_is_refused_in_words_and_nothing_is_sold(
    make_app, operator, meters, typed, said
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *typed, "enter")
        await until(pilot, lambda: said in seen(app))

        assert Command.select().count() == 0


async def test_full_width_digits_are_an_amount(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *"１００")

        assert "收款 100.00 元" in seen(app)


async def test_a_chinese_full_stop_is_refused_and_not_left_out(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM)
        app.post_message(events.Paste("100。50"))
        await pilot.press("enter")

        assert "100。50" in seen(app)
        assert "不是数字" in seen(app)


async def test_the_question_names_tenant_meter_amount_and_balance_after(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*TO_QUESTION)

        text = seen(app)
        for named in ("张三丰茶馆", "202600000000", "100.00 元，现金", "23.40 -> 约 123.40 元"):
            assert named in text


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(("enter",), id="enter alone"),
        pytest.param(("enter", "enter", "enter"), id="enter again and again"),
        pytest.param(("y",), id="y without an answer"),
        pytest.param((*"10", "y"), id="another amount"),
        pytest.param((*"100", "enter"), id="the amount and enter"),
        pytest.param((*"100", "escape"), id="the amount and escape"),
        pytest.param((*"100", "n"), id="the amount and n"),
    ],
)
async def test_nothing_but_the_amount_and_y_sells(make_app, operator, meters, keys):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*TO_QUESTION, *keys)
        await pilot.pause(0.1)

        assert isinstance(app.screen, ConfirmSaleScreen | SellScreen)
        assert Command.select().count() == 0


async def test_a_sale_is_recorded_once_however_often_y_is_pressed(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*SELL, "y", "y")
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))

        (command,) = Command.select()
        assert (command.amount_fen, command.serial) == (10_000, "202600000000")


async def test_backspaces_typed_ahead_take_their_turn(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM)
        for key in ("1", "2", "3", "backspace", "backspace", "4", "5"):
            app.post_message(events.Key(key, key if key.isdigit() else None))

        await until(pilot, lambda: app.screen.query_one("#amount").value == "145")


async def test_the_kind_of_payment_is_turned_by_arrows(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *"50", "enter", "right", "right", "right", "enter", *"50", "y")
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))

        assert Command.get().pay == "wechat"


async def test_three_ticks_follow_the_sale_to_its_proof_and_receipt(
    make_app, operator, meters, carry
):
    app = make_app()
    async with on_table(app, operator, size=(80, 40)) as pilot:
        await sold(pilot)
        await until(pilot, lambda: "[x] 1. 已入账 100.00 元（现金）" in seen(app))
        await until(pilot, lambda: "[ ] 2." in seen(app))

        carry()
        await until(pilot, lambda: "[x] 3. 已读回" in seen(app))
        await until(pilot, lambda: "[x] 2. 100.00 元写入电表" in seen(app))
        await until(pilot, lambda: "购电次数 4 -> 5，余额 23.40 -> 123.40 元" in seen(app))
        await until(pilot, lambda: "20261123-000001" in seen(app))


async def test_a_sent_sale_shows_that_it_is_under_way(make_app, operator, meters, carry):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        carry(None)

        await until(pilot, lambda: "[>] 2." in seen(app))
        assert "不要再次收款" in seen(app)
        await until(pilot, lambda: "u 撤单" not in seen(app))


async def test_an_unknown_sale_says_not_to_sell_again_and_stays_in_the_tray(
    make_app, operator, meters, carry
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        carry(Step.KEEP, "no_reply")
        await until(pilot, lambda: "不要再次售电" in seen(app))

        await pilot.press("escape", "p")
        await until(pilot, lambda: "结果不明" in seen(app) and "100.00" in seen(app))


async def test_a_refused_sale_says_why_and_how_much_goes_back(make_app, operator, meters, carry):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        carry(Step.REFUSE, "refused_by_meter")

        await until(pilot, lambda: "请退还 100.00 元" in seen(app))


async def test_u_takes_a_queued_sale_back(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        assert "u 撤单" in seen(app)

        await pilot.press("u")
        await until(pilot, lambda: "发送前已撤单。请退还 100.00 元。" in seen(app))

        assert Command.get().state is CommandState.VOIDED


async def test_after_the_undo_window_u_is_no_key(make_app, operator, meters, clock):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        clock.advance(seconds=61)
        app.screen.tick()
        await pilot.press("u")
        await pilot.pause(0.1)

        assert "u 撤单" not in seen(app)
        assert Command.get().state is CommandState.QUEUED


async def test_a_second_sale_to_the_meter_is_refused_while_one_is_open(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot)
        await until(pilot, lambda: app.news.undecided)
        await pilot.press("escape", "s")

        await until(pilot, lambda: "还有一笔售电未完成" in seen(app))
        assert isinstance(app.screen, MetersScreen)


async def test_a_meter_on_nobodys_account_is_refused_before_the_form(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*["down"] * 9, "s")

        await until(pilot, lambda: "202600000009" in seen(app))
        assert isinstance(app.screen, MetersScreen)


async def test_escape_leaves_the_form_and_nothing_is_sold(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*FORM, *"100", "escape")

        assert isinstance(app.screen, MetersScreen)
        assert Command.select().count() == 0


async def test_a_store_that_fails_leaves_the_form_to_be_sent_again_with_the_same_id(
    make_app, operator, meters, monkeypatch
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        with monkeypatch.context() as broken:
            broken.setattr(selling, "sell", full_disk)
            await pilot.press(*SELL)
            await until(pilot, lambda: "disk is full" in seen(app))
        form = app.screen
        await pilot.press("enter", *"100", "y")
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))

        assert Command.get().request_id == form.request_id


def full_disk(*_args: object, **_options: object) -> Command:
    raise pw.OperationalError("database or disk is full")
