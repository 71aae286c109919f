"""The owner of a line: turns by priority, one frame at a time, connections kept and given up."""

import asyncio
import socket
from typing import cast

import pytest

from engine.bus import link as link_module
from engine.bus.bus import Bus
from engine.bus.errors import LineDown, NoReply, QueueFull, Unproved
from engine.bus.link import Link, Priority, longest_pause_s
from engine.bus.transport import open_wire
from models.enums import LineState, LinkKind
from tests.bus.scripted import (
    BRIEFLY_S,
    Line,
    Patience,
    Slave,
    driver,
    fence_reply,
    linked,
    listening,
    main_reply,
    settings,
    within,
)

# -- turns


async def occupied(line: Line) -> "tuple[asyncio.Event, asyncio.Task[bool]]":
    """A turn that holds the line until the event is set."""
    gate, begun = asyncio.Event(), asyncio.Event()

    async def hold(_: Bus) -> bool:
        begun.set()
        return await gate.wait()

    holding = line.turn(hold)
    await within(begun.wait())
    return gate, holding


async def test_money_goes_before_control_before_fresh_reads_before_polls(line: Line) -> None:
    gate, holding = await occupied(line)
    order: list[Priority] = []

    async def note(priority: Priority) -> None:
        order.append(priority)

    turns = []
    for priority in (Priority.POLL, Priority.FRESH, Priority.MONEY, Priority.CONTROL):
        turns.append(line.turn(lambda _, priority=priority: note(priority), priority))
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(holding, *turns)

    assert order == [Priority.MONEY, Priority.CONTROL, Priority.FRESH, Priority.POLL]


async def test_turns_of_one_priority_are_served_in_the_order_they_came(line: Line) -> None:
    gate, holding = await occupied(line)
    order: list[int] = []

    async def note(number: int) -> None:
        order.append(number)

    turns = []
    for number in range(20):
        turns.append(line.turn(lambda _, number=number: note(number)))
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(holding, *turns)

    assert order == list(range(20))


