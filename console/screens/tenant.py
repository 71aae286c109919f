"""One tenant: its meters, what they hold and use, what it bought, what happened. Its verbs."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Grid
from textual.content import Content
from textual.widget import Widget

from console import order_words, words
from console.keys import bindings
from console.live import News
from console.screens import tenant_verbs
from console.screens.command_columns import STATE_STYLES, kind_width, state_width
from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.screens.tenant_blocks import (
    bar,
    block,
    day_text,
    days_text,
    event_line,
    hanging,
    kwh_text,
    lease_text,
    meter_line,
    short,
    stay_line,
    yuan_text,
)
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
from engine.i18n import t
from engine.views import tenant as views
from engine.views.meters import MeterRow
from engine.views.tenant import Order, Tenant
from engine.views.tenants import TenantRow

ORDERS = 20
WHY_CELLS = 21  # of a line: what is longer is cut, as in a list


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
                Content.styled(yuan_text(row.balance_fen), "bold"),
            ),
            (
                "days_left",
                painted(
                    days_text(row.days_left),
                    days_left_style(row.days_left),
                ),
            ),
            ("deposit", yuan_text(row.deposit_fen)),
            ("phone", hanging("  ".join(row.phones)) or words.NOTHING),
            ("lease", lease_text(row.lease_from, row.lease_to)),
        ]
        if row.planned:
            pairs.insert(3, ("planned", " ".join(row.planned)))
        if found is not None:
            fee = t("tenant.page.site_fee") if row.fee_pct is None else f"{row.fee_pct} %"
            pairs += [
                ("id_number", found.id_number or words.NOTHING),
                ("fee", fee),
                ("registered", day_text(found.opened_at, zone)),
            ]
            if found.closed_at is not None:
                pairs.append(("closed", day_text(found.closed_at, zone)))
            if found.note:
                pairs.append(("note", hanging(found.note)))
        return block("tenant.page.who", *pairs)

    def _meters(self) -> Content:
        lines = [Content.styled(t("tenant.page.meters", number=len(self.row.meters)), "bold")]
        lines += [meter_line(meter) for meter in self.row.meters]
        if not self.row.meters:
            lines.append(Content(t("tenant.page.no_meters")))
        return Content("\n").join(lines)

    def _use(self) -> Content:
        if self.tenant is None:
            return Content(t("screen.head.loading"))
        use = self.tenant.use
        totals = block(
            "tenant.page.use",
            ("today", kwh_text(use.today_wh)),
            ("this_month", kwh_text(use.this_month_wh)),
            ("last_month", kwh_text(use.last_month_wh)),
            ("per_day", kwh_text(use.per_day_wh)),
        )
        most_wh = max((used_wh or 0 for _, used_wh in use.days), default=0)
        days = [
            Content(bar(day, used_wh, most_wh))
            for day, used_wh in use.days
            if use.per_day_wh or used_wh
        ]
        return Content("\n").join([totals, *days])

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
            stay_line(stay, self.app.config.site.zone)
            for stay in (self.tenant.stays if self.tenant else ())
        ]
        if len(lines) == 1:
            lines.append(Content(t("tenant.page.no_stays")))
        return Content("\n").join(lines)

    def _events(self) -> Content:
        lines = [Content.styled(t("tenant.page.events"), "bold")]
        zone = self.app.config.site.zone
        lines += [event_line(event, zone) for event in (self.tenant.events if self.tenant else ())]
        if len(lines) == 1:
            lines.append(Content(t("tenant.page.no_events")))
        return Content("\n").join([*lines, *self._told()])

    def _told(self) -> list[Content]:
        """Holds and limits of his meters, with what they left owed."""
        told = self.tenant.told if self.tenant else ()
        if not told:
            return []
        zone = self.app.config.site.zone
        return [
            Content(""),
            Content.styled(t("control.order.ended_of_tenant"), "bold"),
            *(
                painted(
                    f"{fit(each.shop, 8)} {order_words.line(each, zone)}",
                    order_words.STATE_STYLES[each.state],
                )
                for each in told
            ),
        ]

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
