"""A store that fails says how and what to do, and what was there before is there after."""

import contextlib
import resource
import subprocess
import sys
from pathlib import Path

import peewee as pw
import pytest

from console.failures import store_error
from engine.services import site_import
from engine.tables import read
from models import base, sqlite, store
from models.site import Building, Meter
from models.sqlite import StoreError
from tests.setup.conftest import MODELS

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def other_program(path):
    """A connection that is not ours; of the same library, as locks of a process are shared."""
    connection = pw.sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def opening(site):
    with pytest.raises(StoreError) as caught, store.opened(site):
        pass
    return caught.value.code


@pytest.mark.parametrize("name", ["core.db", "readings.db"])
def test_a_database_of_a_later_version_is_refused(site_dir, name):
    with other_program(site_dir / name) as connection:
        connection.execute("PRAGMA user_version = 999")

    assert opening(site_dir) == "database_newer"


@pytest.mark.parametrize("name", ["core.db", "readings.db"])
def test_a_missing_database_is_refused_and_not_made(site_dir, name):
    (site_dir / name).unlink()

    assert opening(site_dir) == "no_database"
    assert not (site_dir / name).exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(site_dir):
    (site_dir / "core.db").write_bytes(b"a spreadsheet, perhaps" * 100)

    assert opening(site_dir) == "database_unreadable"
    assert (site_dir / "core.db").read_bytes().startswith(b"a spreadsheet")


def test_an_empty_file_is_no_finished_database(site_dir):
    (site_dir / "core.db").write_bytes(b"")

    assert opening(site_dir) == "database_older"


def test_another_program_holding_the_lock_is_named_and_nothing_is_done(db, folder):
    base.core.execute_sql("PRAGMA busy_timeout = 50")
    with other_program(db / "core.db") as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(pw.DatabaseError, match="locked") as caught:
            site_import.import_tables(read(folder()), models=MODELS)

    assert store_error(caught.value).code == "locked"
    assert Meter.select().count() == 0


def test_a_full_disk_is_named_and_nothing_is_half_done(db, folder):
    pages = base.core.execute_sql("PRAGMA page_count").fetchone()[0]
    base.core.execute_sql(f"PRAGMA max_page_count = {pages}")
    with base.write_transaction():
        Building.create(code="before", name="x" * 10)

    with pytest.raises(pw.DatabaseError, match="full") as caught:
        add_buildings(5_000)

    assert store_error(caught.value).code == "disk_full"
    assert [row.code for row in Building.select()] == ["before"]


def add_buildings(count):
    with base.write_transaction():
        for number in range(count):
            Building.create(code=f"B{number}", name="x" * 200)


def test_a_file_that_may_not_grow_fails_like_a_full_disk(site_dir):
    """The system itself refuses the write, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", GROW, str(site_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000)),
        check=False,
    )

    assert done.stdout.strip() in ("disk_failed", "disk_full"), done.stderr
    with store.opened(site_dir):
        assert Building.select().count() == 0


GROW = """
import signal, sys
from pathlib import Path
from console.failures import store_error
from models import base, store
from models.site import Building

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with store.opened(Path(sys.argv[1])):
    try:
        with base.write_transaction():
            for number in range(5_000):
                Building.create(code=f"B{number}", name="x" * 200)
    except Exception as error:
        print(store_error(error).code)
"""


def test_a_database_that_may_only_be_read_is_named(db):
    base.core.execute_sql("PRAGMA query_only = 1")

    with pytest.raises(pw.DatabaseError, match="readonly") as caught, base.write_transaction():
        Building.create(code="A", name="x")

    assert store_error(caught.value).code == "read_only"


def test_an_old_sqlite_library_is_refused(site_dir, monkeypatch):
    monkeypatch.setattr(sqlite, "library_version", lambda: (3, 40, 1))

    assert opening(site_dir) == "sqlite_too_old"
