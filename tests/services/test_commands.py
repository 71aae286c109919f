"""A counted command's way: each transition once, by the engine that holds the lease."""

import datetime as dt
import threading
from dataclasses import dataclass
from decimal import Decimal

import pytest

from engine.domain import errors
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, operators
from models import base
from models.commands import Attempt, Command, Lease, Receipt
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, PayKind, Role
from models.ledger import LedgerEntry
from models.people import AuditEntry
from models.site import Meter

BASE = PurchaseState(count=4, balance_fen=500, energy_wh=1000)
APPLIED = PurchaseState(count=5, balance_fen=10_497, energy_wh=1010)


def kinds() -> list[EntryKind]:
    return [entry.kind for entry in LedgerEntry.select().order_by(LedgerEntry.id)]


def new_lease(epoch: int) -> None:
    with base.write_transaction():
        Lease.update(epoch=epoch).execute()


def test_sent_records_the_next_count_what_the_meter_said_and_who_sends(sell, send, clock):
    sent = send(sell())

    assert (sent.state, sent.seq, sent.writes) == (CommandState.SENT, 5, 1)
    assert (sent.base_count, sent.base_balance_fen, sent.base_energy_wh) == (4, 500, 1000)
    assert (sent.lease_epoch, sent.sender_boot, sent.sender_pid) == (7, "this boot", 4711)
    assert sent.sent_at == clock.at


def test_every_transition_raises_the_revision(sell, send, settle):
    queued = sell()
    sent = send(queued)
    kept = settle(sent, Step.KEEP)
    applied = settle(kept, Step.CONFIRM, APPLIED)

    assert [queued.rev, sent.rev, kept.rev, applied.rev] == [1, 2, 3, 4]


def test_sending_takes_over_the_credit_of_a_meter_never_read(sell, send, meter):
    send(sell())

    taken = LedgerEntry.get(LedgerEntry.kind == EntryKind.TAKE_OVER)
    assert (taken.credit.kind, taken.amount_fen) == (AccountKind.METER_CREDIT, 500)
    assert Meter.get_by_id(meter.id).mirror_count == 4


def test_a_command_is_sent_once(sell, send, picture):
    sent = send(sell())
    before = picture()

    with pytest.raises(errors.StaleEngine):
        send(sent)

    assert picture() == before


def test_an_engine_whose_lease_is_over_sends_nothing(sell, send, picture):
    command = sell()
    new_lease(8)
    before = picture()

    with pytest.raises(errors.StaleEngine):
        send(command)

    assert picture() == before


def test_a_frozen_meter_is_not_written_to(sell, send, meter, picture):
    command = sell()
    with base.write_transaction():
        Meter.update(frozen=True).where(Meter.id == meter.id).execute()
    before = picture()

    with pytest.raises(errors.MeterFrozen):
        send(command)

    assert picture() == before


def test_a_count_that_moved_without_us_is_not_written_to(sell, send, poll, meter, picture):
    poll(meter, count=4)
    command = sell()
    before = picture()

    with pytest.raises(errors.CountMoved) as caught:
        send(command, PurchaseState(count=5, balance_fen=900, energy_wh=1000))

    assert caught.value.params == {"serial": meter.serial, "expected": 4, "found": 5}
    assert picture() == before


def test_a_count_that_was_used_before_is_not_used_again(sell, prove, send, meter, picture):
    prove(sell("r1"))  # made count 5
    command = sell("r2")
    with base.write_transaction():  # as after a foreign reset that a person has released
        Meter.update(mirror_count=4).where(Meter.id == meter.id).execute()
    before = picture()

    with pytest.raises(errors.CountMoved):
        send(command)

    assert picture() == before


def test_a_rewrite_counts_the_frames_and_names_the_new_sender(sell, send):
    sent = send(sell())
    new_lease(8)

    again = commands.mark_rewrite(sent.id, 8, "next boot", 99)

    assert (again.state, again.writes, again.seq) == (CommandState.SENT, 2, 5)
    assert (again.lease_epoch, again.sender_boot, again.sender_pid) == (8, "next boot", 99)


