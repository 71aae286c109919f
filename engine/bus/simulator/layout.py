"""The import tables of a site, as the simulator needs them: lines, and the meters on them."""

import dataclasses
from pathlib import Path

from engine import tables
from engine.bus.registers import load_maps
from engine.bus.simulator import seeding
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.errors import BadSite
from engine.bus.simulator.unit import Unit

CHARACTER_BITS = {"N": 9, "E": 10, "O": 10}  # start, 8 data, parity; stop bits come on top


@dataclasses.dataclass(frozen=True, slots=True)
class LinePlace:
    """A row of the lines table."""

    name: str
    gateway: str
    port: int
    baud: int
    bits: int


def read_site(
    path: Path, *, clock: SiteClock, seed: int, map_folders: tuple[Path, ...]
) -> tuple[list[LinePlace], dict[str, list[Unit]]]:
    """Lines, and the meters on each, of the tables at `path`. Raises BadSite."""
    read = tables.read(path)
    if read.errors:
        worst = read.errors[0]
        raise BadSite("bad_table", file=worst.file, row=worst.row or 1, why=worst.code)
    places = _places(read)
    return places, _units(read, places, clock=clock, seed=seed, map_folders=map_folders)


def _places(read: tables.Tables) -> list[LinePlace]:
    table = read.by_name.get("lines")
    if table is None:
        raise BadSite("no_table", table="lines")
    return [
        LinePlace(
            name=row.cells["line"],
            gateway=row.cells.get("gateway", ""),
            port=seeding.whole(table, row, "port", 0),
            baud=seeding.whole(table, row, "baud", 9600),
            bits=CHARACTER_BITS.get(row.cells.get("parity", "N").upper(), 9)
            + seeding.whole(table, row, "stop_bits", 1),
        )
        for row in table.rows
    ]


def _units(
    read: tables.Tables,
    places: list[LinePlace],
    *,
    clock: SiteClock,
    seed: int,
    map_folders: tuple[Path, ...],
) -> dict[str, list[Unit]]:
    table = read.by_name.get("meters")
    if table is None:
        raise BadSite("no_table", table="meters")
    maps = load_maps(*map_folders)
    tenants = seeding.tenants_by_meter(read.by_name.get("tenants"))
    tariffs = seeding.tariffs_of(read.by_name.get("tariffs"))
    units: dict[str, list[Unit]] = {place.name: [] for place in places}
    for row in table.rows:
        meter_map = maps.get(row.cells["model"])
        if meter_map is None:
            raise seeding.bad_cell(table, row, "model")
        if row.cells["line"] not in units:
            raise seeding.bad_cell(table, row, "line")
        meter = seeding.make_meter(
            table,
            row,
            meter_map,
            tenant=tenants.get(row.cells["serial"].zfill(12), ""),
            tariffs=tariffs,
            seed=seed,
            now_ms=clock.now_ms(),
        )
        units[row.cells["line"]].append(Unit(meter, meter_map, now_ms=clock.now_ms))
    return units
