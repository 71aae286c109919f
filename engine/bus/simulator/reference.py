"""The reference site as import tables: a mall of six floors, 334 prepaid meters on 12 lines."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from engine.bus.simulator.names import ANCHORS, FIRST, FLOORS
from engine.bus.simulator.trades import trade_of
from engine.tables import write_csv

SINGLE_PHASE_METERS, THREE_PHASE_METERS = 58, 276
VACANT_SHOPS = 14  # not opened: nobody rents there now
LINE_METERS_MAX = 30
SEED = 20_260_715
WELL_METERS = 28  # of a floor's shops; the others hang on the distribution room
DOUBLE_SHOPS = 12
FIRST_SERIAL = {1: 202_107_180_001, 3: 202_106_250_001}
MODELS = {1: "DDSY1352-NK", 3: "DTSY1352-NK"}
WELLS = tuple(f"{floor}电井" for floor in FLOORS)
ROOMS = ("1号配电室", "2号配电室", "3号配电室")
ROOM_OF_FLOOR = {
    "1F": ROOMS[0],
    "2F": ROOMS[0],
    "3F": ROOMS[2],
    "4F": ROOMS[2],
    "5F": ROOMS[1],
    "6F": ROOMS[1],
}
MAIN, ANNEX = "A", "B"
BUILDINGS = ((MAIN, "星汇广场主楼"), (ANNEX, "星汇广场配楼"))
RETAIL, CATERING = "商铺电价", "餐饮电价"
SCHEDULE = (
    "00:00 valley; 07:00 flat; 10:00 peak; 15:00 flat; "
    "18:00 peak; 19:00 sharp; 21:00 peak; 23:00 valley"
)
TARIFFS = (
    (RETAIL, "2025-01-01", "1.2580", "1.0490", "0.6820", "0.3450", SCHEDULE, "", ""),
    (CATERING, "2025-01-01", "1.1860", "0.9920", "0.6540", "0.3310", SCHEDULE, "", ""),
)
HEADERS = {
    "buildings": ("building", "name"),
    "lines": (
        "line", "gateway", "building", "location", "link", "host", "port", "device", "baud",
        "parity", "stop_bits", "security",
    ),
    "meters": (
        "serial", "model", "line", "address", "building", "floor", "location", "shop", "ct_ratio",
        "kind", "tariff", "alarm1_yuan", "alarm2_yuan",
    ),
    "tenants": ("number", "name", "phone", "meters"),
    "tariffs": (
        "tariff", "valid_from", "price_sharp", "price_peak", "price_flat", "price_valley",
        "schedule", "steps", "cycle",
    ),
}  # fmt: skip


@dataclass(slots=True)
class _Shop:
    """One meter and who is behind it."""

    tenant: str  # empty: vacant
    floor: str
    place: str  # of an anchor: what this meter feeds
    code: str
    phases: int
    gateway: str
    ct_ratio: int = 1
    line: str = ""
    address: int = 0
    serial: str = ""


def write_reference_site(folder: Path, base_port: int = 15_001) -> None:
    """Write buildings, lines, meters, tenants and tariffs as CSV files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shops = [*_anchors(), *_ordinary()]
    line_rows = _connect(shops, base_port)
    _number(shops)
    tables = {
        "buildings": BUILDINGS,
        "lines": line_rows,
        "meters": [_meter_row(shop) for shop in shops],
        "tenants": _tenant_rows(shops),
        "tariffs": TARIFFS,
    }
    for name, rows in tables.items():
        write_csv(folder, name, HEADERS[name], rows)


def _anchors() -> list[_Shop]:
    """Large tenants behind current transformers, several meters each."""
    tenants = list(dict.fromkeys(tenant for tenant, *_ in ANCHORS))
    return [
        _Shop(tenant, floor, place, f"{floor}-{101 + tenants.index(tenant)}", 3, room, ct_ratio)
        for tenant, floor, place, room, ct_ratio in ANCHORS
    ]


