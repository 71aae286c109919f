"""A map at work on one meter: what is read, what is sold, and what is refused before it is sent."""

from decimal import Decimal

import pytest

from engine.bus.bus import Bus
from engine.bus.errors import BadReading, OtherModel
from engine.bus.link import Priority
from engine.bus.private import decipher
from tests.bus.scripted import (
    KEY,
    MAPS,
    Line,
    driver,
    exception,
    fence_reply,
    main_reply,
    registers_reply,
    sealed,
)

DTSY = MAPS["DTSY1352-NK"]
ECHO = sealed(bytes.fromhex("01 20 0100 0004"))


async def test_settings_are_read_as_exact_prices(line: Line) -> None:
    await line.settled()
    money = [1, 6, 0, 12000, 0, 10000, 0, 7000, 0, 4000, 0, 2000, 0, 500, 0, 0, 0, 0, 0, 0]
    turn = line.turn(lambda bus: driver().read_settings(bus))
    await line.slave.answered(registers_reply(1, *money, 0xFFFF, 0xFF9C, 0, 0, 0))

    settings = await turn
    assert settings.prices == tuple(map(Decimal, ("1.2", "1.0", "0.7", "0.4")))
    assert (settings.alarm1_fen, settings.alarm2_fen) == (2000, 500)
    assert (settings.money_control, settings.balance_fen) == (True, -100)


async def test_a_meter_of_another_model_is_not_read(line: Line) -> None:
    await line.settled()
    turn = line.turn(lambda bus: driver().read_main(bus))
    await line.slave.answered(main_reply(1, DTSY))

    with pytest.raises(OtherModel):
        await turn


async def test_another_model_is_named_even_where_its_values_make_no_sense(line: Line) -> None:
    await line.settled()
    turn = line.turn(lambda bus: driver().read_main(bus))
    await line.slave.answered(registers_reply(1, 10, *range(47)))

    with pytest.raises(OtherModel):
        await turn


async def test_a_ratio_of_0_is_no_reading_of_0(line: Line) -> None:
    await line.settled()
    turn = line.turn(lambda bus: driver().read_main(bus))
    registers = [7] + [0] * 47
    await line.slave.answered(registers_reply(1, *registers))

    with pytest.raises(BadReading):
        await turn


async def test_a_purchase_is_one_frame_with_amount_and_new_count(line: Line) -> None:
    await line.settled()
    turn = line.turn(
        lambda bus: driver().purchase(bus, amount_fen=10_000, count=6, ciphered=False),
        Priority.MONEY,
    )
    request = await line.slave.answered(ECHO)
    await turn

    assert request == bytes.fromhex("01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE")


async def test_a_ciphered_purchase_is_ciphered_whole_and_its_reply_is_plain(line: Line) -> None:
    await line.settled()
    frames: list[bytes] = []

    async def sell(bus: Bus) -> None:
        await driver().purchase(bus, amount_fen=10_000, count=6, ciphered=True)
        frames.append(bus.frames[-1].request)

    line.slave.raw = True
    turn = line.turn(sell, Priority.MONEY)
    await line.slave.answered(ECHO)
    await turn

    assert frames == [bytes.fromhex("327CFFAA63C382E2F429F7E0C2604A3F27EF4F92")]
    assert decipher(frames[0], KEY)[:4] == bytes.fromhex("01200100")


@pytest.mark.parametrize(("run_state", "ciphered"), [(0x41, False), (0x61, True)])
async def test_the_fence_tells_whether_purchases_must_be_ciphered(
    line: Line, run_state: int, ciphered: bool
) -> None:
    turn = line.turn(lambda bus: driver().read_ciphered(bus))
    await line.slave.heard_fence()
    await line.slave.send(fence_reply(run_state=run_state))

    assert await turn is ciphered


async def test_a_meter_without_a_run_state_takes_plain_purchases(line: Line) -> None:
    turn = line.turn(lambda bus: driver().read_ciphered(bus))
    await line.slave.heard_fence()
    await line.slave.send(exception(1, 3, 2))

    assert await turn is False


@pytest.mark.parametrize(("amount_fen", "count"), [(0, 1), (-1, 1), (100, 0), (100, 65_001)])
async def test_a_purchase_that_does_not_fit_the_meter_is_not_sent(
    line: Line, amount_fen: int, count: int
) -> None:
    await line.settled()
    sent = len(line.slave.requests)

    with pytest.raises(ValueError):
        await line.turn(
            lambda bus: driver().purchase(bus, amount_fen=amount_fen, count=count, ciphered=False)
        )

    assert len(line.slave.requests) == sent
