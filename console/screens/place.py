"""What every full screen has: head, body, tray line, keys; and how it hears news."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget

from console.keys import bindings
from console.live import News
from console.widgets.approval_line import ApprovalLine
from console.widgets.batch_line import BatchLine
from console.widgets.head import Head
from console.widgets.key_line import KeyLine
from console.widgets.line_table import LineTable
from console.widgets.order_line import OrderLine
from console.widgets.tray_line import TrayLine
from engine.i18n import t

if TYPE_CHECKING:
    from console.app import ConsoleApp


class Speaks(Screen[ScreenResultType]):
    """Can be drawn anew in another language while it stands."""

    app: "ConsoleApp"

    def speak_anew(self) -> None:
        """Draw every text again: the language has changed, nothing has kept one."""
        for widget in self.walk_children(Widget):
            if isinstance(widget, LineTable):
                widget.repaint_all()
            widget.refresh(layout=True)

    @property
    def stands(self) -> bool:
        """Made, and not being taken down."""
        return self.is_mounted and self.is_attached and bool(self.query(KeyLine))

    def hear(self, news: News) -> None:
        """Something in the store has changed."""

    def tick(self) -> None:
        """A second has gone by."""


class Place(Speaks[None]):
    """A full screen between the head and the keys."""

    NAME: ClassVar[str]  # titled `screen.place.<NAME>`

    def compose(self) -> ComposeResult:
        yield Head(self.title_text)
        yield from self.body()
        yield TrayLine()
        yield ApprovalLine()
        yield OrderLine()
        yield BatchLine()
        yield KeyLine()

    def title_text(self) -> str:
        return t(f"screen.place.{self.NAME}")

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def hear(self, news: News) -> None:
        del news
        self.query_one(Head).say_again()
        self.query_one(TrayLine).renew()
        self.query_one(ApprovalLine).renew()
        self.query_one(OrderLine).renew()
        self.query_one(BatchLine).renew()

    def tick(self) -> None:
        self.query_one(Head).tick()
        self.query_one(TrayLine).renew()
        self.query_one(ApprovalLine).renew()
        self.query_one(OrderLine).renew()
        self.query_one(BatchLine).renew()

    def on_screen_resume(self) -> None:
        if self.stands:
            self.hear(self.app.news)

    def on_mount(self) -> None:
        self.hear(self.app.news)

    def action_back(self) -> None:
        """To the screen before; a place's own first screen goes back to the live table."""
        self.app.go_back()


class Dialog(Speaks[ScreenResultType], ModalScreen[ScreenResultType]):
    """A question above another screen. It has the keys that matter everywhere too."""

    BINDINGS = bindings("dialog")
