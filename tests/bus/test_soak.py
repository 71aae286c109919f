"""Hundreds of reads and writes through a line that loses, delays and garbles at random.

The slave answers in order, as a bus does, and puts the number of the request into each reply: a
caller must never get another request's number.
"""

import asyncio
import contextlib
import random

import pytest

from engine.bus.bus import Bus
from engine.bus.doubts import Doubts
from engine.bus.errors import BusError
from tests.bus.scripted import (
    Line,
    Patience,
    Slave,
    driver,
    exception,
    fence_reply,
    linked,
    main_reply,
    sealed,
)

TIME_OUT_S = 0.03
FRAME_LIFE_S = 0.1
UNITS = (1, 2, 3)
READS = 100  # of each line
LINES = 8


class BadLine(Slave):
    """Replies in order; some are lost, held back until the next request, garbled or split."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.asked: dict[int, int] = {}  # unit -> number of its newest main-block request
        self._number = 0
        self._dice = random.Random(seed)
        self._held = b""

    def _reply(self, request: bytes) -> bytes:
        unit = request[0]
        if request[1] == 0x20:
            return sealed(request[:6])
        if request[1:6] == bytes.fromhex("03 0022 0001"):
            return fence_reply(unit)
        self._number += 1
        self.asked[unit] = self._number
        return main_reply(unit, balance_fen=self._number)

    def _spoilt(self, reply: bytes) -> bytes:
        fault = self._dice.choice(("noise", "foreign", "bit", "cut", "gateway", "fine"))
        match fault:
            case "noise":
                return self._dice.randbytes(self._dice.randint(1, 9)) + reply
            case "foreign":
                return main_reply(9, balance_fen=-1) + reply
            case "bit":
                place = self._dice.randrange(len(reply))
                return reply[:place] + bytes((reply[place] ^ 0x10,)) + reply[place + 1 :]
            case "cut":
                return reply[: len(reply) // 2]
            case "gateway":
                return exception(reply[0], reply[1], 0x0B)
        return reply

    async def answer(self) -> None:
        """Answer until cancelled."""
        while True:
            request = await self._frames.get()
            reply = self._reply(request)
            chance = self._dice.random()
            if chance < 0.08:
                continue  # lost
            if chance < 0.2:
                self._held += reply  # late: with whatever is sent next
                continue
            if chance < 0.4:
                reply = self._spoilt(reply)
            out, self._held = self._held + reply, b""
            place = self._dice.randrange(len(out))
            with contextlib.suppress(ConnectionError):
                await self.send(out[:place])
                await self.send(out[place:])
            if chance > 0.99:
                self.drop()


async def soak(seed: int) -> tuple[int, int]:
    """(good reads, reads that gave another request's number)."""
    slave = BadLine(seed)
    server = await asyncio.start_server(slave.serve, "127.0.0.1", 0)
    slave.port = server.sockets[0].getsockname()[1]
    answering = asyncio.create_task(slave.answer())
    patience = Patience(wait_s=TIME_OUT_S, gap_s=0.0)
    try:
        async with linked(slave, timing=patience, frame_life_s=FRAME_LIFE_S) as line:
            return await reads(line, slave, random.Random(seed))
    finally:
        answering.cancel()
        server.close()
        await slave.finish()


async def reads(line: Line, slave: BadLine, dice: random.Random) -> tuple[int, int]:
    good = wrong = 0

    async def work(bus: Bus, unit: int) -> int | None:
        meter = driver(unit)
        if dice.random() < 0.2:
            with contextlib.suppress(BusError):
                await meter.purchase(bus, amount_fen=100, count=1, ciphered=False)
        return (await meter.read_main(bus)).balance_fen

    for _ in range(READS):
        unit = dice.choice(UNITS)
        try:
            number = await line.turn(lambda bus, unit=unit: work(bus, unit))
        except BusError:
            await asyncio.sleep(TIME_OUT_S * dice.random())
            continue
        good += 1
        wrong += number != slave.asked[unit]
    return good, wrong


async def test_no_reply_is_ever_taken_for_another_requests() -> None:
    soaked = await asyncio.gather(*(soak(seed) for seed in range(LINES)))

    assert sum(wrong for _, wrong in soaked) == 0
    assert sum(good for good, _ in soaked) > LINES * READS // 4


async def test_without_the_fence_the_same_lines_give_wrong_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: these lines do hand out other requests' replies to who does not fence."""
    monkeypatch.setattr(Doubts, "suspect", lambda _self, _unit: False)

    soaked = await asyncio.gather(*(soak(seed) for seed in range(LINES)))

    assert sum(wrong for _, wrong in soaked) > 0
