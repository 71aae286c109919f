"""What a column of a table is: how wide, what a row shows in it, how it sorts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

from engine.i18n import t

Row = TypeVar("Row")
STYLES = ("dim", "good", "alarm1", "alarm2", "bad", "lost", "strong", "loud")


class Cell(NamedTuple):
    """Text and the name of its style: one of STYLES, or nothing."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column. `width` is asked at every paint: words differ in length by language."""

    name: str  # of its title, `<titles>.<name>`
    width: Callable[[], int]
    cell: Callable[[Row], Cell]
    sort: Callable[[Row], Any] | None = None
    right: bool = False
    titles: str = "screen.column"
    shrinks: bool = False  # as the last in sight it may be cut to SHRUNK cells or more

    @property
    def title(self) -> str:
        return t(f"{self.titles}.{self.name}")


def width(cells: int) -> Callable[[], int]:
    return lambda: cells


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """`text` in exactly `cells` terminal cells; what is cut off shows as `~`, never silently."""
    length = cell_len(text)
    if length > cells:
        return set_cell_size(text, cells - 1) + "~"
    return " " * (cells - length) + text if right else text + " " * (cells - length)
