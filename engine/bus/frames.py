"""RTU frames: what may be sent, what reply fits it, and where that reply stands in a stream.

Nothing but unit, function, length and CRC makes a reply ours, and a Modbus-RTU reply carries no
number of its request: what they cannot tell apart, the fence of the link does.
"""

from dataclasses import dataclass

from pymodbus.framer import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
)

from engine.bus.errors import NeverSend
from engine.bus.private import (
    CONTROL,
    IDENTIFY,
    KEY,
    KEY_AT,
    KEY_COUNT,
    MONEY_AT,
    MONEY_COUNT,
    MONEY_ENERGY,
    PREPAY,
    PREPAY_AT,
    WriteRequest,
)

READ = ReadHoldingRegistersRequest.function_code
READ_INPUT = ReadInputRegistersRequest.function_code
WRITE = WriteMultipleRegistersRequest.function_code
HIGH_BIT = 0x80
EXCEPTION_SIZE = 5
ECHO_SIZE = 8
CONTROL_SIZE_MAX = 15  # the makers' tool reserves this much for a reply to 20 hex
FACTORY_PAGES = (0x64, 0x67)  # registers 64xx and 67xx: initialise, calibrate
READS = frozenset({READ, READ_INPUT, IDENTIFY})
FUNCTIONS = READS | {WRITE, CONTROL, PREPAY, KEY}


@dataclass(frozen=True, slots=True)
class Expected:
    """Which frames answer a request: their first bytes, and from … to how many bytes in all."""

    head: bytes
    size_min: int
    size_max: int
    exception_head: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """The reply and what stood before it in the stream."""

    frame: bytes
    is_exception: bool
    before: int  # bytes of the stream in front of it


def crc(data: bytes) -> bytes:
    """CRC-16/Modbus as it stands on the wire, low byte first."""
    return FramerRTU.compute_CRC(data).to_bytes(2, "big")


def crc_fits(frame: bytes) -> bool:
    return crc(frame[:-2]) == frame[-2:]


def rtu(unit: int, pdu: ModbusPDU) -> bytes:
    """The frame of `pdu` for `unit`. Raises NeverSend for what must not exist in this program."""
    if not 1 <= unit <= 247:
        raise NeverSend(f"unit {unit}: no meter has it, and nothing is broadcast")
    require_allowed(pdu)
    body = bytes([unit, pdu.function_code]) + pdu.encode()
    return body + crc(body)


def require_allowed(pdu: ModbusPDU) -> None:
    """Raises NeverSend for factory functions, factory registers and writes of the energy register.

    An allow-list: functions 98 and 99 hex are not on it. Source: meter reference 5.12.
    """
    function = pdu.function_code
    if function not in FUNCTIONS:
        raise NeverSend(f"function {function:02X} hex is not for this program")
    if function in READS:
        return
    span = range(pdu.address, pdu.address + max(1, pdu.count))
    if function == KEY:
        if (pdu.address, pdu.count) != (KEY_AT, KEY_COUNT):
            raise NeverSend(f"AB at {pdu.address:04X} hex is unknown")
        return
    if function == PREPAY and pdu.address != PREPAY_AT:
        raise NeverSend(f"AA at {pdu.address:04X} hex is unknown, it may clear energy")
    if any(register >> 8 in FACTORY_PAGES for register in span):
        raise NeverSend(f"register {pdu.address:04X} hex and on: the factory's")
    if function == CONTROL and span.start < MONEY_AT + MONEY_COUNT and span.stop > MONEY_AT:
        _require_no_energy(pdu)


def _require_no_energy(pdu: ModbusPDU) -> None:
    """Money control as a whole, and without its item that sets the energy register."""
    whole = (pdu.address, pdu.count) == (MONEY_AT, MONEY_COUNT)
    if not isinstance(pdu, WriteRequest) or not whole or any(pdu.data[MONEY_ENERGY]):
        raise NeverSend("the energy register is legal metrology: it is never written")


def expected(unit: int, pdu: ModbusPDU) -> Expected:
    """What a reply to `pdu` must look like. Source: Modbus 6.3, 6.12; meter reference 5, Q7."""
    function = pdu.function_code
    head = bytes([unit, function])
    exception_head = bytes([unit, function | HIGH_BIT])
    echo = head + pdu.address.to_bytes(2, "big") + pdu.count.to_bytes(2, "big")
    match function:
        case 0x03 | 0x04:
            size = 2 * pdu.count
            return Expected(head + bytes([size]), 5 + size, 5 + size, exception_head)
        case 0x20:
            return Expected(head, ECHO_SIZE, CONTROL_SIZE_MAX, exception_head)
        case 0x11:
            return Expected(head, 6, CONTROL_SIZE_MAX, exception_head)
        case _:
            return Expected(echo, ECHO_SIZE, ECHO_SIZE, exception_head)


def find_reply(stream: bytes, wanted: Expected) -> Found | None:
    """The first frame in `stream` that answers, wherever it starts; None: not (yet) there."""
    heads = (wanted.head, wanted.exception_head)
    at = _first_of(stream, heads, 0)
    while at >= 0:
        if found := _reply_at(stream, at, wanted):
            return found
        at = _first_of(stream, heads, at + 1)
    return None


def _first_of(stream: bytes, heads: tuple[bytes, bytes], start: int) -> int:
    places = [place for head in heads if (place := stream.find(head, start)) >= 0]
    return min(places, default=-1)


def _reply_at(stream: bytes, at: int, wanted: Expected) -> Found | None:
    if stream.startswith(wanted.head, at):
        for size in range(wanted.size_min, min(wanted.size_max, len(stream) - at) + 1):
            if crc_fits(stream[at : at + size]):
                return Found(stream[at : at + size], is_exception=False, before=at)
    if stream.startswith(wanted.exception_head, at):
        frame = stream[at : at + EXCEPTION_SIZE]
        if len(frame) == EXCEPTION_SIZE and frame[2] and crc_fits(frame):
            return Found(frame, is_exception=True, before=at)
    return None


def count_frames(stream: bytes) -> tuple[int, int]:
    """(good frames, bytes in none) of what nobody asked for: a line's health, never its data."""
    good = lost = at = 0
    while at < len(stream):
        size = _frame_size(stream[at:])
        if size:
            good, at = good + 1, at + size
        else:
            lost, at = lost + 1, at + 1
    return good, lost


def _frame_size(rest: bytes) -> int:
    """Bytes of the good reply frame that `rest` starts with, 0 where there is none."""
    if len(rest) < EXCEPTION_SIZE:
        return 0
    sizes = (EXCEPTION_SIZE, ECHO_SIZE, EXCEPTION_SIZE + rest[2])
    return next((size for size in sizes if size <= len(rest) and crc_fits(rest[:size])), 0)


def gateway_text(stream: bytes) -> str | None:
    """What a serial server says in words instead of frames (`Port already in use`), else None."""
    text = stream.strip(b"\r\n\t \x00")
    if len(text) < 8 or not all(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in text):
        return None
    return text.decode("ascii").splitlines()[0][:80]
