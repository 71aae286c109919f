"""The register maps of meter models: built in, and a site's own. docs/meters.md tells how."""

import tomllib
from pathlib import Path
from typing import Any

from engine.bus.blocks import Block, MeterMap, Order, compose, decode, encode, step
from engine.bus.errors import MapError
from engine.bus.mapfile import Builder, Place, Table
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
TOP = {"model", "like", "without", "kind", "phases", "model_codes", "word_order", "power_w_max"}
TOP |= {"choices", "uses", "blocks", "orders"}
MERGED = ("choices", "uses", "blocks", "orders")
USES = {"reading", "settings", "number", "fence"}
WORD_ORDERS = {"big": False, "little": True}
KINDS = {kind.value: kind for kind in MeterKind}
RULES = {  # choices that the program acts on, and what it knows of each
    "ratios": ("secondary", "primary"),
    "count_rule": ("next",),
}


def load_maps(*folders: Path) -> dict[str, MeterMap]:
    """The built-in maps and those of `folders`, by model name; the later of two names wins."""
    files = [file for folder in (BUILT_IN, *folders) for file in sorted(folder.glob("*.toml"))]
    return {place.table["model"]: _map(place) for place in _merged(files).values()}


def load_map(file: Path) -> MeterMap:
    """One map, which may be `like` a built-in one."""
    places = _merged([*sorted(BUILT_IN.glob("*.toml")), file])
    return _map(next(place for place in places.values() if place.file == file))


def _merged(files: list[Path]) -> dict[str, Place]:
    """The tables of each model, put over the map it is `like`, which must come before it.

    Whole blocks, orders and choices replace their namesakes; those named `without` go.
    """
    places: dict[str, Place] = {}
    for file in files:
        place = Place(file, _parse(file))
        model = place.take("model", str)
        if place.take("like", str, ""):
            like = places[place.one_of("like", places)].table
            own = {key: {**like.get(key, {}), **place.take(key, dict, {})} for key in MERGED}
            without = place.list_of("without", str)
            own["blocks"] = {k: v for k, v in own["blocks"].items() if k not in without}
            place = Place(file, {**like, **place.table, **own})
        places[model] = place
    return places


def _parse(file: Path) -> Table:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MapError("unreadable", file=str(file), why=str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise MapError("not_toml", file=str(file), why=str(error)) from None


def _map(place: Place) -> MeterMap:
    place.only(TOP)
    choices = _choices(place.inside("choices", needed=False))
    build = Builder(choices, swapped=WORD_ORDERS[place.one_of("word_order", WORD_ORDERS, "big")])
    in_blocks, in_orders = place.inside("blocks"), place.inside("orders", needed=False)
    blocks = {name: build.block(in_blocks.inside(name), name) for name in in_blocks.table}
    orders = {name: build.order(in_orders.inside(name), name) for name in in_orders.table}
    made = MeterMap(
        model=place.take("model", str),
        kind=KINDS[place.one_of("kind", KINDS)],
        phases=place.number("phases", 1, 3),
        model_codes=frozenset(place.list_of("model_codes", int)),
        power_w_max=place.number("power_w_max", 1, 10**9),
        choices=choices,
        blocks=blocks,
        orders=orders,
        source=str(place.file),
        **_uses(place.inside("uses"), blocks),
    )
    _check_reading(place, made)
    return made


def _choices(place: Place) -> dict[str, Any]:
    for name, known in RULES.items():
        place.one_of(name, dict.fromkeys(known), known[0])
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in place.table.items()
    }


def _uses(place: Place, blocks: dict[str, Block]) -> dict[str, Any]:
    """Which block serves which purpose."""
    place.only(USES)
    names = place.list_of("reading", str)
    for name in names:
        if name not in blocks:
            raise place.complain("reading", "unknown_name", found=name, known=", ".join(blocks))
    single = {
        key: blocks[place.one_of(key, blocks)] if key in place.table else None
        for key in USES - {"reading"}
    }
    return {"reading": tuple(blocks[name] for name in names), **single}


def _check_reading(place: Place, made: MeterMap) -> None:
    """What a reading needs is there, and each ratio comes no later than what it multiplies."""
    known: set[str] = set()
    for block in made.reading:
        known |= block.points.keys()
        for point in block.points.values():
            for name in point.times:
                if name not in known:
                    at = f"blocks.{block.name}.points.{point.name}.times"
                    raise place.complain(at, "unknown_name", found=name, known=", ".join(known))
    needed = {"energy_wh"} | ({"model_code"} if made.model_codes else set())
    for name in sorted(needed - known):
        raise place.complain("uses.reading", "missing_point", name=name)
    if not isinstance(made.energy.scale, int):
        found = str(made.energy.scale)
        raise place.complain("energy_wh.scale", "wrong_type", wanted="int", found=found)
