"""Where a request ends in what came down the bus: length, checksum, and the cipher tried."""

from collections.abc import Callable
from typing import NamedTuple

from engine.bus.frames import crc, crc_fits
from engine.bus.private import IDENTIFY

FIXED = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8}  # function: length of its request
COUNTED = (0x0F, 0x10, 0x20, 0xAA, 0xAB)  # byte count at offset 6
IDENTIFY_LENGTHS = (12, 4)  # with and without the unlock constant (reference section 2)
CIPHERED = (20, 72)  # 5.1 and 5.2, filled up to whole blocks

Decipher = Callable[[bytes], bytes | None]  # a ciphered frame -> the frame, if a meter could


class Request(NamedTuple):
    frame: bytes  # in clear, with its checksum
    taken: int  # bytes on the wire
    ciphered: bool = False


def sealed(body: bytes) -> bytes:
    """`body` with its checksum."""
    return body + crc(body)


def good(frame: bytes) -> bool:
    return len(frame) >= 4 and crc_fits(frame)


def plain_lengths(buffer: bytes) -> tuple[int, ...]:
    """How long a request that begins like this can be; none where that cannot be told (yet)."""
    if len(buffer) < 2:
        return ()
    function = buffer[1]
    if function in FIXED:
        return (FIXED[function],)
    if function in COUNTED:
        return (9 + buffer[6],) if len(buffer) > 6 else ()
    return IDENTIFY_LENGTHS if function == IDENTIFY else ()


def first_request(buffer: bytes, decipher: Decipher) -> Request | None:
    """The request at the start of `buffer`; None where there is none (yet)."""
    for length in plain_lengths(buffer):
        if len(buffer) >= length and good(buffer[:length]):
            return Request(buffer[:length], length)
    for length in CIPHERED:
        if len(buffer) >= length and (frame := decipher(buffer[:length])):
            return Request(frame, length, ciphered=True)
    return None
