"""销户, 换铺, 转让 as checklists: begun by a number typed again, they go on by themselves."""

from types import SimpleNamespace

import pytest

from console.screens.checklist import ChecklistScreen
from console.screens.confirm import ConfirmScreen
from console.screens.leaving import CloseScreen, HandOverScreen, MoveScreen
from engine.domain.errors import ApprovalNeeded
from engine.services import closing, moving, refunding, statements
from engine.services.closing import Plan
from engine.services.closing_steps import MeterPlan, Step
from models.enums import PayKind
from tests.screens import on_table, seen, until

SERIAL = "202600000000"


class Closing:
    """Stands in for the services: each call does one step, and is written down."""

    def __init__(self, *steps: Step) -> None:
        self.steps, self.calls = list(steps), []
        self.reason: str | None = None
        self.fails: Exception | None = None
        self.deposit_fen = 0
        self.payable = ()

    def plan(self, number, **_):
        meters = ()
        if self.steps:
            meter = MeterPlan(SERIAL, "A-100", self.steps[0], 2340, 500_000, None, self.reason)
            meters = (meter,)
        account = SimpleNamespace(number=number)
        return Plan(account, meters, self.deposit_fen, self.payable, closed=not meters)

    def step(self, *args, **options):
        if self.fails is not None:
            raise self.fails
        self.calls.append((args, options))
        self.steps.pop(0)
        return self.plan("T0000")


@pytest.fixture
def closing_of(monkeypatch):
    def stand_in(*steps):
        made = Closing(*steps)
        monkeypatch.setattr(closing, "plan", made.plan)
        monkeypatch.setattr(closing, "advance", made.step)
        monkeypatch.setattr(moving, "move", made.step)
        monkeypatch.setattr(moving, "hand_over", made.step)
        monkeypatch.setattr(statements, "text", lambda *_, **__: "销户结算单 T0000")
        return made

    return stand_in


async def at_checklist(app, pilot, keys, kind):
    await pilot.press("3")
    await until(pilot, lambda: "T0002" in seen(app))
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(app.screen, kind) and app.screen.found is not None)
    await pilot.pause()


async def agree(app, pilot, number="T0000"):
    await pilot.press("f10")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.press(*number, "y")
    await pilot.pause()


async def test_an_account_is_closed_only_after_its_number_was_typed_again(
    make_app, operator, meters, closing_of
):
    done = closing_of(Step.TAKE_OUT, Step.TRIP, Step.RELEASE)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        assert "[x] 末次抄表 [>] 退款/转出" in seen(app)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter", *"T0001", "y", "escape")
        assert done.calls == []

        await agree(app, pilot)
        await until(pilot, lambda: "销户结算单 T0000" in seen(app))
        assert len(done.calls) == 3
        assert done.calls[0][1]["pay"] is PayKind.CASH
        assert done.calls[0][1]["why"] == "销户"
        assert "已销户" in seen(app)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_the_question_names_refunds_of_before_that_are_paid_with_the_closing(
    language, make_app, operator, meters, closing_of, monkeypatch
):
    monkeypatch.setattr(refunding, "payable_fen", lambda _command: 5000)
    closing_of(Step.TRIP, Step.RELEASE).payable = (SimpleNamespace(id=7),)
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "50.00" in seen(app)


async def test_a_closing_that_waits_asks_nothing_and_can_be_left(
    make_app, operator, meters, closing_of
):
    done = closing_of(Step.TAKE_OUT, Step.WAIT, Step.RELEASE)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await agree(app, pilot)
        await until(pilot, lambda: "等电表应答" in seen(app))
        await pilot.pause(0.3)

        assert len(done.calls) == 1
        await pilot.press("q")
        assert not isinstance(app.screen, ChecklistScreen)


async def test_a_step_that_failed_stops_until_somebody_tries_again(
    make_app, operator, meters, closing_of
):
    done = closing_of(Step.READ, Step.RELEASE)
    done.reason = "no_reply"
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        assert "[!] 末次抄表" in seen(app)
        assert "按回车再试" in seen(app)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await agree(app, pilot)
        await until(pilot, lambda: "[!] 释放" in seen(app))
        await pilot.pause(0.3)

        assert len(done.calls) == 1


async def test_what_needs_a_second_person_is_said(make_app, operator, meters, closing_of):
    done = closing_of(Step.TAKE_OUT)
    done.fails = ApprovalNeeded(amount="600.00", limit="500.00")
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await agree(app, pilot)

        await until(pilot, lambda: "600.00" in seen(app))
        assert done.steps == [Step.TAKE_OUT]


@pytest.mark.parametrize(
    ("keys", "write_off"),
    [pytest.param((), False, id="paid first"), pytest.param(("right",), True, id="written off")],
)
async def test_arrears_are_written_off_only_where_that_is_chosen(
    make_app, operator, meters, closing_of, keys, write_off
):
    done = closing_of(Step.PAY_ARREARS, Step.PAY_ARREARS)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        assert "有电表欠费" in seen(app)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press(*keys)
        await agree(app, pilot)

        await until(pilot, lambda: bool(done.calls))
        assert done.calls[0][1]["write_off"] is write_off


async def test_a_deposit_is_given_back_where_that_is_agreed(make_app, operator, meters, closing_of):
    done = closing_of(Step.RELEASE)
    done.deposit_fen = 50_000
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("f10")
        await until(pilot, lambda: "500.00 元一并退还（现金）" in seen(app))
        await pilot.press(*"T0000", "y")

        await until(pilot, lambda: bool(done.calls))
        assert done.calls[0][1]["return_deposit"] is True


async def test_a_deposit_that_is_still_held_is_said(make_app, operator, meters, closing_of):
    closing_of().deposit_fen = 50_000
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, "C", CloseScreen)

        await until(pilot, lambda: "尚存押金 500.00 元" in seen(app))


async def test_a_move_names_the_new_meter(make_app, operator, meters, closing_of):
    done = closing_of(Step.TAKE_OUT)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, ("h", "enter"), MoveScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("enter", *"109", "enter")
        await pilot.pause(0.2)
        await agree(app, pilot)

        await until(pilot, lambda: "已换铺" in seen(app))
        ((args, options),) = done.calls
        assert args[:2] == (SERIAL, "202600000009")
        assert options["why"] == "换铺"


async def test_a_meter_is_handed_over_with_what_it_holds(make_app, operator, meters, closing_of):
    done = closing_of(Step.RELEASE)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, ("h", *"转让", "enter", *"T0002", "enter"), HandOverScreen)
        assert "拉闸 [" not in seen(app)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("right")
        await agree(app, pilot)

        await until(pilot, lambda: "已转让" in seen(app))
        ((args, options),) = done.calls
        assert args[:2] == (SERIAL, "T0002")
        assert options["keep"] is True


async def test_money_that_left_a_meter_is_paid_out_after_it_was_typed_again(
    make_app, operator, meters, closing_of, monkeypatch
):
    paid = []
    monkeypatch.setattr(refunding, "payable_fen", lambda _command: 2340)

    def pay_out(command, pay, _by, **_):
        paid.append((command, pay))

    monkeypatch.setattr(refunding, "pay_out", pay_out)
    done = closing_of(Step.RELEASE)
    done.payable = (SimpleNamespace(id=7),)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_checklist(app, pilot, ("h", *"转让", "enter", *"T0002", "enter"), HandOverScreen)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await agree(app, pilot)
        await until(pilot, lambda: "还没有付给租户" in seen(app))
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("right", "f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"23.40", "y")

        await until(pilot, lambda: paid == [(7, PayKind.CARD)])
        await until(pilot, lambda: "还没有付给租户" not in seen(app))
