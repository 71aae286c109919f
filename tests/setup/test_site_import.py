"""Quick configuration: all or nothing, and every error with its place."""

import openpyxl
import pytest

from engine import tables
from engine.services import chain, site_export, site_import
from engine.views import meters as meter_views
from models import base
from models.accounts import Account, Installation, PlannedMeter
from models.commands import Command
from models.enums import CommandKind, CommandState, MeterKind
from models.people import AuditEntry
from models.site import Gateway, Line, Meter
from models.store import CORE_TABLES
from models.tariffs import TariffVersion
from tests.setup.conftest import METER, MODELS, TENANT


def picture():
    """Every row of core.db."""
    return {table.__name__: list(table.select().tuples()) for table in CORE_TABLES}


def places(problems):
    return [(each.code, each.file, each.row, each.column) for each in problems]


def test_a_whole_site_comes_in_at_once(load):
    report = load()

    assert (report.added, report.changed, report.unchanged) == (6, 0, 0)
    assert (report.errors, report.warnings) == ([], [])
    meter = Meter.get(Meter.serial == "202611230001")
    assert (meter.line.name, meter.line.gateway.name, meter.building.code) == ("L01", "W1", "A")
    assert (meter.alarm1_fen, meter.alarm2_fen, meter.overload_w) == (2000, 550, None)
    assert Gateway.get().location == "1F电井"


def test_a_tenants_meters_are_opened_and_found_by_pinyin_initials(load):
    load()

    assert Account.get().initials == "WDGC"
    assert [row.meter.serial for row in Installation.select()] == ["202611230001"]
    assert Installation.get().taken_over is False


def test_the_same_again_changes_nothing_and_leaves_no_trace(load):
    load()
    before = picture()

    report = load()

    assert (report.added, report.changed, report.unchanged) == (0, 0, 6)
    assert picture() == before


def test_a_dry_run_says_what_would_be_and_changes_nothing(load):
    before = picture()

    report = load(dry_run=True)

    assert report.added == 6
    assert picture() == before


def test_one_wrong_cell_keeps_everything_out(load, sheets):
    sheets["tenants"][0]["meters"] = "999999999999"
    before = picture()

    report = load()

    assert (report.added, report.changed) == (0, 0)
    assert places(report.errors) == [("unknown_meter", "tenants.csv", 2, "meters")]
    assert picture() == before


def test_all_errors_are_told_at_once_and_each_once(load, sheets):
    sheets["lines"][0]["baud"] = "9601"
    sheets["meters"][0]["address"] = "0"
    sheets["meters"][1]["model"] = "XYZ"

    report = load()

    assert places(report.errors) == [
        ("bad_choice", "lines.csv", 2, "baud"),
        ("bad_address", "meters.csv", 2, "address"),
        ("unknown_model", "meters.csv", 3, "model"),
    ]


