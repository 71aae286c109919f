"""The tray and the requests, as views: what is in them, in which order, with which words."""

import datetime as dt
import json

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import approvals, commands, deciding, operators, readings, refunding, selling
from engine.views import approvals as approval_views
from engine.views import cases
from engine.views.cases import CaseKind
from models import base
from models.commands import Command, Lease
from models.enums import ApprovalState, EventKind, PayKind, Role, Verdict
from models.site import Meter

MONEY = MoneySection()
ZONE = dt.timezone(dt.timedelta(hours=8))
EPOCH = 7


@pytest.fixture
def lease(db, clock):
    with base.write_transaction():
        Lease.create(
            resource="site", holder="here", epoch=EPOCH, expires_boot_ms=0, host="h",
            boot_id="b", pid=1, since=clock.at,
        )  # fmt: skip
    readings.own(EPOCH)


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def unknown(lease, operator, clock):
    """A sale of 100 yuan to `meter` whose read-back had no answer."""

    def one(meter: Meter, request_id="r1") -> Command:
        sold = selling.sell(meter.serial, 10_000, PayKind.CASH, operator, request_id, money=MONEY)
        commands.mark_sent(sold.id, PurchaseState(4, 500, 1000), EPOCH, "b", 1)
        return commands.settle(sold.id, Step.KEEP, None, "no_reply", EPOCH, zone=ZONE)

    return one


@pytest.fixture
def refused_by_two(boss, chief):
    def one(command: Command) -> Command:
        return deciding.decide(
            command.id, Verdict.NOT_APPLIED, "换表", boss, f"d{command.id}", zone=ZONE,
            approver=chief,
        )  # fmt: skip

    return one


def kinds() -> list[tuple[CaseKind, str, int]]:
    return [(case.kind, case.serial[-1], case.amount_fen) for case in cases.tray()]


def test_a_tray_without_cases_is_empty(meter):
    assert cases.tray() == []


def test_undecided_commands_come_first_then_stopped_meters_then_what_is_to_be_paid(
    meter, add_meter, unknown, refused_by_two
):
    other = add_meter("202611230002", tenant="李记面馆")
    refused_by_two(unknown(meter))
    unknown(other, "r2")

    assert kinds() == [
        (CaseKind.UNDECIDED, "2", 10_000),
        (CaseKind.STOPPED, "1", 0),
        (CaseKind.PAYABLE, "1", 10_000),
    ]


def test_a_case_names_tenant_age_and_next_check(meter, unknown, clock):
    command = unknown(meter)
    clock.advance(minutes=5)

    (case,) = cases.tray()
    shown = case.as_json(clock.at)
    assert (case.tenant, case.shop, case.operator) == ("张三丰茶馆", "A-101", "李娜")
    assert (shown["age_s"], shown["reason"], shown["checks"]) == (300, "no_reply", 1)
    assert case.next_check_at == command.next_check_at


def test_what_was_paid_out_waits_no_longer(meter, unknown, refused_by_two, boss):
    command = refused_by_two(unknown(meter))

    refunding.pay_out(command.id, PayKind.CASH, boss, money=MONEY)

    assert [kind for kind, _, _ in kinds()] == [CaseKind.STOPPED]


def test_a_stopped_meter_says_since_when_and_why(meter, lease, clock):
    with base.write_transaction():
        Meter.update(frozen=True).execute()
    readings.note(meter.id, EventKind.FOREIGN_PURCHASE, clock.at, EPOCH, expected=4, found=5)
    then = clock.at
    clock.advance(hours=2)

    (case,) = cases.tray()
    assert (case.since, case.reason, case.command) == (then, "foreign_purchase", None)


def test_a_meter_stopped_by_hand_of_which_nothing_is_known_has_no_age(meter):
    with base.write_transaction():
        Meter.update(frozen=True).execute()

    (case,) = cases.tray()
    assert (case.since, case.as_json(dt.datetime.now(dt.UTC))["age_s"]) == (None, None)


def test_a_meter_with_an_undecided_command_is_one_case(meter, lease, unknown):
    unknown(meter)
    with base.write_transaction():
        Meter.update(frozen=True).execute()

    assert [kind for kind, _, _ in kinds()] == [CaseKind.UNDECIDED]


@pytest.fixture
def asked(meter, unknown, boss):
    given = {"command_id": unknown(meter).id, "verdict": "applied", "why": "=cmd()"}
    return approvals.ask("decide", given, boss, "d1")


def test_a_request_is_shown_with_asker_tenant_amount_and_reason(asked, clock):
    clock.advance(minutes=2)

    (shown,) = approval_views.waiting(clock.at)
    assert (shown.asked_by, shown.tenant, shown.amount_fen) == ("王主管", "张三丰茶馆", 10_000)
    assert json.loads(shown.arguments)["verdict"] == "applied"
    assert shown.as_json(clock.at)["age_s"] == 120


def test_a_request_that_nobody_decided_for_a_day_waits_no_longer(asked, clock):
    clock.advance(hours=24)

    assert approval_views.waiting(clock.at) == []
    found = approval_views.request(asked.id, clock.at)
    assert found is not None
    assert found.state is ApprovalState.EXPIRED


def test_a_request_that_is_not_there_is_none(db, clock):
    assert approval_views.request(7, clock.at) is None
