"""Energy of a tenant and of a shop across an exchange: the sum of what each meter counted."""

import datetime as dt

import pytest

from engine.views import continuity
from models import base
from models.accounts import Account, Installation
from models.enums import InstallationEnd
from models.metering import DayUse, Reading
from models.site import Meter

ZONE = dt.timezone(dt.timedelta(hours=8))


def at(day, hour=0):
    return dt.datetime(2026, 11, day, hour, tzinfo=ZONE)


@pytest.fixture
def hang(add_meter):
    """A meter for tenant T1 in A-101, from when until when, with first and last values."""

    def hang(serial, opened_at, closed_at=None, first_wh=None, last_wh=None, number="T1", **more):
        meter = add_meter(serial, tenant="")
        with base.write_transaction():
            account, _ = Account.get_or_create(
                number=number, defaults={"name": "茶馆", "opened_at": at(1)}
            )
            Installation.create(
                meter=meter, account=account, opened_at=opened_at, closed_at=closed_at,
                first_energy_wh=first_wh, last_energy_wh=last_wh, **more,
            )  # fmt: skip
        return meter

    return hang


def read(meter, when, energy_wh):
    with base.readings_transaction():
        Reading.create(
            slot=int(when.timestamp()), meter_id=meter.id, read_at=when, energy_wh=energy_wh
        )


@pytest.fixture
def exchanged(hang):
    """On the 10th at noon: the old one ended at 5,000 kWh, the new one began at 3 kWh."""
    old = hang(
        "202611230001", at(1), at(10, 12), 1_000_000, 5_000_000, ended=InstallationEnd.EXCHANGED
    )
    new = hang("202611230002", at(10, 12), None, 3_000)
    read(old, at(5), 2_000_000)
    read(old, at(10), 4_900_000)
    read(new, at(11), 53_000)
    read(new, at(15), 403_000)
    return old, new


def total(start, end, number="T1"):
    return continuity.used_wh(continuity.of_tenant(number, start, end))


def test_use_over_an_exchange_is_the_sum_of_both_meters(exchanged):
    assert total(at(5), at(15)) == 3_000_000 + 400_000


def test_the_day_of_the_exchange_has_what_was_used_before_and_after(exchanged):
    assert total(at(10), at(11)) == 100_000 + 50_000


def test_days_add_up_to_the_whole_without_a_gap(exchanged):
    parts = [(at(5), at(10)), (at(10), at(11)), (at(11), at(15))]

    assert sum(total(*part) for part in parts) == total(at(5), at(15))


def test_a_shop_goes_on_with_the_next_meter_and_the_next_tenant(exchanged, hang):
    meter = hang("202611230003", at(16), None, 700_000, number="T2")
    read(meter, at(17), 710_000)

    spans = continuity.of_shop("A-101", at(5), at(17))

    assert [span.serial for span in spans] == ["202611230001", "202611230002", "202611230003"]
    assert spans[0].ended is InstallationEnd.EXCHANGED
    assert continuity.used_wh(spans) == 3_000_000 + 400_000 + 10_000
    assert total(at(5), at(17)) == 3_400_000


def test_a_meter_never_read_counts_as_nothing(hang):
    hang("202611230001", at(1))

    (span,) = continuity.of_tenant("T1", at(5), at(6))
    assert (span.first_wh, span.last_wh, span.used_wh) == (None, None, 0)


def test_a_register_that_fell_takes_nothing_away(exchanged):
    _, new = exchanged
    read(new, at(16), 1_000)

    assert total(at(15), at(16)) == 0


def test_long_after_the_half_hours_the_days_tell_it(hang):
    meter = hang("202611230001", at(1), None, 1_000_000)
    with base.readings_transaction():
        DayUse.create(
            day="2026-11-03", meter_id=meter.id, first_energy_wh=1_100_000,
            last_energy_wh=1_200_000,
        )  # fmt: skip

    assert total(at(1), at(20)) == 200_000


def test_where_the_first_value_is_not_known_the_first_reading_stands_for_it(hang):
    meter = hang("202611230001", at(1), None)
    read(meter, at(2), 500_000)
    read(meter, at(3), 600_000)

    assert total(at(1), at(3)) == 100_000
    assert Meter.get_by_id(meter.id).shop == "A-101"
