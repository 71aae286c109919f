"""What views say of settings: source, read-back, difference; quick enough for ten thousand."""

import datetime as dt
import json
import time

import pytest

from engine.config import Config
from engine.domain.errors import NoSuchMeter
from engine.views import meters, settings
from models import base
from models.accounts import Account, Installation
from models.control import Temporary
from models.enums import DefaultScope, Flag, MeterKind, TemporaryPurpose, TemporaryState
from models.metering import Latest
from models.settings import AcceptedSetting, SettingDefault
from models.site import Meter
from models.tariffs import Tariff, TariffVersion
from tests.services.test_settings import HELD

CONFIG = Config()
NIGHT = dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)  # 02:30 at the site


@pytest.fixture
def hold(db):
    def one(meter, at=NIGHT, **other):
        with base.readings_transaction():
            Latest.replace(
                meter_id=meter.id,
                rev=1,
                held=json.dumps({**HELD, **other}),
                held_at=at,
                settings_at=at,
            ).execute()

    return one


@pytest.fixture
def accept(db, operator, clock):
    def one(meter, name, value):
        with base.write_transaction():
            AcceptedSetting.create(
                meter=meter, name=name, value=value, why="店主要求", accepted_by=operator,
                accepted_at=clock.at,
            )  # fmt: skip

    return one


def test_a_meter_says_who_wants_what_and_what_it_holds(add_meter, hold, clock):
    meter = add_meter(alarm2_fen=600)
    with base.write_transaction():
        SettingDefault.create(
            scope=DefaultScope.MODEL, key=meter.model, name="overload_w", value="8000",
            set_at=clock.at,
        )  # fmt: skip
    hold(meter, clock_off_s=-3)

    rows = {row.name: row for row in settings.of_meter(meter.serial, CONFIG)}

    assert [
        (name, rows[name].desired, rows[name].source, rows[name].held, rows[name].differs)
        for name in ("money_control", "alarm1_fen", "alarm2_fen", "overload_w", "price_peak",
                     "clock_off_s")
    ] == [
        ("money_control", 1, "site", 1, False),
        ("alarm1_fen", 2000, "site", 2000, False),
        ("alarm2_fen", 600, "meter", 500, True),
        ("overload_w", 8000, "model", None, False),
        ("price_peak", "1.0000", "site", "1.0000", False),
        ("clock_off_s", None, "", -3, False),
    ]  # fmt: skip
    assert rows["alarm1_fen"].held_at == NIGHT


@pytest.mark.parametrize(
    ("schedule", "desired"),
    [
        ("00:00 valley, 08:00 flat", {"schedule1", "schedule2", "multi_rate"}),
        ("", set()),
    ],
)
def test_a_schedule_that_is_held_as_its_tariff_says_is_desired(add_meter, hold, schedule, desired):
    with base.write_transaction():
        prices = {f"price_{rate}": 1 for rate in ("sharp", "peak", "flat", "valley")}
        tariff = Tariff.create(name="商铺")
        TariffVersion.create(tariff=tariff, valid_from="2026-01-01", schedule=schedule, **prices)
    meter = add_meter(tariff="商铺")
    text = "00:00 valley, 08:00 flat"
    hold(meter, schedule1=text, schedule2=text, zones="01-01 1", multi_rate=1)

    rows = {row.name: row for row in settings.of_meter(meter.serial, CONFIG)}

    named = ("schedule1", "schedule2", "zones", "multi_rate")
    assert {name for name in named if rows[name].source == "tariff"} == desired
    assert rows["schedule1"].desired == (text if desired else None)
    assert not any(rows[name].differs for name in named)


def test_a_limit_for_a_time_is_desired_while_it_stands(add_meter, hold, operator, clock):
    meter = add_meter(overload_w=8000)
    with base.write_transaction():
        Temporary.create(
            request_id="l1", meter=meter, serial=meter.serial, purpose=TemporaryPurpose.LIMIT,
            state=TemporaryState.HELD, limit_w=2000, why="x", operator=operator,
            created_at=clock.at, until=clock.at + dt.timedelta(hours=2),
        )  # fmt: skip
    hold(meter, overload_w=2000)

    (row,) = [row for row in settings.of_meter(meter.serial, CONFIG) if row.name == "overload_w"]

    assert (row.desired, row.source, row.differs) == (2000, "limit", False)
    assert settings.drifts(CONFIG) == []
    assert settings.wishes(meter.serial, CONFIG)[0] == {"overload_w": 8000}
    clock.advance(hours=2, seconds=1)
    assert [row.name for row in settings.drifts(CONFIG)] == ["overload_w"]


