"""Where a line is reached: a TCP port, as a serial server has, or a serial device."""

import asyncio
import os
import tty
from pathlib import Path
from typing import Literal

from engine.bus.simulator.errors import SimulatorError
from engine.bus.simulator.line import SimLine

HOST = "127.0.0.1"
IN_USE = b"Port already in use\r\n"  # what serial servers say to a second client
READ_SIZE = 4096

SecondClient = Literal["kick", "refuse"]


class _Connection(asyncio.Protocol):
    """One TCP client of a line."""

    def __init__(self, line: SimLine, second: SecondClient) -> None:
        self._line = line
        self._second = second
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._line.client and self._second == "refuse":
            transport.write(IN_USE)
            transport.close()
            return
        self._line.disconnect()
        self._transport = transport
        self._line.client = self

    def data_received(self, data: bytes) -> None:
        if self._line.client is self:
            self._line.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a client may leave as it likes; what it asked for stays on its way
        if self._line.client is self:
            self._line.client = None

    def write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()


class TcpPort:
    """Serves a line on 127.0.0.1; can be shut for a while and opened again on the same port."""

    def __init__(self, line: SimLine, port: int, second: SecondClient) -> None:
        self.port = port
        self._line = line
        self._second = second
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Raises SimulatorError `cannot_listen`: taken by another program, or no port at all."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self._line, self._second), HOST, self.port
            )
        except (OSError, OverflowError) as error:
            raise SimulatorError("cannot_listen", port=self.port, why=str(error)) from None
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        self._line.disconnect()

    async def shut_for(self, delay_s: float) -> None:
        self.close()
        await asyncio.sleep(delay_s)
        await self.open()


class SerialPort:
    """Serves a line on a serial device or pty, where the client is whoever reads it."""

    def __init__(self, line: SimLine, device: Path) -> None:
        self._line = line
        self._descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._descriptor)

    async def open(self) -> None:
        self._line.client = self
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._line.client = None

    async def shut_for(self, delay_s: float) -> None:
        """A cable pulled out: nothing is heard for so long."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._descriptor)
        await asyncio.sleep(delay_s)
        loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:  # the other end of a pty is gone
            asyncio.get_running_loop().remove_reader(self._descriptor)
            return
        self._line.feed(data)

    def write(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def abort(self) -> None:
        """A serial device has no connection to break."""