async def test_a_full_queue_refuses_polls_but_not_orders(slave: Slave) -> None:
    async with linked(slave, queue_max=2) as line:
        gate, holding = await occupied(line)
        polls = [line.turn(lambda _: asyncio.sleep(0)) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(QueueFull):
            await line.turn(lambda _: asyncio.sleep(0))
        sale = line.turn(lambda _: asyncio.sleep(0, "sold"), Priority.MONEY)
        await asyncio.sleep(0)
        gate.set()

        assert await sale == "sold"
        await asyncio.gather(holding, *polls)
        assert line.link.health.polls_dropped == 1


async def test_orders_too_have_a_limit(slave: Slave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "ORDERS_MAX", 1)
    async with linked(slave, queue_max=1) as line:
        gate, holding = await occupied(line)
        orders = [line.turn(lambda _: asyncio.sleep(0), Priority.MONEY) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(QueueFull):
            await line.turn(lambda _: asyncio.sleep(0), Priority.MONEY)
        gate.set()
        await asyncio.gather(holding, *orders)


@pytest.mark.parametrize("error", [ValueError("ours"), asyncio.CancelledError(), KeyError()])
async def test_what_a_turn_raises_reaches_its_caller_and_nobody_else(
    line: Line, error: BaseException
) -> None:
    async def fail(_: Bus) -> None:
        raise error

    wanted = LineDown if isinstance(error, asyncio.CancelledError) else type(error)
    with pytest.raises(wanted):
        await line.turn(fail)

    await line.settled()
    assert not line.owner.done()


async def test_work_that_fails_before_it_awaits_anything_harms_nobody_else(line: Line) -> None:
    def fail(_: Bus) -> "asyncio.Future[None]":
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await line.turn(fail)

    await line.settled()


async def test_frames_of_a_turn_are_its_evidence(line: Line) -> None:
    async def work(bus: Bus) -> Bus:
        await driver().read_main(bus)
        return bus

    turn = line.turn(work)
    await line.slave.fenced()
    await line.slave.answered(main_reply())
    exchanged = (await turn).frames

    assert [(each.step, each.error) for each in exchanged] == [("fence", None), ("read", None)]
    assert exchanged[0].reply == fence_reply()
    assert exchanged[1].request == bytes.fromhex("01 03 02 00 00 30 44 66")
    assert exchanged[1].at.tzinfo is not None


async def test_evidence_keeps_the_noise_that_came_instead_of_a_reply(line: Line) -> None:
    await line.settled()
    kept: list[Bus] = []

    async def work(bus: Bus) -> None:
        kept.append(bus)
        await driver().read_main(bus)

    with line.impatient():
        turn = line.turn(work)
        await line.slave.answered(b"\xff\xfe")
        with pytest.raises(NoReply):
            await turn

    (exchange,) = kept[0].frames
    assert (exchange.error, exchange.reply) == ("no_reply", b"\xff\xfe")


# -- half duplex


async def test_nothing_is_sent_before_the_reply_to_the_frame_before(line: Line) -> None:
    await line.settled(1)
    await line.settled(2)
    first, second = line.read(1), line.read(2)
    await line.slave.heard()
    await line.slave.send(main_reply(1)[:100])
    await asyncio.sleep(0.02)
    assert line.slave.quiet

    await line.slave.send(main_reply(1)[100:])
    await line.slave.answered(main_reply(2))
    await asyncio.gather(first, second)


async def test_nothing_is_sent_before_the_time_out_of_the_frame_before(line: Line) -> None:
    await line.settled(1)
    await line.settled(2)
    loop = asyncio.get_running_loop()
    with line.impatient():
        started = loop.time()
        lost, other = line.read(1), line.read(2)
        await line.slave.heard()
        await line.slave.heard()
        waited_s = loop.time() - started
        await line.slave.send(main_reply(2))
        with pytest.raises(NoReply):
            await lost
        await asyncio.gather(other, return_exceptions=True)

    assert waited_s >= BRIEFLY_S


async def test_between_two_frames_there_is_a_gap_of_silence(slave: Slave) -> None:
    gap_s = 0.02
    async with linked(slave, timing=Patience(gap_s=gap_s)) as line:
        await line.settled()
        loop = asyncio.get_running_loop()
        replied_at = []
        asked_at = []
        for _ in range(3):
            reading = line.read()
            await line.slave.heard()
            asked_at.append(loop.time())
            await line.slave.send(main_reply())
            replied_at.append(loop.time())
            await reading

    pauses = [asked - replied for replied, asked in zip(replied_at, asked_at[1:], strict=False)]
    assert min(pauses) >= gap_s


# -- connections


async def test_the_first_connection_is_waited_for(slave: Slave) -> None:
    async with linked(slave) as line:
        assert line.link.health.state is LineState.UNKNOWN

        await line.settled()

        assert line.link.health.state is LineState.UP


async def test_a_connection_is_watched_by_the_kernel(slave: Slave) -> None:
    """A gateway without power is noticed although it never says goodbye."""
    wire = await open_wire(settings(slave.port))
    transport = wire._transport
    assert transport is not None
    end = transport.get_extra_info("socket")
    options = {
        name: end.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    }

    assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert list(options.values()) == [10, 5, 3, 15_000]
    wire.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"port": 1}, "connect_failed", id="refused"),
        pytest.param({"host": "no-such-host.invalid"}, "unknown_host", id="host unknown"),
        pytest.param(
            {"link": LinkKind.SERIAL, "device": "/nowhere"}, "connect_failed", id="device"
        ),
        pytest.param({"link": LinkKind.MODBUS_TCP}, "link_kind", id="a link it does not speak"),
    ],
)
async def test_a_line_that_cannot_be_reached_says_why(
    slave: Slave, change: dict[str, object], why: str
) -> None:
    async with linked(slave, **change) as line:
        with pytest.raises(LineDown) as down:
            await line.read()

        assert down.value.why == why
        assert line.link.health.state is LineState.DOWN
        assert line.link.health.message


