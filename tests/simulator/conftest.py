import asyncio
import csv
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.framing import sealed
from engine.bus.simulator.line import SILENCE_S
from engine.bus.simulator.site import SimSite

MIDNIGHT_MS = 1_784_044_800_000  # Wednesday 2026-07-15 00:00 in China
SINGLE, THREE, OTHER = "202106250001", "202106250002", "202106250003"

FENCE = bytes.fromhex("03 00 22 00 01")

TABLES = {
    "lines": [
        ("line", "gateway", "port", "baud", "parity", "stop_bits"),
        ("L1", "well", "0", "9600", "N", "1"),
        ("L2", "well", "0", "2400", "E", "1"),
    ],
    "meters": [
        ("serial", "model", "line", "address", "ct_ratio", "kind", "tariff"),
        (SINGLE, "DDSY1352-NK", "L1", "1", "1", "prepaid", ""),
        (THREE, "DTSY1352-NK", "L1", "2", "20", "prepaid", ""),
        (OTHER, "DDSY1352-NK", "L2", "1", "1", "prepaid", ""),
    ],
    "tenants": [
        ("number", "name", "phone", "meters"),
        ("T1", "临江火锅", "13900000001", SINGLE),
        ("T2", "丰裕超市", "13900000002", f"{THREE};{OTHER}"),
    ],
}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Import tables of three meters on two lines of one gateway."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, rows in TABLES.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.fixture
def clock() -> SiteClock:
    """Stands still; a test moves it on."""
    return SiteClock(speed=0, start_ms=MIDNIGHT_MS)


@pytest.fixture
def site(tables: Path, clock: SiteClock) -> SimSite:
    """The three meters, at rest, as the frames of the reference want them: 87.65 left, 5 bought."""
    site = SimSite.load(tables, clock=clock)
    for meter in site.meters.values():
        meter.balance_fen, meter.owed = 8765, 0
        meter.count = 5
        meter.checked = True
        meter.run_state &= ~0x20
        meter.relay_closed = True
        meter.load_w = 0
        meter.prices = [12000, 10000, 7000, 4000]
    return site


class Master:
    """A client of one line, at the level of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, frame: bytes | str) -> None:
        self._writer.write(bytes.fromhex(frame) if isinstance(frame, str) else frame)

    async def receive(self, size: int) -> bytes:
        async with asyncio.timeout(10):
            return await self._reader.readexactly(size)

    async def until_closed(self) -> bytes:
        async with asyncio.timeout(10):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def ask(self, frame: bytes | str, size: int = 8) -> str:
        self.send(frame)
        return (await self.receive(size)).hex(" ").upper()

    async def nothing_came(self, unit: int = 1) -> bool:
        """The bus answers in order: the fence answered first, so nothing older was under way."""
        return (await self.ask(sealed(bytes([unit]) + FENCE), 7)).startswith(f"{unit:02X} 03 02 00")

    async def until_silence(self) -> None:
        """Long enough that the line gives up a frame that stands still."""
        await asyncio.sleep(2 * SILENCE_S)

    def close(self) -> None:
        self._writer.close()


class Recorder:
    """In place of a connection: keeps the pieces as they come; `done` after so many bytes."""

    def __init__(self, size: int) -> None:
        self.pieces: list[bytes] = []
        self.done = asyncio.Event()
        self._size = size

    def write(self, data: bytes) -> None:
        self.pieces.append(data)
        if sum(map(len, self.pieces)) >= self._size:
            self.done.set()

    def abort(self) -> None:
        """Thrown out when the site stops."""


@pytest.fixture
def record() -> type[Recorder]:
    return Recorder


Connect = Callable[..., "asyncio.Future[Master]"]


@pytest.fixture
async def served(site: SimSite) -> AsyncIterator[SimSite]:
    async with site.serve(base_port=0, pacing=False):
        yield site


@pytest.fixture
async def connect(served: SimSite) -> AsyncIterator[Connect]:
    masters: list[Master] = []

    async def connect_to(line: str = "L1") -> Master:
        master = Master(*await asyncio.open_connection("127.0.0.1", served.ports[line]))
        masters.append(master)
        return master

    yield connect_to
    for master in masters:
        master.close()


@pytest.fixture
async def master(connect: Connect) -> Master:
    return await connect()
