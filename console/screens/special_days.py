"""特殊日: holidays and weekend days that are worked instead (调休), of a year."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from console.keys import bindings
from console.screens.ask import AskScreen
from console.screens.form_dialog import FormDialog
from console.screens.list_place import ListPlace
from console.screens.tariffs import KIND_STYLES, today_line
from console.widgets.columns import Cell, Column, width
from console.widgets.form import Choose, Entry
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from console.work import ask
from engine import clock, tables
from engine.domain.errors import BadSpecialDay, DomainError
from engine.domain.tariff_calendar import Calendar
from engine.domain.units import HALF_WIDTH
from engine.i18n import t
from engine.services import calendars
from models.enums import SpecialDayKind
from models.tariffs import SpecialDay

RANGE_MAX = 31  # days set at once


class SpecialDaysScreen(ListPlace[SpecialDay]):
    NAME = "special_days"
    BINDINGS: ClassVar[list[BindingType]] = bindings("special_days")
    EMPTY = "prices.days.none"
    FIXED = 2

    def __init__(self) -> None:
        super().__init__()
        self.year: int | None = None  # None: this one
        self.calendar = Calendar()
        self.rows: Sequence[SpecialDay] = ()

    def body(self) -> Iterable[Widget]:
        yield Said(lambda: today_line(self.today, self.calendar), classes="head")
        yield Said(self.summary, id="summary")
        yield LineTable(self.columns(), self.key_of, fixed=self.FIXED, empty=self.EMPTY)

    def columns(self) -> Sequence[Column[SpecialDay]]:
        def column(name: str, cells: int, cell: Callable[[SpecialDay], Cell]) -> Column[SpecialDay]:
            return Column(name, width(cells), cell, titles="prices.column")

        return (
            column("month", 6, self._month),
            column("day", 10, lambda row: Cell(row.day, "strong")),
            column("weekday", 7, lambda row: Cell(_weekday(row.day))),
            column("kind", 16, _kind),
            column("name", 30, lambda row: Cell(row.name)),
        )

    def _month(self, row: SpecialDay) -> Cell:
        """Only before the first day of a month."""
        first = next((each for each in self.rows if each.day[:7] == row.day[:7]), row)
        return Cell(t("prices.days.month", month=int(row.day[5:7])) if first.day == row.day else "")

    @property
    def today(self) -> dt.date:
        return clock.now().astimezone(self.app.config.site.zone).date()

    @property
    def shown_year(self) -> int:
        return self.year or self.today.year

    def fetch(self) -> Callable[[], Sequence[SpecialDay]]:
        return calendars.list_days

    def take(self, rows: Sequence[SpecialDay]) -> None:
        self.calendar = Calendar.of((dt.date.fromisoformat(row.day), row.kind) for row in rows)
        self.rows = [row for row in rows if row.day.startswith(f"{self.shown_year}-")]
        super().take(self.rows)
        self.query_one(".head", Said).say_again()

    def key_of(self, row: SpecialDay) -> Hashable:
        return row.day

    def summary(self) -> str:
        holidays = sum(row.kind is SpecialDayKind.HOLIDAY for row in self.rows)
        worked = len(self.rows) - holidays
        return f" {t('prices.days.counts', year=self.shown_year, holidays=holidays, worked=worked)}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "remove" or self.table.current is not None

    def action_year(self, by: int) -> None:
        self.year = self.shown_year + by
        self.renew()

    def action_new(self) -> None:
        self.app.push_screen(DayForm(None), lambda _: self.renew())

    @on(LineTable.Chosen)
    def _edit(self) -> None:
        if (row := self.table.current) is not None:
            self.app.push_screen(DayForm(row), lambda _: self.renew())

    def action_remove(self) -> None:
        row, by = self.table.current, self.app.operator
        assert row is not None
        assert by is not None

        def sure(yes: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if yes:
                day = dt.date.fromisoformat(row.day)
                ask(self, lambda: calendars.clear_day(day, by), lambda _: self.renew())

        question = AskScreen("prices.days.remove", day=row.day, name=row.name)
        self.app.push_screen(question, sure)

    def action_import(self) -> None:
        self.app.push_screen(DaysFileForm(), lambda _: self.renew())


class DayForm(FormDialog):
    """A day, or all days up to another; of a day that is set already its kind and name."""

    TITLE = "prices.days.form"

    def __init__(self, row: SpecialDay | None) -> None:
        super().__init__()
        self.row = row

    def entries(self) -> Sequence[Entry]:
        row = self.row
        kinds = sorted(SpecialDayKind, key=lambda kind: row is not None and kind is not row.kind)
        last = [] if row else [Entry("last", "prices.days.last", _day_or_none, length_max=20)]
        return [
            Entry(
                "first", "prices.column.day", _day, row.day if row else "", 20,
                hint="prices.days.hint", fixed=row is not None,
            ),
            *last,
            Choose("kind", "prices.column.kind", values=kinds, said=_kind_text),
            Entry("name", "prices.column.name", value=row.name if row else "", length_max=100),
        ]  # fmt: skip

    def consequence(self) -> str:
        found = self.form.values()
        if not isinstance(first := found.get("first"), dt.date):
            return t("prices.days.explained")
        number = len(_days(first, found.get("last")))
        return t("prices.days.number", number=number, weekday=_weekday(first.isoformat()))

    def submitted(self, values: dict[str, Any]) -> None:
        first, last = values["first"], values.get("last")
        kind = SpecialDayKind(self.form.text_of("kind"))
        days = [(day, kind, values["name"]) for day in _days(first, last)]
        if not 0 < len(days) <= RANGE_MAX:
            day = (last or first).isoformat()
            self.form.blame("last", BadSpecialDay(why="range", day=day, most=RANGE_MAX))
            return
        by = self.operator
        self.send(lambda: calendars.set_days(days, by), self._done)

    def _done(self, number: int) -> None:
        self.app.tell(t("tariff.days_changed", number=number))
        self.dismiss("set")


class DaysFileForm(FormDialog):
    """A table with the columns day, kind, name; all of it or nothing."""

    TITLE = "prices.days.file"

    def entries(self) -> Sequence[Entry]:
        return [Entry("path", "prices.days.path", length_max=400, hint="prices.days.path_hint")]

    def consequence(self) -> str:
        return t("prices.days.file_explained")

    def submitted(self, values: dict[str, Any]) -> None:
        path, by = Path(values["path"].strip()).expanduser(), self.operator

        def done() -> int:
            days, wrong = calendars.days_in(tables.read(path))
            if wrong:
                place = f"{wrong[0].file}:{wrong[0].row or ''} {wrong[0].column or ''}".strip()
                raise BadSpecialDay(why="file", day=place, number=len(wrong))
            if not days:
                raise BadSpecialDay(why="no_days", day=str(path))
            return calendars.set_days(days, by)

        self.send(done, self._done)

    def _done(self, number: int) -> None:
        self.app.tell(t("tariff.days_changed", number=number))
        self.dismiss("read")

    def refused(self, error: DomainError) -> None:
        self.sending = False
        self.form.blame("path", error)


def _day(text: str) -> dt.date:
    """Raises BadSpecialDay."""
    try:
        return dt.date.fromisoformat(text.translate(HALF_WIDTH).strip())
    except ValueError:
        raise BadSpecialDay(why="no_day", day=text[:20]) from None


def _day_or_none(text: str) -> dt.date | None:
    return _day(text) if text.strip() else None


def _days(first: dt.date, last: dt.date | None) -> list[dt.date]:
    """Both in it; never more than one too many, so that a slip of the year costs nothing."""
    number = ((last or first) - first).days + 1
    return [first + dt.timedelta(days=each) for each in range(min(number, RANGE_MAX + 1))]


def _weekday(day: str) -> str:
    return t(f"prices.weekday.{dt.date.fromisoformat(day).weekday()}")


def _kind_text(kind: str) -> str:
    return t(f"prices.days.{kind}")


def _kind(row: SpecialDay) -> Cell:
    return Cell(_kind_text(row.kind), KIND_STYLES[row.kind] or "alarm1")