async def test_a_gateway_that_takes_the_connection_and_hangs_up_is_not_fought(
    slave: Slave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection that brings no reply makes the next pause longer, though it was accepted."""
    pauses: list[int] = []

    def note(failures: int) -> float:
        pauses.append(failures)
        return 0.001

    monkeypatch.setattr(link_module, "longest_pause_s", note)
    slave.kicks = True
    async with linked(slave):
        async with asyncio.timeout(5):
            while len(pauses) < 5:
                await asyncio.sleep(0.001)

        assert pauses[:5] == [1, 2, 3, 4, 5]


async def test_a_cut_after_good_replies_is_mended_soon(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []

    def note(failures: int) -> float:
        pauses.append(failures)
        return 0.001

    await line.settled()
    monkeypatch.setattr(link_module, "longest_pause_s", note)
    await line.cut()
    await line.settled()

    assert pauses == [0]


def test_the_pause_between_connections_doubles_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "BACK_OFF_S", (0.5, 30.0))

    assert [longest_pause_s(failures) for failures in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert longest_pause_s(100_000) == 30


async def test_a_gateway_that_sleeps_is_noticed_and_connected_anew(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.bus.port.HUNG_S", 0.0)
    monkeypatch.setattr("engine.bus.port.HUNG_REQUESTS", 3)
    await line.settled()
    with line.impatient():
        for unit in (1, 2, 3):
            with pytest.raises(NoReply):
                await line.read(unit)
        async with asyncio.timeout(5):
            while line.slave.connections < 2:
                await asyncio.sleep(0.001)
    while not line.slave.quiet:
        await line.slave.heard()
    await line.up()

    reading = line.read(4)
    await line.slave.fenced(4)
    await line.slave.answered(main_reply(4, balance_fen=222))
    assert await reading == 222


async def test_a_single_silent_meter_is_no_sleeping_gateway(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.bus.port.HUNG_S", 0.0)
    await line.settled(1)
    for unit in range(2, 9):
        with line.impatient(), pytest.raises(NoReply):
            await line.read(unit)
        await line.slave.heard()
        reading = line.read(1)
        await line.slave.answered(main_reply(1))
        await reading

    assert line.slave.connections == 1


async def test_a_waiting_turn_fails_with_the_reason_when_the_line_stays_down() -> None:
    async with listening(Slave()) as slave, linked(slave) as line:
        await line.settled()
        gate, holding = await occupied(line)
        waiting = line.read()
        await asyncio.sleep(0)
        line.link.settings = settings(1)
        slave.drop()
        gate.set()
        await holding

        with pytest.raises(LineDown):
            await waiting
        assert line.link.health.state is LineState.DOWN


# -- the end


async def test_stopping_lets_the_turn_under_way_finish(slave: Slave) -> None:
    link = Link(settings(slave.port))
    owner = asyncio.create_task(link.run())
    line = Line(link, owner, slave)
    await line.settled()
    reading, waiting = line.read(), line.read()
    await slave.heard()

    await link.stop()
    await slave.send(main_reply(balance_fen=222))

    assert await reading == 222
    with pytest.raises(LineDown) as down:
        await waiting
    assert down.value.why == "stopped"
    await within(owner)
    with pytest.raises(LineDown):
        await line.read()


async def test_a_cancelled_owner_ends_its_turn_and_leaves_nobody_waiting(slave: Slave) -> None:
    link = Link(settings(slave.port))
    owner = asyncio.create_task(link.run())
    line = Line(link, owner, slave)
    await line.settled()
    reading, waiting = line.read(), line.read()
    await slave.heard()

    owner.cancel()

    with pytest.raises(LineDown):
        await reading
    with pytest.raises(LineDown):
        await waiting


async def test_a_link_that_takes_anothers_place_keeps_what_was_known(slave: Slave) -> None:
    async with linked(slave, frame_life_s=60.0) as line:
        await line.settled()
        await line.lose_a_read()
        await line.lose_a_fence()
        memory = line.link.memory
    asked = memory.health.requests
    link = Link(settings(slave.port), memory)
    owner = asyncio.create_task(link.run())

    with pytest.raises(Unproved):
        await Line(link, owner, slave).read()

    assert link.health.requests == asked
    await link.stop()
    await within(owner)


# -- figures


async def test_counters_say_what_happened_on_the_line(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()
    reading = line.read()
    await line.slave.heard_fence()
    await line.slave.send(main_reply(2) + b"\xff" + fence_reply())
    await line.slave.answered(main_reply())
    await reading

    health = line.link.health
    assert (health.requests, health.timeouts) == (5, 1)
    assert (health.foreign_frames, health.crc_errors) == (1, 1)
    assert health.last_good_at is not None
    assert health.wire_s > 0


async def test_a_late_reply_teaches_the_line_to_wait_longer(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()
    reading = line.read()
    await line.slave.heard_fence()
    await line.slave.send(main_reply() + fence_reply())
    await line.slave.answered(main_reply())
    await reading

    slowest = cast("Patience", line.link.settings.timing).slowest
    assert slowest[-1] > BRIEFLY_S > slowest[0]
