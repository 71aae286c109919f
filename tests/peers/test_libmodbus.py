"""Our link and driver against a meter whose Modbus is libmodbus's, not ours."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.driver import Driver
from engine.bus.errors import NoReply, Refused
from engine.bus.holding import Holding, groups_for
from engine.bus.link import Bus, Priority
from engine.bus.registers import load_maps
from engine.domain.states import StatusBits
from engine.domain.wanted import differing
from models.enums import Relay
from tests.peers.conftest import Peer, connected, running, serial_cable

pytestmark = pytest.mark.peer

NUMBER = "202607150001"


@pytest.fixture(params=["checked", "blind"])
async def slave(request: pytest.FixtureRequest, slave_program: Path) -> AsyncIterator[Peer]:
    """A single-phase meter, 87.65 yuan, 6 purchases so far."""
    async with running(slave_program, "1", NUMBER, "8765", "6", request.param) as process:
        assert process.stdout is not None
        word, port = (await process.stdout.readline()).split()
        assert word == b"ready"
        async with connected(int(port)) as link:
            yield Peer(link=link, kind=request.param)


def driver(unit: int = 1) -> Driver:
    return Driver(load_maps()["DDSY1352-NK"], unit, cipher_key=bytes(8))


async def test_reads_the_main_block_the_number_and_the_prices(slave: Peer) -> None:
    async def read(bus: Bus) -> tuple[object, ...]:
        meter = driver()
        main = await meter.read_main(bus)
        settings = await meter.read_settings(bus)
        identity = await meter.read_identity(bus)
        return main, settings, identity

    main, settings, identity = await slave.link.turn(Priority.POLL, read)

    assert identity.number == NUMBER
    assert (main.balance_fen, main.purchase_count, main.energy_wh) == (8765, 6, 1_234_560)
    assert main.clock == "2026-07-15T10:15:30"
    assert settings.prices == tuple(map(Decimal, ("1.2000", "1.0000", "0.8000", "0.6000")))


async def test_sells_to_it_and_reads_the_sale_back(slave: Peer) -> None:
    async def sell(bus: Bus) -> tuple[int | None, int | None]:
        meter = driver()
        before = await meter.read_main(bus)
        count = (before.purchase_count or 0) + 1
        await meter.purchase(bus, amount_fen=10_000, count=count, ciphered=False)
        after = await meter.read_main(bus)
        return after.balance_fen, after.purchase_count

    assert await slave.link.turn(Priority.MONEY, sell) == (18_765, 7)


async def test_a_count_that_is_not_the_next_is_refused_by_a_checked_meter(slave: Peer) -> None:
    async def sell(bus: Bus) -> int | None:
        await driver().purchase(bus, amount_fen=10_000, count=9, ciphered=False)
        return (await driver().read_main(bus)).purchase_count

    if slave.kind == "checked":
        with pytest.raises(Refused) as refused:
            await slave.link.turn(Priority.MONEY, sell)
        assert refused.value.exception_code == 3
    else:
        assert await slave.link.turn(Priority.MONEY, sell) == 9


async def test_it_holds_what_is_downloaded_and_keeps_what_is_not_named(slave: Peer) -> None:
    wanted: dict[str, str | int] = {
        "price_flat": "0.7500",
        "alarm1_fen": 3000,
        "schedule1": "00:00 valley, 07:30 flat, 22:00 valley",
        "multi_rate": 0,
    }

    async def download(bus: Bus) -> Holding:
        holding = Holding(driver(), bus)
        groups = groups_for(wanted, holding.driver.map)
        await holding.look(groups, step="before")
        for group in groups:
            await holding.give(group, wanted, ciphered=False)
        await holding.look(groups, step="read_back")
        return holding

    found = await slave.link.turn(Priority.CONTROL, download, gives_way=True)

    assert differing(wanted, found.held) == []
    assert (found.held["price_sharp"], found.held["alarm2_fen"]) == ("1.2000", 500)
    assert found.held["money_control"] == 1


async def test_its_clock_is_set_and_shown(slave: Peer) -> None:
    async def set_clock(bus: Bus) -> str | None:
        meter = driver()
        at = {"second": 7, "minute": 8, "hour": 9, "weekday": 3, "day": 25, "month": 11, "year": 26}
        values = {f"clock_{name}": value for name, value in at.items()}
        await meter.give(bus, meter.map.orders["clock"], values, step="write")
        return (await meter.read_main(bus)).clock

    assert await slave.link.turn(Priority.CONTROL, set_clock) == "2026-11-25T09:08:07"


async def test_it_is_tripped_and_closed_again(slave: Peer) -> None:
    async def force(bus: Bus, on: int, open_: int) -> tuple[bool, bool]:
        meter = driver()
        values = {"force_on": on, "force_open": open_}
        await meter.give(bus, meter.map.orders["force_switch"], values, step="write")
        reading = await meter.read_main(bus)
        status = StatusBits(reading.status1 or 0, reading.status2 or 0, 1)
        return status.force_active, status.relay is Relay.CLOSED

    async def both(bus: Bus) -> list[tuple[bool, bool]]:
        return [await force(bus, 1, 1), await force(bus, 0, 0)]

    tripped, closed = await slave.link.turn(Priority.CONTROL, both)

    assert (tripped, closed) == ((True, False), (False, True))


async def test_an_address_nobody_has_is_silence_and_the_line_stays_up(slave: Peer) -> None:
    """libmodbus takes the frame after another unit's request for that unit's reply and drops it:
    here our first fence. The lost fence keeps the unit waiting for frame_life_s, then all is well.
    """
    with pytest.raises(NoReply):
        await slave.link.turn(Priority.POLL, lambda bus: driver(unit=9).read_main(bus))
    with pytest.raises(NoReply):
        await slave.link.turn(Priority.POLL, lambda bus: driver().read_main(bus))
    await asyncio.sleep(slave.link.settings.frame_life_s)

    reading = await slave.link.turn(Priority.POLL, lambda bus: driver().read_main(bus))

    assert reading.balance_fen == 8765


async def test_reads_it_on_a_serial_line_too(slave_program: Path, tmp_path: Path) -> None:
    async with serial_cable(tmp_path) as (near, far):
        meter = slave_program, "1", NUMBER, "8765", "6", "checked", far
        async with running(*meter) as process, connected(device=near, baud=9600) as link:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready 0\n"

            reading = await link.turn(Priority.POLL, lambda bus: driver().read_main(bus))

    assert (reading.balance_fen, reading.purchase_count, reading.model_code) == (8765, 6, 7)
