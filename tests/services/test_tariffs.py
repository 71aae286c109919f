"""Tariffs are published once, checked, questioned; special days are set; meters are assigned."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import peewee as pw
import pytest

from engine import tables
from engine.config import Config, ControlSection
from engine.domain.errors import (
    BadSpecialDay,
    BadTariff,
    BadTariffName,
    Forbidden,
    NoSuchMeter,
    NoSuchTariff,
    NoSuchVersion,
    PriceAsked,
    TariffBackdated,
    TariffBegun,
    TariffPublished,
)
from engine.services import calendars, operators, pricing, stepping, tariffs
from engine.views import tariffs as views
from models import base
from models.accounts import Installation
from models.enums import Role, SpecialDayKind
from models.people import AuditEntry, Operator
from models.site import Meter
from models.tariffs import SpecialDay, TariffVersion

CONFIG = Config()
TODAY = dt.date(2026, 11, 23)
LATER = dt.date(2026, 12, 1)
TOU = tuple(Decimal(text) for text in ("1.2", "1.0", "0.7", "0.4"))
SCHEDULE = "00:00 谷; 07:00 平; 10:00 峰, 19:00 尖；21:00 峰；23:00 谷"


@pytest.fixture
def chief(db, clock) -> Operator:
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def publish(chief):
    def one(
        day=LATER, prices=TOU, schedule=SCHEDULE, steps="", cycle="", note="", *,
        name="商铺", asked=(), by=None,
    ) -> TariffVersion:  # fmt: skip
        return tariffs.publish(
            name, day, prices, schedule, steps, cycle, note, by or chief,
            config=CONFIG, asked=asked,
        )  # fmt: skip

    return one


def test_a_version_stands_in_its_canonical_notation_with_who_published_it(publish, chief, clock):
    made = publish(steps="0–240: +0； 240–: +0.30", cycle="每月", note="粤发改 2026")

    assert [str(price) for price in made.prices] == ["1.2000", "1.0000", "0.7000", "0.4000"]
    assert made.schedule == (
        "00:00 valley, 07:00 flat, 10:00 peak, 19:00 sharp, 21:00 peak, 23:00 valley"
    )
    assert (made.steps, made.cycle) == ("0-240: +0; 240-: +0.3", "monthly")
    assert (made.published_by, made.published_at) == (chief, clock.at)
    logged = AuditEntry.get(AuditEntry.action == "tariff_publish")
    assert json.loads(logged.detail)["schedule"] == made.schedule


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"day": TODAY - dt.timedelta(days=1)}, TariffBackdated),
        ({"schedule": "00:00 flat, 25:00 peak"}, BadTariff),
        ({"schedule": "07:00 flat"}, BadTariff),
        ({"steps": "0-240: +0; 200-: +1", "cycle": "monthly"}, BadTariff),
        ({"steps": "0-240: +0; 240-: +1"}, BadTariff),
        ({"prices": (Decimal("0.12345"),) * 4}, BadTariff),
        ({"prices": (Decimal("-0.1"),) * 4}, BadTariff),
        ({"prices": (Decimal("NaN"),) * 4}, BadTariff),
        ({"note": "a\x07b"}, BadTariff),
        ({"name": "=cmd()"}, BadTariffName),
        ({"name": "电" * 100}, BadTariffName),
        ({"name": ""}, BadTariffName),
        ({"prices": (Decimal("12.0"), *TOU[1:])}, PriceAsked),
        ({"prices": (Decimal("0.3"), *TOU[1:])}, PriceAsked),
        ({"prices": (*TOU[:3], Decimal(0))}, PriceAsked),
    ],
)
def test_what_is_wrong_or_odd_changes_nothing(publish, picture, given, error):
    before = picture()

    with pytest.raises(error):
        publish(**given)

    assert picture() == before


def test_only_who_has_the_right_publishes(publish, operator, picture):
    before = picture()

    with pytest.raises(Forbidden):
        publish(by=operator)

    assert picture() == before


def test_a_price_that_is_asked_about_is_answered_by_typing_it_again(publish):
    dear = (Decimal("5.5"), *TOU[1:])
    with pytest.raises(PriceAsked) as asked:
        publish(prices=dear)
    assert asked.value.params["prices"] == "5.5"
    with pytest.raises(PriceAsked):
        publish(prices=dear, asked=("5.4",))

    assert publish(prices=dear, asked=("5.50",)).price_sharp == Decimal("5.5")


def test_the_limit_from_which_a_price_is_asked_about_is_a_setting(publish, chief):
    careful = dataclasses.replace(CONFIG, control=ControlSection(price_ask_from=Decimal("1.1")))
    with pytest.raises(PriceAsked) as asked:
        tariffs.publish("商铺", LATER, TOU, "", "", "", "", chief, config=careful)
    assert asked.value.params["prices"] == "1.2"


@pytest.mark.parametrize("flat", ["2.2", "0.2"])
def test_a_jump_from_the_version_before_is_asked_about(publish, flat):
    publish(day=TODAY, prices=(Decimal("0.7"),) * 4)
    other = (Decimal(flat),) * 4
    with pytest.raises(PriceAsked) as asked:
        publish(prices=other)
    assert {each[0] for each in asked.value.params["questions"]} == {"jump"}

    publish(prices=other, asked=(flat,))


def test_a_day_is_published_once_and_again_after_it_was_withdrawn(publish, chief):
    publish()
    with pytest.raises(TariffPublished):
        publish(prices=(Decimal("0.6"),) * 4)

    withdrawn = tariffs.withdraw("商铺", LATER, "算错了", chief, config=CONFIG)
    again = publish(prices=(Decimal("0.6"),) * 4)

    assert (withdrawn.withdrawn_by, again.withdrawn_at) == (chief, None)
    states = [row.state.value for row in views.versions(TODAY, "商铺")]
    assert states == ["future", "withdrawn"]


def test_a_version_that_has_begun_is_not_withdrawn(publish, chief, picture):
    publish(day=TODAY)
    before = picture()

    with pytest.raises(TariffBegun):
        tariffs.withdraw("商铺", TODAY, "x", chief, config=CONFIG)
    with pytest.raises(NoSuchVersion):
        tariffs.withdraw("商铺", LATER, "x", chief, config=CONFIG)

    assert picture() == before


@pytest.mark.parametrize(
    "change",
    [{"price_flat": Decimal("0.1")}, {"valid_from": "2026-12-02"}, {"note": "x"}, {"steps": "x"}],
)
def test_no_program_edits_a_published_version(publish, change):
    publish()
    with pytest.raises(pw.IntegrityError, match="written once"):
        TariffVersion.update(**change).execute()


def test_no_program_deletes_a_version_or_revives_a_withdrawn_one(publish, chief):
    publish()
    with pytest.raises(pw.IntegrityError, match="written once"):
        TariffVersion.delete().execute()
    tariffs.withdraw("商铺", LATER, "x", chief, config=CONFIG)
    with pytest.raises(pw.IntegrityError, match="written once"):
        TariffVersion.update(withdrawn_at=None).execute()


def test_meters_are_assigned_and_nothing_is_sent(publish, chief, add_meter, clock):
    meters = [add_meter(f"20261123000{n}") for n in (1, 2)]
    publish(day=TODAY)
    clock.advance(minutes=1)

    changed = tariffs.assign([meter.serial for meter in meters], "商铺", chief)
    again = tariffs.assign([meters[0].serial], "商铺", chief)

    assert (changed, again) == (2, 0)
    assert {meter.tariff_at for meter in Meter.select()} == {clock.at}
    assert pricing.wanted(Meter.get(), CONFIG)["schedule1"].startswith("00:00 valley")
    assert tariffs.assign([meters[0].serial], None, chief) == 1
    assert pricing.wanted(Meter.get(), CONFIG) == {
        "price_sharp": "1.2000", "price_peak": "1.0000", "price_flat": "0.7000",
        "price_valley": "0.4000",
    }  # fmt: skip


def test_an_assignment_with_an_error_changes_no_meter(publish, chief, meter, picture, operator):
    publish(day=TODAY)
    before = picture()

    with pytest.raises(NoSuchMeter):
        tariffs.assign([meter.serial, "999999999999"], "商铺", chief)
    with pytest.raises(NoSuchTariff):
        tariffs.assign([meter.serial], "nobody's", chief)
    with pytest.raises(Forbidden):
        tariffs.assign([meter.serial], "商铺", operator)

    assert picture() == before


def test_special_days_are_set_changed_and_cleared_with_both_values_in_the_log(chief):
    day = dt.date(2026, 10, 10)
    holiday, workday = SpecialDayKind.HOLIDAY, SpecialDayKind.WORKDAY

    assert calendars.set_days([(day, holiday, "国庆")], chief) == 1
    assert calendars.set_days([(day, holiday, "国庆")], chief) == 0
    assert calendars.set_days([(day, workday, "调休")], chief) == 1
    calendars.clear_day(day, chief)

    assert SpecialDay.select().count() == 0
    details = [json.loads(row.detail) for row in AuditEntry.select().where(
        AuditEntry.subject == "2026-10-10")]  # fmt: skip
    assert details == [
        {"was": None, "now": ["holiday", "国庆"]},
        {"was": ["holiday", "国庆"], "now": ["workday", "调休"]},
        {"was": ["workday", "调休"]},
    ]


def test_days_that_cannot_be_set_change_nothing(chief, operator, picture):
    day, kind = dt.date(2026, 10, 10), SpecialDayKind.HOLIDAY
    before = picture()

    with pytest.raises(BadSpecialDay):
        calendars.set_days([(day, kind, ""), (day, kind, "")], chief)
    with pytest.raises(BadSpecialDay):
        calendars.set_days([(day, kind, "a\x07")], chief)
    with pytest.raises(BadSpecialDay):
        calendars.clear_day(day, chief)
    with pytest.raises(Forbidden):
        calendars.set_days([(day, kind, "")], operator)

    assert picture() == before


def test_days_come_from_a_table_of_either_language_or_with_what_is_wrong(tmp_path, chief):
    file = tmp_path / "days.csv"
    file.write_bytes("day,kind,name\n2026-10-01,节假日,国庆\n2026/10/10,调休,\n".encode("gb18030"))
    days, wrong = calendars.days_in(tables.read(file))

    assert wrong == []
    assert calendars.set_days(days, chief) == 2
    kinds = {row.day: row.kind.value for row in calendars.list_days()}
    assert kinds == {"2026-10-01": "holiday", "2026-10-10": "workday"}

    file.write_text("day,kind,name\n2026-02-30,节假日,\n2026-10-01,party,\n", encoding="utf-8")
    days, wrong = calendars.days_in(tables.read(file))
    assert days == []
    assert [(each.code, each.row, each.column) for each in wrong] == [
        ("bad_day", 2, "day"), ("bad_choice", 3, "kind"),
    ]  # fmt: skip


def test_an_overview_says_what_holds_and_what_comes_next(publish, chief, meter):
    publish(day=TODAY)
    publish(day=LATER)
    publish(day=dt.date(2027, 6, 1))
    tariffs.assign([meter.serial], "商铺", chief)

    (row,) = views.overviews(TODAY)
    states = [each.state.value for each in views.versions(LATER)]

    assert (row.in_force.valid_from, row.next.valid_from) == ("2026-11-23", "2026-12-01")
    assert row.meters == 1
    assert row.in_force.published_by == "王强"
    assert states == ["future", "in_force", "past"]


def test_a_meters_cycle_says_its_step_and_how_far_the_next_is(publish, chief, meter, poll, clock):
    publish(day=TODAY, prices=(Decimal("0.5"),) * 4, schedule="", cycle="yearly",
            steps="0-240: +0; 240-400: +0.05; 400-: +0.3")  # fmt: skip
    poll(meter, 1000)
    tariffs.assign([meter.serial], "商铺", chief)
    assert views.steps_of(meter.id, TODAY) is None
    with base.write_transaction():
        stepping.ensure(Installation.get(), dt.date(2026, 1, 1), CONFIG)
    clock.advance(hours=12)
    poll(meter, 251_000)

    found = views.steps_of(meter.id, TODAY)

    assert (found.used_wh, found.step, found.next_wh, found.left_wh) == (
        250_000, 2, 400_000, 150_000,
    )  # fmt: skip
    assert found.prices == (Decimal("0.55"),) * 4
