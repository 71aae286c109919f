"""The names of all that a meter is to hold besides credit, and when two values are the same.

What is desired and what was read back is one flat JSON object: prices as text in yuan/kWh,
thresholds in fen, powers in W (primary), tables in the words of docs/tariffs.md, docs/settings.md.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from engine.domain import time_control
from engine.domain.errors import BadTimeControl
from engine.domain.measurement import RATES

Value = str | int
PRICE_NAMES = tuple(f"price_{rate}" for rate in RATES)
ALARMS = ("alarm1_fen", "alarm2_fen")
PRICES = frozenset({*PRICE_NAMES, "schedule1", "schedule2", "zones", "multi_rate"})
LOAD = frozenset({"overload_w", "overload_trips_max", "overload_recovery_min"})
SETTINGS = frozenset({"money_control", *ALARMS, "overdraft_fen", *LOAD, "time_control"})
MAY_CLOSE = SETTINGS - {"alarm1_fen"}  # writing these may close an open relay: of meters that
# open once at alarm 2 and close when it is over, alarm 2 too (reference Q6: unknown of ours)
OVERLOAD_STEP = "overload_step_w"  # read back beside overload_w: what one count of it is worth


def may_close(names: Iterable[str]) -> bool:
    """Could writing these close a relay? Not while somebody works behind it."""
    return not MAY_CLOSE.isdisjoint(names)


def same(name: str, wanted: Value, held: Mapping[str, Value]) -> bool:
    """Does `held`, all that was read back, have `wanted` as `name`?

    `1.0` and `1.0000` are one price; a limit of power is cut to what the meter's counts can say.
    """
    if name not in held:
        return False
    found = held[name]
    if name == "overload_w" and isinstance(wanted, int) and isinstance(found, int) and wanted:
        return found <= wanted < found + int(held.get(OVERLOAD_STEP, 1))
    if name == "time_control":
        return _times(str(wanted)) == _times(str(found))
    if isinstance(wanted, int) or isinstance(found, int):
        return str(wanted) == str(found)
    try:
        return Decimal(wanted) == Decimal(found)
    except InvalidOperation:
        return wanted.strip() == found.strip()


def differing(wanted: Mapping[str, Value], held: Mapping[str, Value]) -> list[str]:
    """The names whose value is not held, or was never read."""
    return [name for name, value in wanted.items() if not same(name, value, held)]


def _times(text: str) -> object:
    try:
        found = time_control.parse(text)
    except BadTimeControl:
        return text
    return found and found.merged()