def _ordinary() -> list[_Shop]:
    """Shops floor by floor: the first on the floor's well, the rest on its distribution room."""
    dice = random.Random(SEED)  # noqa: S311 (the same believable site every time)
    counts = zip(
        FLOORS,
        _shares(SINGLE_PHASE_METERS, len(FLOORS)),
        _shares(THREE_PHASE_METERS - len(ANCHORS), len(FLOORS)),
        strict=True,
    )
    shops: list[_Shop] = []
    for floor, single, three in counts:
        wiring = [1] * single + [3] * three
        dice.shuffle(wiring)
        names = {phases: _names(floor, phases, dice) for phases in (1, 3)}
        for number, phases in enumerate(wiring, 1):
            at_well = number <= WELL_METERS
            gateway = f"{floor}电井" if at_well else ROOM_OF_FLOOR[floor]
            code = f"{floor}-{number:03d}"
            shops.append(_Shop(next(names[phases]), floor, "", code, phases, gateway))
    for shop in dice.sample(shops, VACANT_SHOPS):
        shop.tenant = ""
    for left, right in dice.sample(list(pairwise(shops)), DOUBLE_SHOPS):
        if left.tenant and right.tenant and left.floor == right.floor:
            right.tenant = left.tenant  # took the shop next door as well
    return shops


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]


def _names(floor: str, phases: int, dice: random.Random) -> Iterator[str]:
    kinds = [kind for kind, wired in FLOORS[floor] if wired == phases]
    names = [first + kind for kind in kinds for first in FIRST]
    dice.shuffle(names)
    return iter(names)


def _connect(shops: list[_Shop], base_port: int) -> list[tuple[str, ...]]:
    """Give every shop a line and an address; the rows of the lines table."""
    rows: list[tuple[str, ...]] = []
    for gateway in (*WELLS, *ROOMS):
        mine = [shop for shop in shops if shop.gateway == gateway]
        line_count = -(-len(mine) // LINE_METERS_MAX)
        for part in range(line_count):
            name = f"L{len(rows) + 1:02d}"
            port = str(base_port + len(rows))
            for address, shop in enumerate(mine[part::line_count], 1):
                shop.line, shop.address = name, address
            building = ANNEX if gateway in ROOMS[1:] else MAIN
            place = gateway if line_count == 1 else f"{gateway} 端口{part + 1}"
            where = (name, gateway, building, place, "rtu-tcp", "127.0.0.1", port)
            rows.append((*where, "", "9600", "N", "1", "none"))
    return rows


def _number(shops: list[_Shop]) -> None:
    """Serials by delivery: one batch of each model."""
    for phases, first in FIRST_SERIAL.items():
        batch = [shop for shop in shops if shop.phases == phases]
        for number, shop in enumerate(batch):
            shop.serial = str(first + number)


def _meter_row(shop: _Shop) -> tuple[str, ...]:
    catering = trade_of(shop.tenant).name in ("restaurant", "drinks")
    alarms = ("", "") if shop.phases == 1 else ("500", "200") if shop.ct_ratio > 1 else ("50", "20")
    return (
        shop.serial,
        MODELS[shop.phases],
        shop.line,
        str(shop.address),
        ANNEX if shop.gateway in ROOMS[1:] else MAIN,
        shop.floor,
        f"{shop.gateway} {shop.place}".strip(),
        shop.code,
        str(shop.ct_ratio),
        "prepaid",
        CATERING if catering else RETAIL,
        *alarms,
    )


def _tenant_rows(shops: list[_Shop]) -> list[tuple[str, ...]]:
    serials: dict[str, list[str]] = {}
    for shop in shops:
        if shop.tenant:
            serials.setdefault(shop.tenant, []).append(shop.serial)
    return [
        (f"T{number:04d}", name, f"1390000{number:04d}", ";".join(mine))
        for number, (name, mine) in enumerate(serials.items(), 1)
    ]
