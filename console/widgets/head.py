"""The top line: practice mark, site and place on the left; engine, language, clock on the right."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from console.widgets.said import Said
from engine import clock, i18n
from engine.i18n import t

if TYPE_CHECKING:
    from console.app import ConsoleApp


FAILED = "failed"  # Engine.state: the one of this process has ended, and its log says why


class Head(Horizontal):
    """Each part is a widget of its own, so that the clock's tick repaints the clock only."""

    app: "ConsoleApp"

    def __init__(self, title: Callable[[], str]) -> None:
        super().__init__()
        self.place_title = title

    def compose(self) -> ComposeResult:
        if self.app.practice:
            yield Said(lambda: t("screen.head.practice"), id="practice")
        yield Said(lambda: f" {self.app.config.site.name}", id="site")
        yield Said(lambda: f" | {self.place_title()}", id="place")
        yield Said(self._engine, id="engine")
        yield Said(lambda: f" {t(f'screen.language.{i18n.current()}')} ", id="language")
        yield Said(self._clock, id="clock")

    def _engine(self) -> Content:
        news, engine = self.app.news, self.app.engine
        if engine is not None and engine.state == FAILED:
            return Content.styled(t("screen.engine.failed"), "bold reverse")
        if news.trouble:
            return Content.styled(t("screen.head.no_store"), "bold reverse")
        if not news.engine_state:
            return Content(t("screen.head.loading"))
        style = "" if news.engine_state == "running" else "bold reverse"
        return Content.styled(t(f"screen.engine.{news.engine_state}"), style)

    def _clock(self) -> str:
        return f"{clock.now().astimezone(self.app.config.site.zone):%H:%M:%S}"

    def tick(self) -> None:
        self.query_one("#clock", Said).say_again()

    def say_again(self) -> None:
        self.query_one("#engine", Said).say_again()
        self.query_one("#place", Said).say_again()
