"""A batch from its approval to its end: each refusal changes nothing, each item ends once."""

import datetime as dt
import json
import threading

import pytest

from engine.config import Config, ControlSection, MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalNeeded,
    BadBatch,
    BatchEnded,
    ConfirmNumber,
    Forbidden,
    NoReason,
    NoSuchBatch,
    NotApprovable,
    PlanStale,
    RequestIdReused,
    StaleEngine,
)
from engine.domain.selection import Selection
from engine.services import approvals, batches, commands, operators, selling
from engine.views import batches as views
from models.base import connection, write_transaction
from models.commands import Command, Lease
from models.control import Batch, BatchItem, Temporary
from models.enums import (
    BatchState,
    BatchVerb,
    CommandKind,
    CommandState,
    ItemState,
    PayKind,
    Planned,
    Role,
    TemporaryPurpose,
)
from models.people import AuditEntry
from models.site import Line, Meter

CONFIG = Config(control=ControlSection(second_from=3))
CLOSED, HELD, PREPAYING = 1 << 13, 1 << 13 | 1 << 3 | 1, 1 << 3
EPOCH = 7
ALL = Selection(everything=True)


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def add(add_meter, poll):
    def one(number, *, status1=CLOSED, **fields):
        meter = add_meter(f"20261123{number:04d}", **fields)
        poll(meter, status1=status1, status2=PREPAYING)
        return meter

    return one


@pytest.fixture
def two(add):
    return [add(1), add(2)]


@pytest.fixture
def sell_to(operator):
    """100 yuan in cash to one of them."""

    def one(meter):
        money = MoneySection()
        return selling.sell(meter.serial, 10_000, PayKind.CASH, operator, "s1", money=money)

    return one


@pytest.fixture
def five_on_two_lines(add, line):
    with write_transaction():
        other = Line.create(name="L02", gateway=line.gateway, link=line.link)
    meters = [add(number) for number in range(1, 6)]
    with write_transaction():
        Meter.update(line=other).where(Meter.id.in_([meters[3].id, meters[4].id])).execute()
    return meters


@pytest.fixture
def begin(boss, clock):
    """Plan a verb over all meters and approve it by its number."""

    def one(verb=BatchVerb.PRICE, *, confirm=None, by=boss, request_id="b1", why="催费",
            approver=None, selection=ALL, **options):  # fmt: skip
        plan = batches.plan(verb, selection, options, config=CONFIG, now=clock.at)
        number = len(plan.change) if confirm is None else confirm
        return batches.start(plan, number, why, by, request_id, config=CONFIG, approver=approver)

    return one


def feed(epoch=EPOCH):
    return batches.feed(CONFIG, epoch)


def end(command, state=CommandState.APPLIED, reason=None):
    if command.kind is CommandKind.READ:
        return commands.finish_read(command.id, state, reason)
    return commands.finish_uncounted(command.id, state, reason, EPOCH)


def queued():
    return list(Command.select().where(Command.state == CommandState.QUEUED).order_by(Command.id))


def run_to_end(batch):
    while batches.get(batch.id).state is BatchState.RUNNING:
        feed()
        for command in queued():
            end(command)


def states(batch):
    return [item.state for item in BatchItem.select().where(BatchItem.batch == batch)]


def test_a_batch_keeps_the_plan_and_says_so_in_the_log(begin, two, boss, clock):
    batch = begin(BatchVerb.PRICE)

    assert (batch.state, batch.verb, batch.operator) == (BatchState.RUNNING, BatchVerb.PRICE, boss)
    assert json.loads(batch.selection) == {"everything": True}
    assert states(batch) == [ItemState.WAITING, ItemState.WAITING]
    assert AuditEntry.select().where(AuditEntry.action == "batch_start").count() == 1


def test_nothing_runs_without_the_right_number(begin, two, picture):
    before = picture()

    with pytest.raises(ConfirmNumber) as refused:
        begin(confirm=3)

    assert (refused.value.code, refused.value.params["number"]) == ("confirm", 2)
    assert {**picture(), "operator": before["operator"]} == before


