"""A core.db from a backup: what was queued in it is not carried out again by itself."""

import pytest

from engine import clock as engine_clock
from engine import lease as site_lease
from engine.config import MoneySection
from engine.services import ledger, operators, readings, refunding, verify
from models.enums import CommandState, PayKind, Role
from models.people import Operator
from models.site import Meter


@pytest.fixture
def other(add_meter) -> Meter:
    return add_meter("202611230002")


@pytest.fixture
def chief(db, clock) -> Operator:
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


def refund(serial, by):
    return refunding.refund(serial, 500, PayKind.CASH, "搬走", by, "b1", money=MoneySection())


def take() -> int | None:
    return site_lease._take(engine_clock.boot_ms() + 60_000, locked=True)


def test_what_was_queued_in_a_restored_database_is_a_persons_matter(
    lease, sell, other, chief, meter
):
    """The engines after the backup got as far as epoch 9: readings.db knows it."""
    sale, lowered = sell(), refund(other.serial, chief)
    readings.own(9)

    assert take() == 10

    sale, lowered = type(sale).get_by_id(sale.id), type(sale).get_by_id(lowered.id)
    assert (sale.state, sale.reason) == (CommandState.SUSPENSE, "restored")
    assert (lowered.state, lowered.reason) == (CommandState.REFUSED, "restored")
    assert ledger.balance_of(ledger.suspense(meter.serial)) == 10_000
    assert Meter.get_by_id(meter.id).frozen
    assert not Meter.get_by_id(other.id).frozen
    assert verify.faults() == []


def test_once_is_enough(lease, sell, other):
    readings.own(9)
    take()
    site_lease._give_up(10)
    readings.own(10)
    sale = sell(to=other)

    assert take() == 11

    assert type(sale).get_by_id(sale.id).state is CommandState.QUEUED


def test_what_was_sent_before_the_backup_is_left_to_its_read_back(lease, sell, send):
    sale = sell()
    send(sale)
    readings.own(9)

    take()

    assert type(sale).get_by_id(sale.id).state is CommandState.SENT


def test_an_engine_that_starts_anew_goes_on_with_what_is_queued(lease, sell):
    sale = sell()

    assert take() == 8

    assert type(sale).get_by_id(sale.id).state is CommandState.QUEUED
