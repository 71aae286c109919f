"""What a meter is to hold: the most particular that says so, the same for one and for many."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, DefaultsSection
from engine.domain.resolving import OWN, TEXTS, Defaults
from engine.services import desired
from models import base
from models.enums import DefaultScope
from models.settings import SettingDefault
from models.tariffs import Tariff, TariffVersion

CONFIG = Config()
NUMBERS = tuple(name for name in OWN if name not in TEXTS)


@pytest.fixture
def default(db, clock):
    def one(scope, key, name, value):
        with base.write_transaction():
            SettingDefault.create(
                scope=scope, key=key, name=name, value=str(value), set_at=clock.at
            )

    return one


def test_a_meter_that_says_nothing_has_what_config_toml_says(meter):
    assert desired.of(meter, CONFIG) == {
        "money_control": 1, "price_sharp": "1.2000", "price_peak": "1.0000",
        "price_flat": "0.7000", "price_valley": "0.4000", "alarm1_fen": 2000, "alarm2_fen": 500,
        "overdraft_fen": 0,
    }  # fmt: skip


def test_an_overload_in_config_toml_is_desired_and_none_is_left_alone(meter):
    looked_after = dataclasses.replace(CONFIG, defaults=DefaultsSection(overload_w=8000))

    assert desired.settings(meter, looked_after)["overload_w"] == 8000
    assert "overload_w" not in desired.settings(meter, CONFIG)


def test_building_is_beaten_by_model_and_model_by_the_meter_itself(add_meter, default):
    meter = add_meter(alarm1_fen=40)
    default(DefaultScope.BUILDING, "A", "alarm1_fen", 20)
    default(DefaultScope.MODEL, "DDSY1352-NK", "alarm1_fen", 30)
    default(DefaultScope.BUILDING, "A", "overdraft_fen", 21)
    default(DefaultScope.MODEL, "DDSY1352-NK", "overdraft_fen", 31)
    default(DefaultScope.BUILDING, "A", "time_control", "off")
    default(DefaultScope.BUILDING, "elsewhere", "alarm2_fen", 22)

    found = desired.settings(meter, CONFIG)

    assert found == {
        "alarm1_fen": 40, "alarm2_fen": 500, "overdraft_fen": 31, "time_control": "off",
    }  # fmt: skip


def test_many_have_what_each_has_alone(add_meter, default, clock):
    with base.write_transaction():
        tariff = Tariff.create(name="shops")
        TariffVersion.create(
            tariff=tariff, valid_from="2026-01-01", price_sharp=Decimal("2.0"),
            price_peak=Decimal("1.5"), price_flat=Decimal("1.0"), price_valley=Decimal("0.5"),
        )  # fmt: skip
    default(DefaultScope.MODEL, "DDSY1352-NK", "overload_w", 5000)
    meters = [
        add_meter(), add_meter("202611230002", tariff="shops"),
        add_meter("202611230003", overload_w=100),
    ]  # fmt: skip

    together = desired.of_all(meters, CONFIG)

    assert together == {meter.id: desired.of(meter, CONFIG) for meter in meters}
    assert [together[meter.id]["price_peak"] for meter in meters] == ["1.0000", "1.5000", "1.0000"]
    assert [together[meter.id]["overload_w"] for meter in meters] == [5000, 5000, 100]


layer = st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 99))


@given(own=layer, model=layer, building=layer, site=layer)
def test_whoever_is_nearest_to_the_meter_decides_name_by_name(own, model, building, site):
    said = Defaults(
        site,
        {(DefaultScope.BUILDING, "A"): building, (DefaultScope.MODEL, "M"): model,
         (DefaultScope.BUILDING, "B"): {"alarm1_fen": -1}, (DefaultScope.MODEL, "A"): {"x": 1}},
    )  # fmt: skip
    layers = (("meter", own), ("model", model), ("building", building), ("site", site))

    found = said.resolved(own, model="M", building="A")

    for name in NUMBERS:
        nearest = next(((source, each[name]) for source, each in layers if name in each), None)
        assert (found[name].source, found[name].value) == nearest if nearest else name not in found
    values = said.values(own, model="M", building="A")
    assert values == {name: sourced.value for name, sourced in found.items()}


def test_ten_thousand_are_resolved_within_a_second(add_meter):
    meter = add_meter()
    started = dt.datetime.now(dt.UTC)

    desired.of_all([meter] * 10_000, CONFIG)

    assert (dt.datetime.now(dt.UTC) - started).total_seconds() < 1
