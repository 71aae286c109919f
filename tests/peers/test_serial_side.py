"""Our simulator on a serial line: read by mbpoll, and by us through ser2net, byte by byte."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.bus.bus import Bus
from engine.bus.driver import Driver
from engine.bus.link import Priority
from engine.bus.registers import load_maps
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.site import SimSite
from engine.bus.transport import Wire
from engine.tables import write_csv
from tests.peers.conftest import connected, program, running, serial_cable

pytestmark = pytest.mark.peer

NUMBER = "202607150001"
MODEL = "DTSY1352-NK"
SER2NET = """\
connection: &line
  accepter: tcp(nodelay=true),127.0.0.1,{port}
  connector: serialdev(nouucplock=true),{device},9600n81,local
  options:
    chardelay-scale: 35
    dev-to-net-bufsize: 64
"""


@pytest.fixture
async def theirs(tmp_path: Path) -> AsyncIterator[tuple[Path, SimMeter]]:
    """A serial device with our simulated meter at its far end: 87.65 yuan, 6 purchases."""
    lines = ("line", "gateway", "port", "baud"), [("L1", "W1", "0", "9600")]
    meters = (
        ("serial", "model", "line", "address", "ct_ratio", "kind", "tariff"),
        [(NUMBER, MODEL, "L1", "1", "20", "prepaid", "")],
    )
    write_csv(tmp_path, "lines", *lines)
    write_csv(tmp_path, "meters", *meters)
    site = SimSite.load(tmp_path, clock=SiteClock(speed=0))
    meter = site.meter(NUMBER)
    meter.load_w, meter.balance_fen, meter.owed, meter.count = 0, 8765, 0, 6
    meter.energy_wh = 1_234_560
    async with serial_cable(tmp_path) as (near, far), site.serve(devices={"L1": near}):
        yield far, meter


async def mbpoll(device: Path, address: int, count: int) -> list[int]:
    """The registers mbpoll reads, as it prints them."""
    options = f"-m rtu -b 9600 -P none -a 1 -0 -r {address} -c {count} -t 4:hex -1 -o 2".split()
    process = await asyncio.create_subprocess_exec(
        program("mbpoll"),
        *options,
        str(device),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return [
        int(word, 16)
        for word in re.findall(r"^\[\d+\]:\s+0x([0-9A-F]+)", said.decode(), re.MULTILINE)
    ]


async def test_mbpoll_reads_the_blocks_of_our_simulator(theirs: tuple[Path, SimMeter]) -> None:
    device, _ = theirs

    number = await mbpoll(device, 0x0043, 3)
    main = await mbpoll(device, 0x0200, 48)
    prices = await mbpoll(device, 0x0400, 25)

    assert "".join(f"{word:04x}" for word in number) == NUMBER
    assert (main[0], main[0x1F] << 16 | main[0x20], main[0x21]) == (5, 8765, 6)
    assert main[0x14] == 20
    assert len(prices) == 25
    assert prices[1] == 6


async def test_mbpoll_learns_that_a_register_is_not_there(theirs: tuple[Path, SimMeter]) -> None:
    device, _ = theirs

    with pytest.raises(AssertionError, match="Illegal data address"):
        await mbpoll(device, 0x3000, 1)


@contextlib.asynccontextmanager
async def ser2net(folder: Path, device: Path) -> AsyncIterator[int]:
    """A serial server on 127.0.0.1 before `device`; yields its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    configuration = folder / "ser2net.yaml"
    configuration.write_text(SER2NET.format(port=port, device=device), encoding="utf-8")
    pid = folder / "ser2net.pid"
    async with running(program("ser2net"), "-n", "-d", "-l", "-c", configuration, "-P", pid):
        async with asyncio.timeout(10):
            while not _listens(port):
                await asyncio.sleep(0.02)
        yield port


def _listens(port: int) -> bool:
    """Is somebody bound to the port? Asked without connecting: the line has one client only."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what our end of the wire was handed."""
    sizes: list[int] = []
    received = Wire.data_received

    def noted(wire: Wire, data: bytes) -> None:
        sizes.append(len(data))
        received(wire, data)

    monkeypatch.setattr(Wire, "data_received", noted)
    return sizes


async def test_reads_and_sells_through_ser2net_though_replies_come_in_pieces(
    theirs: tuple[Path, SimMeter], tmp_path: Path, pieces: list[int]
) -> None:
    device, meter = theirs
    driver = Driver(load_maps()[MODEL], 1, cipher_key=bytes(8))

    async def sell(bus: Bus) -> tuple[object, ...]:
        identity = await driver.read_identity(bus)
        before = await driver.read_main(bus)
        await driver.purchase(bus, amount_fen=10_000, count=7, ciphered=meter.cipher_on)
        after = await driver.read_main(bus)
        return identity.number, before.balance_fen, after.balance_fen, after.purchase_count

    async with ser2net(tmp_path, device) as port, connected(port, baud=9600) as link:
        told = await link.turn(Priority.MONEY, sell)

        assert told == (NUMBER, 8765, 18_765, 7)
        assert meter.purchases[-1] == (7, 10_000)
        assert link.health.timeouts == 0
        assert max(pieces) < 101  # no main block came whole
