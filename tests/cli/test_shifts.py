"""shift and deposit on the command line: exit status, JSON, and the paper."""

import pytest

from engine.services.paper import columns


@pytest.fixture
def sold(on, as_boss):
    """A sale of 100 yuan that no engine carries out: queued in the shift of boss."""
    said = on("sell", "202611230001", "100", "--pay", "cash", *as_boss, "--wait", "0", "--json")
    assert said.status == 4, said.out
    return said.json["command"]


@pytest.fixture
def add_operator(on, as_boss, password_file):
    def add(name, role="cashier"):
        words = ("operator", "add", name, "--role", role, "--new-password-file", password_file)
        assert on(*words, *as_boss).status == 0

    return add


def by_kind(document):
    return {line["pay"]: line for line in document["kinds"]}


def test_a_shift_opens_once(on, as_boss):
    said = on("shift", "open", "--float", "100", *as_boss, "--json")
    assert said.status == 0
    assert (said.json["float_fen"], said.json["number"], said.json["operator"]) == (
        10_000,
        None,
        "boss",
    )

    again = on("shift", "open", *as_boss, "--json")
    assert (again.status, again.json["error"]["code"]) == (1, "shift_open")


def test_show_says_what_should_be_there_and_what_is_not_decided(on, as_boss, sold):
    said = on("shift", "show", *as_boss, "--json")

    cash = by_kind(said.json)["cash"]
    assert (cash["sales"], cash["sales_fen"], cash["expected_fen"]) == (1, 10_000, 10_000)
    assert cash["counted_fen"] is None
    assert said.json["to_hand_over"] == [sold]
    assert f"移交：{sold}" in on("--lang", "zh_CN", "shift", "show", *as_boss).out


def test_a_close_wants_everything_decided_counted_and_explained(on, as_boss, sold, add_operator):
    close = ("shift", "close", *as_boss, "--json")
    add_operator("赵敏")

    open_command = on(*close, "--counted", "cash=100")
    assert (open_command.status, open_command.json["error"]["code"]) == (1, "not_handed_over")
    assert open_command.json["error"]["params"]["commands"] == str(sold)
    nobody = on(*close, "--counted", "cash=100", "--hand-over", "没有这人")
    assert nobody.json["error"]["code"] == "no_such_operator"
    not_counted = on(*close, "--counted", "card=0", "--hand-over", "赵敏")
    assert not_counted.json["error"]["code"] == "not_counted"
    differing = on(*close, "--counted", "cash=99.5", "--hand-over", "赵敏")
    assert differing.json["error"]["code"] == "not_explained"

    said = on(*close, "--counted", "cash=99.5,card=0", "--hand-over", "赵敏", "--explain", "少找")
    assert said.status == 0
    assert said.json["number"].startswith("S")
    assert by_kind(said.json)["cash"]["difference_fen"] == -50
    assert said.json["handed_over"][0] | {"shop": ""} == {
        "command": sold,
        "kind": "sell",
        "serial": "202611230001",
        "shop": "",
        "amount_fen": 10_000,
        "state": "queued",
        "to": "赵敏",
    }
    assert on("verify", "--json").json["ok"]


@pytest.mark.parametrize("counted", ["", "cash", "gold=1", "cash=1,cash=2", "cash=1,234.00"])
def test_a_count_that_cannot_be_read_is_misuse(on, as_boss, counted):
    said = on("shift", "close", "--counted", counted, *as_boss, "--json")

    assert (said.status, said.json["error"]["code"]) == (2, "bad_counted")


@pytest.mark.parametrize("counted", ["cash=", "cash=-1", "cash==cmd()", "card=1.005"])
def test_an_amount_that_is_none_is_refused(on, as_boss, counted):
    said = on("shift", "close", "--counted", counted, *as_boss, "--json")

    assert (said.status, said.json["error"]["code"]) == (1, "bad_amount")


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("width", [32, 48, 80])
def test_the_report_fits_its_paper_and_says_when_it_is_a_reprint(
    on, as_boss, sold, add_operator, language, width
):
    add_operator("欧阳锋" * 8)
    closed = on(
        "--lang", language, "shift", "close", "--counted", "cash=99.5", *as_boss,
        "--hand-over", "欧阳锋" * 8, "--explain", "少找零钱" * 25, "--width", width,
    )  # fmt: skip
    number = on("shift", "list", "--json").json[0]["number"]
    again = on("--lang", language, "shift", "report", number, "--width", width)

    assert closed.status == 0, closed.err
    assert max(map(columns, closed.out.splitlines())) <= width
    mark = {"zh_CN": "（补打）", "en": "(reprint)"}[language]
    assert mark not in closed.out
    first, rest = again.out.split(mark)
    assert (first.rstrip(" ") + rest.removeprefix("\n")) == closed.out
    document = on("shift", "report", number, "--json").json
    squeezed = "".join(again.out.split())
    assert document["ledger_head"] in squeezed
    assert document["audit_head"] in squeezed
    assert len(document["ledger_head"]) == len(document["audit_head"]) == 64
    assert "少找零钱" * 25 in squeezed


