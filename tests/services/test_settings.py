"""What meters are to hold: set, refused, pushed, accepted; a refusal changes nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config
from engine.domain.errors import (
    AbsurdSetting,
    BadSetting,
    BadTimeControl,
    DomainError,
    Forbidden,
    NoReason,
    NoSuchMeter,
    NoSuchScope,
    NotOpened,
    NotPrepaid,
    RequestIdReused,
)
from engine.domain.setting_rules import parse
from engine.services import desired, operators, settings
from models import base
from models.commands import Command
from models.enums import CommandKind, CommandState, DefaultScope, MeterKind, Role
from models.metering import Latest
from models.people import AuditEntry
from models.settings import AcceptedSetting, SettingDefault
from models.site import Meter

CONFIG = Config()
RATED = {"DDSY1352-NK": 22_000, "DTSY1352-NK": 22_000}
HELD = {
    "money_control": 1, "alarm1_fen": 2000, "alarm2_fen": 500, "overdraft_fen": 0,
    "price_sharp": "1.2000", "price_peak": "1.0000", "price_flat": "0.7000",
    "price_valley": "0.4000",
}  # fmt: skip


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def ask(engineer):
    """Change the meter's own settings, as an engineer."""

    def one(meter, *, sure=False, by=engineer, **values):
        return settings.set_meter(meter.serial, values, by, config=CONFIG, ratings=RATED, sure=sure)

    return one


@pytest.fixture
def default(engineer):
    def one(scope, key, *, sure=False, by=engineer, **values):
        return settings.set_default(scope, key, values, by, config=CONFIG, ratings=RATED, sure=sure)

    return one


def hold(meter, **other):
    with base.readings_transaction():
        Latest.replace(
            meter_id=meter.id, rev=1, held=json.dumps({**HELD, **other}), held_at=base.EPOCH
        ).execute()


def log(action):
    return [
        (row.operator, row.subject, json.loads(row.detail))
        for row in AuditEntry.select().where(AuditEntry.action == action)
    ]


def test_what_is_set_is_desired_and_nothing_is_sent(meter, ask):
    ask(meter, alarm1_fen="3000", overload_w=8000, time_control=" 00:00 OFF，06:00 开 ")

    wanted = desired.settings(Meter.get(), CONFIG)

    assert (wanted["alarm1_fen"], wanted["overload_w"]) == (3000, 8000)
    assert wanted["time_control"] == "00:00 off, 06:00 on"
    assert not Command.select().exists()


def test_a_change_is_in_the_log_from_what_to_what_and_the_row_moves_on(meter, ask, engineer):
    before = meter.rev

    ask(meter, alarm1_fen=3000)
    ask(meter, alarm1_fen=None)

    assert log("settings_set") == [
        ("赵工", meter.serial, {"alarm1_fen": [None, 3000]}),
        ("赵工", meter.serial, {"alarm1_fen": [3000, None]}),
    ]
    assert Meter.get().rev > before
    assert desired.settings(Meter.get(), CONFIG)["alarm1_fen"] == 2000


def test_the_same_once_more_changes_nothing(meter, ask, picture):
    ask(meter, alarm1_fen=3000)
    before = picture()

    ask(meter, alarm1_fen="3000")

    assert picture() == before


def test_yuan_may_be_typed_where_fen_are_kept(meter, ask):
    ask(meter, alarm1_yuan="35.5", overdraft_yuan="0")

    assert (Meter.get().alarm1_fen, Meter.get().overdraft_fen) == (3550, 0)


@pytest.mark.parametrize("typed", ["", "-", "default", None, " Default "])
def test_nothing_typed_means_what_the_defaults_say(typed):
    assert parse("alarm1_fen", typed) is None


