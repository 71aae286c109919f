"""Register maps from TOML files: checked whole before anything uses them."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from engine.bus.blocks import Block, MeterMap, Order, compose, decode, encode, step
from engine.bus.errors import MapError
from engine.bus.points import INTEGERS, TEXTS, Point
from models.enums import MeterKind

__all__ = [
    "Block",
    "MeterMap",
    "Order",
    "compose",
    "decode",
    "encode",
    "load_map",
    "load_maps",
    "step",
]

BUILT_IN = Path(__file__).parent / "maps"
READ, WRITES = (3, 4), (0x10, 0x20, 0xAA, 0xAB)

TOP = {
    "model",
    "like",
    "kind",
    "phases",
    "model_codes",
    "word_order",
    "choices",
    "uses",
    "power_w_max",
}
TOP |= {"blocks", "orders", "without"}
BLOCK = {"function", "address", "count", "points", "proof", "cipher"}
POINT = {"off", "type", "size", "scale", "times", "bits", "columns", "limits", "flag"}
USES = {"reading", "settings", "number", "fence"}

Table = dict[str, Any]


class _Place:
    """Where in which file something is looked for: every complaint names both."""

    def __init__(self, file: Path, path: str = "") -> None:
        self.file = file
        self.path = path

    def inside(self, name: str) -> "_Place":
        return _Place(self.file, f"{self.path}.{name}" if self.path else name)

    def complain(self, code: str, **params: object) -> MapError:
        return MapError(code, file=str(self.file), place=self.path, **params)

    def take(self, table: Table, key: str, kind: type, default: object = None) -> Any:
        """`table[key]`, which must be of `kind`; without a default it must be there."""
        if key not in table:
            if default is None:
                raise self.inside(key).complain("missing")
            return default
        value = table[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.inside(key).complain("wrong_type", wanted=kind.__name__, found=repr(value))
        return value

    def only(self, table: Table, known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise self.inside(key).complain("unknown_key", known=", ".join(sorted(known)))


def load_maps(*folders: Path) -> dict[str, MeterMap]:
    """The built-in maps and those of `folders`, by model name; the later of two names wins."""
    tables: dict[str, tuple[Path, Table]] = {}
    for folder in (BUILT_IN, *folders):
        for file in sorted(folder.glob("*.toml")):
            table = _parse(file)
            model = _Place(file).take(table, "model", str)
            tables[model] = (file, _merged(file, table, tables))
    return {model: _map(file, table) for model, (file, table) in tables.items()}


def load_map(file: Path) -> MeterMap:
    """One map, `like` a built-in one or none."""
    built_in: dict[str, tuple[Path, Table]] = {}
    for each in sorted(BUILT_IN.glob("*.toml")):
        table = _parse(each)
        built_in[table["model"]] = (each, _merged(each, table, built_in))
    return _map(file, _merged(file, _parse(file), built_in))


def _parse(file: Path) -> Table:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MapError("unreadable", file=str(file), place="", why=str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise MapError("not_toml", file=str(file), place="", why=str(error)) from None


def _merged(file: Path, table: Table, known: Mapping[str, tuple[Path, Table]]) -> Table:
    """`table` over the map it is `like`: whole blocks, orders, choices replace their namesakes."""
    place = _Place(file)
    like = place.take(table, "like", str, "")
    if not like:
        return table
    if like not in known:
        raise place.inside("like").complain("unknown_name", found=like, known=", ".join(known))
    merged = {**known[like][1], **table}
    for key in ("blocks", "orders", "choices", "uses"):
        merged[key] = {**known[like][1].get(key, {}), **place.take(table, key, dict, {})}
    for name in place.take(table, "without", list, []):
        merged["blocks"].pop(name, None)
    return merged


def _map(file: Path, table: Table) -> MeterMap:
    place = _Place(file)
    place.only(table, TOP)
    choices = {
        name: _choice(value) for name, value in place.take(table, "choices", dict, {}).items()
    }
    order = place.take(table, "word_order", str, "big")
    if order not in ("big", "little"):
        raise place.inside("word_order").complain("unknown_name", found=order, known="big, little")
    kind = place.take(table, "kind", str)
    if kind not in list(MeterKind):
        known = ", ".join(MeterKind)
        raise place.inside("kind").complain("unknown_name", found=kind, known=known)
    build = _Builder(choices, swapped=order == "little")
    blocks = {
        name: build.block(place.inside(f"blocks.{name}"), name, each, READ)
        for name, each in place.take(table, "blocks", dict).items()
    }
    orders = {
        name: build.order(place.inside(f"orders.{name}"), name, each)
        for name, each in place.take(table, "orders", dict, {}).items()
    }
    uses = _uses(place.inside("uses"), place.take(table, "uses", dict), blocks)
    made = MeterMap(
        model=place.take(table, "model", str),
        kind=MeterKind(kind),
        phases=place.take(table, "phases", int),
        model_codes=frozenset(place.take(table, "model_codes", list, [])),
        power_w_max=place.take(table, "power_w_max", int),
        choices=choices,
        blocks=blocks,
        orders=orders,
        source=str(file),
        **uses,
    )
    _check_reading(place, made)
    return made


def _choice(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _uses(place: _Place, table: Table, blocks: Mapping[str, Block]) -> dict[str, Any]:
    """Which block serves which purpose."""
    place.only(table, USES)

    def block(key: str, name: str) -> Block:
        if name not in blocks:
            known = ", ".join(blocks)
            raise place.inside(key).complain("unknown_name", found=name, known=known)
        return blocks[name]

    single = {key: place.take(table, key, str, "") for key in ("settings", "number", "fence")}
    return {
        "reading": tuple(block("reading", name) for name in place.take(table, "reading", list)),
        **{key: block(key, name) if name else None for key, name in single.items()},
    }


def _check_reading(place: _Place, made: MeterMap) -> None:
    """What `reading_of` needs is there, and each ratio is read no later than what it multiplies."""
    known: set[str] = set()
    for block in made.reading:
        known |= block.points.keys()
        for point in block.points.values():
            for name in point.times:
                if name not in known:
                    at = place.inside(f"blocks.{block.name}.points.{point.name}.times")
                    raise at.complain("unknown_name", found=name, known=", ".join(sorted(known)))
    needed = {"energy_wh"} | ({"model_code"} if made.model_codes else set())
    if absent := needed - known:
        raise place.inside("uses.reading").complain("missing_point", name=", ".join(sorted(absent)))
    if not isinstance(made.energy.scale, int):
        at = place.inside("blocks … energy_wh.scale")
        raise at.complain("wrong_type", wanted="int", found=str(made.energy.scale))


class _Builder:
    """Blocks and points out of tables, with the model's choices put in."""

    def __init__(self, choices: Mapping[str, Any], *, swapped: bool) -> None:
        self.choices = choices
        self.swapped = swapped

    def order(self, place: _Place, name: str, table: Table) -> Order:
        block = self.block(place, name, table, WRITES)
        proof = place.take(table, "proof", str, "")
        return Order(block, proof, place.take(table, "cipher", str, ""))

    def block(self, place: _Place, name: str, table: Table, functions: tuple[int, ...]) -> Block:
        place.only(table, BLOCK)
        function = place.take(table, "function", int, 3)
        if function not in functions:
            known = ", ".join(f"0x{each:02X}" for each in functions)
            at = place.inside("function")
            raise at.complain("unknown_name", found=f"0x{function:02X}", known=known)
        count = place.take(table, "count", int)
        points = {
            key: self.point(place.inside(f"points.{key}"), key, each)
            for key, each in place.take(table, "points", dict).items()
        }
        _check_places(place, points, count * 2)
        address = place.take(table, "address", int)
        return Block(name, function, address, count, points, self.swapped)

    def point(self, place: _Place, name: str, table: Table) -> Point:
        place.only(table, POINT)
        kind = place.take(table, "type", str)
        if kind not in INTEGERS and kind not in TEXTS:
            known = ", ".join((*INTEGERS, *TEXTS))
            raise place.inside("type").complain("unknown_name", found=kind, known=known)
        size = INTEGERS[kind][0] if kind in INTEGERS else place.take(table, "size", int)
        times = place.take(table, "times", list, [])
        return Point(
            name=name,
            offset=place.take(table, "off", int),
            type=kind,
            size=size,
            scale=self._scale(place.inside("scale"), table.get("scale", 1)),
            times=() if self.choices.get("ratios") == "primary" else tuple(times),
            bits=place.take(table, "bits", dict, {}),
            columns=self._columns(place.inside("columns"), table.get("columns", ())),
            limits=self._limits(place, table),
            flag=place.take(table, "flag", int) if "flag" in table else None,
        )

    def _scale(self, place: _Place, given: object) -> int | Decimal:
        """An int, exact text like "0.0001", or the name of a choice that holds either."""
        chosen = self.choices.get(given, given) if isinstance(given, str) else given
        try:
            scale = chosen if isinstance(chosen, int) else Decimal(str(chosen))
        except InvalidOperation:
            known = ", ".join(self.choices)
            raise place.complain("unknown_name", found=str(given), known=known) from None
        if isinstance(chosen, float | bool) or not scale > 0:
            raise place.complain("wrong_type", wanted='1, "0.0001"', found=repr(chosen))
        return scale

    def _columns(self, place: _Place, given: object) -> tuple[str, ...]:
        chosen = self.choices.get(given, ()) if isinstance(given, str) else given
        if isinstance(given, str) and not chosen:
            raise place.complain("unknown_name", found=given, known=", ".join(self.choices))
        return tuple(chosen)  # type: ignore[arg-type]  # a list or tuple of names

    def _limits(self, place: _Place, table: Table) -> tuple[int, int] | None:
        if "limits" not in table:
            return None
        low, high = place.take(table, "limits", list)
        return low, high


def _check_places(place: _Place, points: Mapping[str, Point], size: int) -> None:
    """No point outside its block, no two on the same byte."""
    taken: dict[int, str] = {}
    for name, point in points.items():
        if point.offset < 0 or point.span.stop > size or (point.flag or 0) >= size:
            raise place.inside(f"points.{name}").complain("outside", size=size)
        for byte in range(point.span.start, point.span.stop):
            if byte in taken:
                raise place.inside(f"points.{name}").complain("overlap", other=taken[byte])
            taken[byte] = name
