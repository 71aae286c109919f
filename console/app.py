"""ConsoleApp: the table of places, the language, the pulse that carries news to the screens."""

import asyncio
import contextlib
import os
import signal
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from rich.console import Console
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen
from textual.scrollbar import ScrollBarRender
from textual.theme import Theme

from console import picture
from console.keys import bindings
from console.live import PERIOD_S, Live, News
from console.screens.login import LoginScreen
from console.screens.place import Speaks
from engine import guarding, i18n
from engine.config import Config
from models.people import Operator

if TYPE_CHECKING:
    from console.screens.meters import MetersScreen
    from engine.engine import Engine
    from engine.views.meters import MeterRow
    from engine.views.sales import Sale

PLACES = {  # loaded when first gone to
    "meters": "console.screens.meters:MetersScreen",
    "topology": "console.screens.topology:TopologyScreen",
    "operators": "console.screens.operators:OperatorsScreen",
    "settings": "console.screens.settings:SettingsScreen",
    "tenants": "console.screens.tenants:TenantsScreen",
    "sales": "console.screens.sales:SalesScreen",
    "approvals": "console.screens.approvals:ApprovalsScreen",
    "reports": "console.screens.reports:ReportsScreen",
    "shift": "console.screens.shift:ShiftScreen",
    "batches": "console.screens.batches:BatchesScreen",
    "exchanges": "console.screens.exchanges:ExchangesScreen",
    "orders": "console.screens.orders:OrdersScreen",
    "tariffs": "console.screens.tariffs:TariffsScreen",
    "guard": "console.screens.guard:GuardScreen",
}
PLAIN_COLOURS = (None, "standard", "windows")  # 16 or none

DARK = Theme(
    name="voltill-dark",
    primary="#3d7fa6",
    secondary="#4f9ba8",
    success="#5fc98a",
    warning="#f2c14e",
    error="#ff6b74",
    accent="#8ab4f8",
    foreground="#dcdcdc",
    background="#14171a",
    surface="#1b2024",
    panel="#263038",
    dark=True,
)


def _make(path: str) -> Screen[Any]:
    """A new screen of the class that `module:Name` names."""
    module, _, name = path.partition(":")
    screen: Screen[Any] = getattr(import_module(module), name)()
    return screen


def is_plain() -> bool:
    """A terminal of 16 colours or none, by what the environment says of it."""
    colours = Console(force_terminal=True).color_system
    return "NO_COLOR" in os.environ or colours in PLAIN_COLOURS


