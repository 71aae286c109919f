"""Register maps: TOML files that say what a meter model speaks -> blocks, points, decode, encode.

A point is named after the vocabulary in docs/meters.md, its unit last. What differs between
models, and every assumption about one, is data in its map.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from engine.bus.errors import BadReading

MAPS = Path(__file__).parent / "maps"
SIZES = {"u8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "bcd6": 6, "ascii14": 14}
SIGNED = ("i16", "i32")
TEXTS = ("bcd6", "ascii14")
READ_MAX = 125  # registers in one request (Modbus Application Protocol V1.1b3, 6.3)


class MapError(Exception):
    """A map file cannot be used; the message names file, place and remedy."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value in a block: bytes `offset` … of its data, times `scale`, times the ratios.

    `scale` is a whole number for stored units (one count of 0.01 kWh is 10 Wh), a Decimal for
    prices. `times` names points of the same block (pt_ratio, ct_ratio) that turn a secondary
    value into a primary one.
    """

    name: str
    offset: int
    type: str
    scale: int | Decimal = 1
    times: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return SIZES[self.type]


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that are read in one request, exactly so: nothing between blocks is assumed."""

    name: str
    address: int
    count: int
    points: Mapping[str, Point]
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What is assumed of a model where public material is silent; `assumed` names the doubtful."""

    amount_fen: int = 1  # one count of a purchase amount, in fen (Q2)
    count_proof: bool = True  # the purchase count and balance of the main block prove a purchase
    refund: Literal["absolute", "none"] = "none"  # how credit is taken back (Q4)
    cipher: Literal["never", "by_run_state"] = "never"  # 0022 bit 5 tells (Q10)
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterMap:
    """All that is known of one meter model."""

    model: str
    model_codes: frozenset[int]
    kind: Literal["prepaid", "ordinary"]
    phases: int
    blocks: Mapping[str, Block]
    rules: Rules
    power_w_max: int  # of one phase at rated voltage and largest current, secondary
    word_order: Literal["big", "little"] = "big"
    source: str = ""
    status_bits: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def block(self, name: str) -> Block:
        return self.blocks[name]


def load_maps(*folders: Path) -> dict[str, MeterMap]:
    """The built-in maps and those of `folders` by model; a later folder's map of a model wins."""
    maps: dict[str, MeterMap] = {}
    for folder in (MAPS, *folders):
        for path in sorted(folder.glob("*.toml")):
            loaded = load_map(path)
            maps[loaded.model] = loaded
    return maps


