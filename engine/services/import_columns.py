"""The columns of the import tables: what each cell means, and what is wrong with it.

One list drives import and export, so what is written out is what is read back.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from engine.domain.errors import BadAmount
from engine.domain.units import parse_yuan, yuan_text
from models.enums import LinkKind, MeterKind, Security

CODE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 200
SERIAL_DIGITS = 12
BAUDS = (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
PRICE_MAX = 100  # yuan/kWh; a dearer one is a slip of the decimal point
PRICE_STEP = Decimal("0.0001")  # what a meter can hold
YES = frozenset({"1", "yes", "y", "true", "是"})
NO = frozenset({"", "0", "no", "n", "false", "否"})


class BadCell(Exception):
    """A cell that cannot be used; `code` names the catalog texts under `import.`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Column:
    """`name` as in the header row, `field` as in the model; `optional` ones may be absent."""

    name: str
    field: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str
    optional: bool = False


def code(text: str) -> str:
    """A short name that other tables refer to."""
    if not text:
        raise BadCell("empty")
    if len(text) > CODE_LENGTH_MAX or not text.isprintable():
        raise BadCell("bad_text", length_max=CODE_LENGTH_MAX)
    return text


def words(text: str) -> str:
    """Anything that prints, nothing included."""
    if len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise BadCell("bad_text", length_max=TEXT_LENGTH_MAX)
    return text


def name(text: str) -> str:
    if not text:
        raise BadCell("empty")
    return words(text)


def serial(text: str) -> str:
    digits = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(f"[0-9]{{{SERIAL_DIGITS}}}", digits):
        raise BadCell("bad_serial", found=text)
    return digits


def serials(text: str) -> tuple[str, ...]:
    """Serials separated by `;` (full-width too), in order, none twice."""
    parts = [part.strip() for part in text.replace("；", ";").split(";")]
    found = [serial(part) for part in parts if part]
    if len(set(found)) != len(found):
        raise BadCell("serial_twice")
    return tuple(found)


def serial_or_none(text: str) -> str | None:
    return serial(text) if text else None


def code_or_none(text: str) -> str | None:
    return code(text) if text else None


def whole(low: int, high: int, *, empty: int | None) -> Callable[[str], int | None]:
    def parse(text: str) -> int | None:
        if not text:
            return empty
        digits = unicodedata.normalize("NFKC", text)
        if not re.fullmatch("[0-9]{1,9}", digits) or not low <= int(digits) <= high:
            raise BadCell("bad_number", found=text, low=low, high=high)
        return int(digits)

    return parse


def address(text: str) -> int:
    """0 is the broadcast of Modbus, 248 and above are reserved."""
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= 247:
        raise BadCell("bad_address", found=text)
    return int(text)


def baud(text: str) -> int:
    if not text:
        return 9600
    if text not in map(str, BAUDS):
        raise BadCell("bad_choice", found=text, known=", ".join(map(str, BAUDS)))
    return int(text)


def choice(*known: str, empty: str | None = None) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not text and empty is not None:
            return empty
        for each in known:
            if text.lower() == each.lower():
                return each
        raise BadCell("bad_choice", found=text, known=", ".join(known))

    return parse


def one_of(enum: type[StrEnum], empty: StrEnum | None = None) -> Callable[[str], StrEnum]:
    parse_text = choice(*enum, empty=empty)
    return lambda text: enum(parse_text(text))


def yes_no(text: str) -> bool:
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise BadCell("bad_choice", found=text, known="1, 0")


def yuan_or_none(text: str) -> int | None:
    """Fen; unlike a payment, an alarm may be at 0."""
    if not text:
        return None
    if re.fullmatch(r"0+(\.0{0,2})?", text):
        return 0
    try:
        return parse_yuan(text)
    except BadAmount:
        raise BadCell("bad_money", found=text) from None


def price(text: str) -> Decimal:
    """Yuan per kWh, exact to what a meter can hold."""
    plain = unicodedata.normalize("NFKC", text)
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise BadCell("bad_price", found=text) from None
    if not value.is_finite() or not 0 <= value <= PRICE_MAX or value % PRICE_STEP:
        raise BadCell("bad_price", found=text)
    return value.quantize(PRICE_STEP)


def day(text: str) -> str:
    parts = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text)
    try:
        return dt.date(*map(int, parts.groups() if parts else ())).isoformat()
    except (TypeError, ValueError):
        raise BadCell("bad_day", found=text) from None


def minutes_or_none(text: str) -> int | None:
    minutes = whole(1, 1440, empty=None)(text)
    return None if minutes is None else minutes * 60


def _blank(value: object) -> str:
    return "" if value is None else str(value)


def _yuan(value: int | None) -> str:
    return "" if value is None else yuan_text(value)


def _minutes(value: int | None) -> str:
    return "" if value is None else str(value // 60)


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
        Column("schedule", "schedule", words),
        Column("steps", "steps", words),
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
        Column("overload_w", "overload_w", whole(0, 65_535, empty=None), _blank, optional=True),
        Column("interval_min", "interval_s", minutes_or_none, _minutes, optional=True),
        Column("parent", "parent", serial_or_none, _blank, optional=True),
        Column("protected", "protected", yes_no, _flag, optional=True),
    ),
    "tenants": (
        Column("number", "number", code),
        Column("name", "name", name),
        Column("phone", "phone", words),
        Column("meters", "meters", serials, ";".join),
    ),
}
SERIAL_COLUMNS = frozenset({"serial", "parent", "meters"})  # a spreadsheet cuts their zeros
