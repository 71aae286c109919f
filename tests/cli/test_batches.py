"""batch on the command line: plans, numbers, two persons, files, exit status."""

import datetime as dt

import openpyxl
import pytest

from engine import exports, i18n
from engine.config import Config
from engine.domain.errors import FileExists
from engine.domain.measurement import MeterReading
from engine.services import batches, commands, readings
from models import base, store
from models.commands import Command, Lease
from models.enums import CommandKind, CommandState
from models.site import Meter
from tests.services.conftest import ZONE

pytestmark = pytest.mark.usefixtures("clock")
ONE, TWO = "202611230001", "202611230002"
EPOCH = 7


@pytest.fixture
def read_site(site, clock):
    """Both meters were read a moment ago; an engine of epoch 7 has the site."""
    with store.opened(site):
        with base.write_transaction():
            Meter.update(shop="=cmd()|A", floor="1F").where(Meter.serial == TWO).execute()
            Lease.create(
                resource="site", holder="here", epoch=EPOCH, expires_boot_ms=0, host="h",
                boot_id="b", pid=1, since=clock.at,
            )  # fmt: skip
        readings.own(EPOCH)
        for meter in Meter.select():
            reading = MeterReading(
                energy_wh=123_450, energy_by_rate_wh=(0, 0, 0, 123_450), balance_fen=500,
                purchase_count=4, power_w=1234, voltage_mv=(230_000,), status1=1 << 13, status2=8,
            )  # fmt: skip
            readings.store(
                meter, reading, at=clock.at, slot_s=1800, raw_frame=b"", epoch=EPOCH, zone=ZONE
            )
    return site


@pytest.fixture
def batch(on, read_site):
    return lambda *words: on("batch", *words)


@pytest.fixture
def carry_out(read_site, monkeypatch):
    """While the command waits an engine does all that it is given."""

    def at_once(_seconds):
        batches.feed(Config(), EPOCH)
        for command in Command.select().where(Command.state == CommandState.QUEUED):
            if command.kind is CommandKind.READ:
                commands.finish_read(command.id, CommandState.APPLIED)
            else:
                commands.finish_uncounted(command.id, CommandState.APPLIED, None, EPOCH)

    monkeypatch.setattr("console.commands.batches.time.sleep", at_once)


def test_a_dry_run_is_the_plan_in_the_contract_s_words(batch):
    said = batch("trip", "--select", "all", "--dry-run", "--json")

    assert said.status == 0
    assert said.json["change"] == [
        {"serial": ONE, "from": {"force": "none", "relay": "closed"},
         "to": {"force": "off", "relay": "open"}},
        {"serial": TWO, "from": {"force": "none", "relay": "closed"},
         "to": {"force": "off", "relay": "open"}},
    ]  # fmt: skip
    assert said.json["loses_power"] == [ONE, TWO]
    assert {"same", "unreachable", "locked", "refused", "line_s", "why"} <= said.json.keys()


def test_the_plan_reads_well_in_both_languages(batch):
    chinese = batch("hold", "--select", "all", "--dry-run", "--lang", "zh_CN").out
    english = batch("hold", "--select", "all", "--dry-run", "--lang", "en").out

    assert "未开户" in chinese
    assert "--confirm 1" in chinese
    assert "supply by credit -> supply held on" in english


def test_without_a_number_nothing_is_sent(batch, as_boss):
    said = batch("trip", "--select", "all", "--reason", "催费", "--json", *as_boss)

    assert (said.status, said.json["error"]["code"]) == (1, "confirm")
    assert said.json["error"]["params"]["number"] == 2
    assert batch("list", "--json").json == []


def test_with_another_number_nothing_is_sent_either(batch, as_boss):
    said = batch("trip", "--select", "all", "--reason", "催费", "--confirm", 3, "--json", *as_boss)

    assert (said.status, said.json["error"]["code"]) == (1, "confirm")
    assert batch("list", "--json").json == []


