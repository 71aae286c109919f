"""Decisions of two persons: an unknown or suspended sale, a meter whose sales were stopped."""

import json
from decimal import Decimal

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalNeeded,
    Forbidden,
    NoReason,
    NoSuchCommand,
    NotApprovable,
    NotDecidable,
    NotFreeable,
    RequestIdReused,
    StaleEngine,
)
from engine.domain.measurement import MeterSettings
from engine.services import commands, deciding, ledger, operators, readings, verify
from models.accounts import Installation
from models.base import readings_transaction
from models.cases import Decision
from models.commands import Command, Receipt
from models.enums import AccountKind, CommandState, EntryKind, Role, Verdict
from models.ledger import LedgerEntry
from models.metering import Latest
from models.people import AuditEntry
from models.site import Meter
from tests.services.conftest import EPOCH, ZONE

APPLIED, NOT_APPLIED = Verdict.APPLIED, Verdict.NOT_APPLIED
IN_THE_METER = {"cash": 10_000, "meter_credit": 10_300, "fee_income": 200, "take_over": 500}
TO_BE_PAID_OUT = {"cash": 10_000, "meter_credit": 500, "refund_payable": 10_000, "take_over": 500}


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def unknown(sell, send, settle):
    """A sale of 100 yuan, 2 of them fee, whose read-back had no answer."""

    def one(request_id="r1"):
        command = sell(request_id, fee_pct=2)
        send(command)
        return settle(command, Step.KEEP, None, "no_reply")

    return one


@pytest.fixture
def suspended(sell, send, settle):
    """The same, whose counter told another story: 30 yuan more under our number."""

    def one(request_id="r1"):
        command = sell(request_id, fee_pct=2)
        send(command)
        return settle(command, Step.SUSPEND, PurchaseState(5, 3500, 1000))

    return one


@pytest.fixture
def decide(boss, chief):
    def one(command, verdict, why="台账核对", request_id="d1", by=boss, approver=chief):
        return deciding.decide(
            command.id, verdict, why, by, request_id, zone=ZONE, approver=approver
        )

    return one


@pytest.fixture
def free(boss, chief):
    def one(serial="202611230001", why="现场核对", request_id="f1", by=boss, approver=chief):
        return deciding.free(serial, why, by, request_id, approver=approver)

    return one


@pytest.fixture
def stopped(unknown, decide, poll, clock):
    """A meter stopped by a decision, read a minute later."""

    def one(verdict=APPLIED, **says):
        decide(unknown(), verdict)
        clock.advance(minutes=1)
        poll(Meter.get(), **says)

    return one


def balances() -> dict[str, int]:
    """Fen on every ledger account that holds any, by kind."""
    found = {}
    for account in {entry.debit for entry in LedgerEntry} | {entry.credit for entry in LedgerEntry}:
        fen = ledger.balance_of(account)
        if fen:
            found[account.kind.value] = fen
    return found


def test_an_unknown_sale_decided_as_applied_is_credit_in_the_meter_with_fee_and_receipt(
    unknown, decide
):
    decided = decide(unknown(), APPLIED)

    assert (decided.state, decided.reason) == (CommandState.APPLIED, "decided_applied")
    assert balances() == {
        "cash": 10_000,
        "meter_credit": 10_300,
        "fee_income": 200,
        "take_over": 500,
    }
    assert Receipt.get().command == decided
    assert Meter.get().mirror_count == 5
    assert verify.faults() == []


def test_an_unknown_sale_decided_as_not_applied_waits_to_be_paid_out(unknown, decide):
    decided = decide(unknown(), NOT_APPLIED)

    assert (decided.state, decided.reason) == (CommandState.REFUSED, "decided_not_applied")
    assert balances() == {
        "cash": 10_000,
        "meter_credit": 500,
        "refund_payable": 10_000,
        "take_over": 500,
    }
    assert Meter.get().mirror_count == 4
    assert Receipt.select().count() == 0


