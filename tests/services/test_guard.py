"""不断电保护: one go for many meters, each with a return of its own."""

import datetime as dt

import pytest

from engine import guarding
from engine.config import Config, ControlSection, GuardSection
from engine.domain.errors import (
    ApprovalNeeded,
    BadUntil,
    Forbidden,
    GuardCountDiffers,
    NotApprovable,
)
from engine.services import guard, locking, operators
from models import base
from models.control import Temporary
from models.enums import Role, TemporaryPurpose
from models.metering import DayUse

CONFIG = Config(control=ControlSection(second_from=3))


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def three(add_meter):
    return [add_meter(f"20261123000{number}", tenant=f"租户{number}") for number in (1, 2, 3)]


@pytest.fixture
def hold(clock, engineer):
    def one(meters, *, by=engineer, confirm=None, hours=63, request_id="g1", **given):
        return guard.hold_all(
            [meter.serial for meter in meters], clock.at + dt.timedelta(hours=hours), "周末", by,
            request_id, confirm=len(meters) if confirm is None else confirm, config=CONFIG,
            **given,
        )  # fmt: skip

    return one


def test_each_meter_is_held_until_the_office_opens(three, hold, clock):
    kept = hold(three[:2])

    assert kept.left_out == {}
    assert {each.until for each in kept.holds} == {clock.at + dt.timedelta(hours=63)}
    assert {each.purpose for each in kept.holds} == {TemporaryPurpose.NO_CUT}
    assert hold(three[:2]) == kept, "the same request again"
    assert Temporary.select().count() == 2


def test_one_that_may_not_be_held_is_named_and_the_others_are(three, hold, engineer):
    locking.place(three[0].serial, "换断路器", engineer)

    kept = hold(three[:2])

    assert [each.serial for each in kept.holds] == [three[1].serial]
    assert {serial: error.code for serial, error in kept.left_out.items()} == {
        three[0].serial: "meter_locked_out"
    }


def test_many_meters_need_two_persons(three, hold, engineer, chief, operator, picture):
    before = picture()

    with pytest.raises(ApprovalNeeded) as refused:
        hold(three)
    assert refused.value.params == {"number": 3, "limit": 3, "why": "meters"}
    with pytest.raises(NotApprovable):
        hold(three, approver=engineer)
    with pytest.raises(NotApprovable):
        hold(three, approver=operator)
    assert picture() == before

    assert {each.approver for each in hold(three, approver=chief).holds} == {chief}


def test_the_number_is_confirmed_and_the_time_is_sound(three, hold, operator, picture):
    before = picture()

    with pytest.raises(GuardCountDiffers):
        hold(three[:2], confirm=3)
    with pytest.raises(BadUntil):
        hold(three[:2], hours=-1)
    with pytest.raises(BadUntil):
        hold(three[:2], hours=22 * 24)
    with pytest.raises(Forbidden):
        hold(three[:2], by=operator)
    assert picture() == before


@pytest.mark.parametrize(
    ("hour", "minute", "reminded"),
    [(15, 59, False), (16, 0, True), (17, 59, True), (18, 0, False), (3, 0, False)],
)
def test_who_sells_is_reminded_in_the_two_hours_before_closing(db, hour, minute, reminded):
    config = Config(guard=GuardSection(enabled=True))
    now = dt.datetime(2026, 11, 23, hour, minute, tzinfo=config.site.zone)

    assert guarding.reminds(config, now) is reminded
    assert not guarding.reminds(Config(), now), "off by default"


def test_the_reminder_says_how_many_and_until_when(meter, poll, clock):
    config = Config(guard=GuardSection(enabled=True, closes="10:00"))
    with base.readings_transaction():
        for ago in range(30, -1, -1):
            day = (clock.at.date() - dt.timedelta(days=ago)).isoformat()
            DayUse.create(
                day=day, meter_id=meter.id, first_energy_wh=(30 - ago) * 24_000,
                last_energy_wh=(31 - ago) * 24_000,
            )  # fmt: skip
    poll(meter, balance_fen=100, energy_wh=744_000, status1=1 << 13, status2=1 << 3)

    number, opens = guarding.reminder(config)

    assert (number, opens.isoformat()) == (1, "2026-11-24T09:00:00+08:00")
