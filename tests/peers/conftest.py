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


def need(*programs: str) -> None:
    """Skip, naming the package, where a program is not installed."""
    packages = {"cc": "gcc", "pkg-config": "pkg-config"}
    for program in programs:
        if shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin:/usr/local/bin") is None:
            pytest.skip(
                f"{program} is not installed (apt-get install {packages.get(program, program)})"
            )


@pytest.fixture(scope="session")
def slave_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libmodbus meter, compiled here."""
    need("cc")
    target = tmp_path_factory.mktemp("peer") / "slave"
    command = ["cc", "-Wall", "-O1", "-I/usr/include/modbus", str(HERE / "slave.c")]
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
async def connected(port: int, *, baud: int = 115_200) -> AsyncIterator[Link]:
    """Our link to a serial server on 127.0.0.1, up."""
    link = Link(
        LineSettings(
            name="peer",
            link=LinkKind.RTU_TCP,
            timing=LineTiming.of(baud=baud),
            host="127.0.0.1",
            port=port,
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
