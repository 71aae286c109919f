"""Over a real socket, with the frames of the meter reference byte for byte."""

import struct
from collections.abc import Callable

import pytest

from engine.bus.private import encipher
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.framing import sealed
from engine.bus.simulator.site import SimSite

SINGLE, THREE = "202106250001", "202106250002"
MAIN = "01 03 02 00 00 30 44 66"
MONEY = "01 03 04 00 00 19 85 30"
PURCHASE = "01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE"  # 100.00 yuan as the 6th
CIPHERED = "32 7C FF AA 63 C3 82 E2 F4 29 F7 E0 C2 60 4A 3F 27 EF 4F 92"  # the same
PURCHASED = "01 20 01 00 00 04 80 32"
CONTROLLED = "01 20 02 00 00 1E 01 BD"


def words(reply: str, offset: int, form: str) -> tuple[int, ...]:
    """Values at an offset of the reply's data, as the reference counts them."""
    return struct.unpack_from(">" + form, bytes.fromhex(reply), 3 + offset)


async def test_the_main_block_shows_money_and_energy_at_the_places_of_the_reference(
    site: SimSite, master
) -> None:
    meter = site.meters[SINGLE]
    meter.energy_wh = 1_234_560
    meter.load_w = 1180

    reply = await master.ask(MAIN, 101)

    assert words(reply, 0, "H") == (7,)
    assert words(reply, 20, "h") == (1180,)
    assert words(reply, 38, "HH") == (1, 1)
    assert words(reply, 42, "I") == (123_456,)
    assert words(reply, 62, "iH") == (8765, 5)
    assert words(reply, 72, "HH") == (0x2000, 0x0009)  # closed; money control on, output closed
    assert words(reply, 80, "7B") == (26, 7, 15, 3, 0, 0, 0)  # a Wednesday


