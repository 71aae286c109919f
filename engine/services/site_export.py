"""The site's configuration back out as the import tables: importing an export changes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine import tables
from engine.services import accounts
from engine.services.import_columns import TABLES
from models.accounts import Account, Installation
from models.site import Building, Gateway, Line, Meter
from models.tariffs import Tariff, TariffVersion

Values = Mapping[str, object]


def export_config(path: Path) -> dict[str, int]:
    """Write all tables to `path`: a workbook if it ends in .xlsx, else a folder of CSV files.

    Returns rows by table. Raises OSError where it cannot be written.
    """
    sheets = {name: (_header(name), list(_texts(name))) for name in TABLES}
    if path.suffix.lower() == ".xlsx":
        tables.write_workbook(path, sheets)
    else:
        path.mkdir(parents=True, exist_ok=True)
        for name, (columns, rows) in sheets.items():
            tables.write_csv(path, name, columns, rows)
    return {name: len(rows) for name, (_, rows) in sheets.items()}


def _header(table: str) -> list[str]:
    return [column.name for column in TABLES[table]]


def _texts(table: str) -> Iterator[list[str]]:
    for values in SOURCES[table]():
        yield [column.text(values[column.field]) for column in TABLES[table]]


def _buildings() -> Iterator[Values]:
    for row in Building.select().order_by(Building.code):
        yield row.__data__


def _lines() -> Iterator[Values]:
    query = Line.select(Line, Gateway, Building).join(Gateway).join(Building).order_by(Line.name)
    for row in query:
        gateway = row.gateway
        yield row.__data__ | {"gateway": gateway.name, "building": gateway.building.code}


def _tariffs() -> Iterator[Values]:
    order = (Tariff.name, TariffVersion.valid_from)
    query = TariffVersion.select(TariffVersion, Tariff).join(Tariff)
    for row in query.where(TariffVersion.withdrawn_at.is_null()).order_by(*order):
        yield row.__data__ | {"tariff": row.tariff.name}


def _meters() -> Iterator[Values]:
    query = (
        Meter.select(Meter, Line, Building)
        .join(Line)
        .join_from(Meter, Building)
        .where(Meter.retired_at.is_null())
        .order_by(Line.name, Meter.address)
    )
    for row in query:
        yield row.__data__ | {"line": row.line.name, "building": row.building.code}


def _tenants() -> Iterator[Values]:
    serials: defaultdict[int, list[str]] = defaultdict(list)
    opened = (
        Installation.select(Installation, Meter, Account)
        .join(Meter)
        .join_from(Installation, Account)
        .where(Installation.closed_at.is_null())
        .order_by(Meter.serial)
    )
    for installation in opened:
        serials[installation.account.id].append(installation.meter.serial)
    for row in Account.select().where(Account.closed_at.is_null()).order_by(Account.number):
        planned = accounts.planned_of(row)
        yield row.__data__ | {"meters": serials[row.id], "planned": planned}


SOURCES = {
    "buildings": _buildings,
    "lines": _lines,
    "tariffs": _tariffs,
    "meters": _meters,
    "tenants": _tenants,
}