@pytest.mark.parametrize(
    ("table", "column", "text", "code"),
    [
        ("buildings", "building", "", "empty"),
        ("buildings", "name", "", "empty"),
        ("lines", "link", "rtu", "bad_choice"),
        ("lines", "host", "", "end_missing"),
        ("lines", "port", "", "end_missing"),
        ("lines", "port", "0", "bad_number"),
        ("lines", "port", "70000", "bad_number"),
        ("lines", "port", "COM1", "bad_number"),
        ("lines", "baud", "9601", "bad_choice"),
        ("lines", "parity", "X", "bad_choice"),
        ("lines", "stop_bits", "3", "bad_number"),
        ("lines", "security", "ssl", "bad_choice"),
        ("lines", "building", "Z", "unknown_building"),
        ("meters", "serial", "1234", "bad_serial"),
        ("meters", "serial", "2.02611E+11", "bad_serial"),
        ("meters", "address", "0", "bad_address"),
        ("meters", "address", "248", "bad_address"),
        ("meters", "address", "1.5", "bad_address"),
        ("meters", "address", "", "bad_address"),
        ("meters", "model", "XYZ", "unknown_model"),
        ("meters", "line", "L99", "unknown_line"),
        ("meters", "building", "Z", "unknown_building"),
        ("meters", "tariff", "nobody's", "unknown_tariff"),
        ("meters", "kind", "postpaid", "bad_choice"),
        ("meters", "ct_ratio", "0", "bad_number"),
        ("meters", "alarm1_yuan", "twenty", "bad_money"),
        ("meters", "alarm1_yuan", "1.005", "bad_money"),
        ("meters", "alarm2_yuan", "-1", "bad_money"),
        ("meters", "overload_w", "70000", "bad_number"),
        ("meters", "overload_trips_max", "65536", "bad_number"),
        ("meters", "overload_recovery_min", "256", "bad_number"),
        ("meters", "overdraft_yuan", "-1", "bad_money"),
        ("meters", "time_control", "06:00 on", "bad_time_control"),
        ("meters", "time_control", "00:00 on, 25:00 off", "bad_time_control"),
        ("meters", "interval_min", "0", "bad_number"),
        ("meters", "parent", "202611230001", "own_parent"),
        ("meters", "parent", "999999999999", "unknown_meter"),
        ("meters", "protected", "maybe", "bad_choice"),
        ("meters", "shop", "A" * 201, "bad_text"),
        ("tariffs", "price_sharp", "cheap", "bad_price"),
        ("tariffs", "price_peak", "-0.1", "bad_price"),
        ("tariffs", "price_flat", "0.12345", "bad_price"),
        ("tariffs", "price_valley", "NaN", "bad_price"),
        ("tariffs", "price_valley", "101", "bad_price"),
        ("tariffs", "valid_from", "2026-02-30", "bad_day"),
        ("tariffs", "valid_from", "soon", "bad_day"),
        ("tenants", "number", "", "empty"),
        ("tenants", "number", "T 1", "bad_tenant_number"),
        ("tenants", "name", "", "empty"),
        ("tenants", "name", "=cmd()", "bad_tenant_name"),
        ("tenants", "name", "茶\x00馆", "bad_tenant_name"),
        ("tenants", "name", "面" * 101, "bad_tenant_name"),
        ("tenants", "phone", "13800138000;12", "bad_phone"),
        ("tenants", "id_number", "11010519491231002Y", "bad_id_number"),
        ("tenants", "lease_to", "2025-12-31", "lease_order"),
        ("tenants", "lease_from", "soon", "bad_day"),
        ("tenants", "fee_pct", "51", "bad_fee_pct"),
        ("tenants", "planned", "202611230009", "unknown_meter"),
        ("tenants", "meters", "1;2", "bad_serial"),
        ("tenants", "meters", "202611230001;202611230001", "serial_twice"),
        ("tenants", "meters", "202611230001;202611230009", "unknown_meter"),
    ],
)
def test_a_wrong_cell_is_named_with_its_place(load, sheets, table, column, text, code):
    if (table, column) == ("tenants", "lease_to"):
        sheets[table][0]["lease_from"] = "2026-01-01"
    sheets[table][0][column] = text

    report = load()

    assert (code, f"{table}.csv", 2, column) in places(report.errors)
    assert Meter.select().count() == 0


@pytest.mark.parametrize(
    ("table", "column"),
    [("meters", "serial"), ("buildings", "building"), ("tenants", "number"), ("lines", "line")],
)
def test_a_key_that_stands_twice_names_both_rows(load, sheets, table, column):
    sheets[table].append(dict(sheets[table][0]))

    report = load()

    double = next(each for each in report.errors if each.code == "double_key")
    assert (double.column, double.row, double.params["first"]) == (
        column, len(sheets[table]) + 1, 2
    )  # fmt: skip


def test_two_meters_at_one_address_name_each_other(load, sheets):
    sheets["meters"][1]["address"] = "1"

    report = load()

    assert places(report.errors) == [("address_taken", "meters.csv", 3, "address")]
    assert report.errors[0].params["serial"] == "202611230001"


def test_an_address_that_a_stored_meter_has_is_taken_too(load, sheets):
    load()
    sheets["meters"] = [METER | {"serial": "202611230003", "address": "2"}]

    report = load()

    assert places(report.errors) == [("address_taken", "meters.csv", 2, "address")]


def test_two_meters_may_swap_their_addresses(load, sheets):
    load()
    sheets["meters"][0]["address"], sheets["meters"][1]["address"] = "2", "1"

    report = load()

    assert (report.errors, report.changed) == ([], 2)
    assert Meter.get(Meter.serial == "202611230001").address == 2
    assert Meter.select().where(Meter.retired_at.is_null()).count() == 2