def test_an_empty_plan_cannot_be_approved(begin, add):
    add(1, status1=HELD)

    with pytest.raises(ConfirmNumber):
        begin(BatchVerb.HOLD, confirm=0)


@pytest.mark.parametrize(
    ("role", "verb"),
    [
        (Role.CASHIER, BatchVerb.PRICE),
        (Role.VIEWER, BatchVerb.EXPORT),
        (Role.CASHIER, BatchVerb.TRIP),
    ],
)
def test_who_may_not_over_many_meters_may_not(begin, two, clock, role, verb, picture):
    other = operators.create("小刘", "battery staple", role, at=clock.at)
    before = picture()

    with pytest.raises(Forbidden):
        begin(verb, by=other)

    assert picture() == before


def test_an_engineer_may_switch_and_set_but_no_cashier_s_verbs_are_needed(begin, two, clock):
    engineer = operators.create("小刘", "battery staple", Role.ENGINEER, at=clock.at)

    assert begin(BatchVerb.HOLD, by=engineer).state is BatchState.RUNNING


def test_a_switch_wants_a_reason(begin, two, picture):
    before = picture()

    with pytest.raises(NoReason):
        begin(BatchVerb.TRIP, why=" \x00 ")
    assert picture() == before

    assert begin(BatchVerb.PRICE, why="").why == ""


def test_what_changed_since_the_plan_is_named_and_nothing_runs(two, boss, clock, sell_to, picture):
    plan = batches.plan(BatchVerb.TRIP, ALL, {}, config=CONFIG, now=clock.at)
    sell_to(two[1])
    before = picture()

    with pytest.raises(PlanStale) as refused:
        batches.start(plan, 2, "催费", boss, "b1", config=CONFIG)

    assert (refused.value.params["number"], refused.value.params["serials"]) == (
        1, "202611230002",
    )  # fmt: skip
    assert picture() == before


def test_what_would_be_cut_only_since_the_plan_is_a_change_too(add, poll, boss, clock):
    meter = add(1, status1=HELD)
    plan = batches.plan(BatchVerb.RESUME, ALL, {}, config=CONFIG, now=clock.at)
    clock.advance(minutes=1)
    poll(meter, 1001, balance_fen=-1, status1=HELD | 1 << 5, status2=PREPAYING)

    with pytest.raises(PlanStale):
        batches.start(plan, 1, "恢复", boss, "b1", config=CONFIG)


def test_what_is_so_since_the_plan_stops_nobody(two, poll, boss, clock):
    plan = batches.plan(BatchVerb.HOLD, ALL, {}, config=CONFIG, now=clock.at)
    clock.advance(minutes=1)
    poll(two[0], 1001, status1=HELD, status2=PREPAYING)

    batch = batches.start(plan, 2, "过节", boss, "b1", config=CONFIG)

    assert states(batch) == [ItemState.WAITING, ItemState.WAITING]


def test_the_same_id_twice_is_one_batch(begin, two):
    assert begin().id == begin().id
    assert Batch.select().count() == 1


def test_the_same_id_for_another_verb_is_refused(begin, two):
    begin()

    with pytest.raises(RequestIdReused):
        begin(BatchVerb.CLOCK)


def test_many_trips_want_a_second_person(begin, add, chief, boss, picture):
    for number in range(1, 4):
        add(number)
    before = picture()

    with pytest.raises(ApprovalNeeded) as refused:
        begin(BatchVerb.TRIP)
    assert (refused.value.params["amount"], refused.value.params["limit"]) == ("3", "3")
    with pytest.raises(NotApprovable):
        begin(BatchVerb.TRIP, approver=boss)
    assert picture() == before

    assert begin(BatchVerb.TRIP, approver=chief).approver == chief


def test_two_trips_do_not(begin, two):
    assert begin(BatchVerb.TRIP).approver is None


def test_resuming_many_who_are_in_arrears_is_a_trip_by_another_name(begin, add):
    for number in range(1, 4):
        add(number, status1=HELD | 1 << 5)

    with pytest.raises(ApprovalNeeded):
        begin(BatchVerb.RESUME)


