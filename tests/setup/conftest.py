"""Import tables of a small site, to be changed cell by cell."""

import csv

import pytest

from engine import tables
from engine.services import site_import

MODELS = ("DDSY1352-NK", "DTSY1352-NK")
LINE = {
    "line": "L01", "gateway": "W1", "building": "A", "location": "1F电井", "link": "rtu-tcp",
    "host": "10.0.0.5", "port": "4001", "device": "", "baud": "9600", "parity": "N",
    "stop_bits": "1", "security": "none",
}  # fmt: skip
METER = {
    "serial": "202611230001", "model": "DDSY1352-NK", "line": "L01", "address": "1",
    "building": "A", "location": "1F电井", "shop": "A-101", "ct_ratio": "1", "kind": "prepaid",
    "floor": "1F", "tariff": "商铺", "alarm1_yuan": "20", "alarm2_yuan": "5.50", "overload_w": "",
    "interval_min": "", "parent": "", "protected": "",
}  # fmt: skip
TARIFF = {
    "tariff": "商铺", "valid_from": "2026-01-01", "price_sharp": "1.2580", "price_peak": "1.049",
    "price_flat": "0.682", "price_valley": "0.345", "schedule": "", "steps": "", "cycle": "",
}  # fmt: skip
TENANT = {"number": "T001", "name": "万达广场", "phone": "", "meters": "202611230001"}


@pytest.fixture
def sheets():
    """The rows of each table, for a test to change."""
    return {
        "buildings": [{"building": "A", "name": "主楼"}],
        "lines": [dict(LINE)],
        "meters": [dict(METER), METER | {"serial": "202611230002", "address": "2"}],
        "tariffs": [dict(TARIFF)],
        "tenants": [dict(TENANT)],
    }


@pytest.fixture
def folder(tmp_path, sheets):
    """Write `sheets` as CSV files; a table that is None is left out."""

    def folder():
        place = tmp_path / "tables"
        place.mkdir(exist_ok=True)
        for name, rows in sheets.items():
            if rows is not None:
                with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, rows[0].keys())
                    writer.writeheader()
                    writer.writerows(rows)
        return place

    return folder


@pytest.fixture
def load(db, folder):
    """Import what `sheets` say now."""

    def load(**options):
        return site_import.import_tables(tables.read(folder()), models=MODELS, **options)

    return load
