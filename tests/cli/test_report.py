"""`voltill report`: the same table as text, JSON and CSV; misuse is told before any of it."""

import csv
import datetime as dt
import io
import json

import pytest

from engine.services import ledger
from models import base, store
from models.accounts import Account, Installation
from models.enums import EntryKind

OWED = [
    "day", "tenant_number", "tenant", "shop", "serial", "total_fen", "meter_credit_fen",
    "in_flight_fen", "refund_payable_fen", "clearing_fen", "suspense_fen",
]  # fmt: skip


@pytest.fixture
def credit(site):
    """12.05 yuan in the one meter that a tenant has; the tenant is called like a formula."""
    with store.opened(site), base.write_transaction():
        found = ledger.take_over()
        ledger.post(found, ledger.meter_credit("202611230001"), 1_205, EntryKind.TAKE_OVER)
        Account.update(name="=cmd()").execute()


def test_owed_as_json_has_the_contracts_shape(on, credit):
    said = on("report", "owed", "--format", "json")

    assert said.status == 0
    shown = said.json
    assert list(shown) == ["title", "columns", "rows", "totals"]
    assert (shown["title"], shown["columns"]) == ("owed", OWED)
    assert [row[1:7] for row in shown["rows"]] == [
        ["T001", "=cmd()", "A-101", "202611230001", 1_205, 1_205]
    ]
    assert shown["totals"]["total_fen"] == 1_205


def test_json_is_the_same_in_every_language(on, credit):
    assert on("--lang", "en", "report", "drift", "--json").json["columns"][0] == "serial"
    assert on("--lang", "zh_CN", "report", "drift", "--json").json["columns"][0] == "serial"


def test_text_shows_yuan_and_totals(on, credit):
    said = on("--lang", "en", "report", "owed")

    assert said.out.splitlines()[0] == "Owed to tenants"
    assert "12.05" in said.out.splitlines()[2]
    assert said.out.splitlines()[-1].startswith("total")


def test_csv_disarms_a_formula_and_opens_in_a_spreadsheet(on, credit, tmp_path):
    file = tmp_path / "owed.csv"

    said = on("report", "owed", "--format", "csv", "-o", file)

    assert (said.status, said.out) == (0, "")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert rows[1][2] == "'=cmd()"
    assert rows[1][5] == "12.05"
    assert rows[2][5] == "12.05"


@pytest.fixture
def old(site):
    """The tenant came long ago."""
    with store.opened(site), base.write_transaction():
        Installation.update(opened_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).execute()


def test_drift_names_a_meter_that_was_never_held_to_the_books(on, old):
    shown = on("report", "drift", "--format", "json").json
    row = dict(zip(shown["columns"], shown["rows"][0], strict=True))

    assert (row["serial"], row["drift_fen"], row["asserted_s"]) == ("202611230001", None, None)
    assert row["overdue"] is True


def test_a_day_before_the_site_owed_nothing(on, credit):
    assert on("report", "owed", "--to", "2020-01-01", "--json").json["rows"] == []


@pytest.mark.parametrize(
    "words",
    [
        ["owed", "--format", "xlsx"],
        ["owed", "--from", "2026-11-25", "--to", "2026-11-24"],
        ["owed", "--from", "2020-01-01", "--to", "2026-11-24"],
        ["owed", "--from", "yesterday"],
        ["owed", "--to", "2026-02-30"],
        ["nothing"],
        [],
    ],
)
def test_misuse_is_told(on, words):
    said = on("--lang", "en", "report", *words)

    assert said.status == 2
    assert said.err.startswith("voltill: ")
    assert said.out == ""


def test_a_workbook_is_refused_with_what_to_use_instead(on):
    said = on("--lang", "en", "report", "owed", "--format", "xlsx")

    assert "--format csv" in said.err


def test_misuse_is_json_where_json_was_asked_for(on):
    words = ["--from", "2026-11-25", "--to", "2026-11-24", "--format", "json"]
    said = on("report", "owed", *words)

    assert json.loads(said.out)["error"]["code"] == "period_backwards"


def test_a_file_that_cannot_be_written_is_an_environment_error(on, tmp_path):
    said = on("report", "owed", "-o", tmp_path / "nowhere" / "owed.txt")

    assert said.status == 5


def test_verify_warns_and_tells_the_oldest_comparison(on, old):
    shown = on("verify", "--json")

    assert shown.status == 0
    assert shown.json["oldest_assertion_s"] is None
    assert [each["code"] for each in shown.json["warnings"]] == ["never_asserted"]