def test_a_second_person_elsewhere_approves_what_was_shown(add, boss, chief, clock):
    for number in range(1, 4):
        add(number)
    plan = batches.plan(BatchVerb.TRIP, ALL, {}, config=CONFIG, now=clock.at)
    given = batches.wish(plan, 3, "催费")
    asked = approvals.attempt("batch", given, boss, "b1", config=CONFIG)
    assert Batch.select().count() == 0

    approvals.approve(asked.id, chief, config=CONFIG)

    batch = Batch.get()
    assert (batch.operator, batch.approver, batch.request_id) == (boss, chief, "b1")
    assert BatchItem.select().where(BatchItem.planned == Planned.CHANGE).count() == 3


def test_what_is_not_what_was_asked_for_is_not_approved(add, boss, chief, clock):
    meters = [add(number) for number in range(1, 4)]
    plan = batches.plan(BatchVerb.TRIP, ALL, {}, config=CONFIG, now=clock.at)
    asked = approvals.attempt("batch", batches.wish(plan, 3, "催费"), boss, "b1", config=CONFIG)
    with write_transaction():
        Meter.update(protected=True).where(Meter.id == meters[0].id).execute()
    add(4)  # as many as before, and yet others

    with pytest.raises(PlanStale):
        approvals.approve(asked.id, chief, config=CONFIG)
    assert Batch.select().count() == 0


def test_each_line_has_two_commands_in_hand_in_the_order_of_its_addresses(
    begin, five_on_two_lines, lease
):
    batch = begin(BatchVerb.PRICE)

    assert feed() is True
    assert [each.serial for each in queued()] == [
        "202611230001", "202611230002", "202611230004", "202611230005",
    ]  # fmt: skip
    assert feed() is False
    end(queued()[0])
    feed()

    assert [each.serial for each in queued()][-1] == "202611230003"
    assert batches.get(batch.id).state is BatchState.RUNNING


def test_exactly_what_was_planned_is_downloaded(begin, two, lease):
    begin(BatchVerb.PRICE)
    with write_transaction():
        Meter.update(tariff="另一个").execute()

    feed()

    assert json.loads(queued()[0].desired) == {
        "price_sharp": "1.2000", "price_peak": "1.0000", "price_flat": "0.7000",
        "price_valley": "0.4000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (BatchVerb.SETTINGS, CommandKind.DOWNLOAD),
        (BatchVerb.HOLD, CommandKind.HOLD),
        (BatchVerb.TRIP, CommandKind.TRIP),
        (BatchVerb.CLOCK, CommandKind.CLOCK),
        (BatchVerb.READ, CommandKind.READ),
    ],
)
def test_every_verb_becomes_its_command_of_the_batch_s_operator(
    begin, two, lease, boss, verb, kind
):
    batch = begin(verb)
    feed()
    item = BatchItem.get(BatchItem.serial == "202611230001")

    command = Command.get(Command.serial == "202611230001")
    assert (command.kind, command.operator) == (kind, boss)
    assert command.request_id == f"batch-{batch.id}-{item.id}"
    assert item.command == command


def test_a_batch_is_done_when_none_is_left(begin, five_on_two_lines, lease, clock):
    batch = begin()

    run_to_end(batch)

    found = batches.get(batch.id)
    assert (found.state, found.finished_at) == (BatchState.DONE, clock.at)
    assert set(states(batch)) == {ItemState.APPLIED}
    assert Command.select().count() == 5


def test_progress_is_told_line_by_line(begin, five_on_two_lines, lease):
    batch = begin()
    feed()
    first, second, *_ = queued()
    end(first)
    end(second, CommandState.REFUSED, "not_held")
    feed()

    found = views.progress(batch.id)

    assert (found.batch.total, found.batch.done, found.batch.failed) == (5, 1, 1)
    line = found.lines[0]
    assert (line.line, line.total, line.done, line.failed, line.waiting) == ("L01", 3, 1, 1, 0)
    assert (line.current, line.down) == ("202611230003", False)
    assert [item.reason for item in views.items(batch.id)][:2] == [None, "not_held"]
    assert [row.batch for row in views.list_batches()] == [batch.id]


