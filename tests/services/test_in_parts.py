"""Many meters in parts are many meters: what one person may do alone within ten minutes."""

import datetime as dt

import pytest

from engine.config import Config, ControlSection
from engine.domain.errors import ApprovalNeeded
from engine.domain.selection import Selection
from engine.services import batches, guard, operators
from models.enums import BatchVerb, Role

CONFIG = Config(control=ControlSection(second_from=3))
CLOSED, PREPAYING = 1 << 13, 1 << 3


@pytest.fixture
def boss(db, clock, lease):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def four(add_meter, poll):
    meters = [add_meter(f"20261123{number:04d}") for number in range(1, 5)]
    for meter in meters:
        poll(meter, status1=CLOSED, status2=PREPAYING)
    return [meter.serial for meter in meters]


@pytest.fixture
def begin(boss, clock):
    def one(serials, request_id, verb=BatchVerb.TRIP, *, by=boss, approver=None):
        chosen = Selection(serials=tuple(serials))
        plan = batches.plan(verb, chosen, {}, config=CONFIG, now=clock.at)
        number = len(plan.change)
        return batches.start(plan, number, "催费", by, request_id, config=CONFIG, approver=approver)

    return one


@pytest.fixture
def keep(boss, clock):
    def one(serials):
        until = clock.at + dt.timedelta(hours=12)
        return guard.hold_all(
            serials, until, "周末", boss, "g1", confirm=len(serials), config=CONFIG
        )

    return one


def test_two_batches_just_below_the_limit_need_a_second_person(begin, four, picture, chief):
    begin(four[:2], "b1")
    before = picture()

    with pytest.raises(ApprovalNeeded) as refused:
        begin(four[2:], "b2")

    assert (refused.value.params["why"], refused.value.params["amount"]) == ("parts", "4")
    assert picture() == before
    assert begin(four[2:], "b2", approver=chief).approver == chief


def test_after_ten_minutes_or_by_somebody_else_it_is_a_batch_of_its_own(begin, four, chief, clock):
    begin(four[:2], "b1")

    assert begin(four[2:3], "b2", by=chief)
    clock.advance(minutes=11)
    assert begin(four[3:], "b3")


def test_what_two_persons_approved_or_was_cancelled_does_not_count(begin, four, boss, chief):
    begin(four[:2], "b1", approver=chief)
    batches.cancel(begin(four[2:3], "b2").id, boss)

    assert begin(four[2:], "b3")


def test_one_that_goes_on_counts_its_meters_once(begin, four, boss):
    batch = begin(four[:2], "b1")
    batches.pause(batch.id, boss)

    assert batches.resume(batch.id, 2, boss, config=CONFIG)


def test_prices_need_no_second_person_after_a_trip(begin, four):
    begin(four[:2], "b1")

    assert begin(four[2:], "b2", BatchVerb.PRICE)


def test_the_guard_and_batches_count_together(begin, keep, four):
    begin(four[:2], "b1", BatchVerb.HOLD)

    with pytest.raises(ApprovalNeeded) as refused:
        keep(four[2:3])

    assert refused.value.params["number"] == 3


def test_batches_count_what_the_guard_has_held(begin, keep, four):
    keep(four[:2])

    with pytest.raises(ApprovalNeeded):
        begin(four[2:3], "b1", BatchVerb.HOLD)
