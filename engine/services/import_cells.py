"""The cells of the import tables: what each kind of text means, or what is wrong with it."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from engine.domain.errors import BadAmount, DomainError
from engine.domain.units import parse_yuan

CODE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 200
NOTATION_LENGTH_MAX = 4000
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


def notation(text: str) -> str:
    """What a tariff's own rules read: as long as a year of schedules needs."""
    if len(text) > NOTATION_LENGTH_MAX or not text.replace("\n", " ").isprintable():
        raise BadCell("bad_text", length_max=NOTATION_LENGTH_MAX)
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


def day_or_none(text: str) -> str:
    return day(text) if text else ""


def rule(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """A rule of the business for a cell: what it refuses has a text of the same code."""

    def parse(text: str) -> Any:
        try:
            return check(text)
        except DomainError as error:
            raise BadCell(error.code, **error.params) from None

    return parse


def filled(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same for a cell that must not be empty."""
    parse_text = rule(check)

    def parse(text: str) -> Any:
        if not text:
            raise BadCell("empty")
        return parse_text(text)

    return parse


def minutes_or_none(text: str) -> int | None:
    minutes = whole(1, 1440, empty=None)(text)
    return None if minutes is None else minutes * 60
