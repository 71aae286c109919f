"""A meter at an address of a line: requests in clear, replies as frames."""

from collections.abc import Callable

from engine.bus.frames import READ, WRITE
from engine.bus.points import to_value
from engine.bus.private import CONTROL, IDENTIFY, KEY, PREPAY, decipher
from engine.bus.registers import Block, MeterMap
from engine.bus.simulator import framing
from engine.bus.simulator.display import read_block
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.orders import order_for
from engine.bus.simulator.orders_by_phase import TABLES, take_table
from engine.bus.simulator.refusal import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, Refusal

ORDERS = (WRITE, CONTROL, PREPAY, KEY)
SOFTWARE_VERSION = 107  # "V 107"
CIPHER_BLOCK = 4


class Unit:
    """What one meter does with frames that bear its address."""

    def __init__(self, meter: SimMeter, meter_map: MeterMap, *, now_ms: Callable[[], int]) -> None:
        self.meter = meter
        self.target = f"meter:{meter.plate.serial}"
        self._now_ms = now_ms
        self._blocks = {(block.address, block.count): block for block in meter_map.blocks.values()}
        self._tables = {  # by the map: their places differ from family to family
            (order.block.address, order.block.count): order.block.points[name]
            for name, order in meter_map.orders.items()
            if name in TABLES
        }
        self._changed = False

    def take_changed(self) -> bool:
        """Whether a write was obeyed since this was last asked: it is kept before the reply."""
        changed, self._changed = self._changed, False
        return changed

    def decipher(self, frame: bytes) -> bytes | None:
        """`frame` in clear, where this meter has the cipher on and the frame is for it.

        The true length is not sent: it follows from the byte count (reference section 6).
        """
        if not self.meter.cipher_on:
            return None
        key = bytes.fromhex(self.meter.key)
        head = bytes((self.meter.plate.address, CONTROL))
        if not decipher(frame[:CIPHER_BLOCK], key).startswith(head):
            return None
        clear = decipher(frame, key)
        clear = clear[: 9 + clear[6]]
        return clear if framing.good(clear) else None

    def exception(self, frame: bytes, code: int) -> bytes:
        return framing.sealed(bytes((frame[0], frame[1] | 0x80, code)))

    def echo(self, frame: bytes) -> bytes:
        """As if a write had been obeyed."""
        return framing.sealed(frame[:6])

    def answer(self, frame: bytes, *, ciphered: bool = False) -> bytes:
        """The reply to a request for this address."""
        self.meter.advance(self._now_ms())
        try:
            return framing.sealed(frame[:1] + self._obey(frame[1:-2], ciphered=ciphered))
        except Refusal as refusal:
            return self.exception(frame, refusal.code)

    def _obey(self, pdu: bytes, *, ciphered: bool) -> bytes:
        function = pdu[0]
        if function == READ:
            data = read_block(self.meter, self._block(pdu))
            return bytes((function, len(data))) + data
        if function in ORDERS:
            return self._order(pdu, ciphered=ciphered)
        if function == IDENTIFY:
            code = self.meter.plate.model_code.to_bytes(2)
            data = (code + bytes(2) + SOFTWARE_VERSION.to_bytes(2)).ljust(10, b"\0")
            return bytes((function, len(data))) + data
        raise Refusal(ILLEGAL_FUNCTION)

    def _block(self, pdu: bytes) -> Block:
        """The exact blocks of the map can be read, nothing between them (reference Q15)."""
        wanted = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        block = self._blocks.get(wanted)
        if block is None:
            raise Refusal(ILLEGAL_ADDRESS)
        return block

    def _order(self, pdu: bytes, *, ciphered: bool) -> bytes:
        """A write is answered by its own head: function, register, count."""
        function, register, count = pdu[0], int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        if function == CONTROL and self.meter.cipher_on and not ciphered:
            raise Refusal(ILLEGAL_FUNCTION)
        if len(pdu) != 6 + 2 * count or pdu[5] != 2 * count:
            raise Refusal(ILLEGAL_ADDRESS)
        table = self._tables.get((register, count)) if function == WRITE else None
        if table:
            take_table(self.meter, table.name, str(to_value(table, pdu[6:], swapped=False)))
        else:
            order_for(self.meter, function, register, count)(self.meter, pdu[6:])
        self._changed = True
        return pdu[:5]
