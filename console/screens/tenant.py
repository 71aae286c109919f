"""One tenant: its meters, what they hold and use, what it bought, what happened. Its verbs."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Grid
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.live import News
from console.screens import tenant_verbs
from console.screens.command_columns import STATE_STYLES, kind_width, state_width
from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.widgets.columns import fit
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.widgets.tenant_table import (
    days_left_style,
    state_style,
    state_text,
)
from console.work import ask
from engine import clock
from engine.domain.outlook import DaysLeft
from engine.i18n import t
from engine.services import paper
from engine.views import tenant as views
from engine.views.meters import MeterRow
from engine.views.tenant import Event, Order, Stay, Tenant
from engine.views.tenants import TenantRow

ORDERS = 20
BAR_CELLS = 20
WHY_CELLS = 21  # of a line: what is longer is cut, as in a list
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


class TenantScreen(Place):
    NAME = "tenant"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tenant")
    AUTO_FOCUS = "Scroll"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-narrow"),
        (120, "-wide"),
    ]

    def __init__(self, row: TenantRow) -> None:
        super().__init__()
        self.row = row
        self.tenant: Tenant | None = None

    def body(self) -> Iterable[Widget]:
        with Scroll(id="tenant"), Grid(id="blocks"):
            yield Said(self._who)
            yield Said(self._meters)
            yield Said(self._use)
            yield Said(self._orders)
            yield Said(self._stays)
            yield Said(self._events)

    def title_text(self) -> str:
        return f"{self.row.number} {short(self.row.name)}"

    def on_mount(self) -> None:
        super().on_mount()
        self.look_up()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self.look_up()

    def hear(self, news: News) -> None:
        super().hear(news)
        if self.is_current:
            self.look_up()

    def tick(self) -> None:
        super().tick()
        self._say()

    def look_up(self) -> None:
        number, prices = self.row.number, self.app.default_prices
        now = clock.now().astimezone(self.app.config.site.zone)

        def take(found: Tenant) -> None:
            self.tenant, self.row = found, found.row
            self._say()
            self.refresh_bindings()

        ask(self, lambda: views.page(number, now, default_prices=prices), take)

    def _say(self) -> None:
        for said in self.query("#blocks Said").results(Said):
            said.say_again()

    def _who(self) -> Content:
        row, found = self.row, self.tenant
        zone = self.app.config.site.zone
        pairs: list[tuple[str, str | Content]] = [
            ("number", row.number),
            ("name", Content.styled(hanging(row.name), "bold")),
            ("state", painted(state_text(row), state_style(row))),
            (
                "balance",
                Content.styled(_yuan(row.balance_fen), "bold"),
            ),
            (
                "days_left",
                painted(
                    _days(row.days_left),
                    days_left_style(row.days_left),
                ),
            ),
            ("deposit", _yuan(row.deposit_fen)),
            ("phone", hanging("  ".join(row.phones)) or words.NOTHING),
            ("lease", _lease(row.lease_from, row.lease_to)),
        ]
        if row.planned:
            pairs.insert(3, ("planned", " ".join(row.planned)))
        if found is not None:
            fee = t("tenant.page.site_fee") if row.fee_pct is None else f"{row.fee_pct} %"
            pairs += [
                ("id_number", found.id_number or words.NOTHING),
                ("fee", fee),
                ("registered", _day(found.opened_at, zone)),
            ]
            if found.closed_at is not None:
                pairs.append(("closed", _day(found.closed_at, zone)))
            if found.note:
                pairs.append(("note", hanging(found.note)))
        return _block("tenant.page.who", *pairs)

    def _meters(self) -> Content:
        lines = [Content.styled(t("tenant.page.meters", number=len(self.row.meters)), "bold")]
        lines += [_meter(meter) for meter in self.row.meters]
        if not self.row.meters:
            lines.append(Content(t("tenant.page.no_meters")))
        return Content("\n").join(lines)

    def _use(self) -> Content:
        if self.tenant is None:
            return Content(t("screen.head.loading"))
        use = self.tenant.use
        block = _block(
            "tenant.page.use",
            ("today", _kwh(use.today_wh)),
            ("this_month", _kwh(use.this_month_wh)),
            ("last_month", _kwh(use.last_month_wh)),
            ("per_day", _kwh(use.per_day_wh)),
        )
        most_wh = max((used_wh or 0 for _, used_wh in use.days), default=0)
        days = [
            Content(_bar(day, used_wh, most_wh))
            for day, used_wh in use.days
            if use.per_day_wh or used_wh
        ]
        return Content("\n").join([block, *days])

    def _orders(self) -> Content:
        lines = [Content.styled(t("tenant.page.orders"), "bold")]
        orders = self.tenant.orders if self.tenant else ()
        lines += [self._order(order) for order in orders[:ORDERS]]
        if len(orders) > ORDERS:
            lines.append(painted(t("tenant.page.more", number=len(orders) - ORDERS), "dim"))
        if not orders:
            lines.append(Content(t("screen.meter.no_purchases")))
        return Content("\n").join(lines)

    def _order(self, order: Order) -> Content:
        zone = self.app.config.site.zone
        amount = order.amount_fen + order.fee_fen
        sign = "-" if order.kind.lowers and amount else ""
        outcome = words.pad(t(f"state.command.{order.state}"), state_width())
        why = words.reason(order.reason) if not order.receipt else ""
        return Content.assemble(
            f"{words.moment(order.created_at, zone)[:11]} ",
            words.pad(t(f"state.kind.{order.kind}"), kind_width()),
            f"{sign + words.yuan(amount):>10} ",
            painted(outcome, STATE_STYLES[order.state]),
            f" {fit(order.shop, 8)} {fit(order.receipt or why, WHY_CELLS).rstrip()}",
        )

    def _stays(self) -> Content:
        lines = [Content.styled(t("tenant.page.stays"), "bold")]
        lines += [
            _stay(stay, self.app.config.site.zone)
            for stay in (self.tenant.stays if self.tenant else ())
        ]
        if len(lines) == 1:
            lines.append(Content(t("tenant.page.no_stays")))
        return Content("\n").join(lines)

    def _events(self) -> Content:
        lines = [Content.styled(t("tenant.page.events"), "bold")]
        zone = self.app.config.site.zone
        lines += [_event(event, zone) for event in (self.tenant.events if self.tenant else ())]
        if len(lines) == 1:
            lines.append(Content(t("tenant.page.no_events")))
        return Content("\n").join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "verb":
            return tenant_verbs.may(str(parameters[0]), self.row)
        if action == "meter":
            return bool(self.row.meters)
        return True

    def action_verb(self, name: str) -> None:
        tenant_verbs.start(self, name, self.row)

    def action_meter(self) -> None:
        """One of his meters in depth."""
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        pick_meter(
            self, self.row.meters, lambda row: self.app.push_screen(MeterScreen(row.meter_id))
        )


def pick_meter(screen: Place, rows: Sequence[MeterRow], then: Callable[[MeterRow], object]) -> None:
    """The only one at once; of several, whichever is picked."""
    if len(rows) == 1:
        then(rows[0])
        return

    def picked(choice: Choice | None) -> None:
        if choice is not None and isinstance(choice.value, MeterRow):
            then(choice.value)

    choices = [Choice(row, partial(meter_label, row)) for row in rows]
    screen.app.push_screen(PickScreen("tenant.page.which_meter", choices), picked)


def meter_label(row: MeterRow) -> str:
    """`A-101  202611230001  = normal  12.50`."""
    state = t(f"state.{row.state}")
    return f"{row.shop}  {row.serial}  {state}  {words.yuan(row.balance_fen)}"


def _meter(row: MeterRow) -> Content:
    age = t("tenant.page.ago", age=words.age(row.read_at, clock.now()))
    return Content.assemble(
        f"{fit(row.shop, 10)} {row.serial} ",
        painted(words.pad(words.state_word(row.state), 14), words.STATE_STYLES[row.state]),
        f"{words.yuan(row.balance_fen):>10} {age if row.read_at else t('tenant.page.never')}",
    )


def _stay(stay: Stay, zone: dt.tzinfo) -> Content:
    until = _day(stay.closed_at, zone) if stay.closed_at else t("tenant.page.until_now")
    ended = f"  {t(f'tenant.ended.{stay.ended}')}" if stay.ended else ""
    first, last = words.kwh(stay.first_energy_wh), words.kwh(stay.last_energy_wh)
    return Content(
        f"{fit(stay.shop, 8)} {stay.serial} {_day(stay.opened_at, zone)} - {until}{ended}\n"
        f"         {t('tenant.page.counted', first=first, last=last, used=words.kwh(stay.used_wh))}"
    )


def _event(event: Event, zone: dt.tzinfo) -> Content:
    when = words.moment(event.at, zone)[:11]
    return Content.assemble(
        f"{when} {fit(event.shop, 8)} ", painted(t(f"tenant.event.{event.kind}"), "alarm1")
    )


def _bar(day: dt.date, used_wh: int | None, most_wh: int) -> str:
    cells = (used_wh or 0) * BAR_CELLS // most_wh if most_wh else 0
    bar = "#" * max(cells, 1 if used_wh else 0)
    return f"{day:%m-%d} {words.kwh(used_wh):>10} {bar}"


def _lease(first: str, last: str) -> str:
    return f"{first or words.NOTHING} ~ {last or words.NOTHING}" if first or last else words.NOTHING


def _day(at: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"


def _kwh(energy_wh: int | None) -> str:
    if energy_wh is None:
        return words.NOTHING
    return t("screen.meter.kwh", kwh=words.kwh(energy_wh))


def _yuan(amount_fen: int | None) -> str:
    if amount_fen is None:
        return words.NOTHING
    return t("screen.meter.yuan", yuan=words.yuan(amount_fen))


def _days(days: DaysLeft | None) -> str:
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


def _block(title: str, *pairs: tuple[str, str | Content]) -> Content:
    """A title and aligned lines `label  value`; labels are `tenant.label.<name>`."""
    wide = _label_cells()
    lines = [Content.styled(t(title), "bold")]
    for name, value in pairs:
        label = words.pad(t(f"tenant.label.{name}"), wide)
        lines.append(Content.assemble((label, "$text-muted"), "  ", value))
    return Content("\n").join(lines)
