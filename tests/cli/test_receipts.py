"""receipt show, print, check, list: on a small site, and offline with nothing but its key."""

import datetime as dt
import shutil

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.services import commands, printing
from models import base, store
from models.commands import Command, Lease
from models.people import AuditEntry

EPOCH = 3
ZONE = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture
def sold(on, as_boss, site) -> str:
    """The number of the receipt of a sale that an engine has proved."""
    said = on(
        "sell", "202611230001", "100", "--pay", "cash", "--wait", "0", "--json", *as_boss
    )  # fmt: skip
    with store.opened(site):
        with base.write_transaction():
            Lease.create(
                resource="site", holder="here", epoch=EPOCH, expires_boot_ms=0, host="h",
                boot_id="b", pid=1, since=dt.datetime.now(dt.UTC),
            )  # fmt: skip
        sent = commands.mark_sent(
            said.json["command"], PurchaseState(4, 500, 1000), EPOCH, "boot", 1
        )
        commands.settle(
            sent.id, Step.CONFIRM, PurchaseState(5, 10_500, 1000), None, EPOCH, zone=ZONE
        )
    return str(on("receipt", "list", "--json").json[0]["receipt"])


@pytest.fixture
def code(on, sold) -> str:
    return on("receipt", "show", sold, "--json").json["code"]


def test_the_list_shows_what_became_of_the_paper(on, sold, site):
    said = on("--lang", "zh_CN", "receipt")
    assert said.status == 0
    assert f"{sold}  " in said.out
    assert said.out.splitlines()[1].endswith("等待")

    with store.opened(site):
        job = printing.claim(EPOCH, copies=True)
        printing.failed(job.id, EPOCH, "absent No such file or directory")

    (row,) = on("receipt", "list", "--json").json
    assert (row["printed"], row["tries"]) == ("queued", 1)
    assert row["reason"] == "absent No such file or directory"
    assert (row["kind"], row["amount_fen"], row["serials"]) == ("sell", 10_000, ["202611230001"])
    assert "打印命令无法运行（No such file or directory）" in on("--lang", "zh_CN", "receipt").out


def test_show_draws_a_copy_by_number_or_command_on_any_paper(on, sold):
    by_number = on("--lang", "zh_CN", "receipt", "show", sold, "--paper", "58", "--language", "en")

    assert by_number.status == 0
    assert "(copy, not for payment)" in by_number.out
    assert "Balance after        105.00 yuan" in by_number.out
    assert max(map(len, by_number.out.splitlines())) == 32
    assert on("receipt", "show", "1", "--paper", "A4").out.count(".....") > 10


@pytest.mark.parametrize(
    ("named", "code"), [("20200101-000001", "no_such_receipt"), ("7", "no_such_command")]
)
def test_what_is_not_there_is_refused(on, sold, named, code):
    said = on("receipt", "show", named, "--json")

    assert (said.status, said.json["error"]["code"]) == (1, code)


def test_a_sale_without_a_receipt_says_so(on, as_boss):
    on("sell", "202611230001", "100", "--pay", "cash", "--wait", "0", "--json", *as_boss)

    said = on("receipt", "show", "1", "--json")

    assert (said.status, said.json["error"]["code"]) == (1, "no_receipt")


def test_printing_again_needs_a_person_and_is_on_record(on, as_boss, sold, site):
    assert on("receipt", "print", sold, "--json").status == 2

    said = on("receipt", "print", sold, "--json", *as_boss)

    assert (said.status, said.json) == (4, {"receipt": sold, "job": 2, "reprint": 1})
    with store.opened(site):
        assert AuditEntry.select().where(AuditEntry.action == "reprint").count() == 1
        assert Command.select().count() == 1


def test_a_genuine_code_says_what_it_vouches_for(on, code, sold):
    said = on("receipt", "check", code, "--json")

    assert said.status == 0
    facts = {name: said.json[name] for name in said.json if name != "issued_at"}
    assert facts == {
        "genuine": True, "receipt": sold, "kind": "sell", "serial": "202611230001", "meters": 1,
        "amount_fen": 10_000, "fee_fen": 0, "count_after": 5,
    }  # fmt: skip
    assert said.json["issued_at"].endswith("+08:00")


def test_it_may_be_typed_in_small_letters_and_groups(on, code, sold):
    typed = code.lower().replace("0", "o").replace("1", "l")

    said = on("--lang", "zh_CN", "receipt", "check", typed[:7], typed[7:])

    assert said.status == 0
    assert "真实有效" in said.out
    assert sold in said.out
    assert "100.00 元" in said.out


def test_the_key_alone_is_enough(run, code, site, tmp_path):
    away = tmp_path / "away"
    shutil.copytree(site / "keys", away / "keys")

    by_site = run("--site", away, "receipt", "check", code, "--json")
    by_key = run("--site", tmp_path, "receipt", "check", code, "--key", away / "keys" / "chain.key")

    assert (by_site.status, by_key.status) == (0, 0)
    assert by_site.json["issued_at"].endswith("+00:00")
    assert [path.name for path in away.iterdir()] == ["keys"], "nothing is made by looking"


def test_a_key_that_is_not_there_is_said_with_its_place(run, tmp_path, code):
    said = run("--site", tmp_path, "receipt", "check", code, "--json")

    assert (said.status, said.json["error"]["code"]) == (5, "no_chain_key")
    assert "chain.key" in said.json["error"]["message"]


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        pytest.param(lambda code: code[:-1], "unreadable", id="cut"),
        pytest.param(lambda code: code[:9] + ("A" if code[9] != "A" else "B") + code[10:],
                     "forged", id="altered"),
        pytest.param(lambda _: "=cmd()", "unreadable", id="formula"),
        pytest.param(lambda _: "我" * 100, "unreadable", id="Chinese"),
        pytest.param(lambda _: "", "unreadable", id="nothing"),
    ],
)  # fmt: skip
def test_what_is_not_genuine_is_refused(on, code, alter, why):
    said = on("receipt", "check", alter(code), "--json")

    assert (said.status, said.json["error"]["code"]) == (1, "not_genuine")
    assert said.json["error"]["params"] in ({"why": why}, {"why": "forged"})


def test_another_sites_code_is_not_ours(run, on, code, tmp_path, password_file):
    run("init", tmp_path / "other", "--admin", "boss", "--password-file", password_file)

    said = run("--site", tmp_path / "other", "receipt", "check", code)

    assert said.status == 1


def printer(on) -> dict[str, str]:
    items = {item["item"]: item for item in on("check", "--json").json["items"]}
    return items["printer"]


def test_check_says_where_receipts_go_and_whether_they_arrive(on, site, sold):
    assert printer(on)["message"] == "Receipts go to files in exports/receipts."

    config = site / "config.toml"
    text = config.read_text(encoding="utf-8").replace('printer = ""', 'printer = "/no/lp -d x"')
    config.write_text(text, encoding="utf-8")
    assert printer(on)["state"] == "warning"
    assert "/no/lp -d x" in printer(on)["message"]

    with store.opened(site):
        job = printing.claim(EPOCH, copies=True)
        printing.failed(job.id, EPOCH, "timeout 20")
    said = printer(on)
    assert said["message"] == (
        "1 receipt(s) have not come out: the printer did not finish within 20 s."
    )
    assert "voltill receipt print" in said["remedy"]
