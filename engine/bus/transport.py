"""Bytes to and from a line: a TCP socket of a serial server, or a local serial port."""

import asyncio
import socket
from dataclasses import dataclass

from pymodbus.transport.serialtransport import create_serial_connection

from engine.bus.errors import LineDown
from engine.bus.frames import Expected, Found, find_reply, gateway_text
from engine.bus.timing import LineTiming
from models.enums import LinkKind

CONNECT_S = 5.0
TEXT_GRACE_S = 0.05  # for the rest of what a gateway says
BUFFER_MAX = 4096  # bytes; a babbling line is cut at the front
KEEPALIVE = {
    socket.TCP_KEEPIDLE: 10,
    socket.TCP_KEEPINTVL: 5,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 15_000,
    socket.TCP_NODELAY: 1,
}


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What a link needs of a Line row."""

    name: str
    link: LinkKind
    timing: LineTiming
    host: str = ""
    port: int = 0
    device: str = ""
    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1
    retries: int = 0  # of a read, in the same turn; a write is never repeated
    frame_life_s: float = 5.0
    queue_max: int = 1000


class Wire(asyncio.Protocol):
    """One connection. Collects what comes in; knows nothing of Modbus but where a reply ends."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.lost: str | None = None  # why it is gone: a code of LineDown
        self.detail = ""
        self.heard_at = 0.0  # loop time of the last byte in
        self.last_byte_at = 0.0  # in or out
        self.made: asyncio.Future[None] = self.loop.create_future()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._news: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE.items():
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.made.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        del self._buffer[:-BUFFER_MAX]
        self.heard_at = self.last_byte_at = self.loop.time()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if text := gateway_text(bytes(self._buffer)):
            self._gone("gateway_says", text)
        else:
            self._gone("closed", str(exc or ""))

    def close(self, why: str = "closed", detail: str = "") -> None:
        self._gone(why, detail)
        if self._transport is not None:
            self._transport.abort()

    def _gone(self, why: str, detail: str) -> None:
        if self.lost is None:
            self.lost, self.detail = why, detail
        if not self.closed.done():
            self.closed.set_result(None)
        self._wake()

    def send(self, frame: bytes) -> None:
        """Raises LineDown where the connection is gone."""
        if self.lost is not None or self._transport is None:
            raise LineDown(self.lost or "closed", self.detail)
        self._transport.write(frame)
        self.last_byte_at = self.loop.time()

    def take(self, count: int | None = None) -> bytes:
        """Remove and return the first `count` bytes that came, or all."""
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def reply(self, wanted: Expected, deadline: float) -> Found | None:
        """The reply, as soon as its last byte is here; None at the deadline (loop time).

        It stays in the buffer. Raises LineDown the moment the connection is gone.
        """
        while True:
            buffer = bytes(self._buffer)
            if found := find_reply(buffer, wanted):
                return found
            if self.lost is not None:
                raise LineDown(self.lost, self.detail)
            if gateway_text(buffer):
                deadline = min(deadline, self.heard_at + TEXT_GRACE_S)
            if not await self._more(deadline):
                return None

    async def _more(self, deadline: float) -> bool:
        """Wait for bytes or the loss of the connection; False at the deadline."""
        if self.loop.time() >= deadline:
            return False
        self._news = self.loop.create_future()
        timer = self.loop.call_at(deadline, self._wake)
        try:
            await self._news
        finally:
            self._news = None
            timer.cancel()
        return True

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


async def open_wire(settings: LineSettings) -> Wire:
    """Connect. Raises LineDown: link_kind, unknown_host, connect_timeout, connect_failed."""
    loop = asyncio.get_running_loop()
    if settings.link not in (LinkKind.RTU_TCP, LinkKind.SERIAL):
        raise LineDown("link_kind", settings.link.value)
    try:
        async with asyncio.timeout(CONNECT_S):
            if settings.link is LinkKind.SERIAL:
                wire = Wire()
                await create_serial_connection(
                    loop,
                    lambda: wire,
                    settings.device,
                    baudrate=settings.baud,
                    bytesize=8,
                    parity=settings.parity,
                    stopbits=settings.stop_bits,
                    timeout=0,
                )
                await wire.made  # it calls back in a later turn of the loop
            else:
                _, wire = await loop.create_connection(Wire, settings.host, settings.port)
    except TimeoutError:
        raise LineDown("connect_timeout") from None
    except socket.gaierror as error:
        raise LineDown("unknown_host", error.strerror or "") from None
    except (OSError, ValueError) as error:  # ValueError: pyserial on a bad baud rate or parity
        raise LineDown("connect_failed", str(error)) from None
    return wire
