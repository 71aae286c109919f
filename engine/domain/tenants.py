"""What may stand in a tenant's row: number, name, phones, ID number, lease, fee."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation

from engine.domain.errors import (
    BadFeePct,
    BadIdNumber,
    BadLease,
    BadNote,
    BadPhone,
    BadTenantName,
    BadTenantNumber,
)
from engine.domain.units import HALF_WIDTH

NUMBER_LENGTH_MAX = 64
NAME_LENGTH_MAX = 100
NOTE_LENGTH_MAX = 200
PHONES_MAX = 8
FEE_PCT_MAX = Decimal(50)
FEE_STEP = Decimal("0.0001")
SEPARATORS = r"[;；,，、\n]"  # between phones; spaces too, where the parts are phones
MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9]\d{9})")
LANDLINE = re.compile(
    r"(?:(?:\+|00)86|(?=0))0?(10|2\d|[3-9]\d\d)-?(\d{7,8})(?:(?:-|转|ext\.?)(\d{1,6}))?"
)
LOCAL = re.compile(r"([2-8]\d{6,7})(?:(?:-|转|ext\.?)(\d{1,6}))?")
SERVICE = re.compile(r"[48]00\d{7}")
FOREIGN = re.compile(r"(?:\+|00)(?!86)([1-9]\d{6,14})")
CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_CHECKS = "10X98765432"  # by the sum modulo 11 (GB 11643)
CREDIT_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: neither I, O, S, V nor Z


def checked_number(text: str) -> str:
    """A tenant's number: 1 to 64 characters without spaces. Raises BadTenantNumber."""
    number = text.strip()
    plain = number.isprintable() and not re.search(r"[\s;；,，\"']", number)
    if not plain or not 1 <= len(number) <= NUMBER_LENGTH_MAX or number[0] in "=+-@":
        raise BadTenantNumber(number=shown(number), length_max=NUMBER_LENGTH_MAX)
    return number


def checked_name(text: str) -> str:
    """1 to 100 characters that print, whole; no formula of a spreadsheet. Raises BadTenantName."""
    name = _spaced(text)
    if not name:
        raise BadTenantName(name="", length_max=NAME_LENGTH_MAX, why="empty")
    if not name.isprintable():
        raise BadTenantName(name=shown(name), length_max=NAME_LENGTH_MAX, why="unprintable")
    if len(name) > NAME_LENGTH_MAX:
        raise BadTenantName(name=shown(name), length_max=NAME_LENGTH_MAX, why="too_long")
    if name[0] == "=":
        raise BadTenantName(name=shown(name), length_max=NAME_LENGTH_MAX, why="formula")
    return name


def checked_note(text: str) -> str:
    """Anything that prints, nothing included. Raises BadNote."""
    note = _spaced(text)
    if len(note) > NOTE_LENGTH_MAX or not note.isprintable():
        raise BadNote(note=shown(note), length_max=NOTE_LENGTH_MAX)
    return note


def checked_phones(text: str) -> str:
    """Phones as stored: each in one spelling, separated by `;`. Raises BadPhone(part)."""
    found: list[str] = []
    for part in re.split(SEPARATORS, text):
        found += _phones_in(part.strip())
    unique = list(dict.fromkeys(found))
    if len(unique) > PHONES_MAX:
        raise BadPhone(part=unique[PHONES_MAX], most=PHONES_MAX, why="too_many")
    return ";".join(unique)


def checked_id_number(text: str) -> str:
    """身份证 or 统一社会信用代码 with a right check digit, or 15 digits, or nothing.

    Raises BadIdNumber(why: `length`, `characters`, `birth`, `checksum`).
    """
    number = re.sub(r"\s", "", text.translate(HALF_WIDTH)).upper()
    if not number or re.fullmatch(r"[0-9]{15}", number):
        return number
    if len(number) != 18:
        raise BadIdNumber(number=shown(number), length=len(number), why="length")
    if not re.fullmatch(f"[{CREDIT_CODE}]{{18}}", number):
        raise BadIdNumber(number=shown(number), why="characters")
    if _credit_code_fits(number):
        return number
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number) or not _citizen_fits(number):
        raise BadIdNumber(number=number, why="checksum")
    if not _is_day(number[6:14]):
        raise BadIdNumber(number=number, why="birth")
    return number


def checked_lease(lease_from: str, lease_to: str) -> tuple[str, str]:
    """Both local days, ISO or empty, in order. Raises BadLease(why: `not_a_day`, `order`)."""
    first, last = _lease_day(lease_from), _lease_day(lease_to)
    if first and last and first > last:
        raise BadLease(text=last, first=first, why="order")
    return first, last


def checked_fee_pct(text: str) -> str | None:
    """Per cent as exact text; None where nothing is said: the site's. Raises BadFeePct."""
    plain = text.translate(HALF_WIDTH).strip().removesuffix("%").strip()
    if not plain:
        return None
    try:
        value = Decimal(plain) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", plain) else None
    except InvalidOperation:
        value = None
    if value is None or value > FEE_PCT_MAX or value % FEE_STEP:
        raise BadFeePct(text=shown(text), most=FEE_PCT_MAX)
    return format(value.normalize(), "f")


def shown(text: str) -> str:
    """What was typed, so that an error line can hold it: its odd characters as escapes."""
    plain = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
    return plain if len(plain) <= NAME_LENGTH_MAX else plain[: NAME_LENGTH_MAX - 1] + "…"


def _spaced(text: str) -> str:
    """Without spaces around it; wide and hard ones are plain."""
    return text.replace("\u3000", " ").replace("\xa0", " ").strip(" ")


def _phones_in(part: str) -> list[str]:
    """A part between separators: one phone, perhaps typed in groups, or several with spaces."""
    if not part:
        return []
    whole = _phone(part)
    if whole:
        return [whole]
    found = []
    for each in part.split():
        phone = _phone(each)
        if phone is None:
            raise BadPhone(part=shown(each))
        found.append(phone)
    return found


def _phone(text: str) -> str | None:
    """One phone in the spelling that is stored; None where it is none."""
    typed = text.translate(HALF_WIDTH).lower()
    plain = re.sub(r"[\s()]", "", typed)
    digits = plain.replace("-", "")
    if match := MOBILE.fullmatch(digits):
        return match[1]
    if SERVICE.fullmatch(digits):
        return digits
    if match := LANDLINE.fullmatch(plain) or LANDLINE.fullmatch(re.sub(r"(?<=\d{3})-", "", plain)):
        area, number, extension = match.groups()
        return f"0{area}-{number}" + (f"-{extension}" if extension else "")
    if match := LOCAL.fullmatch(plain) or LOCAL.fullmatch(digits):
        return match[1] + (f"-{match[2]}" if match[2] else "")
    if match := FOREIGN.fullmatch(digits):
        return f"+{match[1]}"
    return None


def _citizen_fits(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, CITIZEN_WEIGHTS, strict=False))
    return CITIZEN_CHECKS[total % 11] == number[17]


def _credit_code_fits(number: str) -> bool:
    total = sum(CREDIT_CODE.index(char) * 3**i % 31 for i, char in enumerate(number[:17]))
    return CREDIT_CODE[-total % 31] == number[17]


def _is_day(digits: str) -> bool:
    try:
        dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def _lease_day(text: str) -> str:
    plain = text.translate(HALF_WIDTH).strip()
    if not plain:
        return ""
    parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain)
    try:
        return dt.date(*map(int, parts.groups() if parts else ())).isoformat()
    except (TypeError, ValueError):
        raise BadLease(text=shown(text), first="", why="not_a_day") from None