@pytest.mark.parametrize(
    ("values", "error", "why"),
    [
        pytest.param({"alarm1_fen": 400}, BadSetting, "crossed", id="below the default alarm 2"),
        pytest.param({"alarm2_fen": 2001}, BadSetting, "crossed", id="above the default alarm 1"),
        pytest.param({"alarm1_fen": -1}, BadSetting, "negative", id="negative"),
        pytest.param({"alarm1_yuan": "-1"}, BadSetting, "negative", id="negative yuan"),
        pytest.param({"alarm1_fen": "12x"}, BadSetting, "not_a_number", id="letters"),
        pytest.param({"alarm1_fen": "=cmd()"}, BadSetting, "not_a_number", id="a formula"),
        pytest.param({"alarm1_fen": "1\x1b[2J"}, BadSetting, "not_a_number", id="control"),
        pytest.param({"alarm1_fen": "１２.５"}, BadSetting, "not_a_number", id="a broken number"),
        pytest.param({"alarm1_yuan": "1.005"}, BadSetting, "not_yuan", id="half a fen"),
        pytest.param({"alarm1_yuan": "龙" * 100}, BadSetting, "not_yuan", id="100 characters"),
        pytest.param({"overdraft_fen": 2**32}, BadSetting, "too_large", id="u32"),
        pytest.param({"overload_trips_max": 65_536}, BadSetting, "too_large", id="u16"),
        pytest.param({"overload_recovery_min": 256}, BadSetting, "too_large", id="u8"),
        pytest.param({"overload_w": "9" * 30}, BadSetting, "too_large", id="very long"),
        pytest.param({"overload_w": 22_001}, BadSetting, "above_rating", id="above its rating"),
        pytest.param({"price_peak": 1}, BadSetting, "unknown", id="a price"),
        pytest.param({"alarm1_fen; drop": 1}, BadSetting, "unknown", id="no setting"),
        pytest.param({}, BadSetting, "nothing", id="nothing"),
        pytest.param({"alarm1_fen": 1_000_001}, AbsurdSetting, None, id="absurd"),
        pytest.param({"time_control": "06:00 on"}, BadTimeControl, "first", id="no first"),
        pytest.param({"time_control": "00:00 on, 25:00 off"}, BadTimeControl, "time", id="25:00"),
        pytest.param(
            {"time_control": ", ".join(f"{hour:02}:00 on" for hour in range(9))},
            BadTimeControl, "too_many", id="nine slots",
        ),
        pytest.param(
            {"alarm1_fen": 3000, "alarm2_fen": "x"}, BadSetting, "not_a_number", id="one of two"
        ),
    ],
)  # fmt: skip
def test_what_no_meter_can_be_asked_is_refused(meter, ask, picture, values, error, why):
    before = picture()

    with pytest.raises(error) as refused:
        ask(meter, **values)

    assert refused.value.params.get("why") == why
    assert picture() == before


def test_an_absurd_value_is_set_once_it_is_meant(meter, ask):
    ask(meter, alarm1_fen=1_000_001, sure=True)

    assert Meter.get().alarm1_fen == 1_000_001


def test_behind_a_transformer_a_meter_carries_more(add_meter, ask):
    meter = add_meter(ct_ratio=10)

    ask(meter, overload_w=220_000)

    with pytest.raises(BadSetting):
        ask(meter, overload_w=220_001)


def test_a_protected_meter_may_have_an_overdraft(add_meter, ask):
    ask(add_meter(protected=True), overdraft_fen=50_000)

    assert Meter.get().overdraft_fen == 50_000


def test_a_cashier_sets_nothing(meter, operator, ask, default, picture):
    before = picture()

    for refused in (
        lambda: ask(meter, by=operator, alarm1_fen=3000),
        lambda: default(DefaultScope.MODEL, "DDSY1352-NK", by=operator, alarm1_fen=3000),
        lambda: settings.accept(meter.serial, ["alarm1_fen"], "why", operator, config=CONFIG),
    ):
        with pytest.raises(Forbidden):
            refused()

    assert picture() == before


def test_unknown_and_ordinary_meters_are_refused(add_meter, ask, picture):
    ordinary = add_meter(kind=MeterKind.ORDINARY)
    before = picture()

    with pytest.raises(NotPrepaid):
        ask(ordinary, alarm1_fen=3000)
    with pytest.raises(NoSuchMeter):
        ask(Meter(serial="209912310001"), alarm1_fen=3000)

    assert picture() == before


def test_a_default_reaches_the_meters_that_say_nothing_themselves(add_meter, default):
    own, other, elsewhere = (
        add_meter(alarm1_fen=4000), add_meter("202611230002"),
        add_meter("202611230003", ct_ratio=2),
    )  # fmt: skip
    revs = {meter.id: meter.rev for meter in (own, other, elsewhere)}

    moved = default(DefaultScope.BUILDING, "A", alarm1_fen="3000", overload_w=None)

    assert moved == 2
    found = {meter.id: desired.settings(meter, CONFIG)["alarm1_fen"] for meter in Meter.select()}
    assert found == {own.id: 4000, other.id: 3000, elsewhere.id: 3000}
    assert [row.rev > revs[row.id] for row in Meter.select().order_by(Meter.id)] == [
        False, True, True,
    ]  # fmt: skip
    assert log("settings_default") == [("赵工", "building=A", {"alarm1_fen": [None, 3000]})]


def test_a_default_is_taken_away_again(meter, default):
    default(DefaultScope.MODEL, "DDSY1352-NK", alarm1_fen=3000)
    default(DefaultScope.MODEL, "DDSY1352-NK", alarm1_fen="")

    assert not SettingDefault.select().exists()
    assert desired.settings(Meter.get(), CONFIG)["alarm1_fen"] == 2000


def test_a_default_that_would_cross_the_alarms_of_one_meter_names_it(add_meter, default, picture):
    add_meter()
    add_meter("202611230002", alarm2_fen=1500)
    before = picture()

    with pytest.raises(BadSetting) as refused:
        default(DefaultScope.BUILDING, "A", alarm1_fen=1000)

    assert refused.value.params["serials"] == "202611230002"
    assert (refused.value.params["number"], refused.value.params["alarm2"]) == (1, "15.00")
    assert picture() == before