def test_a_batch_waits_for_its_end_and_tells_of_every_meter(batch, as_boss, carry_out):
    said = batch(
        "trip", "--select", f"serials={ONE}", "--reason", "催费", "--confirm", 1, "--json", *as_boss
    )

    assert said.status == 0
    assert (said.json["state"], said.json["done"], said.json["failed"]) == ("done", 1, 0)
    (item,) = said.json["items"]
    assert (item["serial"], item["state"], item["to"]["force"]) == (ONE, "applied", "off")
    (listed,) = batch("list", "--json").json
    assert (listed["batch"], listed["verb"], listed["reason"]) == (
        said.json["batch"],
        "trip",
        "催费",
    )


def test_without_an_engine_it_is_accepted_and_says_so(batch, as_boss):
    said = batch("price", "--select", "all", "--confirm", 1, "--wait", 0, "--lang", "en", *as_boss)

    assert said.status == 4
    assert "no engine" in said.err.lower()


def test_it_is_paused_gone_on_with_and_cancelled(batch, as_boss):
    begun = batch("price", "--select", "all", "--confirm", 1, "--wait", 0, "--json", *as_boss).json[
        "batch"
    ]

    paused = batch("pause", begun, "--json", *as_boss)
    wrong = batch("price", "--resume", begun, "--confirm", 7, "--json", *as_boss)
    other = batch("trip", "--resume", begun, "--confirm", 1, "--json", *as_boss)
    again = batch("price", "--resume", begun, "--confirm", 1, "--wait", 0, "--json", *as_boss)
    ended = batch("cancel", begun, "--json", *as_boss)

    assert (paused.status, paused.json["state"], paused.json["stopped"]) == (
        4,
        "paused",
        "operator",
    )
    assert (wrong.status, wrong.json["error"]["code"]) == (1, "confirm")
    assert (other.status, other.json["error"]["code"]) == (1, "bad_batch")
    assert (again.status, again.json["state"]) == (4, "running")
    assert (ended.status, ended.json["state"]) == (0, "cancelled")


def test_what_failed_is_planned_and_tried_again(batch, as_boss):
    begun = batch("price", "--select", "all", "--confirm", 1, "--wait", 0, "--json", *as_boss).json[
        "batch"
    ]
    batch("cancel", begun, *as_boss)

    plan = batch("retry", begun, "--dry-run", "--json").json
    again = batch("retry", begun, "--confirm", 1, "--wait", 0, "--json", *as_boss)

    assert [row["serial"] for row in plan["change"]] == [ONE]
    assert plan["unknown"] == []
    assert (again.status, again.json["retries"]) == (4, begun)


def test_many_need_a_second_person_here_or_elsewhere(batch, on, site, as_boss, password_file):
    config = site / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert "second_from = 20" in text
    config.write_text(text.replace("second_from = 20", "second_from = 2"), encoding="utf-8")
    made = on("operator", "add", "chief", "--role", "supervisor",
              "--new-password-file", password_file, *as_boss)  # fmt: skip
    assert made.status == 0
    words = ("trip", "--select", "all", "--reason", "催费", "--confirm", 2, "--wait", 0, "--json")

    alone = batch(*words, *as_boss)
    asked = batch(*words, "--ask", *as_boss)
    chief = ["--as", "chief", "--password-file", password_file]
    approved = on("approval", "approve", asked.json["approval"], "--json", *chief)

    assert (alone.status, alone.json["error"]["code"]) == (1, "approval_needed")
    assert (asked.status, asked.json["verb"]) == (4, "batch")
    assert approved.status == 0, approved.out
    (listed,) = batch("list", "--json").json
    assert (listed["operator"], listed["approver"], listed["total"]) == ("boss", "chief", 2)


