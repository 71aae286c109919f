"""lock, unlock, protect, emergency, limit, guard: on the command line."""

import json

import pytest

from models import store
from models.control import LockOut, Temporary
from models.enums import TemporaryState
from models.people import AuditEntry

pytestmark = pytest.mark.usefixtures("clock")
SERIAL, OTHER = "202611230001", "202611230002"


@pytest.fixture
def person(on, password_file, as_boss):
    """Make an operator; the options that name her as the one who asks."""

    def make(name, role):
        made = on(
            "operator", "add", name, "--role", role, "--new-password-file", password_file, *as_boss
        )
        assert made.status == 0, made.err
        return ["--as", name, "--password-file", password_file]

    return make


def test_a_lock_is_placed_listed_and_taken_off_by_its_holder(on, person):
    fitter = person("fitter", "engineer")

    placed = on("lock", SERIAL, "--reason", "换断路器", *fitter, "--json")
    listed = on("locks", "--json")
    refused = on("hold", SERIAL, "--reason", "试", *fitter, "--json")
    freed = on("unlock", SERIAL, *fitter)

    assert (placed.status, placed.json["holder"], placed.json["under_way"]) == (0, "fitter", [])
    assert [each["serial"] for each in listed.json] == [SERIAL]
    assert refused.status == 1
    assert refused.json["error"]["code"] == "meter_locked_out"
    assert (freed.status, on("locks", "--json").json) == (0, [])


def test_a_lock_names_the_queued_sale_it_stops(on, as_boss, person):
    sold = on("sell", SERIAL, "100", "--pay", "cash", "--wait", "0", *as_boss, "--json")

    placed = on("lock", SERIAL, "--reason", "换断路器", *person("fitter", "engineer"), "--json")

    assert [each["command"] for each in placed.json["stopped"]] == [sold.json["command"]]


def test_anothers_lock_needs_a_second_person(on, person, as_boss, password_file, site):
    on("lock", SERIAL, "--reason", "换断路器", *person("fitter", "engineer"))
    mate = person("mate", "engineer")

    alone = on("unlock", SERIAL, *mate, "--json")
    two = ["--approve", "boss", "--approve-password-file", password_file]
    together = on("unlock", SERIAL, *mate, *two, "--json")

    assert (alone.status, alone.json["error"]["code"]) == (1, "lock_held")
    assert (together.status, together.json["second"]) == (0, "boss")
    with store.opened(site):
        assert LockOut.get().released_by.name == "mate"


def test_a_protected_meter_is_not_tripped_until_it_is_one_like_the_others(on, as_boss, site):
    made = on("protect", SERIAL, "--reason", "消防泵", *as_boss, "--json")
    refused = on("trip", SERIAL, "--reason", "欠费", *as_boss, "--json")
    freed = on("protect", SERIAL, "--off", "--reason", "拆除", *as_boss)
    tripped = on("trip", SERIAL, "--reason", "欠费", "--wait", "0", *as_boss)

    assert made.json == {"serial": SERIAL, "protected": True}
    assert refused.json["error"]["code"] == "meter_protected"
    assert (freed.status, tripped.status) == (0, 4)
    with store.opened(site):
        actions = [entry.action for entry in AuditEntry.select()]
    assert {"protect", "unprotect"} <= set(actions)


