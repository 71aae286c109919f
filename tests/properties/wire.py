"""A line without sockets: the real Port and Bus, on a wire that answers or fails at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from engine.bus.bus import Bus
from engine.bus.doubts import Doubts
from engine.bus.errors import LineDown
from engine.bus.frames import Expected, Found, find_reply
from engine.bus.health import LineCounters, ReplyTimes
from engine.bus.link import Priority
from engine.bus.port import Memory, Port
from engine.bus.transport import LineSettings

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone: nothing that it would have done is done."""


class Fuse:
    """Burns at each frame and each transaction; at the last one of its length the engine dies."""

    def __init__(self, length: int | None = None) -> None:
        self._left = length
        self.burnt = False

    def burn(self) -> None:
        if self._left is not None:
            self._left -= 1
            self.burnt = self.burnt or self._left <= 0
        if self.burnt:
            raise Crash


class PlainWire:
    """What a Port needs of a connection. `obey` gives the bytes that come back, at once."""

    def __init__(self, obey: Callable[[bytes], bytes], fuse: Fuse) -> None:
        self.loop = asyncio.get_running_loop()
        self.lost: str | None = None
        self.detail = ""
        self.heard_at = self.last_byte_at = 0.0
        self._obey, self._fuse = obey, fuse
        self._buffer = bytearray()

    def send(self, frame: bytes) -> None:
        self._fuse.burn()
        self._buffer += self._obey(frame)
        self._fuse.burn()

    def take(self, count: int | None = None) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def reply(self, wanted: Expected, deadline: float) -> Found | None:
        """Nothing can come later than now."""
        del deadline
        return find_reply(bytes(self._buffer), wanted)

    def close(self, why: str = "closed", detail: str = "") -> None:
        self.lost, self.detail = why, detail


class PlainLine:
    """What the executor needs of a line: turns, one after the other."""

    down = False

    def __init__(self, settings: LineSettings, obey: Callable[[bytes], bytes], fuse: Fuse) -> None:
        self.settings = settings
        self._lock = asyncio.Lock()
        memory = Memory(Doubts(settings.frame_life_s), LineCounters(), ReplyTimes())
        wire: Any = PlainWire(obey, fuse)
        self._port = Port(settings, wire, memory)

    async def ripe(self) -> bool:
        return True

    async def turn(
        self, _: Priority, work: Callable[[Bus], Awaitable[T]], *, gives_way: bool = False
    ) -> T:
        async with self._lock:
            if self._port.wire.lost is not None:
                raise LineDown(self._port.wire.lost)
            return await work(Bus(self._port, self._let_pass if gives_way else None))

    async def _let_pass(self) -> None:
        """Whoever waits, whatever it is that he waits with."""
        self._lock.release()
        await asyncio.sleep(0)
        await self._lock.acquire()