@pytest.mark.parametrize(("meters", "warned"), [(30, False), (31, True)])
def test_a_line_with_more_than_thirty_meters_is_a_warning(load, sheets, meters, warned):
    sheets["meters"] = [
        METER | {"serial": f"{202611230000 + number}", "address": str(number)}
        for number in range(1, meters + 1)
    ]

    report = load()

    assert report.errors == []
    assert [each.code for each in report.warnings] == ["line_crowded"] * warned


def test_two_lines_at_one_port_are_refused(load, sheets):
    sheets["lines"].append(sheets["lines"][0] | {"line": "L02", "host": "10.0.0.5"})

    assert places(load().errors) == [("end_taken", "lines.csv", 3, "port")]


def test_a_serial_line_needs_a_device_and_no_port(load, sheets):
    sheets["lines"][0] |= {"link": "serial", "host": "", "port": "", "device": "/dev/ttyUSB0"}

    assert load().errors == []
    assert Line.get().port is None


def test_one_gateway_cannot_stand_in_two_buildings(load, sheets):
    sheets["buildings"].append({"building": "B", "name": "配楼"})
    sheets["lines"].append(sheets["lines"][0] | {"line": "L02", "port": "4002", "building": "B"})

    assert places(load().errors) == [("gateway_in_two", "lines.csv", 3, "building")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"link": "modbus-tcp"}, "link_not_served"),
        ({"security": "tls"}, "security_not_served"),
    ],
)
def test_what_is_accepted_but_not_served_yet_is_a_warning(load, sheets, change, code):
    sheets["lines"][0] |= change

    report = load()

    assert (report.errors, [each.code for each in report.warnings]) == ([], [code])


def test_a_missing_and_an_unknown_column_are_told_in_the_header_row(load, sheets):
    for row in sheets["meters"]:
        del row["address"]
        row["adress"] = "1"

    found = places(load().errors)

    assert ("unknown_column", "meters.csv", 1, "adress") in found
    assert ("missing_column", "meters.csv", 1, "address") in found


def test_an_optional_column_that_is_absent_keeps_what_is_stored(load, sheets):
    load()
    for row in sheets["meters"]:
        del row["alarm1_yuan"], row["floor"]

    report = load()

    assert (report.changed, report.errors) == (0, [])
    assert Meter.get().alarm1_fen == 2000


def test_an_unknown_table_is_a_warning_and_one_alone_an_error(load, sheets, folder, db):
    sheets["notes"] = [{"anything": "1"}]
    assert [each.code for each in load().warnings] == ["unknown_table"]

    for name in ("buildings", "lines", "meters", "tariffs", "tenants"):
        (folder() / f"{name}.csv").unlink()
        sheets[name] = None
    assert [each.code for each in load().errors] == ["no_known_table"]


def test_numbers_of_a_spreadsheet_get_their_zeros_back_with_a_warning(db, sheets, tmp_path):
    sheets["meters"] = [METER | {"serial": 123, "ct_ratio": 40.0}]
    sheets["tenants"][0]["meters"] = 123
    path = tmp_path / "site.xlsx"
    write_workbook(path, sheets)

    report = site_import.import_tables(tables.read(path), models=MODELS)

    assert report.errors == []
    assert [(each.code, each.row, each.column) for each in report.warnings] == [
        ("serial_padded", 2, "serial"), ("serial_padded", 2, "meters")
    ]  # fmt: skip
    assert (Meter.get().serial, Meter.get().ct_ratio) == ("000000000123", 40)
    assert Installation.get().meter == Meter.get()


