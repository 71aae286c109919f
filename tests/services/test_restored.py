"""A core.db from a backup: what was queued in it is not carried out again by itself."""

import datetime as dt

import pytest

from engine import clock as engine_clock
from engine import lease as site_lease
from engine.config import Config, MoneySection
from engine.domain.selection import Selection
from engine.services import (
    batches,
    commands,
    downloads,
    ledger,
    operators,
    readings,
    refunding,
    switching,
    temporary,
    temporary_keeping,
    verify,
)
from models.commands import Command
from models.control import Temporary
from models.enums import (
    BatchState,
    BatchVerb,
    CommandKind,
    CommandState,
    PayKind,
    Role,
    TemporaryPurpose,
    TemporaryState,
)
from models.people import Operator
from models.site import Meter


@pytest.fixture
def other(add_meter) -> Meter:
    return add_meter("202611230002")


@pytest.fixture
def chief(db, clock) -> Operator:
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


def refund(serial, by):
    return refunding.refund(serial, 500, PayKind.CASH, "搬走", by, "b1", money=MoneySection())


def take() -> int | None:
    return site_lease._take(engine_clock.boot_ms() + 60_000, locked=True)


def test_what_was_queued_in_a_restored_database_is_a_persons_matter(
    lease, sell, other, chief, meter
):
    """The engines after the backup got as far as epoch 9: readings.db knows it."""
    sale, lowered = sell(), refund(other.serial, chief)
    readings.own(9)

    assert take() == 10

    sale, lowered = type(sale).get_by_id(sale.id), type(sale).get_by_id(lowered.id)
    assert (sale.state, sale.reason) == (CommandState.SUSPENSE, "restored")
    assert (lowered.state, lowered.reason) == (CommandState.REFUSED, "restored")
    assert ledger.balance_of(ledger.suspense(meter.serial)) == 10_000
    assert Meter.get_by_id(meter.id).frozen
    assert not Meter.get_by_id(other.id).frozen
    assert verify.faults() == []


def test_once_is_enough(lease, sell, other):
    readings.own(9)
    take()
    site_lease._give_up(10)
    readings.own(10)
    sale = sell(to=other)

    assert take() == 11

    assert type(sale).get_by_id(sale.id).state is CommandState.QUEUED


def test_what_was_sent_before_the_backup_is_left_to_its_read_back(lease, sell, send):
    sale = sell()
    send(sale)
    readings.own(9)

    take()

    assert type(sale).get_by_id(sale.id).state is CommandState.SENT


def test_an_engine_that_starts_anew_goes_on_with_what_is_queued(lease, sell):
    sale = sell()

    assert take() == 8

    assert type(sale).get_by_id(sale.id).state is CommandState.QUEUED


def switch(meter, kind, by):
    return switching.request(meter.serial, kind, "催费", by, f"s-{kind}")


def test_a_switch_queued_in_a_restored_database_is_not_sent(lease, meter, chief):
    """It may have been sent after the backup, and undone by a payment since."""
    trip = switch(meter, CommandKind.TRIP, chief)
    readings.own(9)

    take()

    trip = Command.get_by_id(trip.id)
    assert (trip.state, trip.reason) == (CommandState.REFUSED, "restored")


def test_an_order_for_a_time_that_had_not_begun_does_not_begin_after_a_restore(
    lease, meter, other, chief, clock
):
    until, config = clock.at + dt.timedelta(hours=4), Config()
    held = temporary.hold(
        meter.serial, until, TemporaryPurpose.EMERGENCY, "冷柜", chief, "h1", config=config
    )
    limited = temporary.limit(other.serial, 1000, until, "限电", chief, "l1", config=config)
    readings.own(9)

    take()
    temporary_keeping.keep(config, 10)

    states = {Temporary.get_by_id(each.id).state for each in (held, limited)}
    assert states == {TemporaryState.FAILED}
    assert not Command.select().where(Command.state == CommandState.QUEUED).exists()


def test_a_batch_of_switches_in_a_restored_database_waits_for_a_person(
    lease, meter, chief, poll, clock
):
    """Also one that no engine had begun when the backup was made."""
    poll(meter, status1=1 << 13, status2=1 << 3)
    chosen = Selection(everything=True)
    plan = batches.plan(BatchVerb.TRIP, chosen, {}, config=Config(), now=clock.at)
    batch = batches.start(plan, len(plan.change), "催费", chief, "b1", config=Config())
    readings.own(9)

    take()
    batches.feed(Config(), 10)

    batch = batches.get(batch.id)
    assert (batch.state, batch.stopped) == (BatchState.PAUSED, "restarted")
    assert not Command.select().exists()


def test_prices_and_reads_queued_in_a_restored_database_go_on(lease, meter, chief):
    download = downloads.request(meter.serial, chief, "d1", config=Config())
    read = commands.request_read(meter.serial, "r1", chief)
    readings.own(9)

    take()

    assert {Command.get_by_id(each.id).state for each in (download, read)} == {CommandState.QUEUED}
