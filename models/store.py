"""All tables of a site, made and recognised."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import peewee as pw

from models import base, sqlite
from models.accounts import Account, Installation, PlannedMeter
from models.cases import Approval, Decision, Exchange, PrintJob
from models.commands import Attempt, Command, Lease, Payment, Receipt, Transfer
from models.control import Batch, BatchItem, LockOut, Temporary
from models.deposits import Deposit
from models.ledger import DayFreeze, LedgerAccount, LedgerEntry
from models.metering import DayUse, Latest, LineHealth, MeterEvent, Owner, Reading, Sweep
from models.people import AuditEntry, Operator, Shift
from models.settings import AcceptedSetting, SettingDefault
from models.shifts import HandOver, ShiftCount
from models.site import Building, Gateway, Line, Meter
from models.tariffs import PriceChange, SpecialDay, StepCycle, Tariff, TariffVersion

CORE_VERSION = 3
READINGS_VERSION = 3
CORE_TABLES = (
    Building, Gateway, Line, Meter, Account, PlannedMeter, Installation, Operator, Shift,
    AuditEntry, Payment, Transfer, Command, Attempt, Receipt, Lease, LedgerAccount, LedgerEntry,
    DayFreeze, ShiftCount, HandOver, Deposit, Exchange, Approval, Decision, PrintJob, Tariff,
    TariffVersion, SpecialDay, StepCycle, PriceChange, SettingDefault, AcceptedSetting, LockOut,
    Batch, BatchItem, Temporary,
)  # fmt: skip
READINGS_TABLES = (Reading, DayUse, Latest, LineHealth, Sweep, MeterEvent, Owner)


def create(site: Path) -> None:
    """Make both database files in `site`, which must have none."""
    base.bind(site)
    with base.connection():
        with base.write_transaction():
            base.core.create_tables(CORE_TABLES)
            for table in (LedgerEntry, AuditEntry, Decision, TariffVersion):
                table.protect()
            sqlite.stamp(base.core.obj, CORE_VERSION)
        with base.readings_transaction():
            base.readings.create_tables(READINGS_TABLES)
            sqlite.stamp(base.readings.obj, READINGS_VERSION)


@contextlib.contextmanager
def opened(site: Path) -> Iterator[None]:
    """The site's databases bound and open for this thread.

    Raises StoreError: `no_database`, `database_newer` (made by a later version),
    `database_unreadable` (damaged, locked or not ours); the text names file and remedy.
    """
    bind(site)
    with base.connection():
        yield


def bind(site: Path) -> None:
    """Bind the databases and check that they are ours; see `opened` for what it raises."""
    for name in ("core.db", "readings.db"):
        if not (site / name).exists():
            raise sqlite.StoreError("no_database", path=str(site / name))
    base.bind(site)
    try:
        with base.connection():
            _require_version(base.core.obj, site / "core.db", CORE_VERSION)
            _require_version(base.readings.obj, site / "readings.db", READINGS_VERSION)
    except pw.DatabaseError as error:
        raise sqlite.StoreError("database_unreadable", path=str(site), why=str(error)) from error


def _require_version(database: pw.Database, path: Path, known: int) -> None:
    found = sqlite.schema_version(database)
    if found > known:
        raise sqlite.StoreError("database_newer", path=str(path), found=found, known=known)
    if found < known:
        raise sqlite.StoreError("database_older", path=str(path), found=found, known=known)
