"""Where a reply stands in a stream, and what is never sent."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from engine.bus.errors import NeverSend
from engine.bus.frames import count_frames, crc_fits, expected, find_reply, gateway_text, rtu
from engine.bus.private import ControlRequest, IdentifyRequest, KeyRequest, PrepayRequest
from tests.bus.scripted import exception, main_reply, registers_reply, sealed

MAIN = expected(1, ReadHoldingRegistersRequest(address=0x0200, count=48))
REPLY = main_reply(balance_fen=8765)

REQUESTS: list[ModbusPDU] = [
    ReadHoldingRegistersRequest(address=0x0200, count=48),
    ReadHoldingRegistersRequest(address=0x0022, count=1),
    WriteMultipleRegistersRequest(address=0x0057, registers=[1, 1]),
    ControlRequest(0x0100, bytes(8)),
    PrepayRequest(0x0046, bytes(56)),
    KeyRequest(0x6601, bytes(8)),
    IdentifyRequest(),
]
streams = st.binary(max_size=200)
requests = st.sampled_from(REQUESTS)
units = st.integers(1, 247)


def answers(frame: bytes, unit: int, pdu: ModbusPDU) -> bool:
    """The rule in other words than the code's: unit, function, length, checksum, echo."""
    if not crc_fits(frame) or frame[0] != unit:
        return False
    if len(frame) == 5 and frame[1] == pdu.function_code | 0x80:
        return frame[2] != 0
    if frame[1] != pdu.function_code:
        return False
    match pdu.function_code:
        case 0x03:
            return len(frame) == 5 + 2 * pdu.count and frame[2] == 2 * pdu.count
        case 0x20:
            return 8 <= len(frame) <= 15
        case 0x11:
            return 6 <= len(frame) <= 15
        case _:
            return len(frame) == 8 and frame[2:6] == pdu.encode()[:4]


@given(streams, units, requests)
def test_nothing_is_found_in_noise_that_does_not_answer(
    stream: bytes, unit: int, pdu: ModbusPDU
) -> None:
    found = find_reply(stream, expected(unit, pdu))

    if found is not None:
        assert answers(found.frame, unit, pdu)
        assert stream[found.before :].startswith(found.frame)


@given(streams, streams, st.integers(0, 8 * len(REPLY) - 1))
def test_a_reply_with_a_flipped_bit_is_never_found(
    prefix: bytes, suffix: bytes, place: int
) -> None:
    spoilt = bytearray(REPLY)
    spoilt[place // 8] ^= 1 << place % 8
    found = find_reply(prefix + bytes(spoilt) + suffix, MAIN)

    assert found is None or answers(found.frame, 1, REQUESTS[0])
    assert found is None or found.frame != bytes(spoilt)


@given(streams, streams)
@example(REPLY[:-1], b"")
@example(b"\x01\x03\x60", b"")
@example(b"\x01", REPLY)
@example(exception(2, 3, 2), b"\x00")
def test_a_good_reply_is_found_behind_any_noise(prefix: bytes, suffix: bytes) -> None:
    assume(find_reply(prefix, MAIN) is None)
    assume(find_reply(prefix + REPLY[:-1], MAIN) is None)  # no accident across the seam

    found = find_reply(prefix + REPLY + suffix, MAIN)

    assert found is not None
    assert (found.frame, found.before) == (REPLY, len(prefix))


@given(
    unit=units,
    function=st.sampled_from([3, 4, 6, 0x10, 0x20, 0x83]),
    body=st.binary(max_size=120),
    prefix=streams,
)
def test_a_good_frame_that_is_not_the_expected_one_is_never_accepted(
    unit: int, function: int, body: bytes, prefix: bytes
) -> None:
    frame = sealed(bytes((unit, function)) + body)
    assume(not answers(frame, 1, REQUESTS[0]))
    found = find_reply(prefix + frame, MAIN)

    assert found is None or (found.frame != frame and answers(found.frame, 1, REQUESTS[0]))


@given(st.data())
def test_a_reply_cut_short_is_not_there_yet(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(REPLY) - 1))

    assert find_reply(REPLY[:size], MAIN) is None


def test_an_exception_without_a_code_is_none() -> None:
    assert find_reply(exception(1, 3, 0), MAIN) is None


