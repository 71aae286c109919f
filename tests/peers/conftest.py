"""Programs of others: found, built and started, or the test says why it cannot run."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.bus.link import Link
from engine.bus.timing import LineTiming
from engine.bus.transport import LineSettings
from models.enums import LineState, LinkKind

HERE = Path(__file__).parent
PLACES = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"  # servers are in sbin
PACKAGES = {"cc": "gcc", "zbarimg": "zbar-tools"}


def program(name: str) -> str:
    """Where a program of others is; skips the test, naming the package, where it is not."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {PACKAGES.get(name, name)})")
    return found


@pytest.fixture(scope="session")
def slave_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libmodbus meter, compiled here."""
    target = tmp_path_factory.mktemp("peer") / "slave"
    command = [program("cc"), "-Wall", "-O1", "-I/usr/include/modbus", str(HERE / "slave.c")]
    built = subprocess.run(
        [*command, "-o", str(target), "-lmodbus"], capture_output=True, text=True, check=False
    )
    if "modbus.h" in built.stderr or "-lmodbus" in built.stderr:
        pytest.skip("libmodbus is not installed (apt-get install libmodbus-dev)")
    assert built.returncode == 0, built.stderr
    return target


@contextlib.asynccontextmanager
async def running(*command: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that is ended when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@dataclass(frozen=True)
class Peer:
    """A link of ours that is up, and which kind of meter is behind it."""

    link: Link
    kind: str = ""


@contextlib.asynccontextmanager
async def connected(
    port: int = 0, *, device: Path | None = None, baud: int = 115_200
) -> AsyncIterator[Link]:
    """Our link to a serial server on 127.0.0.1, or to a serial device; up."""
    link = Link(
        LineSettings(
            name="peer",
            link=LinkKind.SERIAL if device else LinkKind.RTU_TCP,
            timing=LineTiming.of(baud=baud),
            host="127.0.0.1",
            port=port,
            device=str(device or ""),
            frame_life_s=0.3,
        )
    )
    owner = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(10):
            while link.health.state is not LineState.UP:
                await asyncio.sleep(0.01)
        yield link
    finally:
        await link.stop()
        await owner


@contextlib.asynccontextmanager
async def serial_cable(folder: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Two serial devices that are each other's far end."""
    ends = folder / "near", folder / "far"
    async with running(program("socat"), *(f"pty,raw,echo=0,link={end}" for end in ends)):
        async with asyncio.timeout(10):
            while not all(end.exists() for end in ends):
                await asyncio.sleep(0.01)
        yield ends
