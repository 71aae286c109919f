"""What the databases themselves hold, whatever program writes to them."""

import datetime as dt

import peewee as pw
import pytest

from models import base, store
from models.base import write_transaction
from models.commands import Command
from models.enums import CommandKind, CommandState
from models.ledger import LedgerEntry
from models.metering import Reading
from models.people import AuditEntry, Operator, Shift
from models.site import Meter
from models.sqlite import StoreError


def queue(meter: Meter, request_id: str, **fields: object) -> Command:
    with write_transaction():
        return Command.create(
            request_id=request_id,
            kind=CommandKind.SELL,
            counted=True,
            meter=meter,
            meter_epoch=meter.epoch,
            serial=meter.serial,
            created_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
            **fields,
        )


@pytest.fixture
def entry(db) -> None:
    """One row in the ledger and one in the log, links and all left out."""
    with write_transaction():
        base.core.execute_sql("INSERT INTO ledgeraccount (id, kind, key) VALUES (1, 'cash', '')")
        base.core.execute_sql(
            "INSERT INTO ledgerentry (debit_id, credit_id, amount_fen, kind, posted_at, chain) "
            "VALUES (1, 1, 100, 'sale', 0, x'00')"
        )
        base.core.execute_sql(
            "INSERT INTO auditentry (at, operator, action, subject, detail, chain) "
            "VALUES (0, 'system', 'init', '', '{}', x'00')"
        )


@pytest.mark.parametrize("table", [LedgerEntry, AuditEntry])
def test_a_row_of_ledger_or_log_is_never_changed(entry, table):
    with pytest.raises(pw.IntegrityError, match="append-only"):
        table.update(chain=b"\x01").execute()
    assert bytes(table.get().chain) == b"\x00"


@pytest.mark.parametrize("table", [LedgerEntry, AuditEntry])
def test_a_row_of_ledger_or_log_is_never_deleted(entry, table):
    with pytest.raises(pw.IntegrityError, match="append-only"):
        table.delete().execute()
    assert table.select().count() == 1


@pytest.mark.parametrize("table", ["ledgerentry", "auditentry"])
def test_a_row_of_ledger_or_log_is_not_replaced(entry, table):
    columns = [column.name for column in base.core.get_columns(table)]
    row = ", ".join(columns)

    with pytest.raises(pw.IntegrityError, match="append-only"):
        base.core.execute_sql(f"INSERT OR REPLACE INTO {table} ({row}) SELECT {row} FROM {table}")


@pytest.mark.parametrize("amount", ["0.5", "100.5", "'much'"])
def test_money_that_is_not_whole_fen_is_refused(entry, amount):
    with pytest.raises(pw.IntegrityError):
        base.core.execute_sql(
            "INSERT INTO ledgerentry (debit_id, credit_id, amount_fen, kind, posted_at, chain) "
            f"VALUES (1, 1, {amount}, 'sale', 0, x'00')"
        )


@pytest.mark.parametrize("amount", [0, -1])
def test_an_entry_moves_more_than_nothing(entry, amount):
    with pytest.raises(pw.IntegrityError):
        base.core.execute_sql(
            "INSERT INTO ledgerentry (debit_id, credit_id, amount_fen, kind, posted_at, chain) "
            f"VALUES (1, 1, {amount}, 'sale', 0, x'00')"
        )


def test_energy_that_is_not_whole_wh_is_refused(db):
    with pytest.raises(pw.IntegrityError):
        base.readings.execute_sql(
            "INSERT INTO reading (slot, meter_id, read_at, energy_wh) VALUES (0, 1, 0, 0.5)"
        )
    assert Reading.select().count() == 0


@pytest.mark.parametrize("state", [CommandState.QUEUED, CommandState.SENT, CommandState.UNKNOWN])
def test_a_meter_has_one_open_counted_command(meter, state):
    queue(meter, "r1", state=state)

    with pytest.raises(pw.IntegrityError):
        queue(meter, "r2")


@pytest.mark.parametrize("state", [state for state in CommandState if not state.open])
def test_a_command_that_has_ended_does_not_hold_the_meter(meter, state):
    queue(meter, "r1", state=state)

    assert queue(meter, "r2").id == 2


def test_a_purchase_count_is_used_once_in_an_epoch(meter):
    queue(meter, "r1", state=CommandState.APPLIED, seq=5)

    with pytest.raises(pw.IntegrityError):
        queue(meter, "r2", state=CommandState.SENT, seq=5)


