"""Pace and clients of a line."""

import asyncio
import os
from pathlib import Path

import pytest

from engine.bus.simulator.line import Pace
from engine.bus.simulator.site import SimSite

FENCE = "01 03 00 22 00 01 24 00"
MAIN = "01 03 02 00 00 30 44 66"


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [  # request and reply of the main block are 109 characters
        pytest.param(Pace(9600, 10), 0.1135, id="9600 8N1"),
        pytest.param(Pace(1200, 10), 0.9083, id="1200 8N1"),
        pytest.param(Pace(9600, 11), 0.1249, id="9600 8E1"),
        pytest.param(Pace(9600, 10, paced=False), 0.0, id="no pacing"),
    ],
)
def test_characters_take_their_time_on_the_wire(pace: Pace, seconds: float) -> None:
    assert pace.wire_s(109) == pytest.approx(seconds, abs=0.0001)


def test_a_line_has_the_pace_of_its_row(site: SimSite) -> None:
    assert (site.lines["L1"].pace.baud, site.lines["L1"].pace.bits) == (9600, 10)
    assert (site.lines["L2"].pace.baud, site.lines["L2"].pace.bits) == (2400, 11)


async def test_a_serial_server_passes_uart_bursts(site: SimSite, record) -> None:
    recorder = record(101)

    async with site.serve(base_port=0, pacing=False, fragment=16):
        site.lines["L1"].client = recorder
        site.lines["L1"].feed(bytes.fromhex(MAIN))
        await recorder.done.wait()

    assert [len(piece) for piece in recorder.pieces] == [16, 16, 16, 16, 16, 16, 5]


async def test_a_second_client_kicks_the_first_out(connect) -> None:
    first = await connect()
    assert await first.nothing_came()

    second = await connect()

    assert await first.until_closed() == b""
    assert await second.nothing_came()


async def test_a_second_client_may_be_refused_with_a_text(site: SimSite) -> None:
    async with site.serve(base_port=0, pacing=False, second_client="refuse"):
        port = site.ports["L1"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex(FENCE))
        await reader.readexactly(7)

        late_reader, late_writer = await asyncio.open_connection("127.0.0.1", port)

        assert await late_reader.read() == b"Port already in use\r\n"
        writer.write(bytes.fromhex(FENCE))
        assert len(await reader.readexactly(7)) == 7
        late_writer.close()
        writer.close()


async def test_ports_count_up_from_the_base(site: SimSite, unused_tcp_port_factory) -> None:
    base_port = unused_tcp_port_factory()

    async with site.serve(base_port=base_port, pacing=False):
        assert site.ports == {"L1": base_port, "L2": base_port + 1}


async def test_a_line_can_be_served_on_a_serial_device(site: SimSite) -> None:
    master, slave = os.openpty()
    device = Path(os.ttyname(slave))
    got = asyncio.Queue[bytes]()
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: got.put_nowait(os.read(master, 100)))

    async with site.serve(base_port=0, devices={"L1": device}, pacing=False):
        os.write(master, bytes.fromhex(FENCE))
        reply = b""
        while len(reply) < 7:
            reply += await got.get()

    loop.remove_reader(master)
    os.close(master)
    os.close(slave)
    assert reply[:3] == b"\x01\x03\x02"
    assert "L1" not in site.ports