def test_a_suspended_sale_decided_as_applied_leaves_suspense_for_the_meter(suspended, decide):
    decided = decide(suspended(), APPLIED)

    assert decided.state is CommandState.APPLIED
    assert balances() == {
        "cash": 10_000,
        "meter_credit": 10_300,
        "fee_income": 200,
        "take_over": 500,
    }
    kinds = [entry.kind for entry in LedgerEntry.select().where(LedgerEntry.command == decided)]
    assert kinds == [EntryKind.SALE, EntryKind.SUSPENSE, EntryKind.CREDIT, EntryKind.FEE]


def test_a_suspended_sale_decided_as_not_applied_leaves_suspense_for_the_payer(suspended, decide):
    decide(suspended(), NOT_APPLIED)

    assert balances() == {
        "cash": 10_000,
        "meter_credit": 500,
        "refund_payable": 10_000,
        "take_over": 500,
    }


def test_a_decision_keeps_both_names_the_reason_and_what_they_saw(unknown, decide, boss, chief):
    command = unknown()
    commands.record_attempts(
        command.id,
        [type("X", (), {"at": command.sent_at, "step": "write", "request": b"\x01\x10",
                        "reply": None, "error": "no_reply"})],
    )  # fmt: skip
    decide(command, APPLIED, why="  现场\x07看表  ")

    kept = Decision.get()
    seen = json.loads(kept.evidence)
    assert (kept.operator, kept.approver, kept.why) == (boss, chief, "现场 看表")
    assert kept.verdict is APPLIED
    assert seen["before"]["balance_fen"] == 500
    assert seen["expected"] == {"count": 5, "balance_fen": 10_300, "energy_wh": None, "at": None}
    assert seen["in_flight_fen"] == 10_000
    assert [frame["request"] for frame in seen["frames"]] == ["0110"]
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (entry.operator, entry.action) == ("王主管", "decide")
    assert json.loads(entry.detail)["approver"] == "赵经理"


def test_a_decision_stops_the_meter_until_it_is_freed(unknown, decide):
    decide(unknown(), APPLIED)

    assert Meter.get().frozen


def test_the_same_decision_twice_is_one(unknown, decide, picture):
    decide(unknown(), APPLIED)
    before = picture()

    again = decide(Command.get(), APPLIED)

    assert again.state is CommandState.APPLIED
    assert picture() == before


def test_the_same_request_id_with_another_verdict_is_an_error(unknown, decide, picture):
    decide(unknown(), APPLIED)
    before = picture()

    with pytest.raises(RequestIdReused):
        decide(Command.get(), NOT_APPLIED)
    assert picture() == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"approver": None}, ApprovalNeeded),
        ({"approver": "boss"}, NotApprovable),
        ({"approver": "cashier"}, NotApprovable),
        ({"by": "cashier"}, Forbidden),
        ({"why": " \n "}, NoReason),
    ],
)
def test_a_decision_that_is_refused_changes_nothing(
    change, error, unknown, decide, boss, operator, picture
):
    command = unknown()
    names = {"boss": boss, "cashier": operator}
    before = picture()

    with pytest.raises(error):
        decide(command, APPLIED, **{key: names.get(value, value) for key, value in change.items()})
    assert picture() == before


def test_a_sale_that_is_queued_or_on_its_way_is_not_decided(sell, send, decide, picture):
    command = sell()
    for now in (lambda: None, lambda: send(command)):
        now()
        before = picture()
        with pytest.raises(NotDecidable) as refusal:
            decide(command, NOT_APPLIED)
        assert refusal.value.params["why"] == "under_way"
        assert picture() == before


def test_what_has_ended_is_not_decided(sell, prove, decide, picture):
    command = prove(sell())
    before = picture()

    with pytest.raises(NotDecidable) as refusal:
        decide(command, NOT_APPLIED)
    assert refusal.value.params["why"] == "ended"
    assert picture() == before


def test_a_read_is_not_decided(meter, decide):
    read = commands.request_read(meter.serial, "q")

    with pytest.raises(NotDecidable):
        decide(read, APPLIED)


def test_a_command_that_is_not_there_is_not_decided(boss, chief):
    with pytest.raises(NoSuchCommand):
        deciding.decide(99, APPLIED, "x", boss, "d", zone=ZONE, approver=chief)


