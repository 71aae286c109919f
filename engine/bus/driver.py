"""A register map at work on one unit: typed reads, and orders composed and sent once."""

from collections.abc import Mapping
from decimal import Decimal

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
)

from engine.bus.blocks import Block, MeterMap, Order, Values, compose, decode, decode_one
from engine.bus.blocks import step as step_of
from engine.bus.bus import Bus
from engine.bus.doubts import RUN_STATE, Fence
from engine.bus.errors import OtherModel
from engine.bus.points import Value
from engine.bus.private import WRITE_REQUESTS
from engine.domain.measurement import RATES, Identity, MeterReading, MeterSettings, reading_of


class Driver:
    """One meter: its map, its unit on the line, the site's cipher key."""

    def __init__(self, meter_map: MeterMap, unit: int, *, cipher_key: bytes) -> None:
        self.map = meter_map
        self.unit = unit
        self._cipher_key = cipher_key
        block = meter_map.fence
        self._fence = Fence(block.address, block.count) if block else RUN_STATE

    async def read_main(self, bus: Bus, *, step: str = "read") -> MeterReading:
        """One reading: the map's blocks, in their order. Raises OtherModel, BadReading."""
        known: dict[str, Value] = {}
        raw = ""
        for block in self.map.reading:
            registers = await self._registers(bus, block, step)
            raw += b"".join(register.to_bytes(2) for register in registers).hex()
            self._require_model(block, registers)
            known |= decode(block, registers, known)
        whole = {name: value for name, value in known.items() if not isinstance(value, Decimal)}
        return reading_of(whole, raw=raw, energy_step_wh=step_of(self.map.energy, known))

    async def read_settings(self, bus: Bus, *, step: str = "settings") -> MeterSettings:
        """Prices and thresholds as the meter holds them."""
        assert self.map.settings is not None, self.map.model
        return settings_of(await self.read_block(bus, self.map.settings, step=step))

    async def read_identity(self, bus: Bus, *, step: str = "identity") -> Identity:
        """The meter's own number (表号). Its model is checked with every reading."""
        assert self.map.number is not None, self.map.model
        values = await self.read_block(bus, self.map.number, step=step)
        return Identity(number=str(values["number"]), model_code=None)

    async def read_block(self, bus: Bus, block: Block, *, step: str) -> dict[str, Value]:
        """Every point of one block."""
        return decode(block, await self._registers(bus, block, step))

    async def read_ciphered(self, bus: Bus, *, step: str = "fence") -> bool:
        """Fence the meter; True where its run state asks for ciphered purchases."""
        word = await bus.fence(self.unit, step=step, fence=self._fence)
        order = self.map.orders["purchase"]
        if word is None or not order.cipher or self.map.fence is None:
            return False
        return bool(decode(self.map.fence, [word])[order.cipher])

    async def purchase(
        self, bus: Bus, *, amount_fen: int, count: int, ciphered: bool, step: str = "write"
    ) -> None:
        """Add `amount_fen` with the *new* purchase `count`. Sent once.

        Whether it was obeyed only a read-back tells. Raises Refused, Busy, NoReply, LineDown;
        ValueError, with nothing sent, for what does not fit the meter.
        """
        values = {"amount_fen": amount_fen, "purchase_count": count}
        await self.give(bus, self.map.orders["purchase"], values, ciphered=ciphered, step=step)

    async def set_balance(
        self, bus: Bus, *, balance_fen: int, ciphered: bool, step: str = "write"
    ) -> None:
        """Make the balance `balance_fen`, whatever it was; the count stays. Sent once.

        Never blindly again: a late frame of it would undo what came in between. Raises as
        `purchase` does.
        """
        order = self.map.orders["money_control"]
        await self.give(bus, order, {"balance_fen": balance_fen}, ciphered=ciphered, step=step)

    async def give(
        self, bus: Bus, order: Order, values: Values, *, step: str, ciphered: bool = False
    ) -> None:
        """Send an order, once. Its reply is not believed: read back."""
        await bus.request(
            self.unit,
            order_pdu(order, values),
            step=step,
            write=True,
            cipher_key=self._cipher_key if ciphered else None,
            fence=self._fence,
        )

    async def _registers(self, bus: Bus, block: Block, step: str) -> list[int]:
        reply = await bus.request(self.unit, read_pdu(block), step=step, fence=self._fence)
        return list(reply.registers)

    def _require_model(self, block: Block, registers: list[int]) -> None:
        """Before anything else of the block is believed."""
        if not self.map.model_codes or "model_code" not in block.points:
            return
        code = decode_one(block, registers, "model_code")
        if code not in self.map.model_codes:
            raise OtherModel(found=code, model=self.map.model)


def settings_of(values: Mapping[str, Value]) -> MeterSettings:
    """Of a map's settings block, as read."""
    return MeterSettings(
        money_control=bool(values["money_control"]),
        prices=tuple(Decimal(values[f"price_{rate}"]) for rate in RATES),
        alarm1_fen=_whole(values, "alarm1_fen"),
        alarm2_fen=_whole(values, "alarm2_fen"),
        overdraft_fen=_whole(values, "overdraft_fen"),
        purchase_count=_whole(values, "purchase_count"),
        balance_fen=_whole(values, "balance_fen"),
    )


def read_pdu(block: Block) -> ModbusPDU:
    """The request that reads exactly this block."""
    kind = ReadHoldingRegistersRequest if block.function == 3 else ReadInputRegistersRequest
    return kind(address=block.address, count=block.count)


def order_pdu(order: Order, values: Values) -> ModbusPDU:
    """The request that carries out an order. Raises ValueError where a value is not allowed."""
    block = order.block
    registers = compose(order, values)
    if block.function in WRITE_REQUESTS:
        data = b"".join(register.to_bytes(2) for register in registers)
        return WRITE_REQUESTS[block.function](address=block.address, data=data)
    return WriteMultipleRegistersRequest(address=block.address, registers=registers)


def _whole(values: Mapping[str, Value], name: str) -> int:
    value = values[name]
    assert isinstance(value, int), (name, value)
    return value
