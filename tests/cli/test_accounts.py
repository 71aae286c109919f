"""Tenants and accounts by command: what is printed, what it exits with, what it changes."""

import pytest

from tests.cli.test_processes import ports, served  # noqa: F401 (fixtures)

MINE, VACANT = "202611230001", "202611230002"


def error_of(said):
    return said.json["error"]["code"]


@pytest.fixture
def tenant(on, as_boss):
    """`tenant VERB …` as boss, with JSON."""
    return lambda *words: on("tenant", *words, "--json", *as_boss)


def test_a_tenant_is_added_edited_shown_and_found(tenant, on):
    made = tenant(
        "add", "T900", "--name", "重庆小面", "--phone", "138 0013 8000；0755-88888888",
        "--id-number", "11010519491231002X", "--lease-from", "2026-01-01", "--fee-pct", "2.5",
        "--planned", VACANT,
    )  # fmt: skip
    changed = tenant("edit", "T900", "--name", "老成都", "--fee-pct", "")

    assert (made.status, changed.status) == (0, 0), made.out
    shown = on("tenant", "show", "T900", "--json").json
    assert shown["phones"] == ["13800138000", "0755-88888888"]
    assert (shown["name"], shown["initials"], shown["fee_pct"]) == ("老成都", "LCD", None)
    assert (shown["lease_from"], shown["lease_to"]) == ("2026-01-01", None)
    for text in ("lcd", "成都", "T900", "0755-8888", "13800138", VACANT):
        found = on("tenant", "list", "--search", text, "--json").json
        assert [each["number"] for each in found] == ["T900"], text
    assert [each["number"] for each in on("tenant", "list", "--json").json] == ["T001", "T900"]
    assert "老成都" in on("--lang", "zh_CN", "tenant", "list").out
    assert "电话: 13800138000 0755-88888888" in on("--lang", "zh_CN", "tenant", "show", "T900").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "T 9", "--name", "x"), "bad_tenant_number"),
        (("add", "T001", "--name", "x"), "tenant_number_taken"),
        (("add", "T9", "--name", "=cmd()"), "bad_tenant_name"),
        (("add", "T9", "--name", "a\tb"), "bad_tenant_name"),
        (("add", "T9", "--name", "面" * 101), "bad_tenant_name"),
        (("add", "T9", "--name", "x", "--phone", "12"), "bad_phone"),
        (("add", "T9", "--name", "x", "--id-number", "1234"), "bad_id_number"),
        (("add", "T9", "--name", "x", "--lease-to", "never"), "bad_lease"),
        (("add", "T9", "--name", "x", "--planned", "999999999999"), "no_such_meter"),
        (("edit", "T001", "--planned", MINE), "already_open"),
        (("edit", "T404", "--name", "x"), "no_such_tenant"),
    ],
)
def test_garbage_is_refused_and_named(tenant, on, words, code):
    said = tenant(*words)

    assert (said.status, error_of(said)) == (1, code)
    assert [each["number"] for each in on("tenant", "list", "--json").json] == ["T001"]


def test_a_hundred_chinese_characters_are_kept_whole(tenant, on):
    name = "重庆小面" * 25

    assert tenant("add", "T9", "--name", name).status == 0
    assert on("tenant", "show", "T9", "--json").json["name"] == name


def test_who_asks_must_be_known(on):
    said = on("tenant", "add", "T9", "--name", "x", "--json")

    assert (said.status, error_of(said)) == (2, "person_needed")


def test_a_meter_is_opened_for_a_new_tenant_without_an_engine(on, as_boss):
    words = ("open", VACANT, "--tenant", "T900", "--name", "重庆小面", "--wait", "0", "--json")
    said = on(*words, "--amount", "50", "--pay", "wechat", *as_boss)

    assert said.status == 4
    assert (said.json["tenant"], said.json["opened"]) == ("T900", [VACANT])
    assert [each["outcome"] for each in said.json["commands"]] == ["queued", "queued"]
    assert [each["amount_fen"] for each in said.json["commands"]] == [0, 5000]
    assert on("meters", "--search", VACANT, "--json").json[0]["tenant"] is not None


def test_what_cannot_be_opened_registers_nobody(on, as_boss):
    said = on("open", MINE, "--tenant", "T900", "--name", "重庆小面", "--json", *as_boss)

    assert (said.status, error_of(said)) == (1, "already_open")
    assert said.json["error"]["params"]["number"] == "T001"
    assert on("tenant", "show", "T900", "--json").status == 1


