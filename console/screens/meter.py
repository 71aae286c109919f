"""One meter: all that is known, with its age; its settings, purchases and last days."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Grid
from textual.content import Content
from textual.widget import Widget

from console import order_words, setting_words, tariff_block, words
from console.keys import bindings
from console.live import News
from console.reading import read_now
from console.screens.exchange_begin import open_exchange
from console.screens.place import Place
from console.screens.sell import open_sale
from console.widgets.day_chart import Day, chart, days_of
from console.widgets.meter_table import flag_words
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask
from engine import clock
from engine.config import Config
from engine.domain.measurement import RATES, MeterSettings
from engine.i18n import t
from engine.views import meter_tariff
from engine.views import meters as views
from engine.views import orders as order_views
from engine.views import settings as setting_views
from engine.views.meters import MeterRow, Purchase
from engine.views.orders import Lock, Order
from engine.views.settings import SettingRow
from models.enums import Flag
from models.metering import MeterEvent

DAYS = 10
PURCHASES = 5
EVENTS = 5
LABELS = (  # as wide as the widest of these, so that all blocks align
    "remaining", "count", "today", "total", "power", "phase_a", "alarm1", "overdraft", "prepay",
)  # fmt: skip


@dataclass(frozen=True)
class Depth:
    """What is looked up for one meter beside its row."""

    settings: tuple[dt.datetime, MeterSettings] | None = None
    purchases: tuple[Purchase, ...] = ()
    days: tuple[Day, ...] = field(default=())
    locks: tuple[Lock, ...] = ()
    orders: tuple[Order, ...] = ()  # what it is told for a time, or was lately
    events: tuple[MeterEvent, ...] = ()
    said: tuple[SettingRow, ...] = ()
    tariff: meter_tariff.MeterTariff | None = None


def look_up(row: MeterRow, now: dt.datetime, config: Config) -> Depth:
    """`now` in the site's zone."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + dt.timedelta(days=1)
    points = views.curve(row.meter_id, today - dt.timedelta(days=DAYS - 1), tomorrow)
    zone = now.tzinfo
    assert zone is not None
    return Depth(
        views.settings(row.meter_id),
        tuple(views.purchases(row.serial, PURCHASES)),
        tuple(days_of(points, last=now.date(), number=DAYS, zone=zone)),
        tuple(order_views.locks(row.meter_id)),
        tuple(order_views.of_meter(row.meter_id)),
        tuple(views.events(row.meter_id, EVENTS)),
        tuple(setting_views.of_meter(row.serial, config)),
        meter_tariff.of_meter(row.meter_id, now),
    )


