"""A raw slave on a real socket that does what the test says, byte by byte, and our link to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import pytest

from engine.bus.driver import Driver
from engine.bus.errors import NoReply
from engine.bus.frames import crc, crc_fits
from engine.bus.link import Bus, LineSettings, Link, Priority
from engine.bus.registers import MeterMap, encode, load_maps
from engine.bus.timing import LineTiming
from models.enums import LinkKind

T = TypeVar("T")

MAPS = load_maps()
DDSY = MAPS["DDSY1352-NK"]
KEY = bytes.fromhex("616372656C333231")
HANG_S = 5.0  # a test that waits so long has failed
BRIEFLY_S = 0.03
FRAME_LIFE_S = 0.25
FENCE = bytes.fromhex("03 0022 0001")


@dataclass
class Patience:
    """A LineTiming whose time-out a test sets: endless where a reply will come, else brief."""

    wait_s: float = HANG_S
    gap_s: float = 0.001
    slowest: list[float] = field(default_factory=list)  # what the line knew, each time

    @property
    def write_timeout_s(self) -> float:
        return self.wait_s

    def timeout_s(self, _bytes_out: int, _bytes_in: int, *, slowest_s: float) -> float:
        self.slowest.append(slowest_s)
        return self.wait_s


def sealed(body: bytes) -> bytes:
    return body + crc(body)


def registers_reply(unit: int, *registers: int) -> bytes:
    data = b"".join(register.to_bytes(2) for register in registers)
    return sealed(bytes((unit, 3, len(data))) + data)


def main_reply(unit: int = 1, meter_map: MeterMap = DDSY, **values: int) -> bytes:
    """What a meter sends for its main block."""
    given = {"model_code": min(meter_map.model_codes), "pt_ratio": 1, "ct_ratio": 1, **values}
    return registers_reply(unit, *encode(meter_map.blocks["main"], given))


def fence_reply(unit: int = 1, run_state: int = 0x41) -> bytes:
    return registers_reply(unit, run_state)


def exception(unit: int, function: int, code: int) -> bytes:
    return sealed(bytes((unit, function | 0x80, code)))


def is_fence(request: bytes) -> bool:
    return request[1:6] == FENCE


@dataclass
class Slave:
    """The far end of the line. `heard` gives each request; `send` sends any bytes."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    greeting: bytes = b""  # sent to each new connection before anything is asked
    kicks: bool = False  # closes each new connection at once
    raw: bool = False  # takes whatever comes as one request: ciphered frames show no length
    _frames: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    _writer: asyncio.StreamWriter | None = None
    _serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        self._writer = writer
        writer.write(self.greeting)
        if self.kicks:
            writer.close()
            return
        buffer = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1024):
                buffer += data
                while (size := len(buffer) if self.raw else request_size(buffer)) and len(
                    buffer
                ) >= size:
                    frame, buffer = buffer[:size], buffer[size:]
                    self.requests.append(frame)
                    self._frames.put_nowait(frame)
        writer.close()

    async def heard(self) -> bytes:
        """The next request."""
        async with asyncio.timeout(HANG_S):
            return await self._frames.get()

    async def heard_fence(self) -> bytes:
        request = await self.heard()
        assert is_fence(request), request.hex(" ")
        return request

    @property
    def quiet(self) -> bool:
        """Nothing was asked that the test has not heard."""
        return self._frames.empty()

    async def send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def send_apart(self, *pieces: bytes) -> None:
        """Each piece in a segment of its own."""
        for piece in pieces:
            await self.send(piece)
            await asyncio.sleep(0.001)  # so that the kernel delivers it before the next

    def drop(self) -> None:
        assert self._writer is not None
        self._writer.transport.abort()

    async def fenced(self, unit: int = 1) -> None:
        """Hear a fence and answer it."""
        await self.heard_fence()
        await self.send(fence_reply(unit))

    async def answered(self, reply: bytes) -> bytes:
        """Hear a request and answer it."""
        request = await self.heard()
        assert not is_fence(request), request.hex(" ")
        await self.send(reply)
        return request

    async def finish(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)


