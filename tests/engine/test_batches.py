"""Batches over real sockets: a dead line, a meter that refuses, a sale in the middle, a restart."""

import asyncio
import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest

from engine.config import DefaultsSection
from engine.domain.selection import Selection
from engine.services import batches, verify
from engine.views import batches as views
from models.commands import Attempt, Command
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, CommandKind, CommandState, ItemState
from models.metering import Latest
from tests.engine.conftest import BLIND, CHECKED, FAR, OTHER, PLACES

ALL = Selection(everything=True)
WRITE = 0x10
PRICES = 0x20  # the money-control order
ENDED = (ItemState.APPLIED, ItemState.REFUSED)


class Office:
    """Plans and approves; what `sent` says is what the pretend meters were told."""

    def __init__(self, practice) -> None:
        self.practice = practice
        self._made = 0

    def plan(self, verb, selection=ALL, **options):
        now = dt.datetime.now(dt.UTC)
        return batches.plan(verb, selection, options, config=self.practice.config, now=now)

    def start(self, verb, selection=ALL, **options) -> int:
        plan = self.plan(verb, selection, **options)
        self._made += 1
        return batches.start(
            plan, len(plan.change), "因故", self.practice.chief, f"b{self._made}",
            config=self.practice.config,
        ).id  # fmt: skip

    async def read_all(self) -> None:
        await self.practice.until(
            lambda: Latest.select().where(Latest.held_at.is_null(False)).count() == len(PLACES)
        )

    async def done(self, batch_id) -> Batch:
        await self.practice.until(lambda: batches.get(batch_id).state is BatchState.DONE)
        return batches.get(batch_id)

    def items(self, batch_id):
        return {item.serial: (item.state, item.reason) for item in views.items(batch_id)}


@pytest.fixture
def office(practice) -> Office:
    return Office(practice)


def writes(serial) -> int:
    """Frames that would move the relay of `serial`, as the evidence has them."""
    query = Attempt.select().join(Command).where(Command.serial == serial, Attempt.step == "write")
    return query.count()


def forced(practice, serial):
    meter = practice.meters.meter(serial)
    return meter.force_active, meter.force_trip


async def test_every_meter_of_a_batch_is_held_and_shows_it(practice, office):
    async with practice.engine():
        await office.read_all()
        batch_id = office.start(BatchVerb.HOLD)
        await office.done(batch_id)

    assert set(office.items(batch_id).values()) == {(ItemState.APPLIED, None)}
    assert {forced(practice, serial) for serial in PLACES} == {(True, False)}
    assert [writes(serial) for serial in PLACES] == [1, 1, 1, 1]
    found = views.progress(batch_id).batch
    assert (found.total, found.done, found.failed, found.waiting) == (4, 4, 0, 0)


async def test_what_is_held_is_the_same_in_the_next_plan(practice, office):
    async with practice.engine():
        await office.read_all()
        await office.done(office.start(BatchVerb.HOLD))

    again = office.plan(BatchVerb.HOLD)
    assert (len(again.same), len(again.change)) == (4, 0)
    assert {row.reason for row in office.plan(BatchVerb.TRIP).refused} == {"held_on"}


async def test_a_dead_line_and_a_refusing_meter_hold_up_nobody_else(practice, office):
    practice.meters.inject(f"meter:{BLIND}", "refuse", function=WRITE, count=0)
    async with practice.engine() as engine:
        await office.read_all()
        batch_id = office.start(BatchVerb.TRIP, Selection(serials=(CHECKED, BLIND, OTHER, FAR)))
        practice.meters.inject("line:L2", "refuse_connections")
        practice.meters.inject("line:L2", "disconnect")
        engine.wake()
        await practice.until(
            lambda: BatchItem.select().where(BatchItem.finished_at.is_null(False)).count() == 3
        )
        lines = {line.line: line for line in views.progress(batch_id).lines}
        items = office.items(batch_id)
        batches.cancel(batch_id, practice.chief)
        await practice.until(lambda: office.items(batch_id)[FAR][0] is ItemState.SKIPPED)

    assert items[CHECKED] == items[OTHER] == (ItemState.APPLIED, None)
    assert items[BLIND] == (ItemState.REFUSED, "refused_by_meter")
    assert (lines["L1"].done, lines["L1"].failed, lines["L2"].done) == (2, 1, 0)
    assert batches.get(batch_id).state is BatchState.CANCELLED
    assert forced(practice, FAR) == (False, False)


async def test_a_sale_in_the_middle_of_a_batch_is_proved_before_its_end(practice, office):
    async with practice.engine() as engine:
        await office.read_all()
        batch_id = office.start(BatchVerb.READ)
        sale = practice.sell()
        engine.wake()
        sold = await practice.ended(sale)
        await office.done(batch_id)

    assert sold.state is CommandState.APPLIED
    assert practice.bought() == [(6, 10_000)]
    assert {state for state, _ in office.items(batch_id).values()} == {ItemState.APPLIED}
    assert verify.faults() == []


async def test_a_lost_meter_fails_and_the_rest_is_done(practice, office, monkeypatch):
    monkeypatch.setattr("engine.executor.SILENT_TRIES", 1)
    async with practice.engine():
        await office.read_all()
        practice.meters.inject(f"meter:{CHECKED}", "no_reply", count=0)
        batch_id = office.start(BatchVerb.HOLD)
        await office.done(batch_id)

    items = office.items(batch_id)
    assert items.pop(CHECKED)[0] is ItemState.REFUSED
    assert set(items.values()) == {(ItemState.APPLIED, None)}