def test_an_unknown_outcome_ends_the_batch_and_may_be_decided_later(begin, add, lease):
    add(1)
    batch = begin(BatchVerb.TRIP)
    feed()
    command = queued()[0]
    commands.mark_control_sent(command.id, EPOCH)
    commands.keep_control(command.id, "no_reply", EPOCH)

    feed()
    assert states(batch) == [ItemState.UNKNOWN]
    assert batches.get(batch.id).state is BatchState.DONE

    end(command)
    feed()
    assert states(batch) == [ItemState.APPLIED]


def test_switches_that_have_not_left_in_time_never_do(begin, add, lease, clock):
    for number in range(1, 3):
        add(number)
    add(3, status1=HELD)
    batch = begin(BatchVerb.TRIP)
    assert batch.expires_at == clock.at + dt.timedelta(seconds=300 + batch.line_s)

    clock.at = batch.expires_at
    feed()

    waiting = BatchItem.select().where(BatchItem.batch == batch, BatchItem.serial != "202611230003")
    assert [(each.state, each.reason) for each in waiting] == [(ItemState.SKIPPED, "expired")] * 2
    assert batches.get(batch.id).state is BatchState.DONE
    assert Command.select().count() == 0


def test_a_command_of_a_switch_expires_with_its_batch(begin, two, lease, clock):
    batch = begin(BatchVerb.TRIP)
    clock.advance(seconds=100)
    feed()

    assert queued()[0].expires_at == batch.expires_at
    end(queued()[0], CommandState.REFUSED, "expired")
    feed()

    assert states(batch)[0] is ItemState.SKIPPED


def test_a_price_may_always_leave(begin, two, lease, clock):
    batch = begin(BatchVerb.PRICE)
    clock.advance(days=3)
    feed()

    assert batch.expires_at is None
    assert len(queued()) == 2


def test_who_paid_since_is_not_tripped(begin, two, lease, sell_to, clock):
    batch = begin(BatchVerb.TRIP)
    clock.advance(seconds=5)
    sold = sell_to(two[0])
    commands.mark_sent(sold.id, PurchaseState(4, 500, 1000), EPOCH, "boot", 1)
    after = PurchaseState(5, 10_500, 1000)
    commands.settle(sold.id, Step.CONFIRM, after, None, EPOCH, zone=CONFIG.site.zone)
    feed()

    assert [each.serial for each in queued()] == ["202611230002"]
    item = BatchItem.get(BatchItem.serial == "202611230001")
    assert (item.state, item.reason) == (ItemState.SKIPPED, "sold_since")
    assert batches.get(batch.id).state is BatchState.RUNNING


def test_what_is_protected_since_is_refused_and_the_others_go_on(begin, two, lease):
    begin(BatchVerb.TRIP)
    with write_transaction():
        Meter.update(protected=True).where(Meter.id == two[0].id).execute()
    feed()

    item = BatchItem.get(BatchItem.serial == "202611230001")
    assert (item.state, item.reason) == (ItemState.REFUSED, "meter_protected")
    assert [each.serial for each in queued()] == ["202611230002"]


def test_a_meter_that_is_silent_does_not_keep_its_line_from_the_others(begin, add, lease, clock):
    for number in range(1, 5):
        add(number)
    begin(BatchVerb.PRICE)
    feed()
    clock.advance(seconds=11)
    feed()

    assert len(queued()) == 4


def test_paused_it_takes_back_what_has_not_left(begin, five_on_two_lines, lease, boss):
    batch = begin(BatchVerb.PRICE)
    feed()
    first, *rest = queued()
    commands.mark_control_sent(first.id, EPOCH)

    batches.pause(batch.id, boss)
    assert {commands.get(each.id).state for each in rest} == {CommandState.VOIDED}
    assert feed() is False
    end(first)
    feed()

    found = batches.get(batch.id)
    assert (found.state, found.stopped) == (BatchState.PAUSED, "operator")
    assert states(batch).count(ItemState.WAITING) == 4

    batches.resume(batch.id, 4, boss, config=CONFIG)
    run_to_end(batch)

    assert set(states(batch)) == {ItemState.APPLIED}
    applied = Command.select().where(Command.state == CommandState.APPLIED)
    assert sorted(each.serial for each in applied) == [m.serial for m in five_on_two_lines]


