"""The yardstick: pymodbus's own client, one task a line, one read a meter, nothing else."""

import asyncio
import time

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from tests.bench.reference import ReferenceSite


async def sweep_s(site: ReferenceSite) -> float:
    """Seconds to read the main block of every meter once, lines in parallel."""
    clients = {name: await _connected(port) for name, port in site.ports.items()}
    started = time.perf_counter()
    try:
        await asyncio.gather(
            *(_read(client, site.addresses[name]) for name, client in clients.items())
        )
    finally:
        for client in clients.values():
            client.close()
    return time.perf_counter() - started


async def _connected(port: int) -> AsyncModbusTcpClient:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU, retries=0)
    assert await client.connect(), port
    return client


async def _read(client: AsyncModbusTcpClient, addresses: list[int]) -> None:
    for address in addresses:
        reply = await client.read_holding_registers(0x0200, count=48, device_id=address)
        assert not reply.isError(), reply
