import asyncio
import threading

import peewee as pw
import pytest

from engine.store import Writer
from models import base, store
from models.base import write_transaction
from models.commands import Lease
from models.site import Building


@pytest.fixture
async def writer(site_dir):
    store.bind(site_dir)
    writer = Writer()
    await writer.start()
    yield writer
    await writer.stop()


def add_building(code):
    with write_transaction():
        Building.create(code=code, name=code)


def buildings():
    return [row.code for row in Building.select().order_by(Building.id)]


async def test_work_is_done_in_one_thread_in_the_order_it_was_handed_over(writer):
    threads = set()

    def note(code):
        threads.add(threading.current_thread())
        add_building(code)

    await asyncio.gather(*(writer.run(note, code) for code in "abcd"))

    assert await writer.run(buildings) == list("abcd")
    assert len(threads) == 1
    assert threading.current_thread() not in threads


async def test_an_error_goes_to_the_one_who_asked_and_the_next_work_is_done(writer):
    await writer.run(add_building, "a")

    with pytest.raises(pw.IntegrityError):
        await writer.run(add_building, "a")

    await writer.run(add_building, "b")
    assert await writer.run(buildings) == ["a", "b"]


async def test_work_that_has_begun_is_finished_though_its_caller_is_cancelled(writer):
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        go_on.wait(10)
        add_building("a")

    task = asyncio.create_task(writer.run(slowly))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await writer.run(buildings) == ["a"]


async def test_work_that_has_not_begun_is_taken_back_by_a_cancelled_caller(writer):
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(10)

    first = asyncio.create_task(writer.run(hold))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(writer.run(add_building, "never"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first

    assert await writer.run(buildings) == []


async def test_stopping_does_what_is_queued_first(site_dir):
    store.bind(site_dir)
    writer = Writer()
    await writer.start()
    queued = asyncio.gather(*(writer.run(add_building, code) for code in "abc"))
    await asyncio.sleep(0)

    await writer.stop()
    await queued

    with base.connection():
        assert buildings() == ["a", "b", "c"]
        assert Lease.select().count() == 0