def test_a_paused_batch_whose_last_command_had_left_is_done_with_it(begin, add, lease, boss):
    add(1)
    batch = begin(BatchVerb.PRICE)
    feed()
    (command,) = queued()
    commands.mark_control_sent(command.id, EPOCH)
    batches.pause(batch.id, boss)
    end(command)
    feed()

    assert batches.get(batch.id).state is BatchState.DONE


def test_a_new_engine_asks_nothing_where_nothing_is_left(begin, add, lease):
    add(1)
    batch = begin(BatchVerb.TRIP)
    feed()
    commands.mark_control_sent(queued()[0].id, EPOCH)
    with write_transaction():
        Lease.update(epoch=8).execute()

    batches.restarted(8)

    assert batches.get(batch.id).state is BatchState.RUNNING


def test_going_on_wants_the_number_that_is_left(begin, five_on_two_lines, lease, boss, picture):
    batch = begin()
    feed()
    end(queued()[0])
    feed()
    batches.pause(batch.id, boss)
    before = picture()

    with pytest.raises(ConfirmNumber):
        batches.resume(batch.id, 5, boss, config=CONFIG)
    assert picture() == before


def test_a_new_engine_lets_switches_wait_for_a_person(begin, add, lease, boss, chief, picture):
    for number in range(1, 5):
        add(number)
    batch = begin(BatchVerb.TRIP, approver=chief)
    feed()
    end(queued()[0])
    feed()
    with write_transaction():
        Lease.update(epoch=8).execute()

    batches.restarted(8)

    found = batches.get(batch.id)
    assert (found.state, found.stopped) == (BatchState.PAUSED, "restarted")
    assert queued() == []
    assert feed(8) is False
    with pytest.raises(ApprovalNeeded):
        batches.resume(batch.id, 3, boss, config=CONFIG)
    batches.resume(batch.id, 3, boss, config=CONFIG, approver=chief)
    assert feed(8) is True


def test_a_batch_that_began_while_no_engine_ran_is_taken_up(begin, two, lease):
    begin(BatchVerb.TRIP)

    batches.restarted(EPOCH)

    assert feed() is True


def test_prices_go_on_under_a_new_engine_by_themselves(begin, two, lease):
    begin(BatchVerb.PRICE)
    feed()
    end(queued()[0])
    with write_transaction():
        Lease.update(epoch=8).execute()
    batches.restarted(8)
    feed(8)

    assert Batch.get().state is BatchState.RUNNING
    assert Batch.get().epoch == 8


def test_an_engine_that_lost_the_site_feeds_nothing(begin, two, lease, picture):
    begin()
    before = picture()

    with pytest.raises(StaleEngine):
        feed(6)
    assert picture() == before


def test_what_is_so_when_a_batch_goes_on_is_left_out(begin, two, lease, boss, poll, clock):
    batch = begin(BatchVerb.HOLD)
    batches.pause(batch.id, boss)
    clock.advance(minutes=1)
    poll(two[0], 1001, status1=HELD, status2=PREPAYING)

    batches.resume(batch.id, 2, boss, config=CONFIG)

    assert [(i.state, i.reason) for i in BatchItem.select()] == [
        (ItemState.SKIPPED, "same"), (ItemState.WAITING, None),
    ]  # fmt: skip


def test_cancelled_it_sends_no_more(begin, five_on_two_lines, lease, boss):
    batch = begin()
    feed()
    commands.mark_control_sent(queued()[0].id, EPOCH)

    batches.cancel(batch.id, boss)
    feed()

    assert batches.get(batch.id).state is BatchState.CANCELLED
    assert states(batch).count(ItemState.SKIPPED) == 4
    assert queued() == []
    with pytest.raises(BatchEnded):
        batches.cancel(batch.id, boss)


