import asyncio
import time

from engine.scheduler import Timetable


async def test_it_rings_at_once_and_on_the_loop_that_started_it():
    rung = asyncio.Event()
    table = Timetable()
    table.every(3600, rung.set)

    table.start()

    await asyncio.wait_for(rung.wait(), 10)
    table.stop()


async def test_a_ring_that_a_blocked_loop_slept_through_is_made_up_for_once():
    rings = asyncio.Queue()
    table = Timetable()
    table.every(0.05, lambda: rings.put_nowait("ring"))
    table.start()
    await rings.get()

    time.sleep(0.4)  # noqa: ASYNC251 (the loop is blocked on purpose)

    await asyncio.wait_for(rings.get(), 10)
    table.stop()
    assert rings.qsize() <= 1


async def test_stopping_cuts_nothing_that_a_ring_began():
    begun, finished = asyncio.Event(), asyncio.Event()
    tasks = set()

    async def work():
        begun.set()
        await asyncio.sleep(0)
        finished.set()

    table = Timetable()
    table.every(3600, lambda: tasks.add(asyncio.create_task(work())))
    table.start()
    await asyncio.wait_for(begun.wait(), 10)

    table.stop()

    await asyncio.wait_for(finished.wait(), 10)


async def test_it_may_be_stopped_before_it_was_started():
    Timetable().stop()
