"""Commands without an engine: their JSON, their exit status, and what they never change."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console import failures
from engine import i18n
from models import base, store
from models.enums import LineState
from models.metering import LineHealth
from models.people import AuditEntry

ROOT = Path(__file__).parents[2]
OPENED, NOT_OPENED = "202611230001", "202611230002"


def error_of(said):
    return said.json["error"]["code"]


def sell(on, as_boss, *words, serial=OPENED, yuan="100"):
    return on("sell", serial, yuan, "--pay", "cash", "--wait", "0", "--json", *as_boss, *words)


def test_init_refuses_a_directory_in_use(site, run, password_file):
    said = run("init", site, "--admin", "x", "--password-file", password_file)

    assert said.status == 1
    assert str(site) in said.err


def test_init_refuses_a_weak_password(run, tmp_path):
    (tmp_path / "weak").write_text("123456789\n")

    said = run("init", tmp_path / "new", "--admin", "boss", "--password-file", tmp_path / "weak")

    assert (said.status, (tmp_path / "new").exists()) == (1, False)


def test_init_without_a_terminal_asks_nothing(run, tmp_path):
    said = run("init", tmp_path / "new", "--admin", "boss")

    assert (said.status, (tmp_path / "new").exists()) == (2, False)
    assert "--password-file" in said.err


def test_importing_again_changes_nothing(on, write_tables):
    assert on("import", write_tables(), "--json").json == {
        "added": 0, "changed": 0, "unchanged": 6, "errors": [], "warnings": []
    }  # fmt: skip


def test_a_dry_run_changes_nothing(on, write_tables):
    said = on("import", write_tables(port=9), "--dry-run", "--json")

    assert (said.status, said.json["changed"]) == (0, 1)
    assert on("import", write_tables(port=9), "--json").json["changed"] == 1


def test_an_import_error_has_place_message_and_remedy(on, write_tables):
    folder = write_tables()
    meters = folder / "meters.csv"
    meters.write_text(meters.read_text().replace("L01,2,", "L01,248,"), encoding="utf-8")

    said = on("import", folder, "--json")

    assert said.status == 1
    assert (said.json["added"], said.json["changed"]) == (0, 0)
    error = said.json["errors"][0]
    assert (error["file"], error["row"], error["column"]) == ("meters.csv", 3, "address")
    assert "248" in error["message"]
    assert error["remedy"]


def test_an_export_comes_back_unchanged(on, tmp_path):
    assert on("export-config", tmp_path / "out").status == 0

    assert on("import", tmp_path / "out", "--json").json["unchanged"] == 6


def test_status_has_every_part_before_anything_was_read(on):
    found = on("status", "--json").json

    assert found["engine"]["state"] == "stopped"
    assert found["meters"]["total"] == 2
    assert found["last_sweep"]["finished_at"] is None
    assert [line["line"] for line in found["lines"]] == ["L01"]


@pytest.mark.parametrize("state", LineState)
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_status_has_a_word_for_each_state_of_a_line(on, site, language, state):
    with store.opened(site), base.readings_transaction():
        LineHealth.create(line_id=1, rev=1, state=state)

    said = on("--lang", language, "status")

    assert said.status == 0, said.err
    assert i18n.catalog(language)[f"state.line.{state}"] in said.out


@pytest.mark.parametrize(
    ("language", "engine", "meters"),
    [
        ("zh_CN", "引擎：未运行", "电表 2 块：正常 0"),
        ("en", "Engine: not running", "Meters: 2: normal 0"),
    ],
)
def test_status_speaks_the_language_of_whoever_asks(on, language, engine, meters):
    said = on("status", "--lang", language).out

    assert engine in said
    assert meters in said
    assert "L01" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "serials"),
    [
        ([], [OPENED, NOT_OPENED]),
        (["--state", "not_opened"], [NOT_OPENED]),
        (["--line", "L01"], [OPENED, NOT_OPENED]),
        (["--line", "L02"], []),
        (["--search", "wdgc"], [OPENED]),
        (["--search", "A-102"], [NOT_OPENED]),
        (["--search", "万达 0001"], [OPENED]),
    ],
)
def test_meters_are_found_by_state_line_and_text(on, words, serials):
    said = on("meters", "--json", *words)

    assert [row["serial"] for row in said.json] == serials


def test_a_sale_without_an_engine_is_queued_and_says_so(on, as_boss):
    said = sell(on, as_boss, "--request-id", "form-1")

    assert said.status == 4
    assert said.json == {
        "command": 1, "request_id": "form-1", "outcome": "queued", "reason": None,
        "serial": OPENED, "amount_fen": 10_000, "fee_fen": 0, "count_before": None,
        "count_after": None, "balance_before_fen": None, "balance_after_fen": None,
        "receipt": None,
    }  # fmt: skip
    assert on("status", "--json").json["commands"]["queued"] == 1


def test_the_same_request_twice_is_one_sale(on, as_boss):
    first = sell(on, as_boss, "--request-id", "form-1")

    assert sell(on, as_boss, "--request-id", "form-1").json == first.json
    other = sell(on, as_boss, "--request-id", "form-1", yuan="99")
    assert (other.status, error_of(other)) == (1, "request_id_reused")


@pytest.mark.parametrize(
    ("yuan", "code"),
    [
        ("0", "bad_amount"),
        ("-5", "bad_amount"),
        ("1.005", "bad_amount"),
        ("ten", "bad_amount"),
        ("10000.01", "credit_ceiling_exceeded"),
    ],
)
def test_an_amount_that_cannot_be_sold_is_refused(on, as_boss, yuan, code):
    said = sell(on, as_boss, yuan=yuan)

    assert (said.status, error_of(said)) == (1, code)
    assert on("status", "--json").json["commands"]["queued"] == 0


def test_full_width_digits_are_taken_for_what_they_mean(on, as_boss):
    assert sell(on, as_boss, yuan="１００").json["amount_fen"] == 10_000


@pytest.mark.parametrize(
    ("serial", "code"), [(NOT_OPENED, "not_opened"), ("999999999999", "no_such_meter")]
)
def test_a_meter_nothing_can_be_sold_to_is_refused(on, as_boss, serial, code):
    said = sell(on, as_boss, serial=serial)

    assert (said.status, error_of(said)) == (1, code)


def test_a_sale_needs_a_person(on):
    said = on("sell", OPENED, "100", "--pay", "cash", "--json")

    assert (said.status, error_of(said)) == (2, "person_needed")


def test_a_wrong_password_sells_nothing(on, tmp_path):
    (tmp_path / "wrong").write_text("wrong password\n")

    said = sell(on, ["--as", "boss", "--password-file", tmp_path / "wrong"])

    assert (said.status, error_of(said)) == (1, "bad_login")


def test_a_viewer_may_not_sell(on, as_boss, password_file):
    options = ["--role", "viewer", "--new-password-file", password_file]
    assert on("operator", "add", "看看", *options, *as_boss).status == 0

    said = sell(on, ["--as", "看看", "--password-file", password_file])

    assert (said.status, error_of(said)) == (1, "forbidden")


def test_only_who_may_change_people_does(on, as_boss, password_file):
    options = ["--role", "cashier", "--new-password-file", password_file]
    on("operator", "add", "李娜", *options, *as_boss)
    as_cashier = ["--as", "李娜", "--password-file", password_file]

    refused = on("operator", "add", "friend", *options, *as_cashier)
    own = on("operator", "password", "李娜", "--new-password-file", password_file, *as_cashier)
    others = on("operator", "password", "boss", "--new-password-file", password_file, *as_cashier)

    assert (refused.status, own.status, others.status) == (1, 0, 1)
    assert [row["name"] for row in on("operator", "list", "--json").json] == ["boss", "李娜"]


def test_who_is_added_or_has_a_new_password_is_told_as_json(on, as_boss, password_file):
    new = ["--new-password-file", password_file, *as_boss, "--json"]

    added = on("operator", "add", "李娜", "--role", "cashier", *new)
    changed = on("operator", "password", "李娜", *new)

    assert added.json == {"name": "李娜", "role": "cashier", "disabled": False}
    assert changed.json == added.json


def test_an_engine_without_the_key_of_the_books_says_so_and_ends(on, site):
    (site / "keys" / "chain.key").unlink()

    said = on("engine", "--for", "20")

    assert said.status == 5
    assert "chain.key" in said.err


def test_an_engine_that_cannot_write_its_log_says_so_and_ends(on, site):
    (site / "log").rmdir()
    (site / "log").write_text("not a folder")

    said = on("engine", "--for", "20")

    assert said.status == 5
    assert str(site / "log") in said.err


def test_a_queued_sale_can_be_taken_back_once(on, as_boss):
    sell(on, as_boss)

    voided = on("void", "1", "--json", *as_boss)
    again = on("void", "1", "--json", *as_boss)

    assert (voided.status, voided.json["reason"]) == (0, "voided")
    assert (again.status, error_of(again)) == (1, "not_voidable")


def test_a_read_without_an_engine_is_accepted_and_said_so(on):
    said = on("read", OPENED, "--wait", "0", "--json")

    assert (said.status, said.json["outcome"]) == (4, "queued")


def test_the_books_of_a_new_site_are_right(on, as_boss):
    sell(on, as_boss)

    said = on("verify", "--json")

    assert said.status == 0
    assert said.json == {"ok": True, "oldest_assertion_s": None, "faults": [], "warnings": []}


def test_an_altered_row_is_named_by_verify(on, site):
    with store.opened(site):
        database = AuditEntry._meta.database.obj
        database.execute_sql("DROP TRIGGER auditentry_no_update")
        database.execute_sql("UPDATE auditentry SET operator = 'nobody' WHERE id = 2")

    said = on("verify", "--json")

    assert said.status == 1
    assert said.json["faults"][0]["code"] == "chain_broken"
    assert said.json["faults"][0]["params"]["row"] == 2


def test_check_names_a_line_that_cannot_be_reached(on):
    said = on("check", "--json")

    items = {item["item"]: item for item in said.json["items"]}
    assert said.status == 5
    assert {name: item["state"] for name, item in items.items() if item["state"] != "ok"} == {
        "engine": "warning", "line L01": "error"
    }  # fmt: skip
    assert "127.0.0.1:1" in items["line L01"]["message"]
    assert items["line L01"]["remedy"]
    assert all(set(item) == {"item", "state", "message", "remedy"} for item in items.values())


def test_check_goes_on_after_a_wrong_setting(on, site):
    (site / "config.toml").write_text("[site]\nname = 5\n")

    said = on("check", "--json")

    config = next(item for item in said.json["items"] if item["item"] == "config")
    assert (said.status, config["state"]) == (5, "error")
    assert "site.name" in config["message"]
    assert '"text"' in config["remedy"]


def test_check_warns_of_a_key_that_others_can_read(on, site):
    (site / "keys" / "chain.key").chmod(0o644)

    key = next(item for item in on("check", "--json").json["items"] if item["item"] == "key")

    assert (key["state"], stat.S_IMODE((site / "keys" / "chain.key").stat().st_mode)) == (
        "warning", 0o644
    )  # fmt: skip


def test_a_site_that_is_not_there_is_the_environments_fault(run, tmp_path):
    said = run("--site", tmp_path / "nowhere", "status", "--json")

    assert (said.status, error_of(said)) == (5, "missing")


def test_a_later_database_is_the_environments_fault(on, site):
    with store.opened(site):
        AuditEntry._meta.database.obj.execute_sql("PRAGMA user_version = 99")

    said = on("meters", "--json")

    assert (said.status, error_of(said)) == (5, "database_newer")


def test_a_wrong_setting_is_said_in_one_line_with_its_remedy(on, site):
    (site / "config.toml").write_text("[collection]\ninterval_s = 'often'\n")

    said = on("status")

    assert said.status == 5
    assert said.err.count("\n") == 1
    assert "collection.interval_s" in said.err
    assert "->" in said.err


@pytest.mark.parametrize(
    "words", [["sell"], ["unknown"], ["meters", "--state", "fine"], ["--lang", "fr", "status"]]
)
def test_misuse_is_exit_2_and_one_line(run, words):
    said = run(*words)

    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)


def test_misuse_with_json_is_json(run):
    said = run("sell", "--json")

    assert (said.status, error_of(said)) == (2, "usage")


def test_the_screens_need_a_terminal(on):
    said = on("console")

    assert (said.status, said.err.count("\n")) == (2, 1)


def test_the_site_may_be_named_before_or_after_the_command_or_by_the_environment(
    site, run, monkeypatch
):
    monkeypatch.setenv("VOLTILL_SITE", str(site))

    assert run("status", "--json").json["meters"]["total"] == 2
    assert run("status", "--json", "--site", site).json["meters"]["total"] == 2


def test_texts_follow_the_language_and_json_does_not(on, as_boss):
    chinese = on("--lang", "zh_CN", "sell", NOT_OPENED, "1", "--pay", "cash", *as_boss)
    english = on("--lang", "en", "sell", NOT_OPENED, "1", "--pay", "cash", *as_boss)
    as_json = [
        on("--lang", language, "sell", NOT_OPENED, "1", "--pay", "cash", "--json", *as_boss).json
        for language in ("zh_CN", "en")
    ]

    assert "电表" in chinese.err
    assert "Meter" in english.err
    assert as_json[0] == as_json[1]


def test_the_sites_language_is_spoken_unless_one_is_asked_for(on, site):
    path = site / "config.toml"
    path.write_text(path.read_text().replace('language = "auto"', 'language = "zh_CN"'))

    assert "账目" in on("verify").out
    assert "books" in on("verify", "--lang", "en").out


def test_people_read_tables_and_sentences(on, as_boss):
    assert "A-101" in on("--lang", "en", "meters").out
    assert "Engine:" in on("--lang", "en", "status").out
    assert "accepted" in on(
        "--lang", "en", "sell", OPENED, "1", "--pay", "cash", "--wait", "0", *as_boss
    ).out  # fmt: skip


def test_a_mistake_of_ours_is_not_dressed_up_as_the_users():
    assert failures.report(ZeroDivisionError(), json=False) is None


def test_practice_files_make_a_site_of_334_meters(run, tmp_path, password_file):
    run("practice-files", tmp_path / "tables")
    run("init", tmp_path / "site", "--admin", "boss", "--password-file", password_file)

    said = run("--site", tmp_path / "site", "import", tmp_path / "tables", "--json")

    assert (said.status, said.json["errors"], said.json["warnings"]) == (0, [], [])
    assert run("--site", tmp_path / "site", "status", "--json").json["meters"]["total"] == 334


def test_a_command_loads_only_what_it_needs(site):
    """Start-up: the help and a status import neither screens nor wire, openpyxl nor pinyin."""
    code = (
        "import sys, json\nfrom console.cli import main\n"
        f"main(['--site', {str(site)!r}, 'status'])\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"LANG": "C.UTF-8"},
    )  # fmt: skip

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded & {"textual", "pymodbus", "openpyxl", "pypinyin", "apscheduler"} == set()


def exchange(on, as_boss, *words):
    return on("exchange", *words, "--wait", "0", "--json", *as_boss)


def test_an_exchange_is_begun_listed_and_cancelled(on, as_boss):
    begun = exchange(on, as_boss, OPENED, NOT_OPENED, "--reason", "损坏")
    listed = on("exchange", "--json")
    told = on("--lang", "zh_CN", "exchange")
    cancelled = exchange(on, as_boss, "--cancel", "1")

    assert (begun.status, begun.json["outcome"], begun.json["command"]) == (4, "queued", None)
    assert begun.json["exchange"]["waits"] == "command"
    assert [(row["id"], row["old"], row["step"]) for row in listed.json] == [
        (1, OPENED, "final_read")
    ]
    assert "旧表末次抄见" in told.out
    assert (cancelled.status, cancelled.json["exchange"]["step"]) == (0, "cancelled")
    assert on("exchange", "--json").json == []


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        ((OPENED, OPENED, "--reason", "x"), 1, "not_exchangeable"),
        ((OPENED, "123", "--reason", "x"), 1, "not_exchangeable"),
        ((OPENED, "202611239999", "--model", "XX", "--reason", "x"), 1, "not_exchangeable"),
        ((NOT_OPENED, "202611239999", "--reason", "x"), 1, "not_opened"),
        ((OPENED,), 2, "exchange_needs_new"),
        ((OPENED, NOT_OPENED), 2, "reason_needed"),
        (("--resume", "9"), 1, "no_such_exchange"),
        ((OPENED, NOT_OPENED, "--reason", "x", "--final-energy", "1"), 2, "hand_reading_whole"),
        (
            (OPENED, NOT_OPENED, "--reason", "x", "--final-energy", "=1", "--final-balance", "1",
             "--evidence", "y"),
            1,
            "bad_energy",
        ),
    ],
)  # fmt: skip
def test_an_exchange_that_cannot_be_is_not_begun(on, as_boss, words, status, code):
    said = exchange(on, as_boss, *words)

    assert (said.status, error_of(said)) == (status, code)
    assert on("exchange", "--json").json == []


def test_a_file_that_cannot_be_converted_is_refused_row_by_row(on, as_boss, tmp_path):
    file = tmp_path / "amounts.csv"
    file.write_text(f"serial,amount_yuan\n{NOT_OPENED},1\n=cmd(),2\n", encoding="utf-8")

    said = on("convert", file, "--total", "3", "--json", *as_boss)
    told = on("--lang", "zh_CN", "convert", file, "--total", "3", *as_boss)

    assert said.status == told.status == 1
    assert [(each["code"], each["row"]) for each in said.json["errors"]] == [
        ("bad_serial", 3), ("meter_not_opened", 2),
    ]  # fmt: skip
    assert "未开户" in told.out


def test_a_hand_reading_without_a_second_person_begins_nothing(on, as_boss):
    values = ("--final-energy", "1200", "--final-balance", "3.50", "--evidence", "照片 7")

    said = exchange(on, as_boss, OPENED, NOT_OPENED, "--reason", "x", *values)

    assert (said.status, error_of(said)) == (1, "approval_needed")
    assert on("exchange", "--json").json == []
