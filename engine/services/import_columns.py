"""The columns of the import tables: one list drives import and export.

So what is written out is what is read back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.domain import tenants, time_control
from engine.domain.units import yuan_text
from engine.services.import_cells import (
    address,
    baud,
    choice,
    code,
    code_or_none,
    day,
    day_or_none,
    filled,
    minutes_or_none,
    name,
    notation,
    one_of,
    price,
    rule,
    serial,
    serial_or_none,
    serials,
    whole,
    words,
    yes_no,
    yuan_or_none,
)
from models.enums import LinkKind, MeterKind, Security


@dataclass(frozen=True)
class Column:
    """`name` as in the header row, `field` as in the model; `optional` ones may be absent."""

    name: str
    field: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str
    optional: bool = False


def _blank(value: object) -> str:
    return "" if value is None else str(value)


def _yuan(value: int | None) -> str:
    return "" if value is None else yuan_text(value)


def _minutes(value: int | None) -> str:
    return "" if value is None else str(value // 60)


OVERLOAD_W_MAX = 999_999_999  # the phases' registers behind a transformer: import_checks


def _time_control(text: str) -> str | None:
    found: str | None = rule(time_control.canonical)(text) if text else None
    return found


def _flag(value: bool) -> str:  # noqa: FBT001 (a cell's own value)
    return "1" if value else ""


TABLES: dict[str, tuple[Column, ...]] = {
    "buildings": (
        Column("building", "code", code),
        Column("name", "name", name),
    ),
    "lines": (
        Column("line", "name", code),
        Column("gateway", "gateway", code),
        Column("building", "building", code),
        Column("location", "location", words),
        Column("link", "link", one_of(LinkKind)),
        Column("host", "host", words),
        Column("port", "port", whole(1, 65_535, empty=None), _blank),
        Column("device", "device", words),
        Column("baud", "baud", baud),
        Column("parity", "parity", choice("N", "E", "O", empty="N")),
        Column("stop_bits", "stop_bits", whole(1, 2, empty=1)),
        Column("security", "security", one_of(Security, Security.NONE)),
        Column("interval_min", "interval_s", minutes_or_none, _minutes, optional=True),
        Column("timeout_ms", "timeout_ms", whole(50, 10_000, empty=None), _blank, optional=True),
        Column("gap_ms", "gap_ms", whole(0, 1000, empty=None), _blank, optional=True),
        Column("retries", "retries", whole(0, 5, empty=0), optional=True),
    ),
    "tariffs": (
        Column("tariff", "tariff", code),
        Column("valid_from", "valid_from", day),
        Column("price_sharp", "price_sharp", price),
        Column("price_peak", "price_peak", price),
        Column("price_flat", "price_flat", price),
        Column("price_valley", "price_valley", price),
        Column("schedule", "schedule", notation),
        Column("steps", "steps", notation),
        Column("cycle", "cycle", words),
    ),
    "meters": (
        Column("serial", "serial", serial),
        Column("model", "model", code),
        Column("line", "line", code),
        Column("address", "address", address),
        Column("building", "building", code),
        Column("location", "location", words),
        Column("shop", "shop", words),
        Column("ct_ratio", "ct_ratio", whole(1, 9999, empty=1)),
        Column("kind", "kind", one_of(MeterKind, MeterKind.PREPAID)),
        Column("floor", "floor", words, optional=True),
        Column("tariff", "tariff", code_or_none, _blank, optional=True),
        Column("alarm1_yuan", "alarm1_fen", yuan_or_none, _yuan, optional=True),
        Column("alarm2_yuan", "alarm2_fen", yuan_or_none, _yuan, optional=True),
        Column(
            "overload_w", "overload_w", whole(0, OVERLOAD_W_MAX, empty=None), _blank, optional=True
        ),
        Column(
            "overload_trips_max",
            "overload_trips_max",
            whole(0, 65_535, empty=None),
            _blank,
            optional=True,
        ),
        Column(
            "overload_recovery_min",
            "overload_recovery_min",
            whole(0, 255, empty=None),
            _blank,
            optional=True,
        ),
        Column("overdraft_yuan", "overdraft_fen", yuan_or_none, _yuan, optional=True),
        Column("time_control", "time_control", _time_control, _blank, optional=True),
        Column("interval_min", "interval_s", minutes_or_none, _minutes, optional=True),
        Column("parent", "parent", serial_or_none, _blank, optional=True),
        Column("protected", "protected", yes_no, _flag, optional=True),
    ),
    "tenants": (
        Column("number", "number", filled(tenants.checked_number)),
        Column("name", "name", filled(tenants.checked_name)),
        Column("phone", "phone", rule(tenants.checked_phones)),
        Column("meters", "meters", serials, ";".join),
        Column("id_number", "id_number", rule(tenants.checked_id_number), optional=True),
        Column("lease_from", "lease_from", day_or_none, optional=True),
        Column("lease_to", "lease_to", day_or_none, optional=True),
        Column("fee_pct", "fee_pct", rule(tenants.checked_fee_pct), _blank, optional=True),
        Column("note", "note", rule(tenants.checked_note), optional=True),
        Column("planned", "planned", serials, ";".join, optional=True),
    ),
}
SERIAL_COLUMNS = frozenset(
    {"serial", "parent", "meters", "planned"}
)  # a spreadsheet cuts their zeros