class ConsoleApp(App[None], inherit_bindings=False):
    """The operators' console. Whoever makes it has bound the store, and starts and stops `engine`.

    `practice` shows the practice banner; `offer` is a name and password the log-in fills in.
    """

    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = False  # ours is drawn from the key table, in the language spoken
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(
        self,
        site: Path,
        config: Config,
        *,
        engine: "Engine | None" = None,
        language: str = "auto",
        practice: bool = False,
        offer: tuple[str, str] | None = None,
    ) -> None:
        self.plain = is_plain()
        super().__init__(ansi_color=True if self.plain else None)
        self.animation_level = "none"
        self.site = site
        self.config = config
        self.engine = engine
        self.practice = practice
        self.offer = offer
        self.operator: Operator | None = None
        self.live = Live(config.site.zone, self.default_prices, partial(guarding.reminder, config))
        self.news = News()
        self.meters: dict[int, MeterRow] = {}
        self.told: set[int] = set()  # refused sales whose payer somebody here was told to pay back
        for name, path in PLACES.items():
            self.add_mode(name, partial(_make, path))
        i18n.use(language)
        self.register_theme(DARK)
        self.theme = "ansi-dark" if self.plain else DARK.name
        ScrollBarRender.VERTICAL_BARS = [" "]  # whole cells: block parts are not in every font
        ScrollBarRender.HORIZONTAL_BARS = [" "]

    @property
    def default_prices(self) -> tuple[Decimal, ...]:
        """Stand in where a meter's prices were not read back yet; by rate, as RATES has them."""
        return self.config.defaults.prices

    def interval_of(self, row: "MeterRow") -> int:
        return row.interval_s or self.config.collection.interval_s

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Alarm 2 stands between a warning's yellow and an error's red."""
        return {"alarm": "ansi_magenta" if self.current_theme.ansi else "#ff9f43"}

    def get_default_screen(self) -> Screen[Any]:
        return LoginScreen()

    def on_mount(self) -> None:
        self._mind_signals()
        self.live.start()
        self.set_interval(PERIOD_S, self.pulse)
        self.set_interval(1, self._tick)

    def on_unmount(self) -> None:
        self.live.stop()

    def _mind_signals(self) -> None:
        """A hang-up or SIGTERM ends the console like a key would: the terminal is put back."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not main thread
            for number in (signal.SIGHUP, signal.SIGTERM):
                loop.add_signal_handler(number, self.exit)
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def pulse(self) -> None:
        """Take what the live thread has ready and tell the screen in front."""
        news = self.live.take()
        if news is None:
            return
        self.news = news
        self.meters.update((row.meter_id, row) for row in news.rows)
        for meter_id in news.gone:
            self.meters.pop(meter_id, None)
        for screen in self.screen_stack:
            if isinstance(screen, Speaks) and screen.stands:
                screen.hear(news)

    def _tick(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Speaks) and screen.stands:
                screen.tick()

    @property
    def to_give_back(self) -> tuple["Sale", ...]:
        """Sales that came to nothing, until each was looked at: somebody waits for his money."""
        return tuple(sale for sale in self.news.returned if sale.command not in self.told)

    def wake_engine(self) -> None:
        """A command was written: an engine in this process need not wait for its next look."""
        if self.engine is not None:
            self.engine.wake()

    def signed_in(self, operator: Operator) -> None:
        self.operator = operator
        self.switch_mode("meters")

    def action_place(self, name: str) -> None:
        """Go to a place, and there to its first screen."""
        self.switch_mode(name)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def stack_of(self, mode: str) -> list[Screen[Any]]:
        """The screens of a place, the lowest first; none where it was not gone to yet."""
        return self._screen_stacks.get(mode, [])

    def show_meters(self, **only: str) -> None:
        """The live table with a filter set (`line`, `gateway` or `typed`)."""
        self.action_place("meters")
        cast("MetersScreen", self.screen).show_only(**only)

    def go_back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            self.switch_mode("meters")

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """As SVG. Textual gives a text the width of its characters; Chinese ones take two."""
        return picture.in_cells(super().export_screenshot(title=title, simplify=simplify))

    def tell(self, text: str, *, bad: bool = False) -> None:
        """A note that goes away by itself; `text` may hold anything, so it is no markup."""
        severity: Literal["error", "information"] = "error" if bad else "information"
        self.notify(text, severity=severity, timeout=8 if bad else 4, markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        before_sign_in = self.operator is None and action in {"place", "tray", "palette", "batch"}
        return not before_sign_in

    def action_tray(self) -> None:
        from console.screens.tray import TrayScreen  # noqa: PLC0415 (loaded when first gone to)

        if not isinstance(self.screen, TrayScreen):
            self.push_screen(TrayScreen())

    def action_batch(self) -> None:
        """To the batch that is under way; to the list of all where none is, or several are."""
        from console.screens.batch_progress import (  # noqa: PLC0415 (loaded when first gone to)
            ProgressScreen,
        )

        found = self.news.batches
        self.action_place("batches")
        if len(found) == 1:
            self.push_screen(ProgressScreen(found[0].batch))

    def action_help(self) -> None:
        from console.screens.help import HelpScreen  # noqa: PLC0415 (loaded when first gone to)

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen.active_bindings))

    def action_palette(self) -> None:
        from console.screens.palette import (  # noqa: PLC0415 (loaded when first gone to)
            open_palette,
        )

        open_palette(self)

    def action_leave(self) -> None:
        from console.screens.ask import AskScreen  # noqa: PLC0415 (loaded when first gone to)

        def left(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self.exit()

        if not isinstance(self.screen, AskScreen):
            key = "screen.leave.engine_too" if self.engine else "screen.leave.question"
            self.push_screen(AskScreen(key), left)

    def action_language(self) -> None:
        """The next language; every screen that stands is drawn anew."""
        at = i18n.LANGUAGES.index(i18n.current())
        i18n.use(i18n.LANGUAGES[(at + 1) % len(i18n.LANGUAGES)])
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, Speaks):
                    screen.speak_anew()
