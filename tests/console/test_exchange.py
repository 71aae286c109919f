"""A meter exchange by its keys: begun with the number typed again, watched, left, gone on with."""

import pytest
from rich.cells import cell_len

from console.screens.exchange import ExchangeScreen
from console.screens.exchange_begin import BeginExchangeScreen
from console.screens.exchange_confirm import ConfirmExchangeScreen
from console.screens.exchange_hand import HandReadingScreen
from console.screens.exchange_place import NewPlaceScreen
from console.screens.exchanges import ExchangesScreen
from console.screens.meter import MeterScreen
from console.screens.meters import MetersScreen
from engine.config import Config
from engine.domain.counted import PurchaseState, Step
from engine.services import approvals, commands, exchanges, ledger, operators, verify
from models.accounts import Installation
from models.cases import Approval, Exchange
from models.commands import Command
from models.enums import CommandKind, CommandState, ExchangeStep, Role
from models.site import Meter
from tests.console.conftest import EPOCH, MORNING, ZONE
from tests.screens import on_table, screen_lines, seen, until

OLD, NEW = "202600000000", "202612310099"
BEGIN = ("x", *"wrong", "enter", *"000000", "y")
ENERGY_WH, BALANCE_FEN = 500_000, 2340
NEW_ENERGY_WH = 1_000


@pytest.fixture
def engineer(db, operator):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=MORNING)


@pytest.fixture
def chief(db, operator):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=MORNING)


@pytest.fixture
def work(poll):
    """What an engine does with the one command that is open."""

    def one(state=CommandState.APPLIED, reason=None, balance_fen=0, count=0):
        command = Command.get(Command.state == CommandState.QUEUED)
        if command.counted:
            return _counted(command, balance_fen, count)
        if command.kind is CommandKind.READ and state is CommandState.APPLIED:
            old = command.serial == OLD
            poll(
                command.meter, balance_fen=BALANCE_FEN if old else balance_fen,
                energy_wh=ENERGY_WH if old else NEW_ENERGY_WH, count=4 if old else count,
            )  # fmt: skip
        return commands.finish_uncounted(command.id, state, reason, EPOCH)

    return one


def _counted(command, balance_fen, count):
    out = command.kind is CommandKind.TRANSFER_OUT
    energy_wh = ENERGY_WH if out else NEW_ENERGY_WH
    before = PurchaseState(4 if out else count, BALANCE_FEN if out else balance_fen, energy_wh)
    commands.mark_sent(command.id, before, EPOCH, "this boot", 1)
    after_fen = 0 if out else balance_fen + command.amount_fen
    after = PurchaseState(before.count + (0 if out else 1), after_fen, energy_wh)
    return commands.settle(command.id, Step.CONFIRM, after, None, EPOCH, zone=ZONE)


async def shown(pilot, text):
    await until(pilot, lambda: text in seen(pilot.app))


async def at_new_meter(pilot, work):
    """Begun, the old meter read and emptied: the new one's number is asked for."""
    await pilot.press(*BEGIN)
    await until(pilot, lambda: Command.select().count() == 1)
    work()
    await until(pilot, lambda: Command.select().count() == 2)
    work()
    await until(pilot, lambda: pilot.app.screen.query_one("#new-line").display)


async def test_it_begins_with_a_reason_and_the_old_number_typed_again(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press("x", *"wrong", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmExchangeScreen))
        await pilot.press(*"000001", "y", "enter")
        assert Exchange.select().count() == 0

        await pilot.press(*["backspace"] * 6, *"000000", "y")
        await until(pilot, lambda: isinstance(app.screen, ExchangeScreen))
        await shown(pilot, "[>] 1 旧表末次抄见")

    exchange = Exchange.get()
    assert (exchange.old.serial, exchange.why) == (OLD, "wrong")


async def test_without_a_reason_nothing_begins(make_app, engineer, meters):
    app = make_app("en")
    async with on_table(app, engineer) as pilot:
        await pilot.press("x", "enter")
        await shown(pilot, "No reason")

        assert isinstance(app.screen, BeginExchangeScreen)


async def test_a_cashier_is_told_that_it_is_not_for_him(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "无权")

    assert Exchange.select().count() == 0


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_step_is_ticked_with_what_it_brought(
    make_app, engineer, meters, work, language
):
    app = make_app(language)
    async with on_table(app, engineer) as pilot:
        await at_new_meter(pilot, work)
        await pilot.press(*NEW)
        await shown(pilot, "2026 1231 0099")
        await pilot.press("enter")
        for number in range(3, 7):
            await until(pilot, lambda number=number: Command.select().count() == number)
            work(balance_fen=BALANCE_FEN if number == 6 else 0, count=1 if number == 6 else 0)
        await until(pilot, lambda: Exchange.get().step is ExchangeStep.DONE)
        await shown(pilot, "[x] 6")

        text = seen(app)
        assert "500.00 kWh" in text
        assert "张三丰茶馆  A-100" in text
        assert "23.40" in text
        assert "20261123-000001" in text
        lines = screen_lines(app)
        assert (len(lines), {cell_len(line) for line in lines}) == (24, {80})
    assert ledger.balance_of(ledger.meter_credit(NEW)) == BALANCE_FEN
    assert Installation.get(Installation.closed_at.is_null(), Installation.meter == Meter.get(
        Meter.serial == NEW
    )).account.number == "T0000"  # fmt: skip
    assert verify.faults() == []