def test_only_what_was_sent_is_written_again(sell, lease, picture):
    command = sell()
    before = picture()

    with pytest.raises(errors.StaleEngine):
        commands.mark_rewrite(command.id, lease, "this boot", 4711)

    assert picture() == before


def test_a_proved_sale_posts_credit_and_fee_and_has_a_receipt(sell, send, settle, meter, clock):
    sent = send(sell(paid_fen=10_000, fee_pct=Decimal(2)))
    clock.advance(hours=15)  # past midnight at the site, not in UTC

    applied = settle(sent, Step.CONFIRM, PurchaseState(5, 10_300, 1000))

    assert (applied.state, applied.finished_at) == (CommandState.APPLIED, clock.at)
    assert kinds() == [EntryKind.SALE, EntryKind.TAKE_OVER, EntryKind.CREDIT, EntryKind.FEE]
    assert ledger.balance_of(ledger.meter_credit(meter.serial)) == 10_300
    assert ledger.balance_of(ledger.fee_income()) == 200
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 0
    assert Receipt.get(Receipt.command == applied).number == "20261124-000001"
    assert Meter.get_by_id(meter.id).mirror_count == 5


def test_receipts_are_numbered_through_the_site(sell, prove, add_meter):
    prove(sell("r1"))
    prove(sell("r2", to=add_meter("202611230002")))

    assert [row.number for row in Receipt.select().order_by(Receipt.id)] == [
        "20261123-000001",
        "20261123-000002",
    ]


def test_confirming_twice_posts_once(sell, prove, settle, picture):
    applied = prove(sell())
    before = picture()

    again = settle(applied, Step.CONFIRM, APPLIED)

    assert again.state is CommandState.APPLIED
    assert picture() == before


def test_not_even_a_repeated_confirmation_is_granted_to_a_stale_engine(sell, prove, settle):
    applied = prove(sell())
    new_lease(8)

    with pytest.raises(errors.StaleEngine):
        settle(applied, Step.CONFIRM, APPLIED)


def test_a_refused_sale_gives_the_money_back_with_its_reason(sell, send, settle, meter):
    sent = send(sell(paid_fen=10_000, fee_pct=Decimal(2)))

    refused = settle(sent, Step.REFUSE, BASE, "not_applied")

    assert (refused.state, refused.reason) == (CommandState.REFUSED, "not_applied")
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 0
    assert ledger.balance_of(ledger.till_of(refused)) == 0
    assert Receipt.select().count() == 0
    assert AuditEntry.select().where(AuditEntry.action == "refused").count() == 1


def test_a_sale_can_be_refused_before_it_was_sent(sell, lease, meter):
    refused = commands.refuse_unsent(sell().id, "ceiling", lease)

    assert (refused.state, refused.reason) == (CommandState.REFUSED, "ceiling")
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 0


def test_what_may_have_left_is_not_refused_as_unsent(sell, send, lease, picture):
    sent = send(sell())
    before = picture()

    with pytest.raises(errors.StaleEngine):
        commands.refuse_unsent(sent.id, "expired", lease)

    assert picture() == before


def test_what_was_not_sent_is_not_refused_by_a_read_back(sell, settle, lease, picture):
    queued = sell()
    before = picture()

    with pytest.raises(errors.StaleEngine):
        settle(queued, Step.REFUSE, BASE, "not_applied")

    assert picture() == before


def test_suspense_keeps_the_money_apart_and_freezes_the_meter(sell, send, settle, meter):
    sent = send(sell())

    suspended = settle(sent, Step.SUSPEND, PurchaseState(9, 77, 1000))

    assert (suspended.state, suspended.reason) == (CommandState.SUSPENSE, "suspense")
    assert (suspended.after_count, suspended.after_balance_fen) == (9, 77)
    assert ledger.balance_of(ledger.suspense(meter.serial)) == 10_000
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 0
    assert Meter.get_by_id(meter.id).frozen