def write_workbook(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    book.save(path)


def test_a_changed_row_counts_and_shows_on_screens(load, sheets, clock):
    load()
    rev, _ = meter_views.rows(now=clock.at)
    sheets["tenants"][0]["name"] = "重庆小面"

    report = load()

    assert (report.changed, report.unchanged) == (1, 5)
    assert Account.get().initials == "CQXM"
    _, rows = meter_views.rows(rev, now=clock.at)
    assert "重庆小面" in [row.tenant for row in rows]


def test_an_import_is_written_into_the_log(load):
    load(source="site.xlsx")

    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.action, entry.subject, entry.detail) == (
        "import", "site.xlsx", '{"added":6,"changed":0}'
    )  # fmt: skip
    assert chain.first_broken(AuditEntry) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"model": "DTSY1352-NK"}, "model_changed", id="another model"),
        pytest.param({"kind": "ordinary"}, "kind_changed", id="another kind"),
        pytest.param({"address": "9"}, "meter_busy", id="moved in mid-sale"),
    ],
)
def test_a_meter_in_use_is_not_changed_under_its_sale(load, sheets, clock, change, code):
    load()
    make_sale(clock, CommandState.QUEUED)
    sheets["meters"][0] |= change

    assert [each.code for each in load().errors] == [code]


def make_sale(clock, state):
    meter = Meter.get(Meter.serial == "202611230001")
    with base.write_transaction():
        Command.create(
            request_id="r", kind=CommandKind.SELL, counted=True, state=state, meter=meter,
            meter_epoch=1, serial=meter.serial, amount_fen=100, created_at=clock.at,
        )  # fmt: skip


def test_a_meter_with_a_history_may_move_with_a_warning(load, sheets, clock):
    load()
    make_sale(clock, CommandState.APPLIED)
    sheets["meters"][0]["address"] = "9"

    report = load()

    assert ([each.code for each in report.warnings], report.changed) == (["meter_moved"], 1)


def test_a_tenant_is_known_with_all_that_the_columns_say(load, sheets):
    sheets["tenants"][0] |= {
        "phone": "13800138000、010-62345678", "id_number": "11010519491231002x",
        "lease_from": "2026/1/1", "lease_to": "2027-12-31", "fee_pct": "2.50%", "note": "二楼",
        "planned": "202611230002",
    }  # fmt: skip

    assert load().errors == []

    row = Account.get()
    assert (row.phone, row.id_number) == ("13800138000;010-62345678", "11010519491231002X")
    assert (row.lease_from, row.lease_to) == ("2026-01-01", "2027-12-31")
    assert (row.fee_pct, row.note) == ("2.5", "二楼")
    assert row.rev > 0
    assert [each.meter.serial for each in PlannedMeter.select()] == ["202611230002"]
    assert Installation.get().shop == "A-101"


def test_a_meter_that_was_planned_is_kept_no_longer_once_it_is_opened(load, sheets):
    sheets["tenants"][0]["planned"] = "202611230002"
    load()
    sheets["tenants"][0]["meters"] = "202611230001;202611230002"

    assert (load().changed, load().changed) == (1, 0)
    assert PlannedMeter.select().count() == 0


def test_a_meter_is_kept_for_one_tenant(load, sheets):
    other = sheets["tenants"][0] | {"number": "T002", "meters": "", "planned": "202611230002"}
    sheets["tenants"][0]["planned"] = "202611230002"
    sheets["tenants"].append(other)
    assert places(load().errors) == [("meter_kept", "tenants.csv", 3, "planned")]

    sheets["tenants"] = [sheets["tenants"][0]]
    load()
    sheets["tenants"] = [TENANT | {"number": "T002", "meters": "202611230002"}]
    assert places(load().errors) == [("meter_kept", "tenants.csv", 2, "meters")]


@pytest.mark.parametrize("order", [1, -1], ids=["who has it first", "who comes first"])
def test_a_meter_may_be_kept_for_who_comes_after_its_tenant(load, sheets, tmp_path, order):
    next_one = TENANT | {"number": "T002", "meters": "", "planned": "202611230001"}
    sheets["tenants"] = [sheets["tenants"][0] | {"planned": ""}, next_one][::order]

    assert load().errors == []
    assert Installation.get().account.number == "T001"
    assert PlannedMeter.get().account.number == "T002"
    site_export.export_config(tmp_path / "out")
    again = site_import.import_tables(tables.read(tmp_path / "out"), models=MODELS)
    assert (again.errors, again.changed, again.added) == ([], 0, 0)


def test_an_ordinary_meter_is_not_kept_for_opening(load, sheets):
    sheets["meters"][1]["kind"] = "ordinary"
    sheets["tenants"][0]["planned"] = "202611230002"

    assert places(load().errors) == [("planned_ordinary", "tenants.csv", 2, "planned")]