def test_there_is_no_such_batch(db, boss):
    with pytest.raises(NoSuchBatch):
        batches.pause(99, boss)
    with pytest.raises(NoSuchBatch):
        views.progress(99)
    with pytest.raises(NoSuchBatch):
        views.items(99)


def test_only_what_failed_is_repeated_and_never_what_is_unknown(begin, add, lease, boss, clock):
    for number in range(1, 5):
        add(number)
    batch = begin(BatchVerb.PRICE)
    feed()
    one, two = queued()
    end(one)
    end(two, CommandState.REFUSED, "not_held")
    feed()
    three, four = queued()
    commands.mark_control_sent(three.id, EPOCH)
    commands.keep_control(three.id, "no_reply", EPOCH)
    end(four, CommandState.REFUSED, "no_reply")
    feed()

    again = batches.retry(batch.id, 2, "", boss, "b2", config=CONFIG)

    assert again.retries == batch
    assert [item.serial for item in views.items(again.id)] == [two.serial, four.serial]


def test_a_running_batch_is_not_repeated_and_a_whole_one_has_nothing_to_repeat(
    begin, two, lease, clock
):
    batch = begin()
    with pytest.raises(BatchEnded) as refused:
        batches.plan_retry(batch.id, config=CONFIG, now=clock.at)
    assert refused.value.params["why"] == "running"

    run_to_end(batch)
    with pytest.raises(BatchEnded) as refused:
        batches.plan_retry(batch.id, config=CONFIG, now=clock.at)
    assert refused.value.params["why"] == "nothing"


def test_opposing_batches_cannot_run_over_one_another(begin, two, boss, clock):
    trips = batches.plan(BatchVerb.TRIP, ALL, {}, config=CONFIG, now=clock.at)
    holds = batches.plan(BatchVerb.HOLD, ALL, {}, config=CONFIG, now=clock.at)
    prices = batches.plan(BatchVerb.PRICE, ALL, {}, config=CONFIG, now=clock.at)
    gate, ended = threading.Barrier(2), []

    def approve(plan):
        with connection():
            gate.wait()
            try:
                ended.append(batches.start(plan, 2, "因故", boss, plan.verb, config=CONFIG).verb)
            except PlanStale as error:
                ended.append(error.code)

    threads = [threading.Thread(target=approve, args=(plan,)) for plan in (trips, holds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) in (["hold", "plan_stale"], ["plan_stale", "trip"])
    assert Batch.select().count() == 1
    assert batches.start(prices, 2, "", boss, "p", config=CONFIG).state is BatchState.RUNNING


def test_a_hold_until_a_time_is_an_order_of_its_own_for_each_meter(begin, two, lease, clock):
    until = clock.at + dt.timedelta(hours=14)
    batch = begin(BatchVerb.HOLD, until=until.isoformat())
    feed()

    orders = list(Temporary.select().order_by(Temporary.id))
    assert [order.serial for order in orders] == [meter.serial for meter in two]
    assert {(order.batch, order.until, order.purpose) for order in orders} == {
        (batch, until, TemporaryPurpose.NO_CUT)
    }
    assert {each.expires_at for each in queued()} == {clock.at + dt.timedelta(seconds=300)}
    run_to_end(batch)
    assert set(states(batch)) == {ItemState.APPLIED}


@pytest.mark.parametrize("until", ["soon", "2026-11-23T00:59:00+00:00", "2026-11-24T09:00"])
def test_a_hold_until_a_time_that_is_none_is_refused(begin, two, until):
    with pytest.raises(BadBatch) as refused:
        begin(BatchVerb.HOLD, until=until)

    assert refused.value.params["why"] == "until"


def test_an_export_of_what_is_known_is_done_at_once(begin, two, clock):
    batch = begin(BatchVerb.EXPORT)

    assert (batch.state, batch.finished_at) == (BatchState.DONE, clock.at)
    assert set(states(batch)) == {ItemState.APPLIED}


def test_a_fresh_export_reads_first(begin, two, lease):
    batch = begin(BatchVerb.EXPORT, fresh=1)

    feed()
    assert {each.kind for each in queued()} == {CommandKind.READ}
    run_to_end(batch)
    assert batches.get(batch.id).state is BatchState.DONE
