"""tray, evidence, decide, free, approval: on the command line, with two people."""

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.measurement import MeterReading
from engine.services import commands, readings, selling
from models import base, store
from models.commands import Lease
from models.enums import PayKind
from models.people import Operator
from models.site import Meter
from tests.services.conftest import ZONE

pytestmark = pytest.mark.usefixtures("clock")
SERIAL = "202611230001"


@pytest.fixture
def as_chief(on, password_file, as_boss):
    """A second person, chief; the options that name her as the one who asks."""
    made = on(
        "operator", "add", "chief", "--role", "supervisor",
        "--new-password-file", password_file, *as_boss,
    )  # fmt: skip
    assert made.status == 0, made.err
    return ["--as", "chief", "--password-file", password_file]


@pytest.fixture
def approved_by_chief(as_chief, password_file):
    return ["--approve", "chief", "--approve-password-file", password_file]


@pytest.fixture
def unknown(site, clock) -> int:
    """A sale of 100 yuan whose read-back had no answer; its number."""
    with store.opened(site):
        with base.write_transaction():
            Lease.create(
                resource="site", holder="here", epoch=7, expires_boot_ms=0, host="h",
                boot_id="b", pid=1, since=clock.at,
            )  # fmt: skip
        readings.own(7)
        boss = Operator.get(Operator.name == "boss")
        sold = selling.sell(SERIAL, 10_000, PayKind.CASH, boss, "r1", money=MoneySection())
        commands.mark_sent(sold.id, PurchaseState(4, 500, 1000), 7, "this boot", 1)
        commands.settle(sold.id, Step.KEEP, None, "no_reply", 7, zone=ZONE)
        return sold.id


def say(site, clock, count=4, balance_fen=500):
    with store.opened(site):
        reading = MeterReading(
            energy_wh=1000, balance_fen=balance_fen, purchase_count=count, voltage_mv=(230_000,)
        )
        readings.store(
            Meter.get(Meter.serial == SERIAL), reading, at=clock.at, slot_s=1800, raw_frame=b"",
            epoch=7, zone=ZONE,
        )  # fmt: skip


def test_an_empty_tray_says_so(on):
    assert on("tray", "--json").json == []
    assert "nothing waits" in on("--lang", "en", "tray").out.lower()


def test_the_tray_names_amount_tenant_and_next_check(on, unknown):
    (case,) = on("tray", "--json").json

    assert (case["kind"], case["command"], case["amount_fen"]) == ("undecided", unknown, 10_000)
    assert (case["state"], case["reason"], case["tenant"]) == ("unknown", "no_reply", "万达广场")
    assert case["next_check_at"] is not None
    assert "万达广场" in on("tray").out


def test_evidence_has_the_values_and_the_books(on, unknown):
    seen = on("evidence", unknown, "--json").json

    assert seen["before"]["balance_fen"] == 500
    assert (seen["expected"]["count"], seen["expected"]["balance_fen"]) == (5, 10_500)
    assert seen["in_flight_fen"] == 10_000
    assert "100.00" in on("evidence", unknown).out


def test_evidence_of_a_meter_is_asked_for_by_its_number(on, unknown):
    assert on("evidence", SERIAL, "--json").json["command"] is None


@pytest.mark.parametrize("subject", ["99", "abc", "²"])
def test_evidence_of_nothing_is_refused(subject, on):
    refused = on("evidence", subject, "--json")

    assert (refused.status, refused.json["error"]["code"]) == (1, "no_such_command")


def test_deciding_alone_is_refused(on, unknown, as_boss):
    refused = on("decide", unknown, "applied", "--reason", "x", *as_boss, "--json")

    assert (refused.status, refused.json["error"]["code"]) == (1, "approval_needed")


def test_two_persons_decide_at_once(on, unknown, as_boss, approved_by_chief):
    done = on(
        "decide", unknown, "not-applied", "--reason", "已换表", *as_boss, *approved_by_chief,
        "--json",
    )  # fmt: skip

    assert (done.status, done.json["outcome"]) == (0, "refused")
    assert done.json["reason"] == "decided_not_applied"
    kinds = {case["kind"]: case["amount_fen"] for case in on("tray", "--json").json}
    assert kinds == {"stopped": 0, "payable": 10_000}
    assert on("verify").status == 0