def test_one_key_opens_what_was_planned(tenant, on, as_boss):
    tenant("add", "T900", "--name", "重庆小面", "--planned", VACANT)
    assert on("tenant", "vacant", "--json").json == [
        {"serial": VACANT, "shop": "A-102", "last_tenant": None, "since": None,
         "planned_for": "T900"},
    ]  # fmt: skip

    said = on("open", "--tenant", "T900", "--wait", "0", "--json", *as_boss)

    assert said.json["opened"] == [VACANT]
    assert on("tenant", "vacant", "--json").json == []


def test_an_amount_needs_a_way_to_pay(on, as_boss):
    said = on("open", VACANT, "--tenant", "T001", "--amount", "5", "--json", *as_boss)

    assert (said.status, error_of(said)) == (2, "pay_needed")


def test_a_closing_with_a_sale_under_way_is_refused_and_names_it(on, as_boss):
    sale = on("sell", MINE, "100", "--pay", "cash", "--wait", "0", "--json", *as_boss)

    said = on("close", "T001", "--json", *as_boss)

    assert (said.status, error_of(said)) == (1, "command_open")
    assert said.json["error"]["params"]["command"] == sale.json["command"]


def test_a_closing_without_an_engine_goes_on_later(on, as_boss):
    said = on("close", "T001", "--wait", "0", "--json", *as_boss)

    assert (said.status, said.json["closed"]) == (4, False)
    assert [each["step"] for each in said.json["meters"]] == ["wait"]


def test_an_account_without_meters_is_closed_at_once(tenant, on, as_boss):
    tenant("add", "T900", "--name", "重庆小面", "--planned", VACANT)

    said = on("close", "T900", "--json", *as_boss)

    assert (said.status, said.json["closed"]) == (0, True)
    again = on("close", "T900", "--json", *as_boss)
    assert (again.status, error_of(again)) == (1, "tenant_closed")
    assert [each["state"] for each in on("tenant", "list", "--closed", "--json").json] == [
        "open", "closed",
    ]  # fmt: skip
    assert on("tenant", "vacant", "--json").json[0]["planned_for"] is None


def test_from_opening_to_closing_with_an_engine_at_work(served, on, as_boss):  # noqa: F811
    opened = on(
        "open", VACANT, "--tenant", "T900", "--name", "重庆小面", "--amount", "50", "--pay",
        "cash", "--json", *as_boss,
    )  # fmt: skip
    assert (opened.status, [each["outcome"] for each in opened.json["commands"]]) == (
        0, ["applied", "applied"],
    )  # fmt: skip

    moved = on("handover", MINE, "--to", "T900", "--keep", "--json", *as_boss)
    assert (moved.status, moved.json["meters"][0]["step"]) == (0, "done"), moved.out

    closed = on("close", "T900", "--reason", "搬走", "--json", *as_boss)
    assert (closed.status, closed.json["closed"]) == (0, True), closed.out
    assert (closed.json["payable_fen"], closed.json["deposit_fen"]) == (0, 0)
    assert on("verify", "--json").json["faults"] == []
    meters = {each["serial"]: each for each in on("meters", "--json").json}
    assert {meters[MINE]["balance_fen"], meters[VACANT]["balance_fen"]} == {0}
    assert {meters[MINE]["relay"], meters[VACANT]["relay"]} == {"open"}
    figures = on("tenant", "statement", "T900", "--json").json
    assert (figures["closed"], [each["sell_fen"] for each in figures["stays"]]) == (True, [5000, 0])
    for width in (32, 48, 80):
        paper = on("--lang", "zh_CN", "tenant", "statement", "T900", "--width", width)
        assert "销户结算单" in paper.out
        assert VACANT in paper.out


def test_a_closing_left_while_the_meter_is_silent_is_gone_on_with(
    served,  # noqa: F811
    on,
    run,
    as_boss,
    ports,  # noqa: F811
):
    control = ("fault", "--control", ports["control"], f"meter:{MINE}")
    assert run(*control, "no_reply", "count=0").status == 0
    left = on("close", "T001", "--wait", "2", "--json", *as_boss)
    assert (left.status, left.json["meters"][0]["step"]) == (4, "wait"), left.out
    assert run(*control, "clear").status == 0

    done = on("close", "T001", "--wait", "60", "--json", *as_boss)

    assert (done.status, done.json["closed"]) == (0, True), done.out
    assert on("verify", "--json").json["faults"] == []