@pytest.mark.parametrize(
    ("stream", "counted"),
    [
        pytest.param(b"", (0, 0), id="nothing"),
        pytest.param(registers_reply(2, 1, 2), (1, 0), id="a reply"),
        pytest.param(exception(2, 3, 2), (1, 0), id="an exception"),
        pytest.param(sealed(bytes.fromhex("02 10 0057 0002")), (1, 0), id="an echo"),
        pytest.param(b"\xff" + registers_reply(2, 1) + b"\xff\xff", (1, 3), id="noise around it"),
        pytest.param(registers_reply(2, 1) + exception(3, 3, 1), (2, 0), id="two frames"),
        pytest.param(bytes(range(16)), (0, 16), id="noise"),
    ],
)
def test_what_nobody_asked_for_is_counted_in_frames_and_noise(
    stream: bytes, counted: tuple[int, int]
) -> None:
    assert count_frames(stream) == counted


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (b"Port already in use\r\n", "Port already in use"),
        (b"Device open failure: bad\r\nDevice close\r\n", "Device open failure: bad"),
        (b"Port ok", None),
        (main_reply(), None),
        (b"\x01\x03\x0eACREL202611230", None),
        (b"", None),
    ],
)
def test_only_a_gateway_speaks_words(stream: bytes, text: str | None) -> None:
    assert gateway_text(stream) == text


# -- what must not exist


def control(address: int, data: bytes) -> ControlRequest:
    return ControlRequest(address, data)


class Initialise(ControlRequest):
    function_code = 0x98


class Calibrate(ControlRequest):
    function_code = 0x99


ENERGY_ITEM = bytes(10) + b"\x01" + bytes(49)

FORBIDDEN: list[ModbusPDU] = [
    Initialise(0x6401, bytes(6)),
    Calibrate(0x6701, bytes(2)),
    PrepayRequest(0x6401, bytes(2)),
    PrepayRequest(0x0000, bytes(56)),
    KeyRequest(0x6602, bytes.fromhex("0910")),
    KeyRequest(0x6601, bytes(10)),
    control(0x6401, bytes(6)),
    control(0x63FF, bytes(4)),
    control(0x0200, ENERGY_ITEM),
    control(0x0205, bytes(6)),
    control(0x01FF, bytes(62)),
    WriteMultipleRegistersRequest(address=0x6401, registers=[0]),
    WriteMultipleRegistersRequest(address=0x63FE, registers=[0, 0, 0]),
    WriteMultipleRegistersRequest(address=0x6701, registers=[0]),
    WriteSingleRegisterRequest(address=0x0057, registers=[1]),
]


@pytest.mark.parametrize("pdu", FORBIDDEN, ids=str)
def test_no_frame_can_be_built_of_what_the_factory_uses(pdu: ModbusPDU) -> None:
    with pytest.raises(NeverSend):
        rtu(1, pdu)


@pytest.mark.parametrize("unit", [0, 248, 255])
def test_nothing_is_sent_to_an_address_no_meter_has(unit: int) -> None:
    with pytest.raises(NeverSend):
        rtu(unit, ReadHoldingRegistersRequest(address=0, count=1))


@given(
    st.sampled_from([0x10, 0x20, 0xAA, 0xAB]),
    st.integers(0, 0xFFFF),
    st.integers(1, 60).flatmap(lambda count: st.binary(min_size=2 * count, max_size=2 * count)),
)
@example(0x20, 0x0200, ENERGY_ITEM)
def test_whatever_is_built_writes_no_factory_register_and_no_energy(
    function: int, address: int, data: bytes
) -> None:
    kinds = {0x20: ControlRequest, 0xAA: PrepayRequest, 0xAB: KeyRequest}
    registers = [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
    pdu: ModbusPDU = (
        kinds[function](address, data)
        if function in kinds
        else WriteMultipleRegistersRequest(address=address, registers=registers)
    )
    try:
        frame = rtu(1, pdu)
    except NeverSend:
        return

    last = address + len(registers) - 1
    assert function == 0xAB or not any(
        page << 8 <= last and address <= page << 8 | 0xFF for page in (0x64, 0x67)
    )
    if function == 0x20 and address <= 0x021D and last >= 0x0200:
        assert (address, len(data)) == (0x0200, 60)
        assert frame[7 + 10 : 7 + 15] == bytes(5)
