"""Requests that wait for a second person: asked, approved once, declined, expired."""

import json

import pytest

from engine.config import Config, MoneySection, SiteSection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalClosed,
    Forbidden,
    NoReason,
    NoSuchApproval,
    NotApprovable,
    NotDecidable,
    RequestIdReused,
)
from engine.services import approvable, approvals, deposits, operators
from models.base import write_transaction
from models.cases import Approval, Decision
from models.commands import Command
from models.enums import ApprovalState, CommandState, PayKind, Role
from models.people import AuditEntry, Operator

CONFIG = Config(
    site=SiteSection(timezone="Asia/Shanghai"),
    money=MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000),
)


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def unknown(sell, send, settle):
    command = sell()
    send(command)
    return settle(command, Step.KEEP, None, "no_reply")


@pytest.fixture
def asked(unknown, boss) -> Approval:
    """王主管 asks to decide the unknown sale as not applied."""
    return attempt(unknown, boss)


def attempt(command, by, request_id="d1", verdict="not_applied", **options):
    given = {"command_id": command.id, "verdict": verdict, "why": "电表已换下"}
    return approvals.attempt("decide", given, by, request_id, config=CONFIG, **options)


def approve(approval, by):
    return approvals.approve(approval.id, by, config=CONFIG)


def test_what_needs_a_second_person_is_kept_with_who_asked_for_how_much_and_why(asked, boss, clock):
    assert (asked.verb, asked.serial, asked.amount_fen) == ("decide", "202611230001", 10_000)
    assert (asked.asked_by, asked.asked_at, asked.why) == (boss, clock.at, "电表已换下")
    assert asked.state is ApprovalState.WAITING
    assert Command.get().state is CommandState.UNKNOWN


def test_a_second_person_in_the_same_room_needs_no_request(unknown, boss, chief):
    done = attempt(unknown, boss, approver=chief)

    assert done.state is CommandState.REFUSED
    assert Approval.select().count() == 0


def test_the_same_request_twice_is_one(unknown, asked, boss, picture):
    before = picture()

    assert attempt(unknown, boss) == asked
    assert picture() == before


def test_the_same_request_id_with_other_contents_is_an_error(unknown, asked, boss, picture):
    before = picture()

    with pytest.raises(RequestIdReused):
        attempt(unknown, boss, verdict="applied")
    assert picture() == before


def test_what_the_verb_refuses_is_not_kept(unknown, operator, picture):
    before = picture()

    with pytest.raises(Forbidden):
        attempt(unknown, operator)
    assert picture() == before


def test_approving_does_it_with_both_names(asked, boss, chief):
    approved = approve(asked, chief)

    assert (approved.state, approved.decided_by) == (ApprovalState.APPROVED, chief)
    assert approved.command == Command.get()
    assert approved.command.state is CommandState.REFUSED
    kept = Decision.get()
    assert (kept.operator, kept.approver, kept.request_id) == (boss, chief, "d1")
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (entry.operator, entry.action) == ("赵经理", "approve")
    assert json.loads(entry.detail)["asked_by"] == "王主管"


def test_approving_twice_gives_the_same_command_and_changes_nothing(asked, chief, picture):
    first = approve(asked, chief)
    before = picture()

    assert approve(asked, chief).command == first.command
    assert picture() == before


def test_the_asker_gets_the_same_command_by_his_request_id(unknown, asked, boss, chief):
    approve(asked, chief)

    again = attempt(unknown, boss)

    assert (again.state, again.command) == (ApprovalState.APPROVED, unknown)


@pytest.mark.parametrize("who", ["王主管", "李娜"])
def test_neither_the_asker_nor_one_without_the_right_can_approve(who, asked, picture):
    before = picture()

    with pytest.raises(NotApprovable):
        approve(asked, Operator.get(Operator.name == who))
    assert picture() == before


def test_an_operator_who_was_disabled_cannot_approve(asked, chief, clock, picture):
    Operator.update(disabled_at=clock.at).where(Operator.id == chief.id).execute()
    before = picture()

    with pytest.raises(NotApprovable):
        approve(asked, chief)
    assert picture() == before


def test_a_request_that_is_not_there_cannot_be_approved(chief):
    with pytest.raises(NoSuchApproval):
        approvals.approve(99, chief, config=CONFIG)


def test_what_the_verb_refuses_now_still_waits_and_keeps_the_refusal(asked, chief, settle):
    settle(asked_command(), Step.CONFIRM, PurchaseState(5, 10_500, 1000))

    with pytest.raises(NotDecidable):
        approve(asked, chief)

    kept = approvals.get(asked.id)
    assert (kept.state, kept.decided_by) == (ApprovalState.WAITING, None)
    assert json.loads(kept.refusal) == {
        "code": "not_decidable",
        "params": {"command": "1", "why": "ended"},
    }


def asked_command() -> Command:
    return Command.get()


def test_the_asker_who_lost_his_right_meanwhile_is_refused(asked, boss, chief):
    Operator.update(role=Role.VIEWER).where(Operator.id == boss.id).execute()

    with pytest.raises(Forbidden):
        approve(asked, chief)
    assert Command.get().state is CommandState.UNKNOWN


