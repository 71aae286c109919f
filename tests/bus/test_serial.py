"""A local serial port through the very same link: a pty, with the slave at its other end."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator

import pytest

from engine.bus.errors import LineDown, NoReply
from models.enums import LinkKind
from tests.bus.scripted import Line, Slave, fence_reply, linked, main_reply


class PtySlave(Slave):
    """The same slave on a pseudo-terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        self.device = os.ttyname(self.far)

    async def open(self) -> None:
        asyncio.get_running_loop().add_reader(self.near, self._readable)

    def _readable(self) -> None:
        with contextlib.suppress(OSError):
            frame = os.read(self.near, 1024)
            self.requests.append(frame)
            self._frames.put_nowait(frame)

    async def send(self, data: bytes) -> None:
        os.write(self.near, data)

    def hang_up(self) -> None:
        asyncio.get_running_loop().remove_reader(self.near)
        os.close(self.near)
        os.close(self.far)
        self.near = self.far = -1

    def close(self) -> None:
        if self.near >= 0:
            self.hang_up()


@pytest.fixture
async def serial_line() -> AsyncIterator[Line]:
    slave = PtySlave()
    await slave.open()
    try:
        async with linked(slave, link=LinkKind.SERIAL, device=slave.device) as line:
            yield line
    finally:
        slave.close()


async def test_a_meter_is_read_over_a_serial_port(serial_line: Line) -> None:
    await serial_line.settled()

    reading = serial_line.read()
    await serial_line.slave.answered(main_reply(balance_fen=222))

    assert await reading == 222


async def test_a_late_reply_over_a_serial_port_answers_nothing(serial_line: Line) -> None:
    await serial_line.settled()
    await serial_line.lose_a_read()

    reading = serial_line.read()
    await serial_line.slave.heard_fence()
    await serial_line.slave.send(main_reply(balance_fen=111) + fence_reply())
    await serial_line.slave.answered(main_reply(balance_fen=222))

    assert await reading == 222


async def test_a_silent_serial_line_is_no_reply(serial_line: Line) -> None:
    await serial_line.settled()

    with serial_line.impatient(), pytest.raises(NoReply):
        await serial_line.read()


async def test_a_serial_port_that_goes_away_is_noticed_at_once(serial_line: Line) -> None:
    await serial_line.settled()
    reading = serial_line.read()
    await serial_line.slave.heard()
    assert isinstance(serial_line.slave, PtySlave)

    serial_line.slave.hang_up()

    with pytest.raises(LineDown):
        await reading
    with pytest.raises(LineDown):
        await serial_line.read()
