"""Every hazard of the wire that was measured or reported, against our client as a whole.

A raw slave on a real socket sends the bytes; what counts is what the caller of `turn` gets.
"""

import asyncio
from typing import cast

import pytest

from engine.bus.bus import Bus
from engine.bus.errors import Busy, LineDown, NoReply, Refused, Unproved
from engine.bus.link import Priority
from tests.bus.scripted import (
    FRAME_LIFE_S,
    Line,
    Patience,
    Slave,
    driver,
    exception,
    fence_reply,
    is_fence,
    linked,
    main_reply,
    registers_reply,
    sealed,
    within,
)


async def purchase(line: Line, *, count: int = 7) -> None:
    async def work(bus: Bus) -> None:
        await driver().purchase(bus, amount_fen=10_000, count=count, ciphered=False)

    await line.turn(work, Priority.MONEY)


PURCHASE_ECHO = sealed(bytes.fromhex("01 20 0100 0004"))


# -- late replies


async def test_the_late_reply_to_one_read_is_not_the_answer_to_the_next(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send(main_reply(balance_fen=111) + fence_reply())
    await line.slave.answered(main_reply(balance_fen=222))

    assert await second == 222
    assert line.link.health.foreign_frames == 1


async def test_a_late_reply_in_the_middle_of_the_fence_is_left_behind(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()
    late = main_reply(balance_fen=111)

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send_apart(late[:40], late[40:], fence_reply())
    await line.slave.answered(main_reply(balance_fen=222))

    assert await second == 222


async def test_a_late_reply_to_a_read_of_another_length_answers_nothing(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()

    identity = line.turn(lambda bus: driver().read_identity(bus))
    await line.slave.heard_fence()
    await line.slave.send(main_reply() + fence_reply())
    await line.slave.answered(main_reply() + registers_reply(1, 0x2026, 0x1123, 0x0001))

    assert (await identity).number == "202611230001"


async def test_the_late_reply_to_a_write_is_not_the_answer_to_the_next_write(line: Line) -> None:
    await line.settled()
    with line.impatient(), pytest.raises(NoReply):
        await purchase(line, count=7)
    await line.slave.heard()

    second = asyncio.create_task(purchase(line, count=7))
    await line.slave.heard_fence()
    await line.slave.send(PURCHASE_ECHO + fence_reply())
    written = await line.slave.answered(exception(1, 0x20, 3))

    assert written[1] == 0x20
    with pytest.raises(Refused):
        await second


async def test_a_late_reply_to_a_read_does_not_confirm_a_write(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()

    write = asyncio.create_task(purchase(line))
    await line.slave.heard_fence()
    with line.impatient():
        await line.slave.send(fence_reply())
        await line.slave.heard()
        await line.slave.send(main_reply())

        with pytest.raises(NoReply):
            await write


async def test_a_write_is_never_sent_a_second_time(line: Line) -> None:
    await line.settled()
    with line.impatient(), pytest.raises(NoReply):
        await purchase(line)

    assert [frame[1] for frame in line.slave.requests].count(0x20) == 1


async def test_each_retry_of_a_read_is_fenced(slave: Slave) -> None:
    async with linked(slave, retries=1) as line:
        await line.settled()
        with line.impatient():
            reading = line.read()
            await line.slave.heard()
            await line.slave.heard_fence()
        await line.slave.send(fence_reply())
        await line.slave.answered(main_reply(balance_fen=222))

        assert await reading == 222


# -- the fence itself


async def test_whatever_is_used_first_on_a_connection_is_fenced(line: Line) -> None:
    """What the last connection left behind comes out before its answer, whosever it was."""
    await line.settled(1)
    await line.cut()

    reading = line.read(unit=2)
    assert is_fence(await line.slave.heard())
    await line.slave.send(main_reply(2, balance_fen=111) + main_reply(1) + fence_reply(2))
    await line.slave.answered(main_reply(2, balance_fen=222))
    other = line.read(unit=1)
    await line.slave.answered(main_reply(1, balance_fen=333))

    assert await reading == 222
    assert await other == 333


async def test_other_units_are_used_at_once_while_one_is_suspect(line: Line) -> None:
    await line.settled(2)
    await line.settled(1)
    await line.lose_a_read()

    other = line.read(unit=2)
    await line.slave.answered(main_reply(2, balance_fen=333))

    assert await other == 333


async def test_a_stale_answer_to_a_lost_fence_vouches_for_nothing(line: Line) -> None:
    """Read lost, fence lost; then the fence's answer comes late, in place of the second fence's."""
    await line.settled()
    await line.lose_a_read()
    await line.lose_a_fence()

    third = line.read()
    with pytest.raises(Unproved):
        await third
    assert line.slave.quiet


async def test_after_a_lost_fence_the_unit_comes_back_when_its_frames_are_dead(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()
    await line.lose_a_fence()
    await asyncio.sleep(FRAME_LIFE_S)

    third = line.read()
    await line.slave.fenced()
    await line.slave.answered(main_reply(balance_fen=444))

    assert await third == 444


async def test_a_lost_fence_is_remembered_over_a_new_connection(slave: Slave) -> None:
    async with linked(slave, frame_life_s=60.0) as line:
        await line.settled()
        await line.lose_a_read()
        await line.lose_a_fence()
        await line.cut()

        with pytest.raises(Unproved):
            await line.read()


async def test_a_lost_read_of_the_fences_length_cannot_be_fenced_away(line: Line) -> None:
    """Register 0063 × 1 has the fence's length: its late reply would look like the fence's."""
    await line.settled()
    block = driver().map.blocks["relay_output"]
    with line.impatient(), pytest.raises(NoReply):
        await line.turn(lambda bus: driver().read_block(bus, block, step="read"))
    await line.slave.heard()

    with pytest.raises(Unproved):
        await line.read()


async def test_an_exception_to_the_fence_proves_as_well_as_a_value(line: Line) -> None:
    reading = line.read()
    await line.slave.heard_fence()
    await line.slave.send(exception(1, 3, 2))
    await line.slave.answered(main_reply(balance_fen=555))

    assert await reading == 555


async def test_a_gateways_late_exception_is_not_taken_for_the_fences(line: Line) -> None:
    """Lost read; the gateway's own 83 0B to it comes while we wait for the fence.

    If it were believed, the fence's value and then the lost read's reply would be one answer
    behind for ever.
    """
    await line.settled()
    await line.lose_a_read()

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send(exception(1, 3, 0x0B) + fence_reply())
    with pytest.raises(NoReply):
        await second
    with pytest.raises(Unproved):
        await line.read()


async def test_a_late_refusal_of_the_lost_read_proves_nothing(line: Line) -> None:
    await line.settled()
    await line.lose_a_read()

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send(exception(1, 3, 2))

    with pytest.raises(Unproved):
        await second


async def test_an_asked_for_quiet_outlasts_what_came_before_the_connection(line: Line) -> None:
    async def work(bus: Bus) -> int | None:
        await bus.quiet(1)
        return await bus.fence(1)

    turn = line.turn(work)
    await line.slave.heard_fence()
    await line.slave.send(fence_reply(run_state=0x61))

    assert await turn == 0x61
    assert line.link.connected_at is not None
    assert asyncio.get_running_loop().time() >= line.link.connected_at + FRAME_LIFE_S


# -- frames that are not ours


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(main_reply(2, balance_fen=9), id="another unit"),
        pytest.param(sealed(b"\x01\x04" + main_reply(balance_fen=9)[2:-2]), id="another function"),
        pytest.param(registers_reply(1, *range(47)), id="one register short"),
        pytest.param(registers_reply(1, *range(49)), id="one register more"),
        pytest.param(sealed(main_reply()[:-3]), id="a byte short, good CRC"),
        pytest.param(exception(2, 3, 2), id="another unit's refusal"),
        pytest.param(exception(1, 4, 2), id="refusal of another function"),
        pytest.param(main_reply(balance_fen=9)[:-1] + b"\0", id="bad CRC"),
        pytest.param(b"\x00", id="a byte of noise"),
        pytest.param(b"\x01", id="noise that looks like the unit"),
        pytest.param(b"\x01\x03\x60", id="noise that looks like the head"),
        pytest.param(bytes(range(256)) * 3, id="much noise"),
        pytest.param(bytes.fromhex("01 03 02 00 00 30 44 66"), id="the echo of our request"),
    ],
)
class TestForeign:
    async def test_before_the_reply_is_skipped(self, line: Line, foreign: bytes) -> None:
        await line.settled()

        reading = line.read()
        await line.slave.answered(foreign + main_reply(balance_fen=222))

        assert await reading == 222

    async def test_instead_of_the_reply_is_no_reply(self, line: Line, foreign: bytes) -> None:
        await line.settled()

        with line.impatient():
            reading = line.read()
            await line.slave.answered(foreign)

            with pytest.raises(NoReply):
                await reading

    async def test_after_the_reply_spoils_nothing_that_follows(
        self, line: Line, foreign: bytes
    ) -> None:
        await line.settled()

        first = line.read()
        await line.slave.answered(main_reply(balance_fen=111) + foreign)
        assert await first == 111
        second = line.read()
        await line.slave.answered(main_reply(balance_fen=222))

        assert await second == 222


async def test_a_reply_in_single_bytes_is_read(line: Line) -> None:
    await line.settled()

    reading = line.read()
    await line.slave.heard()
    await line.slave.send_apart(*(bytes((byte,)) for byte in main_reply(balance_fen=222)))

    assert await reading == 222


async def test_a_duplicate_of_a_reply_does_not_answer_the_next_read(line: Line) -> None:
    """The copy is in the buffer before the next request leaves: it is thrown away unread."""
    await line.settled()

    first = line.read()
    await line.slave.answered(main_reply(balance_fen=111) * 2)
    await first

    await line.lose_a_read()


async def test_stale_bytes_on_a_new_connection_answer_nothing(line: Line) -> None:
    await line.settled()
    line.slave.greeting = main_reply(balance_fen=111) + fence_reply()
    await line.cut()

    reading = line.read()
    await line.slave.fenced()
    await line.slave.answered(main_reply(balance_fen=222))

    assert await reading == 222
    assert line.slave.connections == 2


# -- exceptions


async def test_a_refusal_names_its_code(line: Line) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.answered(exception(1, 3, 2))

    with pytest.raises(Refused) as refused:
        await reading
    assert refused.value.exception_code == 2


@pytest.mark.parametrize("code", [10, 11])
async def test_a_gateway_speaking_of_silence_is_silence(line: Line, code: int) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.answered(exception(1, 3, code))

    with pytest.raises(NoReply):
        await reading
    assert line.link.memory.doubts.suspect(1)


@pytest.mark.parametrize("code", [5, 6])
async def test_acknowledge_and_busy_are_neither_done_nor_refused(line: Line, code: int) -> None:
    await line.settled()
    write = asyncio.create_task(purchase(line))
    await line.slave.answered(exception(1, 0x20, code))

    with pytest.raises(Busy) as busy:
        await write
    assert not isinstance(busy.value, Refused)


PREPAY = {
    "alarm1_fen": 2000,
    "alarm2_fen": 500,
    "credit_allowed_fen": 0,
    "purchase_count": 6,
    "balance_fen": 8765,
    "money_control": 1,
    "price_sharp": 12,
    "price_peak": 10,
    "price_flat": 7,
    "price_valley": 4,
    "power_max_w": 8000,
}


async def write_prepay(line: Line, reply: bytes) -> None:
    meter = driver()
    order = meter.map.orders["prepay_parameters"]
    write = line.turn(lambda bus: meter.give(bus, order, PREPAY, step="write"))
    await line.slave.answered(reply)
    await write


async def test_an_echo_of_aa_is_no_exception(line: Line) -> None:
    await line.settled()
    await write_prepay(line, sealed(bytes.fromhex("01 AA 0046 001C")))


async def test_an_exception_to_aa_has_code_aa_again_and_is_told_by_its_length(line: Line) -> None:
    await line.settled()
    with pytest.raises(Refused) as refused:
        await write_prepay(line, exception(1, 0xAA, 4))
    assert refused.value.exception_code == 4


@pytest.mark.parametrize("extra", range(8), ids=lambda extra: f"{8 + extra} bytes")
async def test_a_reply_to_20_has_8_to_15_bytes(line: Line, extra: int) -> None:
    await line.settled()
    write = asyncio.create_task(purchase(line))
    await line.slave.answered(sealed(bytes.fromhex("01 20 0100 0004") + bytes(range(7))[:extra]))

    await write


@pytest.mark.parametrize("size", [5, 6, 7, 16])
async def test_other_lengths_are_no_reply_to_20(line: Line, size: int) -> None:
    await line.settled()
    with line.impatient():
        write = asyncio.create_task(purchase(line))
        await line.slave.answered(sealed(bytes.fromhex("01 20") + bytes(range(1, size - 3))))

        with pytest.raises(NoReply):
            await write


# -- connections


async def test_a_cut_in_mid_frame_is_noticed_at_once(line: Line) -> None:
    """Not at the time-out: that is longer here than a test may wait."""
    await line.settled()
    cast("Patience", line.link.settings.timing).wait_s = 3600.0

    reading = line.read()
    await line.slave.heard()
    await line.slave.send(main_reply()[:50])
    line.slave.drop()

    with pytest.raises(LineDown):
        await reading


async def test_after_a_cut_in_mid_frame_the_unit_is_suspect_on_the_new_connection(
    line: Line,
) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.heard()
    line.slave.drop()
    with pytest.raises(LineDown):
        await reading

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send(main_reply(balance_fen=111) + fence_reply())
    await line.slave.answered(main_reply(balance_fen=222))

    assert await second == 222


@pytest.mark.parametrize(
    "text", [b"Port already in use\r\n", b"Device open failure: /dev/ttyS1: No such device\r\n"]
)
async def test_a_gateways_words_in_place_of_a_reply_take_the_line_down(
    line: Line, text: bytes
) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.answered(text)

    with pytest.raises(LineDown) as down:
        await reading
    assert down.value.why == "gateway_says"
    assert down.value.detail == text.decode().strip()


async def test_a_gateways_words_on_a_new_connection_take_the_line_down(line: Line) -> None:
    await line.settled()
    line.slave.greeting = b"Port already in use\r\n"
    await line.cut()

    with pytest.raises(LineDown) as down:
        await line.read()

    assert down.value.detail == "Port already in use"


async def test_words_before_a_good_reply_are_only_noise(line: Line) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.answered(b"Welcome to port 1\r\n" + main_reply(balance_fen=222))

    assert await reading == 222


async def test_words_split_over_segments_are_read_whole(line: Line) -> None:
    await line.settled()
    reading = line.read()
    await line.slave.heard()
    await line.slave.send_apart(b"Port alr", b"eady in ", b"use")

    with pytest.raises(LineDown) as down:
        await reading
    assert down.value.detail == "Port already in use"


async def test_a_reply_of_printable_letters_is_no_gateway_text(line: Line) -> None:
    await line.settled()
    block = driver().map.blocks["serial"]
    reading = line.turn(lambda bus: driver().read_block(bus, block, step="read"))
    await line.slave.heard()
    reply = sealed(b"\x01\x03\x0eACREL202611230")
    await line.slave.send_apart(*(bytes((byte,)) for byte in reply))

    assert await reading == {"serial": "ACREL202611230"}


# -- cancellation


async def test_a_turn_cancelled_in_mid_frame_leaves_the_unit_suspect(line: Line) -> None:
    await line.settled()
    with line.impatient():
        reading = line.read()
        await line.slave.heard()
        reading.cancel()

    second = line.read()
    await line.slave.heard_fence()
    await line.slave.send(main_reply(balance_fen=111) + fence_reply())
    await line.slave.answered(main_reply(balance_fen=222))

    assert await second == 222


async def test_after_a_cancelled_turn_nothing_is_sent_before_its_reply(line: Line) -> None:
    await line.settled(2)
    await line.settled(1)
    reading = line.read(1)
    await line.slave.heard()
    reading.cancel()

    other = line.read(2)
    await asyncio.sleep(0.02)
    assert line.slave.quiet
    await line.slave.send(main_reply(1))
    await line.slave.answered(main_reply(2, balance_fen=333))

    assert await other == 333


async def test_after_a_cancelled_turn_nothing_is_sent_before_its_time_out(line: Line) -> None:
    await line.settled(2)
    await line.settled(1)
    with line.impatient():
        reading = line.read(1)
        await line.slave.heard()
        reading.cancel()

    other = line.read(2)
    assert line.slave.quiet
    await line.slave.answered(main_reply(2, balance_fen=333))

    assert await other == 333


async def test_a_turn_cancelled_while_it_waits_is_never_begun(line: Line) -> None:
    await line.settled()
    gate = asyncio.Event()
    running = line.turn(lambda _: gate.wait())
    await asyncio.sleep(0)
    waiting = line.read()
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()
    await running

    await within(line.link.turn(Priority.POLL, lambda _: asyncio.sleep(0)))

    assert line.slave.quiet