def test_where_the_engine_settles_first_nothing_is_decided(unknown, settle, decide, picture):
    command = unknown()
    settle(command, Step.CONFIRM, PurchaseState(5, 10_300, 1000))
    before = picture()

    with pytest.raises(NotDecidable):
        decide(command, NOT_APPLIED)
    assert picture() == before


@pytest.mark.parametrize("step", [Step.CONFIRM, Step.REFUSE, Step.SUSPEND, Step.KEEP])
def test_where_two_persons_decide_first_the_engine_settles_nothing(
    step, unknown, settle, decide, picture
):
    command = unknown()
    decide(command, NOT_APPLIED)
    before = picture()

    with pytest.raises(StaleEngine):
        settle(command, step, PurchaseState(5, 10_300, 1000))
    assert picture() == before


def test_a_decided_sale_is_not_written_again(unknown, decide, picture):
    command = unknown()
    decide(command, NOT_APPLIED)
    before = picture()

    with pytest.raises(StaleEngine):
        commands.mark_rewrite(command.id, EPOCH, "this boot", 4711)
    assert picture() == before


def test_a_frame_that_arrives_after_all_is_found_as_a_foreign_purchase(stopped, free, poll, clock):
    stopped(NOT_APPLIED)
    free()
    clock.advance(minutes=30)

    poll(Meter.get(), balance_fen=10_300, count=5)

    assert Meter.get().frozen


def test_a_meter_is_freed_with_what_it_says_and_the_difference_posted(stopped, free):
    stopped(NOT_APPLIED, balance_fen=3500, count=6)

    freed = free()

    assert (freed.frozen, freed.mirror_count) == (False, 6)
    entry = LedgerEntry.select().order_by(LedgerEntry.id.desc()).get()
    assert (entry.kind, entry.amount_fen) == (EntryKind.ADJUSTMENT, 3000)
    assert entry.credit.kind is AccountKind.METER_CREDIT
    kept = Decision.select().order_by(Decision.id.desc()).get()
    assert (kept.verdict, kept.entry) == (None, entry)


def test_a_meter_with_less_than_the_books_is_adjusted_the_other_way(stopped, free):
    stopped(APPLIED, balance_fen=10_000, count=5)

    free()

    entry = LedgerEntry.select().order_by(LedgerEntry.id.desc()).get()
    assert (entry.kind, entry.amount_fen) == (EntryKind.ADJUSTMENT, 300)
    assert entry.debit.kind is AccountKind.METER_CREDIT


def test_where_meter_and_books_agree_nothing_is_posted(stopped, free):
    stopped(APPLIED, balance_fen=10_300, count=5)
    entries = LedgerEntry.select().count()

    free()

    assert LedgerEntry.select().count() == entries


def test_a_meter_freed_twice_by_one_request_is_freed_once(stopped, free, picture):
    stopped(APPLIED, balance_fen=10_000, count=5)
    free()
    before = picture()

    free()

    assert picture() == before


def test_a_meter_is_not_freed_while_a_sale_to_it_is_undecided(
    suspended, free, poll, clock, picture
):
    command = suspended()
    clock.advance(minutes=1)
    poll(Meter.get(), count=5)
    before = picture()

    with pytest.raises(NotFreeable) as refusal:
        free()
    assert refusal.value.params == {
        "serial": "202611230001", "why": "undecided", "command": command.id,
    }  # fmt: skip
    assert picture() == before


def test_a_meter_is_not_freed_by_a_reading_from_before_the_decision(
    unknown, decide, free, poll, clock, picture
):
    command = unknown()
    poll(Meter.get())
    decide(command, NOT_APPLIED)
    before = picture()

    with pytest.raises(NotFreeable) as refusal:
        free()
    assert refusal.value.params["why"] == "old_reading"
    assert picture() == before


def test_a_meter_is_not_freed_by_an_old_reading(stopped, free, clock, picture):
    stopped(NOT_APPLIED)
    clock.advance(minutes=10, seconds=1)
    before = picture()

    with pytest.raises(NotFreeable):
        free()
    assert picture() == before