def request_size(buffer: bytes) -> int:
    """Length of the request that `buffer` begins with; 0: more bytes are needed to tell."""
    if len(buffer) < 8:
        return 0
    if buffer[1] in (0x10, 0x20, 0xAA, 0xAB):
        return 9 + buffer[6]
    if buffer[1] == 0x11:
        return 12
    return 8 if crc_fits(buffer[:8]) else len(buffer)


@dataclass
class Line:
    """Our link, its owner task, and the slave at the other end."""

    link: Link
    owner: "asyncio.Task[None]"
    slave: Slave

    @contextlib.contextmanager
    def impatient(self) -> Iterator[None]:
        """What is asked meanwhile has its time-out soon."""
        patience = cast("Patience", self.link.settings.timing)
        patience.wait_s = BRIEFLY_S
        try:
            yield
        finally:
            patience.wait_s = HANG_S

    async def cut(self) -> None:
        """The connection is dropped, and our side has seen it."""
        before = self.link.connected_at
        self.slave.drop()
        async with asyncio.timeout(HANG_S):
            while self.link.connected_at == before:
                await asyncio.sleep(0.001)

    async def up(self) -> None:
        async with asyncio.timeout(HANG_S):
            while self.link.connected_at is None:
                await asyncio.sleep(0.001)

    async def lose_a_read(self, unit: int = 1) -> bytes:
        """A read whose reply does not come: its request."""
        with self.impatient():
            reading = self.read(unit)
            request = await self.slave.heard()
            with pytest.raises(NoReply):
                await reading
        return request

    async def lose_a_fence(self, unit: int = 1) -> None:
        with self.impatient():
            reading = self.read(unit)
            await self.slave.heard_fence()
            with pytest.raises(NoReply):
                await reading

    def turn(
        self, work: Callable[[Bus], Awaitable[T]], priority: Priority = Priority.POLL
    ) -> "asyncio.Task[T]":
        return asyncio.create_task(within(self.link.turn(priority, work)))

    def read(self, unit: int = 1, meter_map: MeterMap = DDSY) -> "asyncio.Task[int | None]":
        """A turn that reads the main block of a unit and returns its balance."""

        async def work(bus: Bus) -> int | None:
            return (await driver(unit, meter_map).read_main(bus)).balance_fen

        return self.turn(work)

    async def settled(self, unit: int = 1) -> None:
        """A first good read: the unit is no longer suspect."""
        reading = self.read(unit)
        if is_fence(await self.slave.heard()):
            await self.slave.send(fence_reply(unit))
            await self.slave.heard()
        await self.slave.send(main_reply(unit))
        await reading


async def within(work: Awaitable[T]) -> T:
    async with asyncio.timeout(HANG_S):
        return await work


def driver(unit: int = 1, meter_map: MeterMap = DDSY) -> Driver:
    return Driver(meter_map, unit, cipher_key=KEY)


def settings(port: int, /, **changes: object) -> LineSettings:
    made = LineSettings(
        name="L01",
        link=LinkKind.RTU_TCP,
        timing=cast("LineTiming", Patience()),
        host="127.0.0.1",
        port=port,
        frame_life_s=FRAME_LIFE_S,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names of its fields


@contextlib.asynccontextmanager
async def listening(slave: Slave, *, port: int = 0) -> AsyncIterator[Slave]:
    """The slave's port, open until the block ends."""
    server = await asyncio.start_server(slave.serve, "127.0.0.1", port)
    slave.port = server.sockets[0].getsockname()[1]
    try:
        yield slave
    finally:
        server.close()
        await slave.finish()


@contextlib.asynccontextmanager
async def linked(slave: Slave, **changes: object) -> AsyncIterator[Line]:
    """Our link to it, owned and running."""
    link = Link(settings(slave.port, **changes))
    owner = asyncio.create_task(link.run())
    try:
        yield Line(link, owner, slave)
    finally:
        await link.stop()
        await within(owner)
