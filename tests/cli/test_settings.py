"""settings on the command line: shown, set, pushed, accepted, drift; its exit statuses."""

import json

import pytest

from models import base, store
from models.commands import Command
from models.metering import Latest
from models.site import Meter
from tests.services.test_settings import HELD

pytestmark = pytest.mark.usefixtures("clock")
SERIAL = "202611230001"


@pytest.fixture
def hold(site, clock):
    def one(**other):
        with store.opened(site), base.readings_transaction():
            meter = Meter.get(Meter.serial == SERIAL)
            Latest.replace(
                meter_id=meter.id,
                rev=1,
                held=json.dumps({**HELD, **other}),
                held_at=clock.at,
                settings_at=clock.at,
            ).execute()

    return one


def test_a_meter_shows_desired_source_and_held(on, hold):
    hold(alarm1_fen=2500)

    said = on("settings", "show", SERIAL, "--json")

    assert said.status == 0
    (row,) = [row for row in said.json["settings"] if row["name"] == "alarm1_fen"]
    assert row == {
        "name": "alarm1_fen", "desired": 2000, "source": "site", "held": 2500,
        "held_at": "2026-11-23T09:00:00+08:00", "differs": True, "accepted": False, "why": None,
    }  # fmt: skip
    assert "25.00" in on("settings", "show", SERIAL).out


def test_a_meter_is_set_and_nothing_is_sent(on, site, as_boss):
    said = on("settings", "set", SERIAL, "alarm1_yuan=35", "overload_w=8000", *as_boss, "--json")

    assert said.status == 0, said.out
    rows = {row["name"]: (row["desired"], row["source"]) for row in said.json["settings"]}
    assert (rows["alarm1_fen"], rows["overload_w"]) == ((3500, "meter"), (8000, "meter"))
    with store.opened(site):
        assert not Command.select().exists()
    assert on("settings", "set", SERIAL, "alarm1_fen=", *as_boss).status == 0


def test_a_building_and_a_model_are_set_and_shown(on, as_boss):
    said = on("settings", "default", "building=A", "alarm1_fen=3000", *as_boss, "--json")
    assert said.json == {
        "scope": "building", "key": "A", "changed_meters": 2,
        "settings": {"alarm1_fen": 3000, "alarm2_fen": 500, "overdraft_fen": 0},
    }  # fmt: skip
    on("settings", "default", "model=DDSY1352-NK", "time_control=00:00 off, 06:00 on", *as_boss)

    shown = on("settings", "show", "--json").json

    assert [(row["scope"], row["key"], row["settings"]) for row in shown] == [
        ("site", None, {"alarm1_fen": 2000, "alarm2_fen": 500, "overdraft_fen": 0}),
        ("building", "A", {"alarm1_fen": 3000}),
        ("model", "DDSY1352-NK", {"time_control": "00:00 off, 06:00 on"}),
    ]
    of_building = on("settings", "show", "--building", "A", "--json").json["settings"]
    assert of_building[0] == {"name": "alarm1_fen", "value": 3000, "source": "building"}
    assert "30.00" in on("settings").out


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("set", SERIAL, "alarm1_fen=100"), 1, "bad_setting"),
        (("set", SERIAL, "alarm1_fen=-5"), 1, "bad_setting"),
        (("set", SERIAL, "alarm1_fen=12a"), 1, "bad_setting"),
        (("set", SERIAL, "overload_w=99999"), 1, "bad_setting"),
        (("set", SERIAL, "alarm1_fen=2000000"), 1, "absurd_setting"),
        (("set", SERIAL, "time_control=06:00 on"), 1, "bad_time_control"),
        (("set", SERIAL, "alarm1_fen"), 2, "bad_setting_value"),
        (("set", SERIAL, "alarm1_fen=1", "alarm1_fen=2"), 2, "bad_setting_value"),
        (("set", "202611239999", "alarm1_fen=3000"), 1, "no_such_meter"),
        (("default", "site=", "alarm1_fen=3000"), 1, "bad_setting"),
        (("default", "floor=1", "alarm1_fen=3000"), 2, "bad_scope"),
        (("default", "building=Z", "alarm1_fen=3000"), 1, "no_such_scope"),
        (("default", "model=X", "alarm1_fen=3000"), 1, "no_such_scope"),
        (("push", SERIAL, "overload_w"), 1, "bad_setting"),
        (("accept", SERIAL, "alarm1_fen", "--reason", "x"), 1, "bad_setting"),
    ],
)
def test_what_is_refused_says_so_in_its_document(on, as_boss, words, status, code):
    said = on("settings", *words, *as_boss, "--json")

    assert (said.status, said.json["error"]["code"]) == (status, code)


def test_an_unusual_value_is_taken_once_it_is_meant(on, as_boss):
    assert on("settings", "set", SERIAL, "alarm1_fen=2000000", "--sure", *as_boss).status == 0


def test_the_default_of_the_site_names_its_key(on, as_boss):
    said = on("settings", "default", "site", "alarm1_yuan=3", *as_boss)

    assert (said.status, "defaults.alarm1_fen" in said.err) == (1, True)


def test_who_does_not_say_who_he_is_sets_nothing(on):
    assert on("settings", "set", SERIAL, "alarm1_fen=3000").status == 2


def test_a_push_is_a_command(on, as_boss):
    said = on("settings", "push", SERIAL, "alarm1_fen", *as_boss, "--wait", "0", "--json")

    assert (said.status, said.json["outcome"]) == (4, "queued")


def test_drift_is_listed_and_accepted(on, hold, as_boss):
    hold(alarm1_fen=2500)

    before = on("settings", "drift", "--json").json
    taken = on("settings", "accept", SERIAL, "alarm1_fen", "--reason", "店主要求", *as_boss)
    after = on("settings", "drift", "--json").json

    assert taken.status == 0, taken.err
    (row,) = before["differs"]
    assert (row["serial"], row["name"], row["wanted"], row["held"]) == (
        SERIAL, "alarm1_fen", 2000, 2500,
    )  # fmt: skip
    assert before["night"] == {
        "due_at": "2026-11-23T02:30:00+08:00", "last_at": "2026-11-23T09:00:00+08:00",
        "read": 1, "unread": 0,
    }  # fmt: skip
    assert (after["differs"], [row["name"] for row in after["accepted"]]) == ([], ["alarm1_fen"])
    assert "25.00" in on("settings", "drift").out


def test_without_drift_it_says_so(on, hold):
    hold()

    assert on("--lang", "en", "settings", "drift").out.startswith("Every meter")
