"""The makers' own function codes as pymodbus PDUs, and their frame cipher.

Source: meter reference sections 5 and 6. 20 hex carries commands, AA prepayment parameters,
AB the cipher key, 11 identifies. All of 20, AA, AB have the shape of a write of many registers.
"""

import struct
from typing import ClassVar

from pymodbus.pdu import DecodePDU, ModbusPDU

CONTROL, PREPAY, KEY, IDENTIFY = 0x20, 0xAA, 0xAB, 0x11
MONEY_AT, MONEY_COUNT = 0x0200, 30  # MoneyControl
MONEY_ENERGY = slice(10, 15)  # of its data: flag and value that would rewrite the energy register
KEY_AT, KEY_COUNT = 0x6601, 4
PREPAY_AT = 0x0046
UNLOCK = bytes.fromhex("FEDCBA9876543210")


class WriteRequest(ModbusPDU):
    """Register, count, byte count, data: an even number of bytes."""

    rtu_byte_count_pos = 6

    def __init__(self, address: int = 0, data: bytes = b"", dev_id: int = 0) -> None:
        super().__init__(dev_id=dev_id, address=address, count=len(data) // 2)
        self.data = data

    def encode(self) -> bytes:
        assert len(self.data) % 2 == 0, self.data
        return struct.pack(">HHB", self.address, self.count, len(self.data)) + self.data

    def decode(self, data: bytes) -> None:
        self.address, self.count, size = struct.unpack(">HHB", data[:5])
        self.data = data[5 : 5 + size]
        if len(self.data) != size or size != 2 * self.count:
            raise ValueError(f"{size} bytes for {self.count} registers")

    def isError(self) -> bool:  # noqa: N802 (pymodbus's name; AA and AB have the high bit set)
        return False


class WriteResponse(ModbusPDU):
    """The echo of register and count, with whatever a meter adds to it."""

    rtu_frame_size = 8

    def __init__(
        self, address: int = 0, count: int = 0, extra: bytes = b"", dev_id: int = 0
    ) -> None:
        super().__init__(dev_id=dev_id, address=address, count=count)
        self.extra = extra

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.count) + self.extra

    def decode(self, data: bytes) -> None:
        self.address, self.count = struct.unpack(">HH", data[:4])
        self.extra = data[4:]

    def isError(self) -> bool:  # noqa: N802
        return False


class ControlRequest(WriteRequest):
    function_code = CONTROL


class ControlResponse(WriteResponse):
    function_code = CONTROL


class PrepayRequest(WriteRequest):
    function_code = PREPAY


class PrepayResponse(WriteResponse):
    function_code = PREPAY


class KeyRequest(WriteRequest):
    function_code = KEY


class KeyResponse(WriteResponse):
    function_code = KEY


class IdentifyRequest(ModbusPDU):
    """The unlock constant; no register."""

    function_code = IDENTIFY
    rtu_frame_size = 12

    def encode(self) -> bytes:
        return UNLOCK

    def decode(self, data: bytes) -> None:
        if data[: len(UNLOCK)] != UNLOCK:
            raise ValueError("identify without its unlock constant")


class IdentifyResponse(ModbusPDU):
    """Type code and software version; the rest of the data is unknown and kept raw."""

    function_code = IDENTIFY
    rtu_byte_count_pos = 2

    def __init__(self, data: bytes = b"", dev_id: int = 0) -> None:
        super().__init__(dev_id=dev_id)
        self.data = data

    def encode(self) -> bytes:
        return bytes([len(self.data)]) + self.data

    def decode(self, data: bytes) -> None:
        self.data = data[1 : 1 + data[0]]

    @property
    def type_code(self) -> int:
        return int.from_bytes(self.data[0:2], "big")

    @property
    def version(self) -> str:
        """`V n`, or `T n` for a trial version (32768 and above)."""
        number = int.from_bytes(self.data[4:6], "big")
        return f"V{number}" if number < 0x8000 else f"T{number - 0x8000}"


PRIVATE: tuple[tuple[type[ModbusPDU], type[ModbusPDU]], ...] = (
    (ControlRequest, ControlResponse),
    (PrepayRequest, PrepayResponse),
    (KeyRequest, KeyResponse),
    (IdentifyRequest, IdentifyResponse),
)
WRITE_REQUESTS: dict[int, type[WriteRequest]] = {
    CONTROL: ControlRequest,
    PREPAY: PrepayRequest,
    KEY: KeyRequest,
}


class Decoder(DecodePDU):
    """pymodbus's decoder, which takes every code with the high bit for an exception, taught better.

    An exception to AA has the code AA again: only its length tells them apart, so a body of one
    byte under AA or AB is an exception, anything longer is not.
    """

    private: ClassVar[dict[int, tuple[type[ModbusPDU], type[ModbusPDU]]]] = {
        request.function_code: (request, response) for request, response in PRIVATE
    }

    def lookupPduClass(self, data: bytes) -> type[ModbusPDU] | None:  # noqa: N802 (pymodbus's name)
        known = self.private.get(data[1])
        return known[self.pdu_inx] if known else super().lookupPduClass(data)

    def decode(self, frame: bytes) -> ModbusPDU | None:
        known = self.private.get(frame[0])
        if known is None or len(frame) == 2:
            return super().decode(frame)
        pdu = known[self.pdu_inx]()
        try:
            pdu.decode(frame[1:])
        except (ValueError, IndexError, struct.error):
            return None
        return pdu


CIPHER_DELTA = 0x79B9  # low half of TEA's 9E3779B9
CIPHER_CYCLES = 16
WORD = 0xFFFF


def encipher(frame: bytes, key: bytes) -> bytes:
    """The whole frame, address and CRC included, padded with zeros to a multiple of 4 bytes.

    TEA cut down to 16-bit halves, ECB. `key` has 8 bytes. Obfuscation, not protection.
    """
    padded = frame + bytes(-len(frame) % 4)
    return b"".join(_encipher_pair(padded[i : i + 4], key) for i in range(0, len(padded), 4))


def decipher(data: bytes, key: bytes) -> bytes:
    """The padded plain bytes of a ciphered frame; its true length is 9 + the byte at 6."""
    whole = len(data) // 4 * 4
    return b"".join(_decipher_pair(data[i : i + 4], key) for i in range(0, whole, 4))


def _encipher_pair(pair: bytes, key: bytes) -> bytes:
    k0, k1, k2, k3 = struct.unpack(">4H", key)
    x, y = struct.unpack(">2H", pair)
    total = 0
    for _ in range(CIPHER_CYCLES):
        total = (total + CIPHER_DELTA) & WORD
        x = (x + (((y << 4) + k0) ^ (y + total) ^ ((y >> 5) + k1))) & WORD
        y = (y + (((x << 4) + k2) ^ (x + total) ^ ((x >> 5) + k3))) & WORD
    return struct.pack(">2H", x, y)


def _decipher_pair(pair: bytes, key: bytes) -> bytes:
    k0, k1, k2, k3 = struct.unpack(">4H", key)
    x, y = struct.unpack(">2H", pair)
    total = CIPHER_CYCLES * CIPHER_DELTA & WORD
    for _ in range(CIPHER_CYCLES):
        y = (y - (((x << 4) + k2) ^ (x + total) ^ ((x >> 5) + k3))) & WORD
        x = (x - (((y << 4) + k0) ^ (y + total) ^ ((y >> 5) + k1))) & WORD
        total = (total - CIPHER_DELTA) & WORD
    return struct.pack(">2H", x, y)
