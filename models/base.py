"""The two databases of a site, the fields that keep units honest, and how a thread uses them.

core.db holds money, meters, commands, people; readings.db what was measured. No transaction
spans both.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import peewee as pw

from models import sqlite

core = pw.DatabaseProxy()
readings = pw.DatabaseProxy()

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)


class UtcField(pw.Field):
    """An aware instant, stored as whole milliseconds since 1970 in UTC."""

    field_type = "INTEGER"

    def db_value(self, value: dt.datetime | None) -> int | None:
        if value is None:
            return None
        assert value.tzinfo is not None, value
        return (value - EPOCH) // MILLISECOND

    def python_value(self, value: int | None) -> dt.datetime | None:
        return None if value is None else EPOCH + value * MILLISECOND


class EnumField(pw.TextField):
    """A StrEnum, stored as its value; a value the program does not know is an error."""

    def __init__(self, enum: type[StrEnum], **options: Any) -> None:
        self.enum = enum
        super().__init__(**options)

    def db_value(self, value: StrEnum | str | None) -> str | None:
        return None if value is None else self.enum(value).value

    def python_value(self, value: str | None) -> StrEnum | None:
        return None if value is None else self.enum(value)


class CoreModel(pw.Model):
    id = pw.AutoField()

    class Meta:
        database = core
        strict_tables = True


class ReadingsModel(pw.Model):
    class Meta:
        database = readings
        strict_tables = True


def bind(site: Path) -> None:
    """Point both databases at the files of `site` (a directory). Opens nothing yet."""
    sqlite.refuse_network_file_system(site)
    core.initialize(sqlite.make_database(site / "core.db", synchronous="full"))
    readings.initialize(sqlite.make_database(site / "readings.db", synchronous="normal"))


@contextmanager
def connection() -> Iterator[None]:
    """Both databases open for this thread. A thread of its own calls this once, around its life."""
    core.connect(reuse_if_open=False)
    try:
        readings.connect(reuse_if_open=False)
        try:
            yield
        finally:
            readings.close()
    finally:
        core.close()


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """The rows of a select as plain tuples, each field converted (peewee types it as models)."""
    return list(query.tuples())


def highest_rev(table: type[pw.Model]) -> int:
    """Of a table whose rows count their changes; 0 while it is empty."""
    return int(table.select(pw.fn.MAX(pw.SQL("rev"))).scalar() or 0)


def next_rev(table: type[pw.Model]) -> int:
    """The `rev` of the rows that change in this write_transaction."""
    return highest_rev(table) + 1


def begins_with(field: pw.Field, text: str) -> Any:
    """For a `where`: by the field's index. LIKE, which startswith() makes, reads every row."""
    after = text[:-1] + chr(ord(text[-1]) + 1)
    return (field >= text) & (field < after)


@contextmanager
def write_transaction() -> Iterator[None]:
    """BEGIN IMMEDIATE on core.db: what is checked inside holds until the commit. Never nested."""
    with sqlite.begin_immediate(core.obj):
        yield


@contextmanager
def readings_transaction() -> Iterator[None]:
    """BEGIN IMMEDIATE on readings.db."""
    with sqlite.begin_immediate(readings.obj):
        yield
