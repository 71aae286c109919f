"""A turn that gives way: whole turns of a higher priority between two of its frames."""

import asyncio

import pytest

from engine.bus.bus import Bus
from engine.bus.errors import LineDown, NoReply
from engine.bus.link import Priority
from tests.bus.scripted import Line, Slave, driver, fence_reply, main_reply, within


def download(line: Line, reads: int = 3) -> "asyncio.Task[list[int | None]]":
    """A turn of several reads that gives way, as a download's."""

    async def work(bus: Bus) -> list[int | None]:
        return [(await driver().read_main(bus)).balance_fen for _ in range(reads)]

    return asyncio.create_task(line.link.turn(Priority.CONTROL, work, gives_way=True))


def sale(line: Line, unit: int = 1) -> "asyncio.Task[list[int | None]]":
    """A turn of two reads with money's priority, which gives no way."""

    async def work(bus: Bus) -> list[int | None]:
        return [(await driver(unit=unit).read_main(bus)).balance_fen for _ in range(2)]

    return line.turn(work, Priority.MONEY)


async def test_a_sale_waits_for_one_frame_of_a_download_and_runs_whole(
    line: Line, slave: Slave
) -> None:
    downloading = download(line)
    await slave.fenced()
    await within(slave.heard())  # the first read is on the wire
    selling = sale(line)
    await asyncio.sleep(0)
    await slave.send(main_reply(balance_fen=1))

    await slave.answered(main_reply(balance_fen=10))
    await slave.answered(main_reply(balance_fen=20))
    assert await within(selling) == [10, 20]
    await slave.answered(main_reply(balance_fen=2))
    await slave.answered(main_reply(balance_fen=3))

    assert await within(downloading) == [1, 2, 3]


async def test_nobody_of_the_same_or_a_lower_priority_passes(line: Line, slave: Slave) -> None:
    downloading = download(line, reads=2)
    await slave.fenced()
    await within(slave.heard())
    poll = line.read()
    other = download(line, reads=1)
    await asyncio.sleep(0)
    for balance_fen in (1, 2, 3, 4):
        await slave.send(main_reply(balance_fen=balance_fen))
        if balance_fen < 4:
            await within(slave.heard())

    assert await within(downloading) == [1, 2]
    assert await within(other) == [3]
    assert await within(poll) == 4


async def test_a_write_follows_what_allowed_it_without_anybody_between(
    line: Line, slave: Slave
) -> None:
    async def work(bus: Bus) -> None:
        await driver().read_main(bus)
        await bus.let_pass()
        order = driver().map.orders["force_switch"]
        await driver().give(bus, order, {"force_on": 0, "force_open": 0}, step="write")

    writing = asyncio.create_task(line.link.turn(Priority.CONTROL, work, gives_way=True))
    await slave.fenced()
    await slave.answered(main_reply())
    write = await within(slave.heard())
    selling = sale(line)
    await asyncio.sleep(0.01)
    assert write[1] == 0x10
    assert slave.quiet
    await slave.send(write[:6] + bytes.fromhex("F018"))

    await slave.answered(main_reply(balance_fen=10))
    await slave.answered(main_reply(balance_fen=20))
    assert await within(selling) == [10, 20]
    await within(writing)


async def test_where_the_sale_lost_a_frame_the_download_fences_the_meter_before_it_goes_on(
    line: Line, slave: Slave
) -> None:
    """A late reply to the sale must not become the download's."""
    downloading = download(line, reads=2)
    await slave.fenced()
    await within(slave.heard())
    with line.impatient():
        selling = line.turn(lambda bus: driver().read_main(bus), Priority.MONEY)
        await asyncio.sleep(0)
        await slave.send(main_reply(balance_fen=1))
        for _ in range(line.link.settings.retries + 1):
            await within(slave.heard())
            if line.link.settings.retries:
                break
        with pytest.raises(NoReply):
            await within(selling)
    await slave.heard_fence()
    await slave.send(main_reply(balance_fen=666) + fence_reply())  # the late one, then the fence's
    await slave.answered(main_reply(balance_fen=2))

    assert await within(downloading) == [1, 2]


async def test_who_cancels_a_download_ends_no_sale_in_the_middle_of_it(
    line: Line, slave: Slave
) -> None:
    downloading = download(line)
    await slave.fenced()
    await within(slave.heard())
    selling = sale(line)
    await asyncio.sleep(0)
    await slave.send(main_reply(balance_fen=1))
    await within(slave.heard())  # the sale's first
    downloading.cancel()
    await asyncio.sleep(0.01)
    await slave.send(main_reply(balance_fen=10))
    await slave.answered(main_reply(balance_fen=20))

    assert await within(selling) == [10, 20]
    with pytest.raises(asyncio.CancelledError):
        await downloading
    await line.settled()


async def test_a_download_whose_connection_went_in_the_middle_of_a_sale_finds_the_line_down(
    line: Line, slave: Slave
) -> None:
    downloading = download(line)
    await slave.fenced()
    await within(slave.heard())
    selling = sale(line)
    await asyncio.sleep(0)
    await slave.send(main_reply(balance_fen=1))
    await within(slave.heard())
    slave.drop()

    for turn in (selling, downloading):
        with pytest.raises(LineDown):
            await within(turn)


async def test_what_waits_when_the_line_stops_does_not_pass(line: Line, slave: Slave) -> None:
    downloading = download(line, reads=2)
    await slave.fenced()
    await within(slave.heard())
    selling = sale(line)
    await asyncio.sleep(0)
    await line.link.stop()
    await slave.send(main_reply(balance_fen=1))
    await slave.answered(main_reply(balance_fen=2))

    assert await within(downloading) == [1, 2]
    with pytest.raises(LineDown):
        await within(selling)