async def test_paused_it_goes_on_where_it_stopped(practice, office):
    async with practice.engine():
        await office.read_all()
        batch_id = office.start(BatchVerb.HOLD)
        batches.pause(batch_id, practice.chief)
        await practice.until(
            lambda: not BatchItem.select().where(BatchItem.state == ItemState.QUEUED).exists()
        )
        left = views.progress(batch_id).batch.waiting
        await asyncio.sleep(0.2)
        assert views.progress(batch_id).batch.waiting == left
        batches.resume(batch_id, left, practice.chief, config=practice.config)
        await office.done(batch_id)

    assert set(office.items(batch_id).values()) == {(ItemState.APPLIED, None)}
    assert [writes(serial) for serial in PLACES] == [1, 1, 1, 1]


async def test_after_a_restart_switches_wait_and_reads_go_on(practice, office):
    async with practice.engine():
        await office.read_all()
    trips = office.start(BatchVerb.TRIP)
    Batch.update(epoch=0).where(Batch.id == trips).execute()  # an engine that is gone had it
    reads = office.start(BatchVerb.READ)
    Batch.update(epoch=0).where(Batch.id == reads).execute()

    async with practice.engine():
        await office.done(reads)
        stopped = batches.get(trips)
        batches.resume(trips, 4, practice.chief, config=practice.config)
        await office.done(trips)

    assert (stopped.state, stopped.stopped) == (BatchState.PAUSED, "restarted")
    assert {forced(practice, serial) for serial in PLACES} == {(True, True)}
    assert [writes(serial) for serial in PLACES] == [1, 1, 1, 1]


@pytest.fixture
def new_prices(practice):
    """A flat price that no meter has yet."""
    defaults = DefaultsSection(price_flat=Decimal("0.8123"))
    practice.config = dataclasses.replace(practice.config, defaults=defaults)
    return practice


async def test_prices_are_downloaded_as_planned_and_read_back(new_prices, office):
    async with new_prices.engine():
        await office.read_all()
        batch_id = office.start(BatchVerb.PRICE)
        await office.done(batch_id)

    assert set(office.items(batch_id).values()) == {(ItemState.APPLIED, None)}
    assert {json.loads(each.desired)["price_flat"] for each in downloads()} == {"0.8123"}
    assert len(office.plan(BatchVerb.PRICE).same) == 4


async def test_prices_reach_all_but_a_dead_line_and_a_refusing_meter(new_prices, office):
    new_prices.meters.inject(f"meter:{BLIND}", "refuse", function=PRICES, count=0)
    async with new_prices.engine() as engine:
        await office.read_all()
        batch_id = office.start(BatchVerb.PRICE)
        new_prices.meters.inject("line:L2", "refuse_connections")
        new_prices.meters.inject("line:L2", "disconnect")
        sale = new_prices.sell()
        engine.wake()
        sold = await new_prices.ended(sale)
        await new_prices.until(
            lambda: all(state in ENDED for state, _ in nearby(office.items(batch_id)))
        )
        items = office.items(batch_id)
        running = batches.get(batch_id).state
        new_prices.meters.inject("line:L2", "clear")
        await office.done(batch_id)

    assert sold.state is CommandState.APPLIED
    assert items[CHECKED] == items[OTHER] == (ItemState.APPLIED, None)
    assert items[BLIND] == (ItemState.REFUSED, "refused_by_meter")
    assert items[FAR][0] in (ItemState.WAITING, ItemState.QUEUED)
    assert running is BatchState.RUNNING
    assert office.items(batch_id)[FAR] == (ItemState.APPLIED, None)
    failed = batches.plan_retry(batch_id, config=new_prices.config, now=dt.datetime.now(dt.UTC))
    assert [row.serial for row in failed.rows] == [BLIND]


async def test_settings_are_downloaded_without_the_prices(practice, office):
    defaults = DefaultsSection(alarm1_fen=4321)
    practice.config = dataclasses.replace(practice.config, defaults=defaults)
    async with practice.engine():
        await office.read_all()
        batch_id = office.start(BatchVerb.SETTINGS, names="alarm1_fen,alarm2_fen")
        await office.done(batch_id)

    assert set(office.items(batch_id).values()) == {(ItemState.APPLIED, None)}
    assert {tuple(json.loads(each.desired)) for each in downloads()} == {
        ("alarm1_fen", "alarm2_fen")
    }


async def test_clocks_are_set(practice, office, monkeypatch):
    monkeypatch.setattr("engine.control_works.CLOCK_CLEAR_S", 0)  # whatever time it is here
    for meter in practice.meters.meters.values():
        meter.clock.set_wrong(20, meter.at_ms)
    async with practice.engine():
        await office.read_all()
        batch_id = office.start(BatchVerb.CLOCK)
        await office.done(batch_id)

    assert {state for state, _ in office.items(batch_id).values()} == {ItemState.APPLIED}


def nearby(items):
    return [items[serial] for serial in (CHECKED, BLIND, OTHER)]


def downloads():
    return Command.select().where(Command.kind == CommandKind.DOWNLOAD)
