"""The tray and its evidence, decisions of two persons, payouts, requests: by their keys."""

import json

import pytest
from rich.cells import cell_len

from console.screens.approvals import ApprovalScreen, ApprovalsScreen
from console.screens.evidence import EvidenceScreen
from console.screens.payout import PayOutScreen
from console.screens.reason import ReasonScreen
from console.screens.tray import TrayScreen
from console.screens.type_again import TypeAgainScreen
from console.screens.waiting import WaitingScreen
from engine.config import Config, MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import approvals, commands, deciding, ledger, operators, selling, verify
from models.cases import Approval, Decision
from models.commands import Command
from models.enums import (
    AccountKind,
    ApprovalState,
    CommandKind,
    CommandState,
    PayKind,
    Role,
    Verdict,
)
from models.site import Meter
from tests.screens import on_table, screen_lines, seen, until

ZONE = Config().site.zone
BOTH = pytest.mark.parametrize("language", ["zh_CN", "en"])


class Frame:
    """One exchange, as the bus records it."""

    def __init__(self, at, step, request, reply=None, error=None):
        self.at, self.step, self.error = at, step, error
        self.request = bytes.fromhex(request)
        self.reply = None if reply is None else bytes.fromhex(reply)


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def unknown(meters, operator, carry, clock) -> Command:
    """A sale of 100 yuan to the first meter whose read-back had no answer, with its frames."""
    selling.sell(meters[0].serial, 10_000, PayKind.CASH, operator, "r1", money=MoneySection())
    command = carry(Step.KEEP, "no_reply")
    frames = [
        Frame(clock.at, "fence", "010300220001241b", "0103020000b844"),
        Frame(clock.at, "before", "01030000005ac43e", "0103" + "ab" * 180),
        Frame(clock.at, "write", "01aa004600040800000000271000059a3c", None, "no_reply"),
    ]
    commands.record_attempts(command.id, frames)
    return command


@pytest.fixture
def suspended(meters, operator, carry) -> Command:
    selling.sell(meters[0].serial, 10_000, PayKind.CASH, operator, "r1", money=MoneySection())
    return carry(Step.SUSPEND)


async def open_tray(pilot) -> None:
    await pilot.press("p")
    await until(pilot, lambda: isinstance(pilot.app.screen, TrayScreen) and in_tray(pilot.app))


def in_tray(app) -> int:
    return len(app.screen.table.rows)


async def open_evidence(pilot) -> None:
    await open_tray(pilot)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, EvidenceScreen))
    await until(pilot, lambda: pilot.app.screen.seen is not None)
    await pilot.pause()


def nothing_is_cut_off(app) -> None:
    assert [line for line in screen_lines(app) if cell_len(line) > 80] == []


@BOTH
async def test_the_tray_shows_age_amount_tenant_and_next_check(
    language, make_app, boss, unknown, clock
):
    clock.advance(minutes=3)
    app = make_app(language)
    async with on_table(app, boss) as pilot:
        await open_tray(pilot)

        (line,) = [line for line in screen_lines(app) if "张三丰茶馆" in line]
        assert "100.00" in line
        assert ("3分" if language == "zh_CN" else "3m") in line
        assert ("现在" if language == "zh_CN" else "now") in line
        nothing_is_cut_off(app)


@BOTH
async def test_the_evidence_shows_values_rule_and_frames_on_a_small_screen(
    language, make_app, boss, unknown, poll, meters
):
    app = make_app(language)
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        text = seen(app)

        assert "123.40" in text  # what the balance is to be
        assert "23.40" in text
        assert ("在途 100.00" if language == "zh_CN" else "100.00 yuan in flight") in text
        nothing_is_cut_off(app)
        await pilot.press("end", *["pagedown"] * 5)
        await pilot.pause()
        assert "01AA0046" in seen(app)
        assert "no_reply" not in seen(app)
        nothing_is_cut_off(app)


async def test_asking_now_brings_the_next_check_forward(make_app, boss, unknown, clock):
    app = make_app()
    Command.update(next_check_at=clock.at.replace(hour=3)).execute()
    async with on_table(app, boss) as pilot:
        await open_tray(pilot)
        await pilot.press("r")
        await until(pilot, lambda: Command.get().next_check_at == clock.at)