def test_of_many_wrong_meters_the_first_five_are_named(add_meter, default):
    for number in range(7):
        add_meter(f"20261123{number:04d}")

    with pytest.raises(BadSetting) as refused:
        default(DefaultScope.MODEL, "DDSY1352-NK", alarm1_fen=100)

    assert refused.value.params["number"] == 7
    assert refused.value.params["serials"].count(",") == 5


@pytest.mark.parametrize("scope", list(DefaultScope))
def test_a_building_or_model_that_nobody_knows_is_refused(meter, default, picture, scope):
    before = picture()

    with pytest.raises(NoSuchScope):
        default(scope, "=cmd()", alarm1_fen=3000)

    assert picture() == before


def test_the_defaults_of_the_site_are_said_to_stand_in_config_toml():
    with pytest.raises(BadSetting) as refused:
        settings.require_not_site({"alarm1_yuan": "3"})

    assert refused.value.params["key"] == "defaults.alarm1_fen"


def test_a_push_sends_exactly_the_names(meter, ask, engineer):
    ask(meter, alarm1_fen=3000)

    command = settings.push(meter.serial, ["alarm1_fen"], engineer, "p1", config=CONFIG)

    assert (command.kind, command.state) == (CommandKind.DOWNLOAD, CommandState.QUEUED)
    assert json.loads(command.desired) == {"alarm1_fen": 3000}


def test_a_push_of_no_names_sends_all_settings_and_no_price(meter, engineer):
    command = settings.push(meter.serial, [], engineer, "p1", config=CONFIG)

    assert json.loads(command.desired) == {
        "money_control": 1, "alarm1_fen": 2000, "alarm2_fen": 500, "overdraft_fen": 0,
    }  # fmt: skip


def test_a_push_is_done_once_an_id(meter, engineer, add_meter):
    other = add_meter("202611230002")
    first = settings.push(meter.serial, ["alarm1_fen"], engineer, "p1", config=CONFIG)

    again = settings.push(meter.serial, ["alarm1_fen"], engineer, "p1", config=CONFIG)

    assert again == first
    with pytest.raises(RequestIdReused):
        settings.push(other.serial, ["alarm1_fen"], engineer, "p1", config=CONFIG)


@pytest.mark.parametrize(
    ("fields", "error"), [({"tenant": ""}, NotOpened), ({"kind": MeterKind.ORDINARY}, NotPrepaid)]
)
def test_nothing_is_pushed_to_who_is_not_sold_to(add_meter, engineer, picture, fields, error):
    meter = add_meter(**fields)
    before = picture()

    with pytest.raises(error):
        settings.push(meter.serial, ["alarm1_fen"], engineer, "p1", config=CONFIG)

    assert picture() == before


def test_what_nobody_desires_is_not_pushed(meter, engineer, picture):
    before = picture()

    with pytest.raises(BadSetting) as refused:
        settings.push(meter.serial, ["overload_w"], engineer, "p1", config=CONFIG)

    assert refused.value.params["why"] == "not_desired"
    assert picture() == before


def test_a_difference_is_accepted_as_it_is_held(meter, engineer):
    hold(meter, alarm1_fen=2500)

    settings.accept(meter.serial, ["alarm1_fen"], " 店主要求\n", engineer, config=CONFIG)

    (row,) = AcceptedSetting.select()
    assert (row.name, row.value, row.why) == ("alarm1_fen", "2500", "店主要求")
    assert log("settings_accept") == [
        ("赵工", meter.serial, {"alarm1_fen": [2000, 2500], "why": "店主要求"})
    ]


@pytest.mark.parametrize(
    ("names", "why", "error"),
    [
        pytest.param(["alarm1_fen"], "  ", NoReason, id="no reason"),
        pytest.param(["alarm2_fen"], "so", BadSetting, id="it does not differ"),
        pytest.param(["alarm1_fen", "clock"], "so", BadSetting, id="one is no setting"),
        pytest.param(["overload_w"], "so", BadSetting, id="not desired"),
        pytest.param([], "so", BadSetting, id="none"),
    ],
)
def test_what_does_not_differ_is_not_accepted(meter, engineer, picture, names, why, error):
    hold(meter, alarm1_fen=2500)
    before = picture()

    with pytest.raises(error):
        settings.accept(meter.serial, names, why, engineer, config=CONFIG)

    assert picture() == before


TYPED_INTO = ("alarm1_fen", "overload_w", "alarm1_yuan", "time_control", "overload_recovery_min")


@given(st.text(max_size=30), st.sampled_from(TYPED_INTO))
def test_whatever_is_typed_is_a_value_or_a_refusal(text, name):
    try:
        value = parse(name, text)
    except DomainError:
        return
    assert value is None or parse(name.replace("_yuan", "_fen"), value) == value