def test_a_report_that_is_not_there_says_so(on):
    said = on("shift", "report", "S20261123-001", "--json")

    assert (said.status, said.json["error"]["code"]) == (1, "no_such_shift")


def test_anothers_shift_is_for_who_may_see_it(on, as_boss, password_file, add_operator):
    add_operator("赵敏")
    as_cashier = ("--as", "赵敏", "--password-file", password_file)
    assert on("shift", "open", *as_boss).status == 0
    assert on("shift", "open", *as_cashier).status == 0

    forbidden = on("shift", "close", "--of", "boss", "--counted", "cash=0", *as_cashier, "--json")
    assert (forbidden.status, forbidden.json["error"]["code"]) == (1, "forbidden")
    seen = on("shift", "show", "--of", "boss", *as_cashier, "--json")
    assert seen.json["error"]["code"] == "forbidden"
    said = on("shift", "close", "--of", "赵敏", "--counted", "cash=0", *as_boss, "--json")
    assert (said.status, said.json["closed_by"]) == (0, "boss")


def test_shifts_are_listed_newest_first(on, as_boss):
    assert on("shift").status == 0
    on("shift", "open", *as_boss)
    on("shift", "close", "--counted", "cash=0", *as_boss)
    on("shift", "open", "--float", "20", *as_boss)

    rows = on("shift", "list", "--json").json
    assert [row["float_fen"] for row in rows] == [2000, 0]
    assert [row["difference_fen"] for row in rows] == [None, 0]
    assert "boss" in on("shift", "list").out


def test_nobody_opens_a_shift_without_saying_who_he_is(on):
    assert on("shift", "open", "--json").json["error"]["code"] == "person_needed"


def test_a_deposit_is_taken_once_listed_and_given_back(on, as_boss):
    take = ("deposit", "take", "T001", "300", "--pay", "wechat", "--request-id", "d1", *as_boss)
    first, second = on(*take, "--json"), on(*take, "--json")
    assert (first.status, second.status) == (0, 0)
    assert first.json == second.json
    assert (first.json["amount_fen"], first.json["held_fen"]) == (30_000, 30_000)

    back = ("deposit", "return", "T001", "100.50", "--pay", "cash", *as_boss, "--json")
    assert on(*back).json["error"]["code"] == "no_reason"
    assert on(*back, "--reason", "退租").json["held_fen"] == 19_950
    held = on("deposit", "list", "--json").json
    assert held == [{"number": "T001", "name": "万达广场", "held_fen": 19_950}]
    assert "199.50" in on("deposit").out
    till = by_kind(on("shift", "show", *as_boss, "--json").json)
    assert (till["wechat"]["expected_fen"], till["cash"]["expected_fen"]) == (30_000, -10_050)


def test_a_large_deposit_goes_back_with_a_second_person(on, as_boss, password_file, add_operator):
    add_operator("王总", "supervisor")
    on("deposit", "take", "T001", "1000", "--pay", "cash", *as_boss)
    back = ("deposit", "return", "T001", "500", "--pay", "cash", "--reason", "退租", *as_boss)

    assert on(*back, "--json").json["error"]["code"] == "approval_needed"
    approved = on(*back, "--approve", "王总", "--approve-password-file", password_file, "--json")
    assert (approved.status, approved.json["approver"]) == (0, "王总")


def test_what_cannot_be_a_deposit_is_refused(on, as_boss):
    for yuan in ("0", "=cmd()", "1.005"):
        said = on("deposit", "take", "T001", yuan, "--pay", "cash", *as_boss, "--json")
        assert (said.status, said.json["error"]["code"]) == (1, "bad_amount")
    nobody = on("deposit", "take", "租" * 100, "1", "--pay", "cash", *as_boss, "--json")
    assert nobody.json["error"]["code"] == "no_such_tenant"
