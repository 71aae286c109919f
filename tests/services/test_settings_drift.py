"""Read-backs held to what is desired: one event a difference, a flag that follows both sides."""

import dataclasses
import json

import pytest

from engine.config import Config, DefaultsSection
from engine.domain import settings_drift as rules
from engine.domain.errors import StaleEngine
from engine.services import operators, readings, settings, settings_drift
from models import base
from models.enums import DefaultScope, EventKind, MeterKind, Role
from models.metering import Latest, MeterEvent
from models.settings import AcceptedSetting
from models.site import Meter
from tests.services.conftest import EPOCH
from tests.services.test_settings import HELD

CONFIG = Config()


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def read_back(lease, clock):
    """Store what a meter holds, as the nightly read-back does, and let the engine look."""

    def one(meter, *, look=True, **other):
        with base.readings_transaction():
            Latest.insert(meter_id=meter.id, rev=1).on_conflict_ignore().execute()
            Latest.update(held=json.dumps({**HELD, **other}), held_at=clock.at).where(
                Latest.meter_id == meter.id
            ).execute()
        if look:
            settings_drift.keep_up(CONFIG, EPOCH)

    return one


def of(meter):
    return Latest.get(Latest.meter_id == meter.id)


def told(meter):
    query = MeterEvent.select().where(
        MeterEvent.meter_id == meter.id, MeterEvent.kind == EventKind.SETTINGS_DRIFT
    )
    return [json.loads(event.detail) for event in query.order_by(MeterEvent.id)]


def test_a_meter_that_holds_what_is_desired_is_not_flagged(meter, read_back):
    read_back(meter)

    assert (of(meter).settings_differ, of(meter).settings_drift) == (False, None)
    assert told(meter) == []


def test_a_difference_is_told_once_however_often_it_is_read(meter, read_back, clock):
    first = clock.at
    for _ in range(3):
        read_back(meter, alarm1_fen=2500)
        clock.advance(days=1)

    assert told(meter) == [{"alarm1_fen": "2000 / 2500"}]
    assert of(meter).settings_differ
    assert rules.from_json(of(meter).settings_drift)["alarm1_fen"].since == first


def test_another_difference_is_told_again_and_one_that_came_back_too(meter, read_back, clock):
    for held in (2500, 2600, 2000, 2600):
        read_back(meter, alarm1_fen=held)
        clock.advance(days=1)

    assert told(meter) == [
        {"alarm1_fen": "2000 / 2500"}, {"alarm1_fen": "2000 / 2600"},
        {"alarm1_fen": "2000 / 2600"},
    ]  # fmt: skip


def test_only_what_is_new_is_told(meter, read_back, clock):
    read_back(meter, alarm1_fen=2500)
    clock.advance(days=1)
    read_back(meter, alarm1_fen=2500, price_peak="1.1000")

    assert told(meter) == [{"alarm1_fen": "2000 / 2500"}, {"price_peak": "1.0000 / 1.1000"}]


def test_a_price_in_other_digits_is_the_same(meter, read_back):
    read_back(meter, price_peak="1.0")

    assert not of(meter).settings_differ


def test_what_a_model_does_not_show_is_no_difference(meter, read_back, engineer):
    settings.set_meter(meter.serial, {"overload_w": 8000}, engineer, config=CONFIG)

    read_back(meter)

    assert not of(meter).settings_differ


def test_the_flag_follows_what_is_desired_without_a_read_back(meter, read_back, engineer, clock):
    read_back(meter)
    rev = of(meter).rev

    settings.set_meter(meter.serial, {"alarm1_fen": 3000}, engineer, config=CONFIG)
    clock.advance(minutes=1)
    settings_drift.keep_up(CONFIG, EPOCH)

    assert of(meter).settings_differ
    assert of(meter).rev > rev, "or no screen would see it"
    assert told(meter) == [], "nobody has read it back yet"
    clock.advance(days=1)
    read_back(meter)
    assert told(meter) == [{"alarm1_fen": "3000 / 2000"}]


def test_a_default_of_many_meters_is_seen_for_each_of_them(
    add_meter, read_back, engineer, monkeypatch
):
    meters = [add_meter(f"20261123{number:04d}") for number in range(1, 6)]
    for meter in meters:
        read_back(meter)
    monkeypatch.setattr(settings_drift, "AT_ONCE", 2)
    scope = DefaultScope.BUILDING
    settings.set_default(scope, "A", {"alarm1_fen": 3000}, engineer, config=CONFIG)
    settings.set_meter(meters[0].serial, {"alarm1_fen": 2000}, engineer, config=CONFIG)

    for _ in range(6):
        settings_drift.keep_up(CONFIG, EPOCH)

    assert [of(meter).settings_differ for meter in meters] == [False, True, True, True, True]


def test_a_meter_that_was_never_read_stops_no_other(add_meter, read_back, engineer, monkeypatch):
    unread, meter = add_meter(), add_meter("202611230002")
    read_back(meter)
    monkeypatch.setattr(settings_drift, "AT_ONCE", 1)

    for each in (unread, meter):
        settings.set_meter(each.serial, {"alarm1_fen": 3000}, engineer, config=CONFIG)
    settings_drift.keep_up(CONFIG, EPOCH)

    assert of(meter).settings_differ
    assert Latest.get_or_none(Latest.meter_id == unread.id) is None


def test_a_new_engine_judges_by_its_own_config(meter, read_back):
    read_back(meter)
    changed = dataclasses.replace(CONFIG, defaults=DefaultsSection(alarm1_fen=3000))
    readings.own(EPOCH + 1)

    settings_drift.keep_up(changed, EPOCH + 1)

    assert of(meter).settings_differ


def test_an_engine_that_was_replaced_writes_nothing(meter, read_back, picture):
    read_back(meter, look=False, alarm1_fen=2500)
    readings.own(EPOCH + 1)
    before = picture()

    with pytest.raises(StaleEngine):
        settings_drift.keep_up(CONFIG, EPOCH)

    assert picture() == before


def test_an_accepted_difference_is_no_flag_until_the_meter_holds_something_else(
    meter, read_back, engineer, clock
):
    read_back(meter, alarm1_fen=2500)
    settings.accept(meter.serial, ["alarm1_fen"], "店主要求", engineer, config=CONFIG)
    settings_drift.keep_up(CONFIG, EPOCH)
    assert not of(meter).settings_differ
    assert rules.from_json(of(meter).settings_drift)["alarm1_fen"].accepted
    clock.advance(days=1)

    read_back(meter, alarm1_fen=2600)

    assert of(meter).settings_differ
    assert not AcceptedSetting.select().exists()
    assert told(meter)[1:] == [{"alarm1_fen": "2000 / 2600"}]


@pytest.mark.parametrize("fields", [{"tenant": ""}, {"kind": MeterKind.ORDINARY}])
def test_nothing_is_desired_of_meters_that_are_not_sold_to(add_meter, read_back, fields):
    meter = add_meter(**fields)

    read_back(meter, alarm1_fen=1)

    assert not of(meter).settings_differ


def test_a_look_with_nothing_to_do_writes_nothing(meter, read_back, picture):
    read_back(meter, alarm1_fen=2500)
    settings_drift.keep_up(CONFIG, EPOCH)
    before = picture()

    assert settings_drift.keep_up(CONFIG, EPOCH) is False

    assert picture() == before
    assert Meter.select().count() == 1
