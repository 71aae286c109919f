"""A map file's tables -> blocks, orders and points; every complaint names file and place."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from engine.bus.blocks import Block, Order
from engine.bus.errors import MapError
from engine.bus.points import INTEGERS, TEXTS, Point

READS, WRITES = (0x03, 0x04), (0x10, 0x20, 0xAA, 0xAB)
REGISTERS_MAX = {True: 123, False: 125}  # in a write, in a read (Modbus V1.1b3, 6.3 and 6.12)
BYTES_MAX = 250

BLOCK = {"function", "address", "count", "points"}
ORDER = BLOCK | {"proof", "cipher"}
POINT = {"off", "type", "size", "scale", "times", "bits", "columns", "limits", "flag"}

Table = dict[str, Any]


class Place:
    """A table of a map file, and the way there."""

    def __init__(self, file: Path, table: Table, path: str = "") -> None:
        self.file = file
        self.table = table
        self.path = path

    def complain(self, key: str, code: str, **params: object) -> MapError:
        place = f"{self.path}.{key}" if self.path else key
        return MapError(code, file=str(self.file), place=place, **params)

    def only(self, keys: set[str]) -> None:
        for key in self.table:
            if key not in keys:
                raise self.complain(key, "unknown_key", known=", ".join(sorted(keys)))

    def take(self, key: str, kind: type, default: object = None) -> Any:
        """The value of `key`, which must be of `kind`; without a default it must be there."""
        if key not in self.table:
            if default is None:
                raise self.complain(key, "missing")
            return default
        value = self.table[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.complain(key, "wrong_type", wanted=kind.__name__, found=repr(value))
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = int(self.take(key, int, default))
        if not low <= value <= high:
            raise self.complain(key, "out_of_range", found=value, low=low, high=high)
        return value

    def one_of(self, key: str, known: Mapping[str, object], default: str | None = None) -> str:
        name = str(self.take(key, str, default))
        if name not in known:
            raise self.complain(key, "unknown_name", found=name, known=", ".join(known))
        return name

    def list_of(self, key: str, kind: type) -> list[Any]:
        values = self.take(key, list, [])
        if not all(isinstance(value, kind) for value in values):
            wanted = f"[{kind.__name__}, …]"
            raise self.complain(key, "wrong_type", wanted=wanted, found=repr(values))
        return list(values)

    def inside(self, key: str, *, needed: bool = True) -> "Place":
        table = self.take(key, dict, None if needed else {})
        return Place(self.file, table, f"{self.path}.{key}" if self.path else key)


class Builder:
    """Builds what a map consists of, with the model's choices put in."""

    def __init__(self, choices: Mapping[str, Any], *, swapped: bool) -> None:
        self.choices = choices
        self.swapped = swapped

    def order(self, place: Place, name: str) -> Order:
        place.only(ORDER)
        block = self._block(place, name, WRITES)
        return Order(block, place.take("proof", str, ""), place.take("cipher", str, ""))

    def block(self, place: Place, name: str) -> Block:
        place.only(BLOCK)
        return self._block(place, name, READS)

    def _block(self, place: Place, name: str, functions: tuple[int, ...]) -> Block:
        function = place.take("function", int, READS[0])
        if function not in functions:
            known = ", ".join(f"0x{each:02X}" for each in functions)
            raise place.complain("function", "unknown_name", found=f"0x{function:02X}", known=known)
        table = place.inside("points")
        points = {key: self._point(table.inside(key), key) for key in table.table}
        count = place.number("count", 1, REGISTERS_MAX[function in WRITES])
        _check_places(table, points, 2 * count)
        return Block(
            name, function, place.number("address", 0, 0xFFFF), count, points, self.swapped
        )

    def _point(self, place: Place, name: str) -> Point:
        place.only(POINT)
        kind = place.one_of("type", {**INTEGERS, **dict.fromkeys(TEXTS)})
        size = INTEGERS[kind][0] if kind in INTEGERS else place.number("size", 1, BYTES_MAX)
        times = () if self.choices.get("ratios") == "primary" else place.list_of("times", str)
        bits = place.inside("bits", needed=False)
        return Point(
            name=name,
            offset=place.number("off", 0, BYTES_MAX),
            type=kind,
            size=size,
            scale=self._scale(place),
            times=tuple(times),
            bits={bit: bits.number(bit, 0, 8 * size - 1) for bit in bits.table},
            columns=self._columns(place) if kind == "rows" else (),
            limits=_limits(place),
            flag=place.number("flag", 0, BYTES_MAX) if "flag" in place.table else None,
        )

    def _scale(self, place: Place) -> int | Decimal:
        """An int, exact text like "0.0001", or the name of a choice that holds either."""
        given = place.table.get("scale", 1)
        chosen = self.choices.get(given, given) if isinstance(given, str) else given
        if isinstance(chosen, bool) or not isinstance(chosen, int | str):
            raise place.complain("scale", "wrong_type", wanted='1, "0.0001"', found=repr(chosen))
        try:
            scale = chosen if isinstance(chosen, int) else Decimal(chosen)
        except InvalidOperation:
            known = ", ".join(self.choices)
            raise place.complain("scale", "unknown_name", found=given, known=known) from None
        if not scale > 0:
            raise place.complain("scale", "wrong_type", wanted='1, "0.0001"', found=repr(chosen))
        return scale

    def _columns(self, place: Place) -> tuple[str, ...]:
        """Names of the bytes of a row: a list, or a choice that holds one."""
        given = place.table.get("columns")
        columns = self.choices.get(given) if isinstance(given, str) else given
        if not isinstance(columns, list | tuple):
            known = ", ".join(self.choices)
            raise place.complain("columns", "unknown_name", found=repr(given), known=known)
        return tuple(columns)


def _limits(place: Place) -> tuple[int, int] | None:
    limits = place.list_of("limits", int)
    if len(limits) not in (0, 2):
        raise place.complain("limits", "wrong_type", wanted="[low, high]", found=repr(limits))
    return (limits[0], limits[1]) if limits else None


def _check_places(place: Place, points: Mapping[str, Point], size: int) -> None:
    """No point, and no flag, outside its block; no two points on the same byte."""
    taken: dict[int, str] = {}
    for name, point in points.items():
        if point.span.stop > size or (point.flag or 0) >= size:
            raise place.complain(name, "outside", size=size)
        for byte in range(point.span.start, point.span.stop):
            if byte in taken:
                raise place.complain(name, "overlap", other=taken[byte])
            taken[byte] = name