def test_an_unknown_command_is_read_back_after_2_5_15_60_s_then_each_minute(
    sell, send, settle, clock
):
    command = send(sell())
    waits = []

    for _ in range(6):
        command = settle(command, Step.KEEP, None, "no_reply")
        waits.append((command.next_check_at - clock.at).total_seconds())

    assert waits == [2, 5, 15, 60, 60, 60]
    assert (command.state, command.checks, command.reason) == (CommandState.UNKNOWN, 6, "no_reply")
    assert kinds() == [EntryKind.SALE, EntryKind.TAKE_OVER]


def test_an_unknown_command_still_holds_the_meter(sell, send, settle):
    settle(send(sell("r1")), Step.KEEP)

    with pytest.raises(errors.CommandOpen):
        sell("r2")


def test_an_unknown_command_may_be_proved_later(sell, send, settle):
    kept = settle(send(sell()), Step.KEEP, None, "no_reply")

    applied = settle(kept, Step.CONFIRM, APPLIED)

    assert (applied.state, applied.reason, applied.next_check_at) == (
        CommandState.APPLIED, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("step", [Step.REFUSE, Step.SUSPEND, Step.KEEP])
def test_what_has_ended_cannot_end_otherwise(sell, prove, settle, picture, step):
    applied = prove(sell())
    before = picture()

    with pytest.raises(errors.StaleEngine):
        settle(applied, step, BASE)

    assert picture() == before


@pytest.mark.parametrize("step", [Step.CONFIRM, Step.SUSPEND, Step.KEEP])
def test_what_was_never_sent_cannot_be_proved_or_unknown(sell, settle, lease, picture, step):
    command = sell()
    before = picture()

    with pytest.raises(errors.StaleEngine):
        settle(command, step, APPLIED)

    assert picture() == before


@pytest.mark.parametrize("step", [Step.CONFIRM, Step.REFUSE, Step.SUSPEND, Step.KEEP])
def test_an_engine_whose_lease_is_over_settles_nothing(sell, send, settle, picture, step):
    sent = send(sell())
    new_lease(8)
    before = picture()

    with pytest.raises(errors.StaleEngine):
        settle(sent, step, APPLIED)

    assert picture() == before


def test_without_a_lease_nothing_is_settled(sell, send, settle):
    sent = send(sell())
    with base.write_transaction():
        Lease.delete().execute()

    with pytest.raises(errors.StaleEngine):
        settle(sent, Step.CONFIRM, APPLIED)


@pytest.mark.parametrize("step", [Step.LOOK_AGAIN, Step.REWRITE])
def test_looking_again_and_writing_again_settle_nothing(sell, send, settle, step):
    sent = send(sell())

    with pytest.raises(AssertionError):
        settle(sent, step)


def test_two_engines_confirming_at_once_post_once(sell, send, settle):
    sent = send(sell())
    gate = threading.Barrier(2, timeout=20)

    def confirm() -> None:
        with base.connection():
            gate.wait()
            settle(sent, Step.CONFIRM, APPLIED)

    threads = [threading.Thread(target=confirm) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert kinds().count(EntryKind.CREDIT) == 1
    assert Receipt.select().count() == 1


def test_pending_are_queued_sent_and_unknown_ones_in_order_with_their_line(
    sell, send, settle, prove, add_meter, line
):
    shops = [add_meter(f"20261123100{number}") for number in range(4)]
    unknown = settle(send(sell("r0", to=shops[0])), Step.KEEP)
    sent = send(sell("r1", to=shops[1]))
    prove(sell("r2", to=shops[2]))
    queued = sell("r3", to=shops[3])
    commands.request_read(shops[2].serial, "read-1")

    pending = commands.pending_counted()

    assert pending == [unknown, sent, queued]
    assert {command.meter.line_id for command in pending} == {line.id}


@dataclass
class Frame:
    step: str
    request: bytes
    reply: bytes | None
    error: str | None
    at: dt.datetime


def test_every_frame_of_a_turn_is_kept_as_evidence(sell, clock):
    command = sell()

    commands.record_attempts(
        command.id,
        [
            Frame("fence", b"\x01\x03", b"\x01\x03\x02", None, clock.at),
            Frame("write", b"\x01\x20", None, "no_reply", clock.at),
        ],
    )

    rows = Attempt.select(Attempt.step, Attempt.request, Attempt.reply, Attempt.error).tuples()
    assert list(rows) == [
        ("fence", b"\x01\x03", b"\x01\x03\x02", None),
        ("write", b"\x01\x20", None, "no_reply"),
    ]


def test_a_fresh_read_waits_for_the_engine_and_expires(meter, clock):
    command = commands.request_read(meter.serial, "read-1", expires_s=30)

    assert (command.kind, command.counted) == (CommandKind.READ, False)
    assert command.expires_at == clock.at + dt.timedelta(seconds=30)
    assert commands.pending_uncounted() == [command]


def test_a_fresh_read_needs_no_right_of_whoever_owns_the_files_but_that_of_an_operator(
    meter, clock
):
    viewer = operators.create("赵敏", "another password", Role.VIEWER, at=clock.at)

    with pytest.raises(errors.Forbidden):
        commands.request_read(meter.serial, "read-1", viewer)
    assert Command.select().count() == 0


def test_a_repeated_request_for_a_read_returns_the_first(meter):
    first = commands.request_read(meter.serial, "read-1")

    assert commands.request_read(meter.serial, "read-1") == first


def test_a_sale_and_a_read_cannot_share_a_request_id(sell, meter):
    sell("r1")

    with pytest.raises(errors.RequestIdReused):
        commands.request_read(meter.serial, "r1")


def test_a_read_may_be_asked_for_while_a_sale_is_under_way(sell, meter):
    sell("r1")

    assert commands.request_read(meter.serial, "read-1").state is CommandState.QUEUED


def test_a_read_ends_once(meter):
    command = commands.request_read(meter.serial, "read-1")
    commands.finish_read(command.id, CommandState.APPLIED)

    again = commands.finish_read(command.id, CommandState.REFUSED, "no_reply")

    assert (again.state, again.reason) == (CommandState.APPLIED, None)
    assert commands.pending_uncounted() == []


def test_a_sale_is_not_ended_as_a_read(sell):
    command = sell()

    assert commands.finish_read(command.id, CommandState.APPLIED).state is CommandState.QUEUED


def test_the_outcome_of_a_proved_sale_is_the_contract_word_for_word(sell, prove, meter):
    applied = prove(sell("r1", pay=PayKind.WECHAT))

    assert commands.outcome_of(applied) == {
        "command": applied.id,
        "request_id": "r1",
        "outcome": "applied",
        "reason": None,
        "serial": meter.serial,
        "amount_fen": 10_000,
        "fee_fen": 0,
        "count_before": 4,
        "count_after": 5,
        "balance_before_fen": 500,
        "balance_after_fen": 10_500,
        "receipt": "20261123-000001",
    }


def test_a_sale_under_way_is_queued_and_its_unknown_numbers_are_null(sell, send):
    outcome = commands.outcome_of(send(sell()))

    assert (outcome["outcome"], outcome["count_before"]) == ("queued", 4)
    assert (outcome["count_after"], outcome["balance_after_fen"], outcome["receipt"]) == (
        None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "outcome", "reason"),
    [
        (Step.REFUSE, "refused", "not_applied"),
        (Step.SUSPEND, "unknown", "suspense"),
        (Step.KEEP, "unknown", "no_reply"),
    ],
)
def test_refused_suspense_and_unknown_are_told_apart(sell, send, settle, step, outcome, reason):
    told = commands.outcome_of(settle(send(sell()), step, None, reason))

    assert (told["outcome"], told["reason"]) == (outcome, reason)


def test_a_command_nobody_made_is_not_found(db):
    with pytest.raises(errors.NoSuchCommand):
        commands.get(12)