def test_a_meter_that_is_not_stopped_needs_no_freeing(meter, poll, free, picture):
    poll(meter)
    before = picture()

    with pytest.raises(NotFreeable) as refusal:
        free()
    assert refusal.value.params["why"] == "not_frozen"
    assert picture() == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"approver": None}, ApprovalNeeded),
        ({"approver": "boss"}, NotApprovable),
        ({"by": "cashier"}, Forbidden),
        ({"why": ""}, NoReason),
    ],
)
def test_freeing_that_is_refused_changes_nothing(
    stopped, change, error, free, boss, operator, picture
):
    stopped(NOT_APPLIED)
    names = {"boss": boss, "cashier": operator}
    before = picture()

    with pytest.raises(error):
        free(**{key: names.get(value, value) for key, value in change.items()})
    assert picture() == before


def test_credit_found_in_a_meter_new_to_its_tenant_is_taken_over_not_adjusted(
    add_meter, poll, free, clock, sell
):
    meter = add_meter("202611230009", mirror_count=3, frozen=True)
    poll(meter, balance_fen=700, count=9)
    Meter.update(frozen=True).execute()
    clock.advance(seconds=1)

    free("202611230009")

    assert balances() == {"meter_credit": 700, "take_over": 700}


def test_a_freed_meter_takes_sales_again(stopped, free, sell):
    stopped(NOT_APPLIED)
    free()

    assert sell("r2").state is CommandState.QUEUED


def test_a_decision_cannot_be_altered_or_deleted(unknown, decide):
    decide(unknown(), APPLIED)

    with pytest.raises(Exception, match="append-only"):
        Decision.update(why="x").execute()
    with pytest.raises(Exception, match="append-only"):
        Decision.delete().execute()


PRICES = tuple(Decimal(price) for price in ("1.2", "1.0", "0.7", "0.4"))


@pytest.mark.parametrize(
    ("drift_fen", "adjusted_fen"),
    [
        pytest.param(3_000, 3_000, id="as its drift says"),
        pytest.param(None, 2_960, id="drift not known"),
        pytest.param(0, 2_960, id="a drift that began later"),
    ],
)
def test_use_that_no_freeze_has_posted_yet_is_left_to_it(
    drift_fen, adjusted_fen, unknown, decide, poll, clock, free
):
    """4 kWh, of 1.60 to 4.80 yuan; the meter holds 28 yuan more than the books."""
    decide(unknown(), NOT_APPLIED)
    Installation.update(first_energy_wh=1000).execute()
    settings = MeterSettings(True, PRICES, 2000, 500, 0, 6, 3_300)
    readings.store_settings(Meter.get().id, settings, at=clock.at, epoch=EPOCH)
    clock.advance(minutes=1)
    poll(Meter.get(), 5_000, balance_fen=3_300, count=6)
    with readings_transaction():
        Latest.update(drift_fen=drift_fen).execute()

    free()

    entry = LedgerEntry.select().order_by(LedgerEntry.id.desc()).get()
    assert (entry.kind, entry.amount_fen) == (EntryKind.ADJUSTMENT, adjusted_fen)


@pytest.mark.parametrize("balance_fen", [340, 20, 17])
def test_a_difference_that_use_explains_is_none(balance_fen, unknown, decide, poll, clock, free):
    decide(unknown(), NOT_APPLIED)
    Installation.update(first_energy_wh=1000).execute()
    settings = MeterSettings(True, PRICES, 2000, 500, 0, 4, 500)
    readings.store_settings(Meter.get().id, settings, at=clock.at, epoch=EPOCH)
    clock.advance(minutes=1)
    poll(Meter.get(), 5_000, balance_fen=balance_fen)
    with readings_transaction():
        Latest.update(drift_fen=None).execute()
    entries = LedgerEntry.select().count()

    free()

    assert LedgerEntry.select().count() == entries


def test_a_meter_is_not_freed_twice_with_one_reading(stopped, free, picture):
    stopped(NOT_APPLIED, balance_fen=3_500, count=6)
    free()
    Meter.update(frozen=True).execute()
    before = picture()

    with pytest.raises(NotFreeable) as refusal:
        free(request_id="f2")
    assert refusal.value.params["why"] == "old_reading"
    assert picture() == before
