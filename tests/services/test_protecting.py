"""Protected meters: never tripped, and an event each time one sinks further."""

import datetime as dt
import json

import pytest

from engine.config import Config
from engine.domain.errors import Forbidden, MeterProtected, NoReason
from engine.services import operators, protecting, settings, switching, temporary
from models.commands import Command
from models.enums import CommandKind, EventKind, Role
from models.metering import MeterEvent
from models.people import AuditEntry
from models.site import Meter

CLOSED, ALARM1, ALARM2, ARREARS = 1 << 13, 1 << 6, 1 << 7, 1 << 5
HELD = 1 << 3 | 1


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


def told():
    rows = MeterEvent.select().where(MeterEvent.kind == EventKind.PROTECTED_LOW)
    return [json.loads(row.detail)["state"] for row in rows.order_by(MeterEvent.id)]


def test_a_protected_meter_is_told_of_once_for_every_step_down(add_meter, poll, clock):
    meter = add_meter(protected=True)
    steps = (CLOSED, CLOSED | ALARM1, CLOSED | ALARM1, CLOSED | ALARM1 | ALARM2, ARREARS, ARREARS)
    for status1 in steps:
        clock.advance(minutes=30)
        poll(meter, status1=status1)
    assert told() == ["alarm1", "alarm2", "arrears"]

    poll(meter, status1=CLOSED)
    poll(meter, status1=CLOSED | ALARM1)
    assert told() == ["alarm1", "alarm2", "arrears", "alarm1"]


def test_one_that_is_first_seen_in_arrears_is_told_of_at_once(add_meter, poll):
    poll(add_meter(protected=True), status1=ARREARS)

    assert told() == ["arrears"]


def test_of_other_meters_nothing_is_told(meter, poll):
    poll(meter, status1=ARREARS)

    assert told() == []


def test_who_looks_after_the_meters_protects_one_and_the_log_says_why(meter, engineer):
    protecting.protect(meter.serial, "消防泵", engineer)
    protecting.protect(meter.serial, "消防泵", engineer)

    with pytest.raises(MeterProtected):
        switching.request(meter.serial, CommandKind.TRIP, "欠费", engineer, "x")
    protecting.protect(meter.serial, "改作他用", engineer, on=False)
    assert not Meter.get().protected
    logged = AuditEntry.select().where(AuditEntry.subject == meter.serial)
    assert [entry.action for entry in logged] == ["protect", "unprotect"]
    assert "消防泵" in logged[0].detail


def test_a_cashier_protects_nothing_and_nobody_without_a_reason(meter, operator, engineer, picture):
    before = picture()

    with pytest.raises(Forbidden):
        protecting.protect(meter.serial, "消防泵", operator)
    with pytest.raises(NoReason):
        protecting.protect(meter.serial, "", engineer)
    assert picture() == before


def test_a_protected_meter_in_arrears_that_is_held_is_not_given_back(add_meter, poll, engineer):
    meter = add_meter(protected=True)
    poll(meter, status1=CLOSED | ARREARS | HELD, balance_fen=-300)

    with pytest.raises(MeterProtected) as refused:
        switching.request(meter.serial, CommandKind.RESUME, "周一", engineer, "x")

    assert refused.value.params["why"] == "dark"
    assert not Command.select().exists()


def test_one_with_credit_is_given_back_and_so_are_others(add_meter, meter, poll, engineer):
    protected = add_meter("202611230002", protected=True)
    poll(protected, status1=CLOSED | HELD)
    poll(meter, status1=CLOSED | ARREARS | HELD, balance_fen=-300)

    for each in (protected, meter):
        assert switching.request(each.serial, CommandKind.RESUME, "周一", engineer, each.serial)


def test_no_limit_and_no_setting_puts_a_protected_meter_out(add_meter, poll, engineer, clock):
    meter = add_meter(protected=True, overload_w=2000)
    poll(meter, status1=CLOSED, power_w=3500)
    until = clock.at + dt.timedelta(hours=1)

    with pytest.raises(MeterProtected):
        temporary.limit(meter.serial, 1000, until, "限电", engineer, "l1", config=Config())
    with pytest.raises(MeterProtected):
        settings.push(meter.serial, ["overload_w"], engineer, "p1", config=Config())
    assert not Command.select().exists()
    assert settings.push(meter.serial, ["alarm1_fen"], engineer, "p2", config=Config())