def load_map(path: Path) -> MeterMap:
    """One map file. Raises MapError naming file, place and remedy."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MapError(f"{path}: cannot be read as TOML: {error}") from None
    try:
        return _meter_map(table)
    except KeyError as error:
        raise MapError(f"{path}: {error.args[0]} is missing: see docs/meters.md") from None
    except (TypeError, ValueError) as error:
        raise MapError(f"{path}: {error}") from None


def _meter_map(table: Mapping[str, Any]) -> MeterMap:
    unknown = set(table) - {"meter", "rules", "blocks", "status"}
    if unknown:
        raise ValueError(f"unknown table [{min(unknown)}]: remove it")
    meter = dict(table["meter"])
    blocks = {name: _block(name, entry) for name, entry in table["blocks"].items()}
    for needed in ("main",):
        if needed not in blocks:
            raise ValueError(f"[blocks.{needed}] is missing: every meter has one")
    rules = dict(table.get("rules", {}))
    rules["assumed"] = tuple(rules.get("assumed", ()))
    return MeterMap(
        model=meter.pop("model"),
        model_codes=frozenset(meter.pop("model_codes", ())),
        blocks=blocks,
        rules=Rules(**rules),
        status_bits={name: (where[0], int(where[1])) for name, where in table.get("status", {}).items()},
        **meter,
    )


def _block(name: str, entry: Mapping[str, Any]) -> Block:
    place = f"[blocks.{name}]"
    unknown = set(entry) - {"address", "count", "points", "writable"}
    if unknown:
        raise ValueError(f"{place} {min(unknown)} is no key of a block")
    count = entry["count"]
    if not 1 <= count <= READ_MAX:
        raise ValueError(f"{place} count {count}: 1 to {READ_MAX} registers fit in one request")
    points = {key: _point(place, key, value) for key, value in entry.get("points", {}).items()}
    taken: dict[int, str] = {}
    for point in points.values():
        if point.offset + point.size > 2 * count:
            raise ValueError(f"{place} {point.name} ends after the block: check offset and count")
        for place_in_block in range(point.offset, point.offset + point.size):
            if place_in_block in taken:
                raise ValueError(f"{place} {point.name} overlaps {taken[place_in_block]}")
            taken[place_in_block] = point.name
        for ratio in point.times:
            if ratio not in points:
                raise ValueError(f"{place} {point.name} times {ratio}: no such point in the block")
    return Block(name, entry["address"], count, points, writable=entry.get("writable", False))


def _point(place: str, name: str, entry: Mapping[str, Any]) -> Point:
    if entry["type"] not in SIZES:
        raise ValueError(f"{place} {name}: type {entry['type']!r} is none of {', '.join(SIZES)}")
    scale = entry.get("scale", 1)
    return Point(
        name=name,
        offset=entry["offset"],
        type=entry["type"],
        scale=Decimal(scale) if isinstance(scale, str) else scale,
        times=tuple(entry.get("times", ())),
    )


def decode(block: Block, registers: Sequence[int]) -> dict[str, int | str | Decimal]:
    """Every point of `block` from its registers (16-bit words, exactly `block.count` of them).

    Whole numbers in the unit the point's name ends in, Decimal where the scale is one (prices),
    text for BCD and ASCII. Raises BadReading where digits are no digits or a ratio is 0.
    """
    if len(registers) != block.count:
        raise BadReading(f"block {block.name}: {len(registers)} registers, not {block.count}")
    data = b"".join(word.to_bytes(2, "big") for word in registers)
    raw = {point.name: _raw(point, data) for point in block.points.values()}
    values: dict[str, int | str | Decimal] = {}
    for point in block.points.values():
        value: int | str | Decimal = raw[point.name]
        if not isinstance(value, str):
            value = value * point.scale
            for ratio in point.times:
                factor = raw[ratio]
                if not isinstance(factor, int) or factor < 1:
                    raise BadReading(f"block {block.name}: {ratio} is {factor}, at least 1 is real")
                value *= factor
        values[point.name] = value
    return values


def _raw(point: Point, data: bytes) -> int | str:
    part = data[point.offset : point.offset + point.size]
    if point.type == "bcd6":
        digits = part.hex()
        if not digits.isdecimal():
            raise BadReading(f"{point.name}: {digits} is no BCD number")
        return digits
    if point.type == "ascii14":
        return part.decode("ascii", errors="replace").strip("\x00 ")
    return int.from_bytes(part, "big", signed=point.type in SIGNED)


def encode(block: Block, values: Mapping[str, int | str | Decimal]) -> list[int]:
    """The registers that `decode` turns into `values`; a point not given is 0. For pretend meters.

    Values are primary, as `decode` gives them; what does not divide is cut, as a meter cuts.
    Raises OverflowError where a value does not fit its type.
    """
    data = bytearray(2 * block.count)
    for name, value in values.items():
        point = block.points[name]
        data[point.offset : point.offset + point.size] = _bytes_of(point, value, values)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def _bytes_of(
    point: Point, value: int | str | Decimal, values: Mapping[str, int | str | Decimal]
) -> bytes:
    if isinstance(value, str):
        if point.type == "bcd6":
            return bytes.fromhex(value.rjust(12, "0"))
        return value.encode("ascii").ljust(14, b"\x00")[:14]
    counts = value / Decimal(point.scale)
    for ratio in point.times:
        counts /= Decimal(values[ratio])
    return int(counts).to_bytes(point.size, "big", signed=point.type in SIGNED)