def test_an_export_has_real_numbers_and_no_formulas(batch, as_boss, site, clock):
    said = batch("export", "--select", "all", "--json", "--lang", "en", *as_boss)

    assert said.status == 0, said.out
    book = openpyxl.load_workbook(said.json["result"])
    sheet = book["Readings"]
    assert sheet.freeze_panes == "A9"
    assert sheet.auto_filter.ref == "A8:AA10"
    heads = {cell.value: cell.column - 1 for cell in sheet[8]}
    first, second = (list(row) for row in sheet.iter_rows(min_row=9))
    assert [first[heads[name]].value for name in
            ("Meter no.", "Tenant", "State", "Balance (yuan)", "Purchases", "Energy (kWh)",
             "Power (kW)", "Age (min)")] == [
        ONE, "万达广场", "normal", 5, 4, 123.45, 1.234, 0,
    ]  # fmt: skip
    assert first[heads["Read at"]].value == dt.datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001
    shop = second[heads["Shop"]]
    assert (shop.value, shop.data_type) == ("=cmd()|A", "s")
    assert sheet["A1"].value == "Site"
    assert (site / "exports").exists()


def test_an_export_never_writes_over_a_file(batch, as_boss, tmp_path):
    path = tmp_path / "mine.xlsx"
    path.write_text("mine", encoding="utf-8")

    said = batch("export", "--select", "all", "--result", path, "--json", *as_boss)

    assert (said.status, said.json["error"]["code"]) == (1, "file_exists")
    assert path.read_text(encoding="utf-8") == "mine"


def test_two_exports_of_one_second_are_two_files(batch, as_boss):
    first = batch("export", "--select", "all", "--json", *as_boss).json["result"]
    number = batch("list", "--json").json[0]["batch"]
    second = batch("show", number, "--json", "--result", first + ".2.xlsx").json["result"]

    assert first != second


def test_a_screen_has_it_written_by_a_process_of_its_own(batch, as_boss, site, tmp_path):
    number = batch("export", "--select", "all", "--json", *as_boss).json["batch"]

    i18n.use("zh_CN")
    written = exports.write_apart(number, site)

    assert written.parent == site / "exports"
    assert openpyxl.load_workbook(written).sheetnames == ["抄表", "结果"]
    with pytest.raises(FileExists):
        exports.write_apart(number, site, path=written)


def test_a_fresh_export_reads_first(batch, as_boss, carry_out):
    said = batch("export", "--select", "all", "--fresh", "--json", *as_boss)

    assert (said.status, said.json["done"]) == (0, 2)
    assert said.json["result"]


def test_the_result_of_any_batch_is_a_workbook(batch, as_boss, carry_out, tmp_path):
    path = tmp_path / "结果.xlsx"
    said = batch(
        "hold", "--select", "all", "--reason", "过节", "--confirm", 1, "--result", path,
        "--lang", "zh_CN", *as_boss,
    )  # fmt: skip

    assert said.status == 0, said.err
    rows = list(openpyxl.load_workbook(path)["结果"].iter_rows(min_row=9, values_only=True))
    assert [(row[0], row[4], row[8]) for row in rows] == [
        (ONE, "将改变", "成功"), (TWO, "不允许", "未执行"),
    ]  # fmt: skip
    assert rows[1][9] == "未开户"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--select", "state=happy"], "bad_selection"),
        (["--select", "=cmd()"], "bad_selection"),
        (["--select", "floor=9F"], "bad_selection"),
        (["--select", "serials=777"], "bad_selection"),
        (["--select", "@/nowhere.csv"], "bad_selection"),
        ([], "bad_selection"),
        (["--select", "all", "--names", "price_none"], "bad_batch"),
    ],
)
def test_bad_input_gets_a_clear_error(batch, words, code):
    said = batch("price", *words, "--dry-run", "--json")

    assert (said.status, said.json["error"]["code"]) == (1, code)


def test_a_gbk_file_with_unknown_numbers_names_them_all_with_their_lines(batch, tmp_path):
    path = tmp_path / "名单.csv"
    path.write_bytes(f"表号,商铺\n{ONE},茶馆\n777,书店\n888,药店\n".encode("gbk"))

    said = batch("price", "--select", f"@{path}", "--dry-run", "--lang", "en")

    assert said.status == 1
    assert "000000000777 (3), 000000000888 (4)" in said.err