def test_a_refused_count_may_be_used_again(meter):
    queue(meter, "r1", state=CommandState.REFUSED, seq=5)

    assert queue(meter, "r2", state=CommandState.SENT, seq=5).seq == 5


def test_an_operator_has_one_open_shift(operator, clock):
    with write_transaction():
        Shift.create(operator=operator, opened_at=clock.at, closed_at=clock.at)
        Shift.create(operator=operator, opened_at=clock.at)

    with pytest.raises(pw.IntegrityError), write_transaction():
        Shift.create(operator=operator, opened_at=clock.at)


def test_two_living_meters_do_not_share_an_address(add_meter):
    first, second = add_meter("202611230001"), add_meter("202611230002")

    with pytest.raises(pw.IntegrityError), write_transaction():
        Meter.update(address=first.address).where(Meter.id == second.id).execute()


def test_a_retired_meter_leaves_its_address_free(add_meter, clock):
    first, second = add_meter("202611230001"), add_meter("202611230002")

    with write_transaction():
        Meter.update(retired_at=clock.at).where(Meter.id == first.id).execute()
        Meter.update(address=first.address).where(Meter.id == second.id).execute()

    assert Meter.get_by_id(second.id).address == first.address


@pytest.mark.parametrize("address", [0, 248])
def test_an_address_outside_1_to_247_is_refused(meter, address):
    with pytest.raises(pw.IntegrityError), write_transaction():
        Meter.update(address=address).execute()


def test_an_instant_survives_to_the_millisecond_and_is_utc(operator):
    at = dt.datetime(2026, 11, 23, 9, 0, 0, 123_000, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    with write_transaction():
        Operator.update(disabled_at=at).execute()

    found = Operator.get().disabled_at
    assert found == at
    assert found.tzinfo is dt.UTC


def test_an_instant_without_a_zone_is_a_mistake_of_ours(operator):
    with pytest.raises(AssertionError):
        Operator.update(disabled_at=dt.datetime(2026, 11, 23)).execute()  # noqa: DTZ001 (meant)


def test_a_code_the_program_does_not_know_is_not_stored(operator):
    with pytest.raises(ValueError, match="king"):
        Operator.update(role="king").execute()


def test_what_a_transaction_wrote_before_it_failed_is_gone(operator):
    def fail() -> None:
        with write_transaction():
            Operator.update(name="王强").execute()
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert Operator.get().name == "李娜"


def test_a_writing_transaction_is_never_inside_another(db):
    with pytest.raises(AssertionError, match="outermost"), write_transaction(), write_transaction():
        pass


@pytest.mark.parametrize("name", ["core.db", "readings.db"])
def test_a_database_of_a_later_version_is_refused_by_name(site_dir, name):
    stamp(site_dir / name, 99)

    with pytest.raises(StoreError) as caught, store.opened(site_dir):
        pass
    assert caught.value.code == "database_newer"
    assert caught.value.params == {"path": str(site_dir / name), "found": 99, "known": 3}


def test_a_database_of_an_earlier_version_is_refused_too(site_dir):
    stamp(site_dir / "core.db", 0)

    with pytest.raises(StoreError) as caught, store.opened(site_dir):
        pass
    assert caught.value.code == "database_older"


@pytest.mark.parametrize("name", ["core.db", "readings.db"])
def test_a_database_that_is_missing_is_named(site_dir, name):
    (site_dir / name).unlink()

    with pytest.raises(StoreError) as caught, store.opened(site_dir):
        pass
    assert (caught.value.code, caught.value.params["path"]) == ("no_database", str(site_dir / name))


def test_a_file_that_is_no_database_is_refused(site_dir):
    (site_dir / "core.db").write_bytes(b"this is a letter" * 1000)

    with pytest.raises(StoreError) as caught, store.opened(site_dir):
        pass
    assert caught.value.code == "database_unreadable"


def test_every_connection_syncs_money_fully_and_checks_foreign_keys(db):
    def pragma(database: pw.Database, name: str) -> object:
        return database.execute_sql(f"PRAGMA {name}").fetchone()[0]

    assert (pragma(base.core, "journal_mode"), pragma(base.core, "synchronous")) == ("wal", 2)
    assert (pragma(base.readings, "journal_mode"), pragma(base.readings, "synchronous")) == (
        "wal", 1,
    )  # fmt: skip
    assert pragma(base.core, "foreign_keys") == 1


def stamp(path, version: int) -> None:
    connection = pw.sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
