"""Values as an operator reads them: words of states, yuan, kWh, ages. Drawing only."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len

from engine.domain.outlook import DAYS_MAX, DaysLeft
from engine.domain.units import kwh_text, yuan_text
from engine.i18n import has, t
from models.enums import Flag, MeterState

if TYPE_CHECKING:
    from engine.views.receipts import Paper

MARKS = {  # ASCII: the drawn circles and triangles have no certain width on Chinese terminals
    MeterState.NORMAL: "= ",
    MeterState.ALARM1: "! ",
    MeterState.ALARM2: "!!",
    MeterState.ARREARS: "X ",
    MeterState.NOT_OPENED: "- ",
    MeterState.LOST: "? ",
}
STATE_STYLES = {
    MeterState.NORMAL: "good",
    MeterState.ALARM1: "alarm1",
    MeterState.ALARM2: "alarm2",
    MeterState.ARREARS: "bad",
    MeterState.NOT_OPENED: "dim",
    MeterState.LOST: "lost",
}
FLAG_STYLES = {
    Flag.LOCKED_OUT: "loud",
    Flag.FAULT: "bad",
    Flag.OVERLOAD_LOCKED: "bad",
    Flag.OVERLOAD: "alarm2",
    Flag.FORCED_OFF: "alarm2",
    Flag.UNKNOWN_COMMAND: "bad",
    Flag.DRIFT: "bad",
    Flag.QUARANTINED: "alarm1",
    Flag.PREPAY_OFF: "alarm2",
    Flag.FORCED_ON: "alarm1",
    Flag.TEMPORARY: "alarm1",
    Flag.SETTINGS_DRIFT: "alarm1",
    Flag.PROTECTED: "strong",
}
NOTHING = "-"  # a value never read: not 0
STALE_INTERVALS = 2  # a reading older than this many intervals is stale


def state_word(state: MeterState) -> str:
    return f"{MARKS[state]} {t(f'state.{state}')}"


def flag_short(flag: Flag) -> str:
    """In the live table, where there is room for seven cells."""
    return t(f"state.short.{flag}")


def widest(words: Iterable[str]) -> int:
    return max(cell_len(word) for word in words)


def yuan(amount_fen: int | None) -> str:
    return NOTHING if amount_fen is None else yuan_text(amount_fen)


def kwh(energy_wh: int | None) -> str:
    return NOTHING if energy_wh is None else kwh_text(energy_wh)


def days_left(days: DaysLeft | None) -> str:
    """`3-5`, `5` where both ends are the same, `200+` where it may be a year and more."""
    if days is None:
        return NOTHING
    fewest, most = days
    if most >= DAYS_MAX:
        return f"{fewest}+"
    return str(fewest) if fewest == most else f"{fewest}-{most}"


def one_line(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def kw(power_w: int | None) -> str:
    """`1.234` for 1234 W."""
    if power_w is None:
        return NOTHING
    sign = "-" if power_w < 0 else ""
    return f"{sign}{abs(power_w) // 1000}.{abs(power_w) % 1000:03d}"


def thousandths(value: int | None, digits: int = 1) -> str:
    """A value kept in mV, mA or per mille, in V, A or 1."""
    return NOTHING if value is None else f"{value / 1000:.{digits}f}"


def lasted(seconds: int) -> str:
    """An age that is known in seconds."""
    then = dt.datetime.min.replace(tzinfo=dt.UTC)
    return age(then, then + dt.timedelta(seconds=seconds))


def age(since: dt.datetime | None, now: dt.datetime) -> str:
    """`<1m`, `12m`, `3h`, `2d`: coarse, so that an idle table repaints once a minute."""
    if since is None:
        return NOTHING
    minutes = int((now - since).total_seconds()) // 60
    if minutes < 1:
        return t("screen.age.now")
    if minutes < 120:
        return t("screen.age.minutes", number=minutes)
    if minutes < 48 * 60:
        return t("screen.age.hours", number=minutes // 60)
    return t("screen.age.days", number=minutes // 1440)


def is_stale(since: dt.datetime | None, interval_s: int, now: dt.datetime) -> bool:
    return since is None or (now - since).total_seconds() > STALE_INTERVALS * interval_s


def moment(at: dt.datetime | None, zone: dt.tzinfo) -> str:
    """Local date and time, `11-23 14:05:09`."""
    return NOTHING if at is None else f"{at.astimezone(zone):%m-%d %H:%M:%S}"


def pad(text: str, cells: int) -> str:
    """`text` and as many spaces as make it `cells` wide."""
    return text + " " * max(0, cells - cell_len(text))


def reason(code: str | None) -> str:
    """Why a command ended or is still open: the catalog's text, or the code itself."""
    key = f"error.reason.{code}"
    return t(key) if has(key) else code or ""


def printing(paper: "Paper") -> str:
    """How the paper of a receipt stands, with the printer's complaint where it has one."""
    key = "retry" if paper.error and paper.under_way else str(paper.state)
    return t(f"print.{key}_line", why=print_error(paper.error), tries=paper.tries)


def print_error(error: str) -> str:
    """What stands on a print job: a code of the catalogs, then what the system said."""
    code, _, detail = error.partition(" ")
    return t(f"print.error.{code}", detail=detail) if has(f"print.error.{code}") else error
