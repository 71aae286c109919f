"""All that is SQLite's own: how a file is opened, what every connection is told, its triggers.

PostgreSQL gets a module of the same shape beside it; elsewhere Peewee expressions only.
Figures behind each choice: docs/decisions.md, "Storage".
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import peewee as pw

FIXED_VERSIONS = ((3, 51, 3),)
FIXED_BACKPORTS = ((3, 44, 6), (3, 50, 7))
APPLICATION_ID = 0x564F4C54  # "VOLT"
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"})


class StoreError(Exception):
    """The store cannot be used; nothing was changed. `code` names the catalog text."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params


def library_version() -> tuple[int, int, int]:
    """Version of the SQLite library in use, e.g. (3, 53, 4)."""
    major, minor, patch = (int(part) for part in pw.sqlite3.sqlite_version.split("."))  # type: ignore[attr-defined]  # the stubs lack it
    return major, minor, patch


def is_fixed(version: tuple[int, int, int]) -> bool:
    """Free of the WAL-reset corruption of 3.7.0 to 3.51.2 (two writers, one WAL file)."""
    return version >= FIXED_VERSIONS[0] or any(
        version[:2] == port[:2] and version >= port for port in FIXED_BACKPORTS
    )


def make_database(path: Path, *, synchronous: str) -> pw.SqliteDatabase:
    """A database on `path` whose every connection has the pragmas that money needs.

    `synchronous` is FULL for money and commands, NORMAL where a lost second of readings is
    read again anyway. Raises StoreError where the library is one that corrupts WAL files.
    """
    if not is_fixed(library_version()):
        raise StoreError("sqlite_too_old", found=".".join(map(str, library_version())))
    return pw.SqliteDatabase(
        str(path),
        pragmas={
            "journal_mode": "wal",
            "synchronous": synchronous,
            "foreign_keys": 1,
            "recursive_triggers": 1,  # else INSERT OR REPLACE deletes past the triggers
            "busy_timeout": 5000,
            "trusted_schema": 0,
            "cell_size_check": 1,
            "mmap_size": 0,
        },
        autoconnect=False,
    )


def refuse_network_file_system(directory: Path) -> None:
    """Raises StoreError if `directory` lies on a network mount, where WAL and locks do not hold."""
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, file_system, *_ = line.split(" ")
        inside = directory.resolve().is_relative_to(mount.replace("\\040", " "))
        if inside and len(mount) >= len(best):
            best, kind = mount, file_system
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError("network_file_system", path=str(directory), kind=kind)


@contextlib.contextmanager
def begin_immediate(database: pw.Database) -> Iterator[None]:
    """A writing transaction that takes the write lock at once.

    A full or failing disk makes SQLite roll back by itself; Peewee then complains that nothing
    is left to roll back. What is raised is the first error, not that one.
    """
    assert not database.in_transaction(), "a writing transaction must be outermost"
    try:
        with database.atomic("IMMEDIATE"):
            yield
    except pw.OperationalError as error:
        if "no transaction is active" not in str(error):
            raise
        raise _first_cause(error) from None


def _first_cause(error: BaseException) -> BaseException:
    """The oldest database error in whose handling `error` came up."""
    first, older = error, error.__context__
    while older is not None:
        if isinstance(older, pw.DatabaseError):
            first = older
        older = older.__context__
    return first


def schema_version(database: pw.Database) -> int:
    return int(database.execute_sql("PRAGMA user_version").fetchone()[0])


def stamp(database: pw.Database, version: int) -> None:
    """Mark the file as ours and of schema `version`."""
    database.execute_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute_sql(f"PRAGMA user_version = {version:d}")


def data_version(database: pw.Database) -> int:
    """Changes when another connection has committed: a cheap "anything new?"."""
    return int(database.execute_sql("PRAGMA data_version").fetchone()[0])


def make_append_only(database: pw.Database, table: str) -> None:
    """Triggers that refuse UPDATE and DELETE on `table`, also by REPLACE.

    A program that drops them, or lacks our pragmas, is found by the chain: see `verify`.
    """
    for verb in ("UPDATE", "DELETE"):
        database.execute_sql(
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def make_write_once(database: pw.Database, table: str, later: Sequence[str]) -> None:
    """Triggers that refuse DELETE on `table`, and UPDATE but of the columns `later`, each once.

    They look at values, not at what a statement names.
    """
    columns = [row[1] for row in database.execute_sql(f"PRAGMA table_info({table})")]
    kept = " OR ".join(
        f"OLD.{name} IS NOT NEW.{name}" + (f" AND OLD.{name} IS NOT NULL" * (name in later))
        for name in columns
    )
    for verb, when in (("UPDATE", f"WHEN {kept} "), ("DELETE", "")):
        database.execute_sql(
            f"CREATE TRIGGER IF NOT EXISTS {table}_once_{verb.lower()} BEFORE {verb} ON {table} "
            f"{when}BEGIN SELECT RAISE(ABORT, '{table} is written once'); END"
        )


def executemany(database: pw.Database, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run `sql` for every row in the caller's transaction (20 times insert_many)."""
    database.connection().executemany(sql, rows)