def test_declining_says_why_and_nothing_is_done(asked, chief):
    declined = approvals.decline(asked.id, chief, "先去现场看表")

    assert (declined.state, declined.decided_by) == (ApprovalState.DECLINED, chief)
    assert json.loads(declined.refusal)["params"] == {"why": "先去现场看表"}
    assert Command.get().state is CommandState.UNKNOWN


def test_the_asker_may_take_his_request_back(asked, boss):
    assert approvals.decline(asked.id, boss, "搞错了").state is ApprovalState.DECLINED


def test_nobody_else_without_the_right_may_decline(asked, operator, picture):
    before = picture()

    with pytest.raises(NotApprovable):
        approvals.decline(asked.id, operator, "x")
    assert picture() == before


def test_declining_asks_for_a_reason(asked, chief, picture):
    before = picture()

    with pytest.raises(NoReason):
        approvals.decline(asked.id, chief, "\t")
    assert picture() == before


def test_what_was_declined_is_not_approved(asked, chief, picture):
    approvals.decline(asked.id, chief, "不对")
    before = picture()

    with pytest.raises(ApprovalClosed) as refusal:
        approve(asked, chief)
    assert refusal.value.params["why"] == "declined"
    assert picture() == before


def test_what_was_approved_is_not_declined(asked, chief, picture):
    approve(asked, chief)
    before = picture()

    with pytest.raises(ApprovalClosed) as refusal:
        approvals.decline(asked.id, chief, "不对")
    assert refusal.value.params["why"] == "done"
    assert picture() == before


def test_after_a_day_nobody_can_approve_it(asked, chief, clock, picture):
    clock.advance(hours=24)
    before = picture()

    with pytest.raises(ApprovalClosed) as refusal:
        approve(asked, chief)
    assert refusal.value.params["why"] == "expired"
    assert picture() == before


def test_the_next_request_marks_the_old_ones_as_expired(asked, unknown, boss, clock):
    clock.advance(hours=25)

    attempt(unknown, boss, "d2")

    assert approvals.get(asked.id).state is ApprovalState.EXPIRED


def test_after_a_crash_behind_the_verb_the_next_approval_finds_it_done(asked, boss, chief, clock):
    """The verb has committed, the request still waits and stands claimed."""
    crash = RuntimeError("power cut")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approvals, "_approved", lambda *_: (_ for _ in ()).throw(crash))
        with pytest.raises(RuntimeError):
            approve(asked, chief)
    clock.advance(seconds=61)
    with pytest.raises(ApprovalClosed) as refusal:
        approvals.decline(asked.id, boss, "x")
    assert refusal.value.params["why"] == "done"

    approved = approve(asked, chief)

    assert approved.command.state is CommandState.REFUSED
    assert Decision.select().count() == 1


def test_while_one_person_approves_another_neither_approves_nor_declines(asked, chief, clock):
    other = operators.create("钱主管", "battery staple", Role.SUPERVISOR, at=clock.at)
    met = []

    def meanwhile(*args, **options):
        for deed in (
            lambda: approve(asked, other),
            lambda: approvals.decline(asked.id, other, "x"),
        ):
            with pytest.raises(ApprovalClosed) as refusal:
                deed()
            met.append(refusal.value.params["why"])
        return real(*args, **options)

    real = approvable.call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approvable, "call", meanwhile)
        approve(asked, chief)

    assert met == ["in_hand", "in_hand"]
    assert Decision.get().approver == chief


def test_a_claim_that_was_left_behind_is_free_again_after_a_minute(asked, chief, clock):
    other = operators.create("钱主管", "battery staple", Role.SUPERVISOR, at=clock.at)
    with write_transaction():
        Approval.update(decided_by=chief, decided_at=clock.at).execute()
    clock.advance(seconds=60)

    assert approve(asked, other).decided_by == other


def test_a_meter_is_freed_by_approval_too(unknown, boss, chief, clock, poll):
    attempt(unknown, boss, approver=chief)
    clock.advance(minutes=1)
    poll(unknown.meter)
    asked = approvals.attempt(
        "free", {"serial": unknown.serial, "why": "已核对"}, boss, "f1", config=CONFIG
    )

    approved = approve(asked, chief)

    assert (approved.state, approved.command) == (ApprovalState.APPROVED, None)
    assert not unknown.meter.select().get().frozen


def test_a_deposit_goes_back_with_a_second_person(meter, boss, chief, operator):
    money = CONFIG.money
    deposits.take_deposit("T0001", 90_000, PayKind.CASH, operator, "p1", money=money)
    given = {"number": "T0001", "amount_fen": 90_000, "pay": "cash", "why": "搬走"}
    asked = approvals.attempt("return_deposit", given, boss, "b1", config=CONFIG)
    assert (asked.amount_fen, asked.state) == (90_000, ApprovalState.WAITING)

    approve(asked, chief)
    approve(asked, chief)

    assert deposits.held_fen("T0001") == 0
