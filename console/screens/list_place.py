"""A place that is one list, fetched in the background whenever the store has changed."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.binding import BindingType
from textual.widget import Widget

from console.keys import bindings
from console.live import News
from console.screens.place import Place
from console.widgets.columns import Column
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from console.work import ask, error_text
from engine.domain.errors import DomainError

Row = TypeVar("Row")


class ListPlace(Place, Generic[Row]):
    """Subclasses say what is fetched, its columns and its key."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("list")
    AUTO_FOCUS = "LineTable"
    EMPTY: ClassVar[str] = "screen.table.empty"
    FIXED: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self._fetching = False
        self._stale = False

    def body(self) -> Iterable[Widget]:
        yield Said(self.summary, id="summary")
        yield LineTable(self.columns(), self.key_of, fixed=self.FIXED, empty=self.EMPTY)

    def columns(self) -> Sequence[Column[Row]]:
        raise NotImplementedError

    def fetch(self) -> Callable[[], Sequence[Row]]:
        """What to run in the background; everything it needs from the app is taken now."""
        raise NotImplementedError

    def key_of(self, row: Row) -> Hashable:
        return row

    def summary(self) -> str:
        """The line above the table."""
        return ""

    @property
    def table(self) -> LineTable[Row]:
        return self.query_one(LineTable)

    def on_mount(self) -> None:
        super().on_mount()
        self.renew()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self.renew()

    def renew(self) -> None:
        """Fetch anew; news that come while one fetch is under way make one more, not many."""
        self._stale = True
        if not self._fetching:
            self._fetching, self._stale = True, False
            ask(self, self.fetch(), self.take, refused=self._failed)

    def take(self, rows: Sequence[Row]) -> None:
        self._fetching = False
        if self._stale:
            self.renew()
        self.table.show(rows)
        self.query_one("#summary", Said).say_again()

    def _failed(self, error: DomainError) -> None:
        self._fetching = False
        self.app.tell(error_text(error), bad=True)

    def hear(self, news: News) -> None:
        super().hear(news)
        if self.is_current:
            self.renew()

    def tick(self) -> None:
        super().tick()
        self.table.repaint()