async def test_three_phases_have_three_relays_and_secondary_values(site: SimSite, master) -> None:
    meter = site.meters[THREE]
    meter.energy_wh = 2_000_000
    meter.load_w = 30_000

    reply = await master.ask(sealed(bytes.fromhex("02 03 02 00 00 30")), 101)

    phases = words(reply, 14, "3h")
    assert words(reply, 0, "H") == (5,)
    assert words(reply, 38, "HH") == (1, 20)
    assert words(reply, 42, "I") == (2_000_000 // 10 // 20,)
    assert words(reply, 20, "h") == (30_000 // 20,)
    assert sum(phases) == 30_000 // 20
    assert min(phases) > 0
    assert all(2200 <= each <= 2350 for each in words(reply, 2, "3H"))
    assert words(reply, 72, "HH") == (0xE000, 0x000F)


async def test_a_purchase_adds_credit_and_is_echoed(site: SimSite, master) -> None:
    assert await master.ask(PURCHASE) == PURCHASED

    meter = site.meter(SINGLE)
    assert (meter.balance_fen, meter.count, meter.purchases) == (18_765, 6, [(6, 10_000)])


async def test_a_checked_meter_answers_the_same_purchase_again_with_an_exception(
    site: SimSite, master
) -> None:
    await master.ask(PURCHASE)

    assert (await master.ask(PURCHASE, 5)).startswith("01 A0 03")

    assert site.meter(SINGLE).balance_fen == 18_765


async def test_a_blind_meter_adds_the_same_purchase_twice(site: SimSite, master) -> None:
    site.meters[SINGLE].checked = False

    for _ in range(2):
        assert await master.ask(PURCHASE) == PURCHASED

    assert site.meter(SINGLE).balance_fen == 28_765


async def test_a_ciphered_purchase_is_obeyed_where_the_cipher_is_on(site: SimSite, master) -> None:
    site.meters[SINGLE].run_state |= 0x20

    assert await master.ask(CIPHERED) == PURCHASED

    assert site.meter(SINGLE).balance_fen == 18_765


async def test_where_the_cipher_is_on_a_plain_purchase_is_refused_and_reads_are_not(
    site: SimSite, master
) -> None:
    site.meters[SINGLE].run_state |= 0x20

    assert (await master.ask(PURCHASE, 5)).startswith("01 A0 01")
    assert (await master.ask("01 03 00 22 00 01 24 00", 7)).startswith("01 03 02 00 61")

    assert site.meter(SINGLE).count == 5


async def test_where_the_cipher_is_off_a_ciphered_purchase_is_noise(site: SimSite, master) -> None:
    master.send(CIPHERED)
    await master.until_silence()

    assert await master.nothing_came()
    assert site.meter(SINGLE).count == 5


async def test_a_ciphered_frame_finds_its_meter_among_several(site: SimSite, master) -> None:
    for meter in site.meters.values():
        meter.run_state |= 0x20
    frame = sealed(bytes.fromhex("02 20 01 00 00 04 08 00 00 C3 50 00 06 00 00"))

    reply = await master.ask(encipher(frame, bytes.fromhex("616372656C333231")))

    assert reply.startswith("02 20 01 00 00 04")
    assert site.meter(THREE).balance_fen == 58_765
    assert site.meter(SINGLE).balance_fen == 8765


async def test_a_new_key_holds_from_the_next_frame_on(site: SimSite, master) -> None:
    site.meters[SINGLE].run_state |= 0x20

    reply = await master.ask("01 AB 66 01 00 04 08 12 34 56 78 9A BC DE F0 97 96")
    assert reply == "01 AB 66 01 00 04 6A 99"
    frame = encipher(bytes.fromhex(PURCHASE), bytes.fromhex("123456789ABCDEF0"))

    assert await master.ask(frame) == PURCHASED


async def test_a_ciphered_money_control_in_two_pieces_is_obeyed(site: SimSite, master) -> None:
    site.meters[SINGLE].run_state |= 0x20
    body = bytearray.fromhex("01 20 02 00 00 1E 3C") + bytes(60)
    body[7 + 2 : 7 + 7] = bytes.fromhex("01 00 00 22 3E")
    ciphered = encipher(sealed(bytes(body)), bytes.fromhex("616372656C333231"))

    master.send(ciphered[:33])
    reply = await master.ask(ciphered[33:])

    assert reply == CONTROLLED
    assert site.meter(SINGLE).balance_fen == 8766


@pytest.mark.parametrize(
    ("items", "shows"),
    [
        pytest.param("00 00 01 00 00 01 F4", lambda m: m.balance_fen == 500, id="balance"),
        pytest.param("01 00", lambda m: not m.money_control, id="control off"),
        pytest.param("00 00 00 00 00 00 00 01 00 09", lambda m: m.count == 9, id="count"),
        pytest.param(
            "00 " * 20 + "01 00 00 0B B8 00 00 03 E8",
            lambda m: (m.alarm1_fen, m.alarm2_fen) == (3000, 1000),
            id="alarms",
        ),
        pytest.param(
            "00 " * 29 + "01 00 00 32 C8 00 00 27 10 00 00 1B 58 00 00 0F A0",
            lambda m: m.prices == [13_000, 10_000, 7_000, 4_000],
            id="prices",
        ),
        pytest.param(
            "00 " * 46 + "01 00 00 07 D0", lambda m: m.overdraft_fen == 2000, id="overdraft"
        ),
        pytest.param(
            "00 " * 53 + "01 20 21 06 25 00 99",
            lambda m: m.number == "202106250099",
            id="meter number",
        ),
    ],
)
async def test_money_control_writes_what_its_flags_apply_and_nothing_else(
    site: SimSite, master, items: str, shows: Callable[[object], bool]
) -> None:
    before = site.meter(SINGLE).memory()
    data = bytes.fromhex(items).ljust(60, b"\0")

    reply = await master.ask(sealed(bytes.fromhex("01 20 02 00 00 1E 3C") + data))

    assert reply == CONTROLLED
    assert shows(site.meter(SINGLE))
    changed = {k for k, v in site.meter(SINGLE).memory().items() if v != before[k]}
    assert len(changed) <= 2


async def test_the_reference_frame_opens_an_account_in_one_go(site: SimSite, master) -> None:
    reply = await master.ask(
        "01 20 02 00 00 1E 3C 01 01 01 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 "
        "07 D0 00 00 01 F4 01 00 00 2E E0 00 00 27 10 00 00 1B 58 00 00 0F A0 01 00 00 00 00 00 00 "
        "00 00 00 00 00 00 00 5D E1"
    )

    meter = site.meter(SINGLE)
    assert reply == CONTROLLED
    assert (meter.money_control, meter.balance_fen, meter.count) == (True, 0, 0)
    assert not meter.relay_closed


async def test_the_energy_register_cannot_be_written(site: SimSite, master) -> None:
    data = bytes(10) + b"\x01" + bytes(49)

    reply = await master.ask(sealed(bytes.fromhex("01 20 02 00 00 1E 3C") + data), 5)

    assert reply.startswith("01 A0 03")


async def test_settings_are_read_back_at_0400(master) -> None:
    reply = await master.ask(MONEY, 55)

    assert words(reply, 0, "HH4I3I") == (1, 5, 12_000, 10_000, 7_000, 4_000, 2000, 500, 0)
    assert words(reply, 40, "i") == (8765,)


@pytest.mark.parametrize(
    ("frame", "relay_closed", "status"),
    [
        pytest.param("01 10 00 57 00 02 04 00 01 00 01 27 75", False, 0x0008, id="trip"),
        pytest.param("01 10 00 57 00 02 04 00 01 00 00 E6 B5", True, 0x2009, id="hold supply"),
        pytest.param("01 10 00 57 00 02 04 00 00 00 00 B7 75", True, 0x2000, id="resume"),
    ],
)
async def test_the_force_switch_moves_the_relay(
    site: SimSite, master, frame: str, relay_closed: bool, status: int
) -> None:
    assert await master.ask(frame) == "01 10 00 57 00 02 F0 18"

    assert site.meter(SINGLE).relay_closed == relay_closed
    assert words(await master.ask(MAIN, 101), 72, "H") == (status,)


async def test_prepay_parameters_write_all_at_once_and_zero_the_force_switch(
    site: SimSite, master
) -> None:
    await master.ask("01 10 00 57 00 02 04 00 01 00 01 27 75")

    reply = await master.ask(
        "01 AA 00 46 00 1C 38 00 00 07 D0 00 00 01 F4 00 00 00 00 00 00 00 00 00 06 00 00 22 3D 00 "
        "00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 2E E0 00 00 27 10 00 00 1B 58 00 00 0F "
        "A0 1F 40 4A D4"
    )

    meter = site.meter(SINGLE)
    assert reply.startswith("01 AA 00 46 00 1C")
    assert (meter.count, meter.balance_fen, meter.force_active) == (6, 8765, False)
    read = await master.ask("01 03 00 46 00 1C A5 D6", 61)
    assert words(read, 16, "Hi") == (6, 8765)


async def test_the_clock_is_set_and_shown(site: SimSite, master, clock: SiteClock) -> None:
    reply = await master.ask("01 20 03 54 00 05 0A 1E 0F 0A 03 0F 07 1A 00 00 00 23 B1")
    clock.move_on(2)

    assert reply.startswith("01 20 03 54 00 05")
    assert words(await master.ask(MAIN, 101), 80, "7B") == (26, 7, 15, 3, 10, 15, 32)


async def test_identify_tells_type_and_version(master) -> None:
    reply = await master.ask("01 11 FE DC BA 98 76 54 32 10 06 E5", 15)

    assert reply.startswith("01 11 0A 00 07 00 00 00 6B")


async def test_the_meter_number_is_bcd(master) -> None:
    assert (await master.ask("01 03 00 43 00 03 F4 1F", 11)).startswith(
        "01 03 06 20 21 06 25 00 01"
    )


async def test_a_new_meter_number_is_read_back(master) -> None:
    assert (await master.ask("01 10 00 43 00 03 06 20 21 06 25 00 01 7F BF")).startswith("01 10")
    assert (await master.ask("01 03 00 43 00 03 F4 1F", 11)).startswith(
        "01 03 06 20 21 06 25 00 01"
    )


async def test_a_schedule_decides_the_price(site: SimSite, master, clock: SiteClock) -> None:
    frame = sealed(bytes.fromhex("01 10 20 06 00 15 2A 01 00 00").ljust(49, b"\0"))  # always sharp
    site.meters[SINGLE].load_w = 1000

    assert (await master.ask(frame)).startswith("01 10 20 06 00 15")
    clock.move_on(3600)

    assert site.meter(SINGLE).balance_fen == 8765 - 120
    assert (await master.ask("01 03 20 06 00 15 6F C4", 47)).startswith(
        "01 03 2A 01 00 00 00 00 00"
    )


async def test_load_control_trips_and_is_reset(site: SimSite, master, clock: SiteClock) -> None:
    site.meters[SINGLE].load_w = 9000
    await master.ask(
        "01 20 04 00 00 0D 1A 01 01 01 1F 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
        "00 00 00 F3 E4"
    )
    clock.move_on(60)
    reply = await master.ask(MAIN, 101)
    assert words(reply, 68, "H") == (1,)
    assert words(reply, 72, "HH") == (
        0x0010,
        0x0809,
    )  # over limit, open; load control, its output open

    site.meters[SINGLE].load_w = 100
    await master.ask("01 20 04 10 00 04 08 00 00 00 00 00 00 01 00 48 A1")
    clock.move_on(4)

    assert words(await master.ask(MAIN, 101), 68, "H") == (0,)
    assert site.meter(SINGLE).relay_closed


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param("03 02 00 00 31", id="longer than the block"),
        pytest.param("03 02 01 00 01", id="inside the block"),
        pytest.param("03 04 80 00 13", id="another family's block"),
        pytest.param("10 02 1F 00 01 02 00 01", id="write of the main block"),
        pytest.param("20 05 00 00 05 0A 01 01 01 00 00 00 00 00 00 00", id="force control 0500"),
    ],
)
async def test_what_the_map_does_not_have_is_an_illegal_address(master, pdu: str) -> None:
    frame = bytes.fromhex("01" + pdu)

    reply = await master.ask(sealed(frame), 5)

    assert reply.startswith(f"01 {frame[1] | 0x80:02X} 02")


