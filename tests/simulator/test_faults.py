"""Each fault by its name, over a real socket: what the client sees and what the meter did."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from engine.bus.frames import count_frames, crc_fits
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.errors import BadFault
from engine.bus.simulator.faults import parse_faults
from engine.bus.simulator.framing import sealed
from engine.bus.simulator.site import SimSite

SINGLE, THREE, OTHER = "202106250001", "202106250002", "202106250003"
FENCE = "01 03 00 22 00 01 24 00"
MAIN = "01 03 02 00 00 30 44 66"
PURCHASE = "01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE"
PURCHASED = "01 20 01 00 00 04 80 32"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.001)


async def test_no_reply_obeys_in_silence(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "no_reply")

    master.send(PURCHASE)

    assert await master.nothing_came()
    assert served.meter(SINGLE).count == 6


async def test_a_lost_request_never_reaches_the_meter(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "lost_request")

    master.send(PURCHASE)

    assert await master.nothing_came()
    assert served.meter(SINGLE).count == 5


async def test_a_garbled_request_is_not_obeyed(served: SimSite, master) -> None:
    served.inject("line:L1", "bad_request")

    master.send(PURCHASE)

    assert await master.nothing_came()
    assert served.meter(SINGLE).count == 5


@pytest.mark.parametrize("fault", ["late_reply", "late_request"])
async def test_what_is_late_still_comes_before_the_next_answer(
    served: SimSite, master, fault: str
) -> None:
    served.inject(f"meter:{SINGLE}", fault, delay_s=0.05)

    master.send(PURCHASE + FENCE)

    assert (await master.receive(8)).hex(" ").upper() == PURCHASED
    assert (await master.receive(7)).startswith(b"\x01\x03\x02")


async def test_a_late_reply_goes_to_whoever_is_connected_by_then(served: SimSite, connect) -> None:
    served.inject("line:L1", "late_reply", delay_s=0.2)
    first = await connect()
    first.send(PURCHASE)
    await until(lambda: served.meters[SINGLE].count == 6)
    first.close()

    second = await connect()

    assert (await second.receive(8)).hex(" ").upper() == PURCHASED


async def test_a_duplicate_comes_twice(served: SimSite, master) -> None:
    served.inject("line:L1", "duplicate")

    reply = await master.ask(PURCHASE, 16)

    assert reply == f"{PURCHASED} {PURCHASED}"
    assert served.meter(SINGLE).count == 6


async def test_a_bit_flip_breaks_the_checksum(served: SimSite, master) -> None:
    served.inject("line:L1", "bit_flip", count=20)

    for _ in range(20):
        master.send(MAIN)
        assert not crc_fits(await master.receive(101))
    master.send(MAIN)
    assert crc_fits(await master.receive(101))


async def test_a_truncated_reply_is_half_of_it(served: SimSite, master) -> None:
    served.inject("line:L1", "truncate")

    master.send(MAIN)

    assert len(await master.receive(50)) == 50
    assert await master.nothing_came()


async def test_the_wrong_unit_has_a_good_checksum(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "wrong_unit")

    master.send(MAIN)
    reply = await master.receive(101)

    assert reply[:3] == b"\x02\x03\x60"
    assert crc_fits(reply)


async def test_a_foreign_frame_comes_before_the_reply(served: SimSite, master) -> None:
    served.inject("gateway:well", "foreign_frame")

    master.send(PURCHASE)
    both = await master.receive(16)

    assert both[0] == 2
    assert both[8:].hex(" ").upper() == PURCHASED
    assert count_frames(both) == (2, 0)


async def test_babble_comes_before_the_reply(served: SimSite, master) -> None:
    served.inject("site", "babble")

    master.send(PURCHASE + FENCE)
    got = b""
    while not got.endswith(bytes.fromhex(PURCHASED)):
        got += await master.receive(1)

    assert 9 <= len(got) <= 20


@pytest.mark.parametrize(("fault", "code"), [("busy", 6), ("refuse", 4)])
async def test_an_exception_instead_of_obeying(
    served: SimSite, master, fault: str, code: int
) -> None:
    served.inject(f"meter:{SINGLE}", fault)

    reply = await master.ask(PURCHASE, 5)

    assert reply.startswith(f"01 A0 {code:02X}")
    assert served.meter(SINGLE).count == 5


async def test_a_dropped_connection_breaks_in_the_middle_of_the_reply(
    served: SimSite, connect
) -> None:
    served.inject("line:L1", "drop_connection")
    first = await connect()

    first.send(PURCHASE)
    got = await first.until_closed()

    assert len(got) <= 4
    assert served.meter(SINGLE).count == 6
    assert await (await connect()).nothing_came()


async def test_a_disconnected_client_may_come_back(served: SimSite, connect) -> None:
    first = await connect()
    assert await first.nothing_came()

    served.inject("line:L1", "disconnect")

    assert await first.until_closed() == b""
    assert await (await connect()).nothing_came()


async def test_a_line_that_refuses_connections_opens_again(served: SimSite, connect) -> None:
    port = served.ports["L1"]
    served.inject("line:L1", "refuse_connections", delay_s=0.1)
    await asyncio.sleep(0)  # the port is shut by a task

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    again = None
    while again is None:
        with contextlib.suppress(ConnectionRefusedError):
            again = await connect()

    assert await again.nothing_came()


async def test_a_gateway_speaks_text(served: SimSite, master) -> None:
    assert await master.nothing_came()

    served.inject("line:L1", "text", text="Device open failure\r\n")

    assert await master.receive(21) == b"Device open failure\r\n"


async def test_a_split_reply_comes_byte_by_byte(served: SimSite, record) -> None:
    recorder = record(8)
    line = served.lines["L1"]
    line.client = recorder
    served.inject("line:L1", "split")

    line.feed(bytes.fromhex(PURCHASE))
    await recorder.done.wait()

    assert recorder.pieces == [bytes([byte]) for byte in bytes.fromhex(PURCHASED)]


async def test_a_reset_counter_counts_from_its_value(served: SimSite) -> None:
    served.inject(f"meter:{SINGLE}", "reset_counter")

    assert served.meter(SINGLE).count == 0
    assert served.meter(THREE).count == 5


async def test_a_foreign_purchase_adds_money_and_one_to_the_count(served: SimSite) -> None:
    served.inject(f"meter:{SINGLE}", "foreign_purchase", amount_fen=2000)

    meter = served.meter(SINGLE)
    assert (meter.balance_fen, meter.count, meter.purchases) == (10_765, 6, [(6, 2000)])


ALARMS = (  # 20.00 and 5.00 become 30.00 and 10.00
    "01 20 02 00 00 1E 3C" + " 00" * 20 + " 01 00 00 0B B8 00 00 03 E8" + " 00" * 31
)


async def test_a_meter_that_ignores_a_register_echoes_and_keeps_what_it_has(
    served: SimSite, master
) -> None:
    served.inject(f"meter:{SINGLE}", "ignore", register=0x0200, count=0)
    before = served.meter(SINGLE).memory()

    assert await master.ask(sealed(bytes.fromhex(ALARMS))) == "01 20 02 00 00 1E 01 BD"
    assert served.meter(SINGLE).memory() == before

    await master.ask(PURCHASE)
    assert served.meter(SINGLE).count == 6


async def test_reads_are_never_ignored(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "ignore")
    assert await master.nothing_came()
    assert (await master.ask(MAIN, 101)).startswith("01 03 60 00 07")

    await master.ask(PURCHASE)

    assert served.meter(SINGLE).count == 5


async def test_a_meter_may_refuse_one_kind_of_order(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "refuse", function=0x20, register=0x0200, count=0)

    assert (await master.ask(sealed(bytes.fromhex(ALARMS)), 5)).startswith("01 A0 04")
    assert (await master.ask(MAIN, 101)).startswith("01 03 60")
    assert await master.ask(PURCHASE) == PURCHASED

    assert served.meter(SINGLE).alarm1_fen == 2000


@pytest.mark.parametrize(
    ("off_s", "shown"),
    [
        pytest.param(90, (15, 3, 0, 1, 30), id="ahead"),
        pytest.param(-420, (14, 2, 23, 53, 0), id="seven minutes behind, still yesterday"),
        pytest.param(0, (15, 3, 0, 0, 0), id="right again"),
    ],
)
async def test_a_clock_is_wrong_by_so_much(
    served: SimSite, master, off_s: int, shown: tuple[int, ...]
) -> None:
    served.inject("site", "set_clock", value=off_s)

    main = bytes.fromhex(await master.ask(MAIN, 101))

    assert tuple(main[3 + 82 : 3 + 87]) == shown


async def test_a_clock_that_drifts_goes_on_drifting_after_it_is_set(
    served: SimSite, clock: SiteClock, master
) -> None:
    served.inject(f"meter:{SINGLE}", "drift_clock", value=30)
    clock.move_on(86_400)
    main = bytes.fromhex(await master.ask(MAIN, 101))
    assert tuple(main[3 + 82 : 3 + 87]) == (16, 4, 0, 0, 30)

    await master.ask(sealed(bytes.fromhex("01 20 03 54 00 05 0A 00 00 00 04 10 07 1A 00 00 00")))
    assert bytes.fromhex(await master.ask(MAIN, 101))[3 + 84 : 3 + 87] == bytes(3)
    clock.move_on(2 * 86_400)
    main = bytes.fromhex(await master.ask(MAIN, 101))

    assert tuple(main[3 + 82 : 3 + 87]) == (18, 6, 0, 1, 0)


async def test_a_fault_of_a_line_spares_the_others(served: SimSite) -> None:
    served.inject("line:L1", "set_balance", value=0)

    balances = [served.meter(serial).balance_fen for serial in (SINGLE, THREE, OTHER)]
    assert balances == [0, 0, 8765]


async def test_a_fault_strikes_only_the_function_it_names(served: SimSite, master) -> None:
    served.inject("site", "no_reply", function=0x20)

    assert await master.nothing_came()
    master.send(PURCHASE)

    assert await master.nothing_came()
    assert served.meter(SINGLE).count == 6


async def test_a_dead_meter_is_dead_until_it_is_cleared(served: SimSite, master) -> None:
    served.inject(f"meter:{SINGLE}", "lost_request", count=0)
    for _ in range(3):
        master.send(FENCE)
    assert await master.nothing_came(unit=2)

    served.inject(f"meter:{SINGLE}", "clear")

    assert await master.nothing_came()


async def test_a_chance_of_none_never_strikes(served: SimSite, master) -> None:
    served.inject("site", "no_reply", probability=0.0, count=0)

    for _ in range(20):
        assert await master.nothing_came()


def test_faults_are_read_from_text() -> None:
    late, cut = parse_faults("line:L1 late_reply delay_s=2.5 count=3; site no_reply function=0x20")

    assert (late.target, late.name, late.delay_s, late.count) == ("line:L1", "late_reply", 2.5, 3)
    assert (cut.target, cut.name, cut.function) == ("site", "no_reply", 0x20)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("line:L1", id="no name"),
        pytest.param("line:L1 sing", id="no such fault"),
        pytest.param("house:1 no_reply", id="no such scope"),
        pytest.param("meter: no_reply", id="no serial"),
        pytest.param("site:all no_reply", id="a named site"),
        pytest.param("site no_reply colour=red", id="no such option"),
        pytest.param("site no_reply count=some", id="no number"),
        pytest.param("site drift_clock value=90000", id="a clock that runs double"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadFault):
        parse_faults(text)


@pytest.mark.parametrize("target", ["meter:000000000000", "line:L9", "gateway:attic"])
def test_a_fault_of_something_not_on_site_is_refused(site: SimSite, target: str) -> None:
    with pytest.raises(BadFault):
        site.inject(target, "no_reply")