def test_a_retired_number_is_not_used_again(load, clock):
    load()
    with base.write_transaction():
        Meter.update(retired_at=clock.at).where(Meter.serial == "202611230002").execute()

    assert places(load().errors) == [("meter_retired", "meters.csv", 3, "serial")]


def test_no_import_takes_a_meter_from_its_tenant(load, sheets):
    load()
    sheets["tenants"] = [sheets["tenants"][0] | {"number": "T002"}]

    assert places(load().errors) == [("meter_of_other", "tenants.csv", 2, "meters")]


def test_two_tenants_cannot_have_one_meter(load, sheets):
    sheets["tenants"].append(sheets["tenants"][0] | {"number": "T002"})

    assert places(load().errors) == [("meter_of_other", "tenants.csv", 3, "meters")]


def test_a_tenants_meter_that_is_left_out_is_kept_and_said(load, sheets):
    load()
    sheets["tenants"][0]["meters"] = ""

    report = load()

    assert [each.code for each in report.warnings] == ["meters_kept"]
    assert Installation.select().count() == 1


def test_a_closed_tenant_is_not_opened_by_an_import(load, clock):
    load()
    with base.write_transaction():
        Account.update(closed_at=clock.at).execute()

    assert places(load().errors) == [("tenant_closed", "tenants.csv", 2, "number")]


def test_alarms_the_wrong_way_round_are_a_warning(load, sheets):
    sheets["meters"][0] |= {"alarm1_yuan": "5", "alarm2_yuan": "20"}

    assert [each.code for each in load().warnings] == ["alarms_crossed"]


def test_an_ordinary_meter_is_linked_to_its_tenant(load, sheets):
    sheets["meters"][0]["kind"] = "ordinary"

    assert load().errors == []
    assert Meter.get().kind is MeterKind.ORDINARY
    assert Installation.select().count() == 1


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
def test_importing_an_export_changes_nothing(load, sheets, tmp_path, name):
    sheets["meters"][0] |= {
        "protected": "是", "interval_min": "5", "parent": "202611230002", "overload_w": "3000",
        "shop": "=1+1", "overload_trips_max": "3", "overload_recovery_min": "5",
        "overdraft_yuan": "50.5", "time_control": "0:00 关，6:00 开；周日 00:00 关",
    }  # fmt: skip
    sheets["tenants"][0] |= {
        "name": "@张三", "phone": "+85223456789;13800138000", "id_number": "11010519491231002X",
        "lease_from": "2026-01-01", "lease_to": "", "fee_pct": "2.5", "note": "-",
        "planned": "202611230002",
    }  # fmt: skip
    sheets["tariffs"].append(sheets["tariffs"][0] | {"valid_from": "2027/1/1"})
    load()
    before = picture()

    site_export.export_config(tmp_path / name)
    report = site_import.import_tables(tables.read(tmp_path / name), models=MODELS)

    assert (report.errors, report.warnings) == ([], [])
    assert (report.added, report.changed, report.unchanged) == (0, 0, 7)
    assert picture() == before


def test_a_tariff_has_its_prices_exactly(load):
    load()

    assert [str(price) for price in TariffVersion.get().prices] == [
        "1.2580", "1.0490", "0.6820", "0.3450"
    ]  # fmt: skip


def test_a_lines_own_timing_comes_in_and_stays_when_its_columns_are_left_out(load, sheets):
    timing = {"interval_min": "1", "timeout_ms": "500", "gap_ms": "20", "retries": "1"}
    sheets["lines"][0].update(timing)
    load()
    for column in timing:
        del sheets["lines"][0][column]

    report = load()

    assert report.unchanged == 6
    line = Line.get()
    assert (line.interval_s, line.timeout_ms, line.gap_ms, line.retries) == (60, 500, 20, 1)


@pytest.mark.parametrize(
    ("column", "text"),
    [("interval_min", "0"), ("timeout_ms", "5"), ("gap_ms", "-1"), ("retries", "99")],
)
def test_a_timing_no_line_can_keep_is_refused(load, sheets, column, text):
    sheets["lines"][0][column] = text

    report = load()

    assert places(report.errors) == [("bad_number", "lines.csv", 2, column)]
