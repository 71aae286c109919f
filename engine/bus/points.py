"""One value inside a block of registers: its bytes -> a stored value, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.bus.errors import BadReading

INTEGERS = {  # each: how many bytes, signed or not
    "u8": (1, False),
    "u16": (2, False),
    "i16": (2, True),
    "u32": (4, False),
    "i32": (4, True),
}
TEXTS = ("ascii", "bcd", "hex", "rows")

Value = int | str | Decimal


@dataclass(frozen=True, slots=True)
class Point:
    """A named value at a byte offset. Integers are `raw × scale`; a Decimal scale gives Decimals.

    `times` names points this one is multiplied by (PT, CT). `bits` names single bits of the raw
    word. `limits` are of the stored value before `times`; outside them the whole reading is bad.
    `flag` is the offset of an apply flag, in orders only.
    """

    name: str
    offset: int
    type: str
    size: int
    scale: int | Decimal = 1
    times: tuple[str, ...] = ()
    bits: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    limits: tuple[int, int] | None = None
    flag: int | None = None

    @property
    def span(self) -> slice:
        return slice(self.offset, self.offset + self.size)


def to_value(point: Point, data: bytes, *, swapped: bool) -> Value:
    """The value in `data` (the point's own bytes), ratios not yet applied. Raises BadReading."""
    if point.type not in INTEGERS:
        return _text(point, data)
    raw = int.from_bytes(_ordered(data, swapped=swapped), signed=INTEGERS[point.type][1])
    value = raw * point.scale
    check_limits(point, value)
    return value


def to_bytes(point: Point, value: Value, *, swapped: bool) -> bytes:
    """The inverse of `to_value`; what is finer than one count is cut. ValueError: does not fit."""
    if point.type not in INTEGERS:
        return _text_bytes(point, str(value))
    raw = int(Decimal(value) // point.scale)
    size, signed = INTEGERS[point.type]
    try:
        return _ordered(raw.to_bytes(size, signed=signed), swapped=swapped)
    except OverflowError:
        raise ValueError(f"{point.name} = {value} does not fit {point.type}") from None


def check_limits(point: Point, value: int | Decimal) -> None:
    """Raises BadReading where the map allows no such value."""
    if point.limits and not point.limits[0] <= value <= point.limits[1]:
        raise BadReading(point=point.name, value=value)


def _ordered(data: bytes, *, swapped: bool) -> bytes:
    """Four bytes with the low word first, for meters that send them so; others unchanged."""
    return data[2:] + data[:2] if swapped and len(data) == 4 else data


def _text(point: Point, data: bytes) -> str:
    match point.type:
        case "bcd":
            digits = data.hex()
            if not digits.isdecimal():
                raise BadReading(point=point.name, value=digits)
            return digits
        case "ascii":
            text = data.rstrip(b"\0 ")
            if not all(32 <= char < 127 for char in text):
                raise BadReading(point=point.name, value=data.hex())
            return text.decode("ascii")
        case "rows":
            return _rows(data, point.columns)
    return data.hex()


def _rows(data: bytes, columns: tuple[str, ...]) -> str:
    """`rate=4 minute=0 hour=0; rate=3 …`, unused rows at the end left out."""
    width = len(columns)
    starts = range(0, len(data.rstrip(b"\0")), width)
    rows = (zip(columns, data[start : start + width], strict=True) for start in starts)
    return "; ".join(" ".join(f"{name}={byte}" for name, byte in row) for row in rows)


def _text_bytes(point: Point, text: str) -> bytes:
    match point.type:
        case "ascii":
            data = text.encode("ascii").ljust(point.size, b"\0")
        case "rows":
            rows = [dict(cell.split("=") for cell in row.split()) for row in text.split(";")]
            data = bytes(int(row[name]) for row in rows for name in point.columns)
            data = data.ljust(point.size, b"\0")
        case _:
            data = bytes.fromhex(text)
    if len(data) != point.size:
        raise ValueError(f"{point.name} = {text!r} is not {point.size} bytes")
    return data
