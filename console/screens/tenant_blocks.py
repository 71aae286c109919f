"""Lines of a tenant's page, and long values in the room there is."""

import datetime as dt

from textual.content import Content

from console import words
from console.widgets.columns import fit
from console.widgets.said import painted
from engine import clock
from engine.domain.outlook import DaysLeft
from engine.i18n import t
from engine.services import paper
from engine.views.meters import MeterRow
from engine.views.tenant import Event, Stay

BAR_CELLS = 20
VALUE_CELLS = 54
TITLE_CELLS = 30
LABELS = (
    "number",
    "state",
    "phone",
    "id_number",
    "lease",
    "fee",
    "deposit",
    "days_left",
    "per_day",
)


def meter_line(row: MeterRow) -> Content:
    age = t("tenant.page.ago", age=words.age(row.read_at, clock.now()))
    return Content.assemble(
        f"{fit(row.shop, 10)} {row.serial} ",
        painted(words.pad(words.state_word(row.state), 14), words.STATE_STYLES[row.state]),
        f"{words.yuan(row.balance_fen):>10} {age if row.read_at else t('tenant.page.never')}",
    )


def stay_line(stay: Stay, zone: dt.tzinfo) -> Content:
    until = day_text(stay.closed_at, zone) if stay.closed_at else t("tenant.page.until_now")
    ended = f"  {t(f'tenant.ended.{stay.ended}')}" if stay.ended else ""
    first, last = words.kwh(stay.first_energy_wh), words.kwh(stay.last_energy_wh)
    return Content(
        f"{fit(stay.shop, 8)} {stay.serial} {day_text(stay.opened_at, zone)} - {until}{ended}\n"
        f"         {t('tenant.page.counted', first=first, last=last, used=words.kwh(stay.used_wh))}"
    )


def event_line(event: Event, zone: dt.tzinfo) -> Content:
    when = words.moment(event.at, zone)[:11]
    return Content.assemble(
        f"{when} {fit(event.shop, 8)} ", painted(t(f"tenant.event.{event.kind}"), "alarm1")
    )


def bar(day: dt.date, used_wh: int | None, most_wh: int) -> str:
    cells = (used_wh or 0) * BAR_CELLS // most_wh if most_wh else 0
    bar = "#" * max(cells, 1 if used_wh else 0)
    return f"{day:%m-%d} {words.kwh(used_wh):>10} {bar}"


def lease_text(first: str, last: str) -> str:
    return f"{first or words.NOTHING} ~ {last or words.NOTHING}" if first or last else words.NOTHING


def day_text(at: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"


def kwh_text(energy_wh: int | None) -> str:
    if energy_wh is None:
        return words.NOTHING
    return t("screen.meter.kwh", kwh=words.kwh(energy_wh))


def yuan_text(amount_fen: int | None) -> str:
    if amount_fen is None:
        return words.NOTHING
    return t("screen.meter.yuan", yuan=words.yuan(amount_fen))


def days_text(days: DaysLeft | None) -> str:
    return words.NOTHING if days is None else t("tenant.page.days", days=words.days_left(days))


def short(name: str) -> str:
    """A name that leaves room for what stands beside it; what is cut off shows as `~`."""
    return fit(name, TITLE_CELLS).rstrip()


def hanging(text: str) -> str:
    """A long value in lines that begin under its first."""
    indent = "\n" + " " * (_label_cells() + 2)
    return indent.join(paper.cut(text, VALUE_CELLS))


def _label_cells() -> int:
    return words.widest(t(f"tenant.label.{name}") for name in LABELS)


def block(title: str, *pairs: tuple[str, str | Content]) -> Content:
    """A title and aligned lines `label  value`; labels are `tenant.label.<name>`."""
    wide = _label_cells()
    lines = [Content.styled(t(title), "bold")]
    for name, value in pairs:
        label = words.pad(t(f"tenant.label.{name}"), wide)
        lines.append(Content.assemble((label, "$text-muted"), "  ", value))
    return Content("\n").join(lines)
