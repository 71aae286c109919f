"""What an operator may ask meters to hold: names, what is typed, limits, the order of alarms."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.domain import time_control
from engine.domain.errors import AbsurdSetting, BadAmount, BadSetting
from engine.domain.resolving import OWN, Value, Values
from engine.domain.units import parse_signed_yuan, yuan_text

NAMES = OWN
MONEY = ("alarm1_fen", "alarm2_fen", "overdraft_fen")
IN_CONFIG = {  # where the site's own defaults stand
    name: f"defaults.{name}" for name in (*MONEY, "overload_w")
}
MOST = {  # what the registers hold: u32 in fen, u16, u8
    "alarm1_fen": 4_294_967_295,
    "alarm2_fen": 4_294_967_295,
    "overdraft_fen": 4_294_967_295,
    "overload_w": 3 * 65_535 * 9_999,  # u16 of watts a phase behind the largest transformer
    "overload_trips_max": 65_535,
    "overload_recovery_min": 255,
}
ASKED_ABOVE_FEN = 1_000_000  # 10000 yuan: more is asked about, it may be a slip of the point
NAMED_MAX = 5  # meters that a refusal names; the others are counted
BACK = frozenset({"", "-", "default"})  # typed: what the defaults say


@dataclass(frozen=True, slots=True)
class Asked:
    """A meter of the scope that is changed: what it would have, and what bounds it."""

    serial: str
    wanted: Values
    limit_w: int | None  # of all phases, primary, by its model; None: not known


def parse(name: str, value: str | int | None) -> Value | None:
    """The value that is meant; None: back to what the defaults say.

    `name` may end in `_yuan` where the setting's own ends in `_fen` (see `plain_name`); `value`
    is then in yuan. Raises BadSetting(name, why, …), BadTimeControl.
    """
    plain = plain_name(name)
    if value is None or (isinstance(value, str) and value.strip().casefold() in BACK):
        return None
    if plain == "time_control":
        return time_control.canonical(str(value))
    number = _fen(name, str(value)) if name != plain else _whole(name, value)
    if number < 0:
        raise BadSetting(name=name, why="negative", found=value)
    if number > MOST[plain]:
        most = yuan_text(MOST[plain]) if name != plain else MOST[plain]
        raise BadSetting(name=name, why="too_large", found=value, most=most)
    return number


def plain_name(name: str) -> str:
    """`alarm1_fen` for `alarm1_fen` and `alarm1_yuan`. Raises BadSetting for what is no setting."""
    plain = name.removesuffix("_yuan") + "_fen" if name.endswith("_yuan") else name
    if plain not in NAMES:
        raise BadSetting(name=name, why="unknown", known=", ".join(NAMES))
    return plain


def _whole(name: str, value: str | int) -> int:
    text = unicodedata.normalize("NFKC", str(value)).strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise BadSetting(name=name, why="not_a_number", found=str(value)[:40])
    if len(digits) > 12:
        raise BadSetting(name=name, why="too_large", found=text[:40], most=MOST[plain_name(name)])
    return int(text)


def _fen(name: str, text: str) -> int:
    try:
        return parse_signed_yuan(text)
    except BadAmount as error:
        why = {"too_large": "too_large", "not_positive": "negative"}.get(
            str(error.params.get("why")), "not_yuan"
        )
        most = yuan_text(MOST[plain_name(name)])
        raise BadSetting(name=name, why=why, found=text[:40], most=most) from None


def check(changed: Mapping[str, Value | None], meters: Sequence[Asked], *, sure: bool) -> None:
    """May `changed` be desired, with what these meters would then have altogether?

    Raises BadSetting (naming the meters that would be wrong), and AbsurdSetting unless `sure`.
    """
    for name in ("alarm1_fen", "alarm2_fen"):
        if name in changed:
            _require_none([asked for asked in meters if crossed(asked.wanted)], name, "crossed")
    if "overload_w" in changed:
        above = [asked for asked in meters if _above_rating(asked)]
        _require_none(above, "overload_w", "above_rating")
    for name in MONEY:
        value = changed.get(name)
        if isinstance(value, int) and value > ASKED_ABOVE_FEN and not sure:
            limit = yuan_text(ASKED_ABOVE_FEN)
            raise AbsurdSetting(name=name, yuan=yuan_text(value), limit=limit)


def crossed(wanted: Values) -> bool:
    """Alarm 1 comes first, so it is the higher one."""
    return int(wanted.get("alarm2_fen", 0)) > int(wanted.get("alarm1_fen", 0))


def _above_rating(asked: Asked) -> bool:
    return asked.limit_w is not None and int(asked.wanted.get("overload_w", 0)) > asked.limit_w


def _require_none(wrong: Sequence[Asked], name: str, why: str) -> None:
    if not wrong:
        return
    first = wrong[0]
    named = ", ".join(asked.serial for asked in wrong[:NAMED_MAX])
    raise BadSetting(
        name=name,
        why=why,
        serials=named if len(wrong) <= NAMED_MAX else f"{named}, …",
        number=len(wrong),
        alarm1=yuan_text(int(first.wanted.get("alarm1_fen", 0))),
        alarm2=yuan_text(int(first.wanted.get("alarm2_fen", 0))),
        most=first.limit_w,
    )
