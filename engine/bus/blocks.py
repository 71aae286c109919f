"""A meter model as data: its blocks of registers and its orders, decoded, encoded and composed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from engine.bus.errors import BadReading
from engine.bus.points import Point, Value, check_limits, to_bytes, to_value
from models.enums import MeterKind

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that are read, or written, in one frame. `address` and `count` as on the wire."""

    name: str
    function: int
    address: int
    count: int
    points: Mapping[str, Point]
    swapped: bool = False  # u32 and i32 have their low word first


@dataclass(frozen=True, slots=True)
class Order:
    """A block that is written. `proof` says what a read-back must show for it to have happened."""

    block: Block
    proof: str = ""
    cipher: str = ""  # the run-state bit that says this order must be ciphered; "": never

    @property
    def name(self) -> str:
        return self.block.name


@dataclass(frozen=True, slots=True)
class MeterMap:
    """All that differs from one meter model to another. Made by `engine.bus.registers`."""

    model: str
    kind: MeterKind
    phases: int
    model_codes: frozenset[int]  # of the point `model_code`; empty: the model is not told
    choices: Mapping[str, Value | tuple[str, ...]]
    blocks: Mapping[str, Block]
    orders: Mapping[str, Order]
    reading: tuple[Block, ...]  # what one reading consists of, in this order
    settings: Block | None
    number: Block | None
    fence: Block | None
    power_w_max: int  # of one phase, secondary: what no reading may exceed
    source: str  # the file

    @property
    def status_bits(self) -> dict[str, tuple[str, int]]:
        """Bit name -> (point, place) of all that one reading consists of."""
        return {
            bit: (point.name, place)
            for block in self.reading
            for point in block.points.values()
            for bit, place in point.bits.items()
        }

    @property
    def energy(self) -> Point:
        return next(b.points["energy_wh"] for b in self.reading if "energy_wh" in b.points)


def decode(block: Block, registers: Sequence[int], known: Values | None = None) -> dict[str, Value]:
    """The values of a block by point name, in stored units, named bits as 0 and 1.

    `known` are values of blocks read before, where ratios may stand. Raises BadReading for a
    register count that is not the block's and for any value the map does not allow.
    """
    if len(registers) != block.count:
        raise BadReading(block=block.name, registers=len(registers))
    data = b"".join(register.to_bytes(2) for register in registers)
    values: dict[str, Value] = {}
    for name, point in block.points.items():
        value = to_value(point, data[point.span], swapped=block.swapped)
        values[name] = value
        if isinstance(value, int):
            values.update({bit: value >> place & 1 for bit, place in point.bits.items()})
    known = {**(known or {}), **values}
    for name, point in block.points.items():
        if point.times:
            values[name] = int(values[name]) * ratio(point, known)
    return values


def decode_one(block: Block, registers: Sequence[int], name: str) -> Value:
    """A single point, no ratios applied: for looking at the model before the rest."""
    point = block.points[name]
    data = b"".join(register.to_bytes(2) for register in registers)
    return to_value(point, data[point.span], swapped=block.swapped)


def ratio(point: Point, known: Values) -> int:
    """What a counted value is multiplied by: PT × CT where the map says so, else 1."""
    return prod(int(known[name]) for name in point.times)


def step(point: Point, known: Values) -> int:
    """What one count of `point` is worth in stored units, ratios applied."""
    assert isinstance(point.scale, int), point
    return point.scale * ratio(point, known)


def encode(block: Block, values: Values) -> list[int]:
    """The registers a meter with these values shows: the inverse of `decode`, for pretend meters.

    A point that is not given is 0; names that are not the block's are left alone. A word may be
    given whole or by its bits.
    """
    data = bytearray(block.count * 2)
    for name, point in block.points.items():
        value = values.get(name, _from_bits(point, values))
        if not value:
            continue
        if point.times:
            value = int(value) // ratio(point, values)
        data[point.span] = to_bytes(point, value, swapped=block.swapped)
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


def _from_bits(point: Point, values: Values) -> int:
    return sum(1 << place for bit, place in point.bits.items() if values.get(bit))


def compose(order: Order, values: Values) -> list[int]:
    """The registers of an order. Points behind an apply flag may be left out, others may not.

    Points with the same flag are written together or not at all. Raises ValueError for a name
    the order does not have, a missing one, or a value outside the point's limits: nothing of a
    doubtful order is ever sent.
    """
    points = order.block.points
    if unknown := values.keys() - points.keys():
        raise ValueError(f"{order.name} has no {', '.join(sorted(unknown))}")
    flags = {points[name].flag for name in values}
    for name, point in points.items():
        if name not in values and (point.flag is None or point.flag in flags):
            raise ValueError(f"{order.name} needs {name}")
        if name in values:
            _check(point, values[name])
    registers = encode(order.block, values)
    data = bytearray(b"".join(register.to_bytes(2) for register in registers))
    for flag in flags - {None}:
        assert flag is not None
        data[flag] = 1
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


def _check(point: Point, value: Value) -> None:
    if isinstance(value, str):
        return  # its length is checked where it becomes bytes
    try:
        check_limits(point, value)
    except BadReading as error:
        raise ValueError(f"{point.name} = {value} is outside {point.limits}") from error
    if value % point.scale:
        raise ValueError(f"{point.name} = {value} is not a multiple of {point.scale}")
