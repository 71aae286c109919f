"""What crosses a batch or a switch that waits: a midnight, a limit, another order, a payment."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from engine.config import Config
from engine.domain.counted import PurchaseState
from engine.domain.errors import MeterLockedOut, SwitchOvertaken
from engine.domain.selection import Selection
from engine.services import (
    batches,
    commands,
    downloads,
    locking,
    operators,
    queueing,
    switching,
    tariffs,
    temporary,
)
from models.base import write_transaction
from models.commands import Command
from models.control import BatchItem
from models.enums import (
    BatchState,
    BatchVerb,
    CommandKind,
    CommandState,
    ItemState,
    Role,
)
from models.people import Operator
from models.site import Meter

CONFIG = Config()
CLOSED, PREPAYING = 1 << 13, 1 << 3
EPOCH = 7
OLD, NEW = [Decimal("0.7")] * 4, [Decimal("0.9")] * 4


@pytest.fixture
def boss(db, clock, lease):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def polled(meter, poll):
    poll(meter, status1=CLOSED, status2=PREPAYING)
    return meter


@pytest.fixture
def begin(boss, clock):
    def one(verb, **options):
        everything = Selection(everything=True)
        plan = batches.plan(verb, everything, options, config=CONFIG, now=clock.at)
        return batches.start(plan, len(plan.change), "催费", boss, "b1", config=CONFIG)

    return one


@pytest.fixture
def switch(boss):
    def one(meter, kind, request_id="s1"):
        return switching.request(meter.serial, kind, "检修", boss, request_id)

    return one


def feed():
    return batches.feed(CONFIG, EPOCH)


def end(command, state=CommandState.APPLIED):
    return commands.finish_uncounted(command.id, state, None, EPOCH)


def of(batch):
    item = BatchItem.get(BatchItem.batch == batch)
    return item.state, item.reason


def test_a_price_that_waited_over_a_boundary_does_not_bring_the_old_one_back(
    begin, polled, boss, clock
):
    today = clock.at.astimezone(CONFIG.site.zone).date()
    for days, prices in ((0, OLD), (1, NEW)):
        day = today + dt.timedelta(days=days)
        tariffs.publish("商铺", day, prices, "", "", "", "", boss, config=CONFIG)
    tariffs.assign([polled.serial], "商铺", boss)
    batch = begin(BatchVerb.PRICE)
    clock.advance(days=1)

    feed()

    assert of(batch) == (ItemState.REFUSED, "plan_stale")
    assert Command.select().count() == 0
    assert batches.get(batch.id).state is BatchState.DONE


def test_settings_that_waited_do_not_undo_a_limit_that_stands_since(begin, polled, boss, clock):
    with write_transaction():
        Meter.update(overload_w=5000).where(Meter.id == polled.id).execute()
    batch = begin(BatchVerb.SETTINGS)
    batches.pause(batch.id, boss)
    until = clock.at + dt.timedelta(hours=4)
    temporary.limit(polled.serial, 1000, until, "限电", boss, "l1", config=CONFIG)
    batches.resume(batch.id, 1, boss, config=CONFIG)

    feed()

    assert of(batch) == (ItemState.REFUSED, "plan_stale")


@pytest.mark.parametrize(
    ("verb", "other"),
    [(BatchVerb.TRIP, CommandKind.HOLD), (BatchVerb.HOLD, CommandKind.TRIP)],
)
def test_what_one_person_switched_meanwhile_a_waiting_batch_does_not_undo(
    verb, other, begin, polled, switch, clock
):
    batch = begin(verb)
    clock.advance(seconds=5)
    end(switch(polled, other))

    feed()

    assert of(batch) == (ItemState.SKIPPED, "switched_since")
    assert batches.get(batch.id).state is BatchState.DONE


def test_a_switch_that_was_never_sent_stands_in_no_batches_way(begin, polled, switch, clock):
    begin(BatchVerb.TRIP)
    clock.advance(seconds=5)
    end(switch(polled, CommandKind.HOLD), CommandState.REFUSED)

    assert feed()


def test_of_two_switches_that_wait_only_the_newer_is_sent(polled, switch):
    older, newer = switch(polled, CommandKind.TRIP), switch(polled, CommandKind.HOLD, "s2")

    with pytest.raises(SwitchOvertaken) as refused:
        commands.mark_control_sent(older.id, EPOCH)

    assert refused.value.params["why"] == "newer_switch"
    assert commands.get(older.id).state is CommandState.QUEUED
    assert commands.mark_control_sent(newer.id, EPOCH).state is CommandState.SENT


def test_a_trip_that_waits_is_not_sent_after_a_payment(polled, switch, sell, send, prove):
    trip = switch(polled, CommandKind.TRIP)
    prove(sell(to=polled), PurchaseState(4, 500, 1000))

    with pytest.raises(SwitchOvertaken) as refused:
        commands.mark_control_sent(trip.id, EPOCH)

    assert refused.value.params["why"] == "sold_since"
    assert commands.get(trip.id).state is CommandState.QUEUED


def test_a_payment_before_the_trip_and_one_that_came_to_nothing_do_not_stop_it(
    polled, switch, sell, prove
):
    prove(sell(to=polled), PurchaseState(4, 500, 1000))
    trip = switch(polled, CommandKind.TRIP)
    commands.refuse_unsent(sell("r2", to=polled).id, "no_reply", EPOCH)

    assert commands.mark_control_sent(trip.id, EPOCH).state is CommandState.SENT


def test_a_clock_set_back_gives_a_switch_no_longer_life(polled, switch, clock):
    trip = switch(polled, CommandKind.TRIP)
    assert not commands.is_late(trip)
    clock.advance(hours=-1)

    assert commands.is_late(trip)


def test_a_clock_that_is_corrected_by_seconds_does_not_end_a_switch(polled, switch, clock):
    trip = switch(polled, CommandKind.TRIP)
    clock.advance(seconds=-5)

    assert not commands.is_late(trip)


def test_a_clock_set_back_ends_a_batch_of_switches(begin, polled, clock):
    batch = begin(BatchVerb.TRIP)
    clock.advance(hours=-1)

    feed()

    assert of(batch) == (ItemState.SKIPPED, "expired")


def test_no_clock_is_set_where_somebody_works(polled, boss, clock):
    """It may be set into the hours of supply that the meter keeps itself."""
    with write_transaction():
        command = queueing.queue(polled, CommandKind.CLOCK, boss, "c1")
    locking.place(polled.serial, "换表箱", boss)

    with pytest.raises(MeterLockedOut):
        commands.mark_control_sent(command.id, EPOCH)
    plan = batches.plan(
        BatchVerb.CLOCK, Selection(everything=True), {}, config=CONFIG, now=clock.at
    )
    assert [row.reason for row in plan.locked] == ["locked_out"]


def test_who_was_dismissed_switches_nothing_more(begin, polled, boss, clock):
    batch = begin(BatchVerb.TRIP)
    with write_transaction():
        Operator.update(disabled_at=clock.at).where(Operator.id == boss.id).execute()

    feed()

    assert of(batch) == (ItemState.REFUSED, "forbidden")
    assert Command.select().count() == 0


def test_a_download_of_unknown_outcome_does_not_bring_back_what_a_newer_one_changed(polled, boss):
    with write_transaction():
        older = downloads.queue_values(polled, {"overload_w": 5000, "alarm1_fen": 900}, boss, "d1")
    commands.mark_control_sent(older.id, EPOCH)
    commands.keep_control(older.id, "no_reply", EPOCH)
    with write_transaction():
        downloads.queue_values(polled, {"overload_w": 8000}, boss, "d2")

    found = json.loads(commands.get(older.id).desired)
    assert found == {"overload_w": 8000, "alarm1_fen": 900}
