"""A table that keeps all rows by id and shows, in its own order, those a filter lets through."""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from console.widgets.columns import Column
from console.widgets.line_table import LineTable

Row = TypeVar("Row")


class Filter(Protocol):
    """A frozen dataclass of what the operator wants to see."""

    @property
    def active(self) -> bool: ...

    def lets_through(self, row: Any, haystack: str) -> bool: ...


class SiftedTable(LineTable[Row]):
    """Rows come by id and stay; order and filter are this widget's own."""

    filter: Any  # a Filter, of the subclass's own kind

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        nothing: Filter,
        sorted_by: str,
        empty: str,
        marks: bool = False,
    ) -> None:
        super().__init__(columns, key, fixed=2, marks=marks, empty=empty)
        self.all: dict[Hashable, Row] = {}
        self.filter = nothing
        self.sorted_by = (sorted_by, False)
        self._haystacks: dict[Hashable, str] = {}

    def haystack_of(self, row: Row) -> str:
        """What typing is looked for in, in small letters."""
        raise NotImplementedError

    def home(self, row: Row) -> Any:
        """The order in which equal rows stay."""
        raise NotImplementedError

    def take(self, changed: Iterable[Row]) -> None:
        """New values. Only the lines that differ are painted; the order follows the values."""
        stirred = False
        for row in changed:
            key = self.key(row)
            before = self.all.get(key)
            stood = None if before is None else self._standing(before)
            self.all[key] = row
            self._haystacks[key] = self.haystack_of(row)
            stirred = stirred or stood != self._standing(row)
            self.replace(row)
        if stirred:
            self.reorder()
        else:
            self.repaint()

    def drop(self, gone: Iterable[Hashable]) -> None:
        """Rows that are no more."""
        if known := [key for key in gone if key in self.all]:
            for key in known:
                del self.all[key], self._haystacks[key]
                self.marked.discard(key)
            self.reorder()

    def sift(self, **wanted: Any) -> None:
        """Change the filter, by the names of its fields."""
        self.filter = dataclasses.replace(self.filter, **wanted)
        self.reorder()

    def sort_by(self, name: str, *, falling: bool) -> None:
        self.sorted_by = (name, falling)
        self.reorder()
        self.repaint()

    def reorder(self) -> None:
        """Filter and sort anew. Equal rows stay in the order of their home."""
        rank, falling = self._rank, self.sorted_by[1]
        rows = [row for row in self.all.values() if self._let_through(row)]
        rows.sort(key=self.home)
        rows.sort(key=rank, reverse=falling)
        self.show(rows)

    def _let_through(self, row: Row) -> bool:
        return bool(self.filter.lets_through(row, self._haystacks[self.key(row)]))

    @property
    def _rank(self) -> Callable[[Row], Any]:
        (rank,) = (column.sort for column in self.columns if column.name == self.sorted_by[0])
        return rank or self.home

    def _standing(self, row: Row) -> tuple[Any, ...]:
        """What decides whether and where a row is shown."""
        return self._let_through(row), self._rank(row), self.home(row)

    @property
    def chosen(self) -> list[Row]:
        """The marked rows, hidden ones included; none marked: the one under the cursor."""
        if self.marked:
            return [row for key, row in self.all.items() if key in self.marked]
        return [self.current] if self.current else []