async def test_asking_now_of_a_suspended_one_reads_the_meter(make_app, boss, suspended):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("r")
        await until(pilot, lambda: Command.select().count() == 2)

        read = Command.select().order_by(Command.id.desc()).get()
        assert (read.kind, read.serial) == (CommandKind.READ, suspended.serial)


async def ask_for_decision(pilot, *verdict_keys: str) -> None:
    """From the evidence to the screen that waits for a second person."""
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, ReasonScreen))
    await pilot.press(*verdict_keys, "enter", *"moved", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, TypeAgainScreen))
    await pilot.press(*"100", "y")
    await until(pilot, lambda: isinstance(pilot.app.screen, WaitingScreen))


async def test_a_decision_waits_for_a_second_person_and_the_asker_sees_it_come(
    make_app, boss, chief, unknown
):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await ask_for_decision(pilot, "right")
        await until(pilot, lambda: "正在等待" in seen(app))
        assert Command.get().state is CommandState.UNKNOWN

        approvals.approve(Approval.get().id, chief, config=Config())

        await until(pilot, lambda: isinstance(app.screen, EvidenceScreen))
        await until(pilot, lambda: "王主管 与 赵经理：未写入电表（moved）" in seen(app))
        assert Command.get().reason == "decided_not_applied"


async def test_enter_alone_decides_nothing(make_app, boss, unknown, picture_of_money):
    before = picture_of_money()
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("x", "enter", *"moved", "enter", "enter", "enter", "y", "enter")
        await pilot.pause()

        assert isinstance(app.screen, TypeAgainScreen)
        await pilot.press(*"99", "y")
        assert "100.00" in seen(app)
        assert picture_of_money() == before


@pytest.fixture
def picture_of_money(db):
    return lambda: [list(table.select().tuples()) for table in (Command, Approval, Decision)]


async def test_a_decision_without_a_reason_is_not_asked_for(make_app, boss, unknown):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("x", "enter", "enter")
        await until(pilot, lambda: "未填写原因" in seen(app))


@BOTH
async def test_the_forms_fit_a_small_screen(language, make_app, boss, unknown):
    app = make_app(language)
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("x", "right")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press("enter", *"电" * 100)
        await pilot.pause()
        nothing_is_cut_off(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TypeAgainScreen))
        await pilot.pause()
        nothing_is_cut_off(app)
        assert ("断电重启" if language == "zh_CN" else "switch it off") in seen(app)


async def test_a_cashier_who_may_not_decide_is_told_so(make_app, operator, unknown):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await open_evidence(pilot)
        await pilot.press("x", "enter", *"moved", "enter", *"100", "y")
        await until(pilot, lambda: "李娜 无权进行此操作" in seen(app))

        assert Approval.select().count() == 0


# -- the second person


@pytest.fixture
def asked(unknown, boss) -> Approval:
    given = {"command_id": unknown.id, "verdict": "applied", "why": "看过电表"}
    return approvals.attempt("decide", given, boss, "d1", config=Config())


@BOTH
async def test_whoever_may_approve_is_told_on_every_place(language, make_app, chief, asked):
    app = make_app(language)
    async with on_table(app, chief) as pilot:
        said = "有 1 项申请等待第二人批准" if language == "zh_CN" else "1 request(s) wait"
        await until(pilot, lambda: said in seen(app))
        await pilot.press("4")
        await until(pilot, lambda: said in seen(app))


@pytest.mark.parametrize("who", ["boss", "operator"])
async def test_neither_the_asker_nor_a_cashier_is_told(who, make_app, asked, request):
    app = make_app()
    async with on_table(app, request.getfixturevalue(who)) as pilot:
        await until(pilot, lambda: app.news.waiting)
        await pilot.pause()

        assert "等待第二人批准" not in seen(app)


async def open_request(pilot) -> None:
    await pilot.press("v")
    await until(pilot, lambda: isinstance(pilot.app.screen, ApprovalsScreen))
    await until(pilot, lambda: pilot.app.screen.table.rows)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ApprovalScreen))
    await pilot.pause()


@BOTH
async def test_a_request_shows_who_what_how_much_and_why(language, make_app, chief, asked):
    app = make_app(language)
    async with on_table(app, chief) as pilot:
        await open_request(pilot)

        for word in ("王主管", "张三丰茶馆", "202600000000", "100.00", "看过电表"):
            assert word in seen(app)
        assert ("已写入电表" if language == "zh_CN" else "in the meter") in seen(app)
        nothing_is_cut_off(app)