def test_a_cashier_holds_in_an_emergency_and_sees_it_listed(on, person, site):
    cashier = person("night", "cashier")

    held = on(
        "emergency", "hold", SERIAL, "--hours", "2.5", "--reason", "冷柜", "--wait", "0",
        *cashier, "--json",
    )  # fmt: skip
    again = on("emergency", "hold", SERIAL, "--hours", "1", "--reason", "冷柜", *cashier, "--json")
    listed = on("emergency", "list", "--json")

    assert (held.status, held.json["outcome"]) == (4, "queued")
    assert held.json["order"]["purpose"] == "emergency"
    assert (again.status, again.json["error"]["code"]) == (1, "temporary_open")
    assert [each["temporary"] for each in listed.json] == [held.json["order"]["temporary"]]
    assert on("emergency").status == 0
    with store.opened(site):
        row = Temporary.get()
    assert (row.state, (row.until - row.created_at).total_seconds()) == (
        TemporaryState.BEGINNING,
        9_000,
    )


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "x", "12.5", "1e9", "２", "=1+1", ""])
def test_hours_that_are_none_or_too_many_are_refused(on, person, hours):
    held = on(
        "emergency", "hold", SERIAL, f"--hours={hours}", "--reason", "冷柜",
        *person("night", "cashier"), "--json",
    )  # fmt: skip

    assert (held.status, held.json["error"]["code"]) == (1, "bad_until")


def test_an_order_is_ended_before_its_time(on, person):
    cashier = person("night", "cashier")
    held = on(
        "emergency", "hold", SERIAL, "--hours", "2", "--reason", "冷柜", "--wait", "0", *cashier,
        "--json",
    )  # fmt: skip
    number = held.json["order"]["temporary"]

    ended = on("emergency", "end", number, "--wait", "0", *cashier, "--json")
    unknown = on("emergency", "end", 99, *cashier, "--json")

    assert (ended.status, ended.json["temporary"]) == (4, number)
    assert (unknown.status, unknown.json["error"]["code"]) == (1, "no_such_temporary")


def test_a_limit_is_set_by_who_looks_after_the_meters(on, person):
    fitter = person("fitter", "engineer")
    given = ["limit", "set", SERIAL, "2000", "--hours", "4", "--reason", "限电", "--wait", "0"]

    forbidden = on(*given, *person("night", "cashier"), "--json")
    put = on(*given, *fitter, "--json")

    assert forbidden.json["error"]["code"] == "forbidden"
    assert (put.status, put.json["order"]["limit_w"]) == (4, 2000)
    assert "2000 W" in on("limit", "list").out


@pytest.mark.parametrize("watts", ["0", "-5", "2kW", "99999999", "70000", "２０００"])
def test_watts_that_are_no_limit_are_refused(on, as_boss, watts):
    put = on(
        "limit", "set", SERIAL, "--hours", "4", "--reason", "限电", *as_boss, "--json", "--", watts
    )

    assert (put.status, put.json["error"]["code"]) == (1, "bad_limit")


def test_the_guard_says_that_nobody_is_at_risk_where_nothing_was_read(on):
    listed = on("guard", "list", "--json")

    assert listed.status == 0
    assert listed.json["at_risk"] == []
    assert on("guard").status == 0


def test_the_guard_holds_what_was_confirmed(on, as_boss, site):
    wrong = on("guard", "hold", "--confirm", "2", "--serials", SERIAL, *as_boss, "--json")
    held = on(
        "guard", "hold", "--confirm", "2", "--serials", f"{SERIAL},{OTHER}", "--wait", "0",
        *as_boss, "--json",
    )  # fmt: skip

    assert (wrong.status, wrong.json["error"]["code"]) == (1, "guard_count_differs")
    assert held.status == 4
    assert held.json["left_out"] == {OTHER: "not_opened"}
    assert [each["serial"] for each in held.json["commands"]] == [SERIAL]
    with store.opened(site):
        logged = AuditEntry.get(AuditEntry.action == "guard_hold")
    assert json.loads(logged.detail)["held"] == [SERIAL]


def test_every_list_is_told_in_words_too(on, as_boss, person):
    on("lock", SERIAL, "--reason", "换断路器", *as_boss)
    on("limit", "set", OTHER, "2000", "--hours", "1", "--reason", "限", "--wait", "0", *as_boss)

    for words in (["locks"], ["emergency"], ["limit"], ["guard"]):
        for lang in ("zh_CN", "en"):
            said = on("--lang", lang, *words)
            assert said.status == 0
            assert said.out.strip()