async def test_the_old_meter_leaves_the_table_and_its_page_still_stands(
    make_app, engineer, meters, work
):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen))
        await at_new_meter(pilot, work)
        await pilot.press(*NEW, "enter")
        await until(pilot, lambda: Command.select().count() == 3)
        work()
        new = Meter.get(Meter.serial == NEW)
        await until(pilot, lambda: new.id in app.meters and meters[0].id not in app.meters)
        await pilot.press("escape")
        await shown(pilot, OLD)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MetersScreen))
        table = app.screen.table

        assert (new.id in table.all, meters[0].id in table.all) == (True, False)


async def test_it_is_left_and_found_again_in_the_list(make_app, engineer, meters, work):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_new_meter(pilot, work)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MetersScreen))
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ExchangesScreen))
        await shown(pilot, OLD)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExchangeScreen))
        await shown(pilot, "请装好新表")


async def test_the_key_on_a_meter_goes_on_with_its_exchange(make_app, engineer, meters, work):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await until(pilot, lambda: isinstance(app.screen, ExchangeScreen))
        await pilot.press("escape", "enter", "x")
        await until(pilot, lambda: isinstance(app.screen, ExchangeScreen))

    assert Exchange.select().count() == 1


async def test_a_wrong_number_is_told_in_words_and_can_be_typed_again(
    make_app, engineer, meters, work
):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_new_meter(pilot, work)
        await pilot.press(*"202600000001", "enter")
        await shown(pilot, "已有租户使用")
        await pilot.press(*["backspace"] * 12, *NEW, "enter")
        await until(pilot, lambda: Command.select().count() == 3)
        work(CommandState.REFUSED, "other_meter")
        await shown(pilot, "该处应答的是电表")

        assert app.screen.query_one("#new-line").display


async def test_another_place_is_said_in_a_form_of_its_own(make_app, engineer, meters, work):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_new_meter(pilot, work)
        await pilot.press(*NEW, "l")
        await until(pilot, lambda: isinstance(app.screen, NewPlaceScreen))
        await pilot.press("tab", *"77", "enter")
        await shown(pilot, "2026 1231 0099  77")
        await pilot.press("enter")
        await until(pilot, lambda: Exchange.get().new is not None)

    assert Meter.get(Meter.serial == NEW).address == 77


async def test_a_silent_meter_is_asked_again_by_a_key(make_app, engineer, meters, work):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await until(pilot, lambda: Command.select().count() == 1)
        work(CommandState.REFUSED, "no_reply")
        await shown(pilot, "电表没有应答")
        await pilot.press("r")
        await until(pilot, lambda: Command.select().count() == 2)


async def test_a_hand_reading_takes_two_persons_and_the_balance_again(
    make_app, engineer, chief, meters
):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "[>] 1")
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, HandReadingScreen))
        for text in ("510", "20", "photo 7", "王强", "correct horse"):
            await pilot.press(*text, "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmExchangeScreen))
        await pilot.press(*"20.00", "y")
        await until(pilot, lambda: Exchange.get().by_hand)
        await shown(pilot, "手工 510.00 kWh，20.00 元（photo 7；王强）")

    assert Exchange.get().approver == chief
    assert verify.faults() == []


async def test_a_hand_reading_waits_for_a_second_person_who_is_elsewhere(
    make_app, engineer, chief, meters
):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "[>] 1")
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, HandReadingScreen))
        for text in ("510", "20", "photo 7", "", ""):
            await pilot.press(*text, "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmExchangeScreen))
        await pilot.press(*"20.00", "y")
        await shown(pilot, "正在等待")
        await shown(pilot, "510.00")
        assert not Exchange.get().by_hand

        approvals.approve(Approval.get().id, chief, config=Config())

        await shown(pilot, "手工 510.00 kWh，20.00 元（photo 7；王强）")

    assert Exchange.get().approver == chief
    assert verify.faults() == []


async def test_a_wrong_password_of_the_second_person_changes_nothing(
    make_app, engineer, chief, meters
):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "[>] 1")
        await pilot.press("h")
        for text in ("510", "20", "photo 7", "王强", "wrong"):
            await pilot.press(*text, "enter")
        await pilot.press(*"20", "y")
        await shown(pilot, "密码错误")

    assert not Exchange.get().by_hand


async def test_what_somebody_else_did_elsewhere_is_seen(make_app, engineer, chief, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "[>] 1")
        number = Exchange.get().id
        commands.finish_uncounted(1, CommandState.REFUSED, "no_reply", EPOCH)
        await shown(pilot, "没有应答")
        exchanges.by_hand(number, 510_000, 2000, "x", engineer, zone=ZONE, approver=chief)
        commands.request_read(meters[1].serial, "news", engineer)
        await shown(pilot, "[>] 3")


async def test_it_is_cancelled_after_a_question(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await pilot.press(*BEGIN)
        await shown(pilot, "[>] 1")
        await pilot.press("c", "y")
        await shown(pilot, "已撤销")

    assert Exchange.get().step is ExchangeStep.CANCELLED


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_long_words_stay_on_the_screen(make_app, engineer, meters, work, language):
    app = make_app(language)
    reason = "电表外壳破损且显示不清" * 9
    async with on_table(app, engineer) as pilot:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, BeginExchangeScreen))
        app.screen.query_one("#why").value = reason
        await pilot.press("enter", *"000000", "y")
        await shown(pilot, "[>] 1")
        await shown(pilot, "[ ] 6")

        assert {cell_len(line) for line in screen_lines(app)} == {80}