async def test_the_amount_and_y_approve(make_app, chief, asked):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await open_request(pilot)
        await pilot.press("y", "enter", *"99", "y")
        assert Approval.get().state is ApprovalState.WAITING
        await pilot.press("backspace", "backspace", *"100", "y")
        await until(pilot, lambda: Approval.get().state is ApprovalState.APPROVED)

        assert Decision.get().approver == chief
        assert Command.get().state is CommandState.APPLIED
        await until(pilot, lambda: isinstance(app.screen, ApprovalsScreen))
        assert verify.faults() == []


async def test_a_refusal_of_the_verb_is_shown_and_the_request_waits_on(
    make_app, chief, asked, unknown
):
    commands.settle(unknown.id, Step.CONFIRM, PurchaseState(5, 12_340, 500_000), None, 7, zone=ZONE)
    app = make_app()
    async with on_table(app, chief) as pilot:
        await open_request(pilot)
        await pilot.press(*"100", "y")
        await until(pilot, lambda: "已结束，无须判定" in seen(app))

        assert Approval.get().state is ApprovalState.WAITING


async def test_x_declines_with_a_reason(make_app, chief, asked):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await open_request(pilot)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: Approval.get().state is ApprovalState.DECLINED)

        assert json.loads(Approval.get().refusal)["params"] == {"why": "wrong"}


async def test_the_asker_cannot_approve_but_take_it_back(make_app, boss, asked):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_request(pilot)
        assert "须由另一人批准" in seen(app)
        await pilot.press("y", "x")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"oops", "enter")
        await until(pilot, lambda: Approval.get().state is ApprovalState.DECLINED)


async def test_a_declined_request_tells_its_asker_why(make_app, boss, chief, unknown):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await ask_for_decision(pilot)
        approvals.decline(Approval.get().id, chief, "先看现场")

        await until(pilot, lambda: "赵经理 已拒绝：先看现场" in seen(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, EvidenceScreen))


# -- after the decision


@pytest.fixture
def decided(unknown, boss, chief) -> Command:
    return deciding.decide(
        unknown.id, Verdict.NOT_APPLIED, "换表", boss, "d1", zone=ZONE, approver=chief
    )


async def test_the_tray_then_has_the_stopped_meter_and_the_money_to_pay_out(
    make_app, boss, decided
):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_tray(pilot)
        text = seen(app)

        assert "停止售电" in text
        assert "待付款" in text
        assert in_tray(app) == 2


@BOTH
async def test_the_money_is_paid_out_from_the_tray(language, make_app, boss, decided):
    app = make_app(language)
    async with on_table(app, boss) as pilot:
        await open_tray(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, PayOutScreen))
        await pilot.pause()
        nothing_is_cut_off(app)
        await pilot.press("y", "enter")
        assert ledger.balance_at(AccountKind.REFUND_PAYABLE) == 10_000
        await pilot.press(*"100", "y")
        await until(pilot, lambda: ledger.balance_at(AccountKind.REFUND_PAYABLE) == 0)

        await until(pilot, lambda: isinstance(app.screen, TrayScreen) and in_tray(app) == 1)
        assert verify.faults() == []


async def test_a_stopped_meter_is_freed_by_two(make_app, boss, chief, decided, poll, meters, clock):
    clock.advance(minutes=1)
    poll(meters[0], balance_fen=2340, count=4)
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        assert "差额  0.00 元" in seen(app)
        await pilot.press(*"seen", "enter")
        await until(pilot, lambda: isinstance(app.screen, TypeAgainScreen))
        await pilot.press(*"0000", "y")
        await until(pilot, lambda: isinstance(app.screen, WaitingScreen))

        approvals.approve(Approval.get().id, chief, config=Config())

        await until(pilot, lambda: not Meter.get_by_id(meters[0].id).frozen)


async def test_a_meter_that_was_read_too_long_ago_is_not_freed(
    make_app, boss, decided, poll, meters, clock
):
    app = make_app()
    async with on_table(app, boss) as pilot:
        await open_evidence(pilot)
        await pilot.press("f", *"seen", "enter", *"0000", "y")
        await until(pilot, lambda: "请立即抄表后再恢复" in seen(app))

        assert Approval.select().count() == 0