def test_a_second_person_approves_in_a_session_of_her_own(on, unknown, as_boss, as_chief):
    asked = on("decide", unknown, "applied", "--reason", "看过表", *as_boss, "--ask", "--json")
    assert (asked.status, asked.json["state"]) == (4, "waiting")
    (listed,) = on("approval", "list", "--json").json
    assert (listed["verb"], listed["asked_by"], listed["amount_fen"]) == ("decide", "boss", 10_000)

    own = on("approval", "approve", listed["approval"], *as_boss, "--json")
    assert (own.status, own.json["error"]["code"]) == (1, "not_approvable")
    done = on("approval", "approve", listed["approval"], *as_chief, "--json")

    assert (done.status, done.json["outcome"]) == (0, "applied")
    assert done.json["receipt"]
    assert on("approval", "approve", listed["approval"], *as_chief, "--json").json == done.json
    assert on("approval", "list", "--json").json == []


def test_declining_needs_a_reason_and_ends_the_request(on, unknown, as_boss, as_chief):
    asked = on("decide", unknown, "applied", "--reason", "x", *as_boss, "--ask", "--json").json

    assert on("approval", "decline", asked["approval"], *as_chief).status == 2
    said = on("approval", "decline", asked["approval"], "--reason", "不对", *as_chief, "--json")
    assert (said.status, said.json["state"]) == (0, "declined")
    late = on("approval", "approve", asked["approval"], *as_chief, "--json")
    assert (late.status, late.json["error"]["code"]) == (1, "approval_closed")


def test_a_stopped_meter_is_freed_by_two(on, unknown, site, clock, as_boss, approved_by_chief):
    both = [*as_boss, *approved_by_chief, "--json"]
    on("decide", unknown, "not-applied", "--reason", "x", *both)
    old = on("free", SERIAL, "--reason", "核对过", *both)
    assert (old.status, old.json["error"]["code"]) == (1, "not_freeable")
    clock.advance(minutes=1)
    say(site, clock)

    done = on("free", SERIAL, "--reason", "核对过", *both)

    assert (done.status, done.json) == (
        0, {"serial": SERIAL, "frozen": False, "purchase_count": 4},
    )  # fmt: skip
    assert on("verify").status == 0


def test_a_refund_above_the_limit_is_left_to_a_second_person_with_ask(
    on, unknown, site, clock, as_boss, as_chief
):
    with store.opened(site):
        commands.settle(unknown, Step.CONFIRM, PurchaseState(5, 10_500, 1000), None, 7, zone=ZONE)
    clock.advance(minutes=1)
    say(site, clock, count=5, balance_fen=100_000)
    refund = ["refund", SERIAL, "600", "--reason", "搬走", *as_boss, "--json"]
    alone = on(*refund)
    assert (alone.status, alone.json["error"]["code"]) == (1, "approval_needed")

    asked = on(*refund, "--ask")
    done = on("approval", "approve", asked.json["approval"], "--wait", "0", *as_chief, "--json")

    assert (asked.status, asked.json["verb"], asked.json["amount_fen"]) == (4, "refund", 60_000)
    assert (done.status, done.json["outcome"], done.json["amount_fen"]) == (4, "queued", 60_000)


def test_the_closing_of_an_account_is_left_to_a_second_person(
    on, unknown, site, clock, as_boss, as_chief
):
    """Above the limit its refund is asked for; approved, the closing goes on with it."""
    with store.opened(site):
        commands.settle(unknown, Step.CONFIRM, PurchaseState(5, 10_500, 1000), None, 7, zone=ZONE)
    clock.advance(minutes=1)
    say(site, clock, count=5, balance_fen=100_000)
    close = ["close", "T001", *as_boss, "--wait", "0", "--json"]
    alone = on(*close)
    assert (alone.status, alone.json["error"]["code"]) == (1, "approval_needed")

    asked = on(*close, "--ask")
    again = on(*close, "--ask")
    done = on("approval", "approve", asked.json["approval"], "--wait", "0", *as_chief, "--json")

    assert (asked.status, asked.json["verb"], asked.json["amount_fen"]) == (4, "refund", 100_000)
    assert again.json["approval"] == asked.json["approval"]
    went_on = on(*close).json
    assert went_on["meters"][0]["command"] == done.json["command"], went_on