def test_a_meter_that_was_never_read_back_holds_nothing_known(meter):
    rows = settings.of_meter(meter.serial, CONFIG)

    assert {row.held for row in rows} == {None}
    assert [row.name for row in rows if row.differs] == []


def test_an_unknown_meter_has_no_settings(db):
    with pytest.raises(NoSuchMeter):
        settings.of_meter("209912310001", CONFIG)


def test_drifts_name_meter_value_and_since(meter, hold):
    hold(meter, alarm1_fen=2500)

    (row,) = settings.drifts(CONFIG)

    assert (row.serial, row.shop, row.tenant) == (meter.serial, "A-101", "张三丰茶馆")
    assert (row.name, row.wanted, row.held, row.accepted) == ("alarm1_fen", 2000, 2500, False)
    assert row.since == NIGHT
    assert settings.differs_by_meter(CONFIG) == {meter.id: {"alarm1_fen"}}


def test_what_was_accepted_is_listed_apart_and_differs_from_nothing(meter, hold, accept):
    hold(meter, alarm1_fen=2500)
    accept(meter, "alarm1_fen", "2500")

    assert [row.accepted for row in settings.drifts(CONFIG)] == [True]
    assert settings.differs_by_meter(CONFIG) == {}
    (row,) = [row for row in settings.of_meter(meter.serial, CONFIG) if row.differs]
    assert (row.accepted, row.why) == (True, "店主要求")


def test_an_acceptance_of_another_value_is_none(meter, hold, accept):
    hold(meter, alarm1_fen=2600)
    accept(meter, "alarm1_fen", "2500")

    assert [row.accepted for row in settings.drifts(CONFIG)] == [False]


def test_meters_that_nobody_is_sold_by_do_not_drift(add_meter, hold):
    for meter in (add_meter("202611230001", tenant=""),
                  add_meter("202611230002", kind=MeterKind.ORDINARY)):  # fmt: skip
        hold(meter, alarm1_fen=1)
        assert not any(row.differs for row in settings.of_meter(meter.serial, CONFIG))

    assert settings.drifts(CONFIG) == []


def test_the_night_says_who_was_not_read(add_meter, hold, noon):
    read, older = add_meter(), add_meter("202611230002")
    add_meter("202611230003")
    hold(read, at=NIGHT + dt.timedelta(minutes=4))
    hold(older, at=NIGHT - dt.timedelta(minutes=1))

    night = settings.night(CONFIG, noon)

    assert night == (NIGHT, NIGHT + dt.timedelta(minutes=4), 1, 2)


def test_the_live_table_has_the_flag(meter, learn, noon):
    learn(meter)
    with base.readings_transaction():
        Latest.update(settings_differ=True).execute()

    _, (row,) = meters.rows(now=noon)

    assert Flag.SETTINGS_DRIFT in row.flags
    assert "settings_drift" in row.as_json(noon)["flags"]


@pytest.mark.parametrize(("number", "most_s"), [(334, 0.05), (10_000, 1.0)])
def test_drift_of_many_is_found_in_time(line, clock, number, most_s):
    held = json.dumps({**HELD, "alarm1_fen": 2500})
    with base.write_transaction():
        account = Account.create(number="T1", name="t", opened_at=clock.at)
        rows = [
            {"serial": f"{index:012d}", "model": "DDSY1352-NK", "line": line,
             "address": index % 247 + 1, "building": line.gateway.building,
             "retired_at": None}
            for index in range(number)
        ]  # fmt: skip
        base.core.execute_sql("DROP INDEX meter_at")
        for start in range(0, number, 500):
            Meter.insert_many(rows[start : start + 500]).execute()
        opened = [{"meter": n, "account": account, "opened_at": clock.at}
                  for n in range(1, number + 1)]  # fmt: skip
        for start in range(0, number, 500):
            Installation.insert_many(opened[start : start + 500]).execute()
    with base.readings_transaction():
        known = [{"meter_id": n, "rev": 1, "held": held, "held_at": clock.at}
                 for n in range(1, number + 1)]  # fmt: skip
        for start in range(0, number, 500):
            Latest.insert_many(known[start : start + 500]).execute()
    times = []
    for _ in range(3):
        started = time.perf_counter()
        assert len(settings.drifts(CONFIG)) == number
        times.append(time.perf_counter() - started)

    assert min(times) < most_s