class MeterScreen(Place):
    NAME = "meter"
    BINDINGS: ClassVar[list[BindingType]] = bindings("meter")
    AUTO_FOCUS = "Scroll"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-narrow"),
        (110, "-wide"),
    ]

    def __init__(self, meter_id: int) -> None:
        super().__init__()
        self.meter_id = meter_id
        self.depth = Depth()
        self._last: MeterRow | None = None

    @property
    def row(self) -> MeterRow:
        """As it is now; of a meter taken out of service meanwhile, as it was last."""
        found = self.app.meters.get(self.meter_id, self._last)
        assert found is not None, "it was shown in a table"
        self._last = found
        return found

    def body(self) -> Iterable[Widget]:
        with Scroll(id="meter"), Grid(id="blocks"):
            yield Said(self._values)
            yield Said(self._purchases)
            yield Said(self._days)
            yield Said(self._electric)
            yield Said(lambda: Content("\n").join([self._settings(), *self._events()]))
            yield Said(self._tariff)

    def title_text(self) -> str:
        return f"{self.row.shop} {self.row.tenant or ''}".strip()

    def on_mount(self) -> None:
        super().on_mount()
        self._look_up()

    def hear(self, news: News) -> None:
        super().hear(news)
        if any(row.meter_id == self.meter_id for row in news.rows):
            self._look_up()
        self._say()

    def tick(self) -> None:
        super().tick()
        self._say()

    def _look_up(self) -> None:
        row, config = self.row, self.app.config
        now = clock.now().astimezone(config.site.zone)

        def take(depth: Depth) -> None:
            self.depth = depth
            self._say()

        ask(self, lambda: look_up(row, now, config), take)

    def _say(self) -> None:
        for said in self.query("#blocks Said").results(Said):
            said.say_again()

    def _values(self) -> Content:
        row, now = self.row, clock.now()
        state = painted(words.state_word(row.state), words.STATE_STYLES[row.state])
        age = t("screen.meter.read_ago", age=words.age(row.read_at, now))
        stale = words.is_stale(row.read_at, self.app.interval_of(row), now)
        flags = flag_words(row)
        values = block(
            "screen.meter.values",
            ("state", Content.assemble(state, f"  {flags}" if flags else "")),
            (
                "read",
                painted(
                    age if row.read_at else t("screen.meter.never_read"), "alarm1" if stale else ""
                ),
            ),
            (
                "balance",
                Content.styled(t("screen.meter.yuan", yuan=words.yuan(row.balance_fen)), "bold"),
            ),
            ("remaining", self._remaining()),
            ("relay", t(f"state.{row.relay}")),
            ("count", words.NOTHING if row.purchase_count is None else str(row.purchase_count)),
            *([("drift", self._drift())] if row.drift_fen else []),
            ("today", t("screen.meter.kwh", kwh=words.kwh(row.today_wh))),
            ("serial", f"{row.serial}  {row.model}"),
            ("where", f"{row.building} {row.floor} {row.location}"),
            (
                "line",
                t("screen.meter.at_line", line=row.line, address=row.address, gateway=row.gateway),
            ),
        )
        return Content("\n").join([values, *self._orders()])

    def _orders(self) -> list[Content]:
        """Who works behind it, and what it is told for a time."""
        zone = self.app.config.site.zone
        locks = [
            painted(
                t(
                    "control.lock.line",
                    holder=lock.holder,
                    at=words.moment(lock.placed_at, zone)[:11],
                    why=lock.why,
                ),
                "loud",
            )
            for lock in self.depth.locks
        ]
        orders = [
            painted(order_words.line(order, zone), order_words.STATE_STYLES[order.state])
            for order in self.depth.orders
        ]
        return [*locks, *orders]

    def _events(self) -> list[Content]:
        """What a person should know of it, newest first."""
        if not self.depth.events:
            return []
        zone = self.app.config.site.zone
        return [
            Content(""),
            Content.styled(t("screen.meter.events"), "bold"),
            *(
                Content.assemble(
                    f"{words.moment(event.at, zone)[:11]} ",
                    painted(t(f"tenant.event.{event.kind}"), "alarm1"),
                )
                for event in self.depth.events
            ),
        ]

    def _remaining(self) -> str:
        kwh, days = words.kwh(self.row.remaining_wh), self.row.days_left
        if days is None:
            return t("screen.meter.estimate", kwh=kwh)
        return t("screen.meter.estimate_days", kwh=kwh, days=words.days_left(days))

    def _drift(self) -> Content:
        age = words.age(self.row.asserted_at, clock.now())
        drift = t("screen.meter.drift", yuan=words.yuan(self.row.drift_fen), age=age)
        return painted(drift, "bad" if Flag.DRIFT in self.row.flags else "")

    def _electric(self) -> Content:
        row = self.row
        rates = [
            (f"rate_{rate}", t("screen.meter.kwh", kwh=words.kwh(used_wh)))
            for rate, used_wh in zip(RATES, row.energy_by_rate_wh, strict=False)
        ]
        phases = [
            (
                f"phase_{name}",
                t(
                    "screen.meter.phase",
                    v=words.thousandths(phase.voltage_mv),
                    a=words.thousandths(phase.current_ma, 2),
                    kw=words.kw(phase.power_w),
                    pf=words.thousandths(phase.power_factor_pm, 3),
                ),
            )
            for name, phase in zip("abc", row.phases, strict=False)
        ]
        return block(
            "screen.meter.energy",
            ("total", t("screen.meter.kwh", kwh=words.kwh(row.energy_wh))),
            *rates,
            ("power", t("screen.meter.kw", kw=words.kw(row.power_w))),
            *phases,
        )

    def _settings(self) -> Content:
        if self.depth.settings is None:
            never = ("prices", t("screen.meter.never_read"))
            return block("screen.meter.settings", never, ("differ", self._differ()))
        at, read = self.depth.settings
        prices = "  ".join(
            f"{t(f'screen.meter.label.rate_{rate}')} {price:.4f}"
            for rate, price in zip(RATES, read.prices, strict=True)
        )
        return block(
            "screen.meter.settings",
            ("prices", prices),
            ("alarm1", t("screen.meter.yuan", yuan=words.yuan(read.alarm1_fen))),
            ("alarm2", t("screen.meter.yuan", yuan=words.yuan(read.alarm2_fen))),
            ("overdraft", t("screen.meter.yuan", yuan=words.yuan(read.overdraft_fen))),
            ("prepay", t("screen.meter.on" if read.money_control else "screen.meter.off")),
            ("read", t("screen.meter.read_ago", age=words.age(at, clock.now()))),
            ("differ", self._differ()),
        )

    def _tariff(self) -> Content:
        return tariff_block.block(self.depth.tariff, _label_cells())

    def _differ(self) -> Content:
        """What differs from what is desired, by name; the key shows all of it."""
        names = [row.name for row in self.depth.said if row.differs and not row.accepted]
        if not names:
            return Content(t("screen.meter.no_difference"))
        said = ", ".join(map(setting_words.name, names))
        return painted(t("screen.meter.differ", names=said), "bad")

    def _purchases(self) -> Content:
        lines = [Content.styled(t("screen.meter.purchases"), "bold")]
        zone = self.app.config.site.zone
        for purchase in self.depth.purchases:
            counts = f"{purchase.count_before}->{purchase.count_after}"
            known = purchase.count_after is not None
            lines.append(
                Content(
                    f"{words.moment(purchase.created_at, zone)} "
                    f"{t(f'state.kind.{purchase.kind}')} {_signed(purchase):>9} "
                    f"{t(f'state.command.{purchase.state}')} {counts if known else ''}"
                )
            )
        if not self.depth.purchases:
            lines.append(Content(t("screen.meter.no_purchases")))
        return Content("\n").join(lines)

    def _days(self) -> Content:
        return chart(self.depth.days)

    def action_sell(self) -> None:
        open_sale(self, self.row)

    def action_read(self) -> None:
        read_now(self, [self.row])

    def action_exchange(self) -> None:
        open_exchange(self, self.row)

    def action_control(self, verb: str) -> None:
        from console.screens.control_verbs import (  # noqa: PLC0415 (loaded when first gone to)
            start,
        )

        start(self, verb, self.row)

    def action_settings(self) -> None:
        from console.screens.meter_settings import (  # noqa: PLC0415 (loaded when first gone to)
            MeterSettingsScreen,
        )

        self.app.push_screen(MeterSettingsScreen(self.row))

    def action_batch(self) -> None:
        from console.screens import batch_verbs  # noqa: PLC0415 (loaded when first gone to)

        name = f"{self.row.shop} {self.row.tenant or ''}".strip()
        batch_verbs.begin(self, batch_verbs.of_rows("one", [self.row], name=name))

    def action_take_out(self, verb: str) -> None:
        from console.screens.take_out import start  # noqa: PLC0415 (loaded when first gone to)

        start(self, verb, self.row)


def _signed(purchase: Purchase) -> str:
    """What it does to the credit: a minus where it is taken out."""
    fen = purchase.amount_fen
    return words.yuan(-fen if purchase.kind.lowers else fen)


def _label_cells() -> int:
    return words.widest(t(f"screen.meter.label.{name}") for name in LABELS)


def block(title: str, *pairs: tuple[str, str | Content]) -> Content:
    """A title and aligned lines `label  value`; labels are `screen.meter.label.<name>`."""
    labels = [t(f"screen.meter.label.{name}") for name, _ in pairs]
    wide = _label_cells()
    lines = [Content.styled(t(title), "bold")]
    for label, (_, value) in zip(labels, pairs, strict=True):
        lines.append(Content.assemble((words.pad(label, wide), "$text-muted"), "  ", value))
    return Content("\n").join(lines)