async def test_a_function_the_meter_lacks_is_an_illegal_function(master) -> None:
    assert (await master.ask(sealed(bytes.fromhex("01 06 00 22 00 01")), 5)).startswith("01 86 01")


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param("09 03 02 00 00 30 45 EE", id="nobody's address"),
        pytest.param("01 03 02 00 00 30 44 67", id="bad checksum"),
        pytest.param("01 03 02", id="half a frame"),
        pytest.param("FF 00 13 37", id="noise"),
    ],
)
async def test_what_is_for_nobody_is_met_with_silence(master, noise: str) -> None:
    master.send(noise)
    await master.until_silence()

    assert await master.nothing_came()


async def test_bytes_may_come_one_at_a_time(site: SimSite, master) -> None:
    for byte in bytes.fromhex(PURCHASE):
        master.send(bytes([byte]))

    assert (await master.receive(8)).hex(" ").upper() == PURCHASED


async def test_requests_in_one_segment_are_answered_in_order(master) -> None:
    master.send(PURCHASE + MAIN)

    assert (await master.receive(8)).hex(" ").upper() == PURCHASED
    assert words((await master.receive(101)).hex(), 62, "iH") == (18_765, 6)


async def test_meters_of_one_line_do_not_hear_another(site: SimSite, connect) -> None:
    other = await connect("L2")

    await other.ask(PURCHASE)

    assert site.meter(SINGLE).count == 5
    assert site.meter("202106250003").count == 6
