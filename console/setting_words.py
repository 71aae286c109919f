"""Settings as an operator reads and types them: yuan, kW, minutes, 时控 in the language spoken."""

from console import words
from engine.domain import time_control
from engine.domain.errors import BadTimeControl
from engine.domain.measurement import RATES
from engine.domain.resolving import Value
from engine.domain.units import yuan_text
from engine.i18n import has, t
from engine.views.settings import DriftRow, SettingRow

ON_OFF = frozenset({"money_control", "multi_rate"})
STATE_STYLES = {
    "same": "good", "differs": "bad", "accepted": "alarm1", "unread": "lost", "absent": "dim",
    "not_asked": "dim",
}  # fmt: skip


def name(setting: str) -> str:
    key = f"settings.name.{setting}"
    return t(key) if has(key) else setting


def text(setting: str, value: Value | None) -> str:
    """`20.00 yuan`, `8.000 kW`; NOTHING where there is none."""
    if value is None:
        return words.NOTHING
    if setting.endswith("_fen"):
        return t("settings.value.yuan", yuan=yuan_text(int(value)))
    if setting.startswith("price_"):
        return t("settings.value.price", price=value)
    if setting in ON_OFF:
        return t("settings.value.on" if int(value) else "settings.value.off")
    if setting == "overload_w" and isinstance(value, int):
        return t("settings.value.kw", kw=words.kw(value)) if value else t("settings.value.off")
    if setting.endswith("_min"):
        return t("settings.value.minutes", number=value)
    if setting.endswith("_s"):
        return t("settings.value.seconds", number=value)
    return plain_text(setting, str(value))


def plain_text(setting: str, value: str) -> str:
    """Schedules and 时控 in the language spoken; either is understood when typed."""
    if not value:
        return t("settings.value.none")
    if setting == "time_control":
        return time_control_text(value)
    for rate in RATES:
        value = value.replace(rate, t(f"screen.meter.label.rate_{rate}"))
    return value


def time_control_text(value: str) -> str:
    """A notation that is not ours (a meter may hold anything) stands as it is."""
    try:
        control = time_control.parse(value)
    except BadTimeControl:
        return value
    if control is None:
        return t("settings.value.off")
    lists = [_slots(control.work)]
    if control.rest_days:
        days = " ".join(t(f"settings.day.{day}") for day in control.rest_days)
        lists.append(f"{days} {_slots(control.rest)}")
    return "; ".join(lists)


def _slots(slots: tuple[time_control.Slot, ...]) -> str:
    return ", ".join(
        f"{slot.minute // 60:02d}:{slot.minute % 60:02d} "
        + t("settings.value.on" if slot.on else "settings.value.off")
        for slot in slots
    )


def typed(setting: str, value: Value | None) -> str:
    """As it stands in a form's field: yuan and kW without their units, nothing for a default."""
    if value is None:
        return ""
    if setting.endswith("_fen"):
        return yuan_text(int(value))
    return time_control_text(str(value)) if setting == "time_control" else str(value)


def state_of(row: SettingRow) -> str:
    """One of STATE_STYLES."""
    if row.desired is None or not row.asked:
        return "not_asked"
    if row.held_at is None:
        return "unread"
    if row.held is None:
        return "absent"
    if row.accepted:
        return "accepted"
    return "differs" if row.differs else "same"


def wanted_and_held(row: DriftRow) -> str:
    return f"{text(row.name, row.wanted)} -> {text(row.name, row.held)}"
