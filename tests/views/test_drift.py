"""The list of drift: largest first, what is not known last, and who was not looked at for a day."""

import datetime as dt
import json

import pytest

from engine.views import drift, meters
from models import base
from models.accounts import Installation
from models.enums import EventKind, Flag, MeterKind
from models.metering import Latest, MeterEvent
from models.site import Meter


@pytest.fixture
def drifts(add_meter, learn, noon):
    """Four meters: 1 fen, -900 fen (alarm), not known, and one without tenant."""

    def one(serial, drift_fen, hours_ago, **fields):
        meter = add_meter(serial, **fields)
        learn(meter, rev=meter.id)
        asserted_at = None if hours_ago is None else noon - dt.timedelta(hours=hours_ago)
        with base.readings_transaction():
            Latest.update(
                drift_fen=drift_fen, asserted_at=asserted_at, drift_alarmed=drift_fen == -900
            ).where(Latest.meter_id == meter.id).execute()
        Installation.update(opened_at=noon - dt.timedelta(days=9)).execute()
        return meter

    return [
        one("1", 1, 2),
        one("2", -900, 30),
        one("3", None, None),
        one("4", 5_000, 100, tenant=""),
        one("5", 5_000, 100, kind=MeterKind.ORDINARY),
    ]


def test_largest_drift_first_whatever_its_sign(drifts):
    rows = drift.rows()

    assert [(row.serial, row.drift_fen, row.expected_fen) for row in rows] == [
        ("2", -900, 10_900), ("1", 1, 9_999), ("3", None, None),
    ]  # fmt: skip


def test_the_last_purchase_of_others_is_shown_with_what_is_known(drifts, noon):
    since = noon - dt.timedelta(minutes=30)
    with base.write_transaction():
        Meter.update(mirror_count=8).where(Meter.serial == "1").execute()
    with base.readings_transaction():
        for found, amount_fen in ((7, 100), (8, 5_000)):
            detail = {
                "expected": found - 1, "found": found, "amount_fen": amount_fen,
                "since": since.isoformat(),
            }  # fmt: skip
            MeterEvent.create(
                meter_id=drifts[0].id, kind=EventKind.FOREIGN_PURCHASE, at=noon,
                detail=json.dumps(detail),
            )  # fmt: skip

    row = next(row for row in drift.rows() if row.serial == "1")

    assert row.foreign == drift.Foreign(noon, since, 7, 8, 5_000)
    assert (row.count_expected, row.count_found) == (8, 7)


def test_who_was_not_held_to_the_books_for_a_day_is_named(drifts, noon):
    assert drift.oldest_assertion_s(noon) == 30 * 3600
    assert drift.warnings(noon, 500) == [
        ("drift", {"serial": "2", "drift_fen": -900, "limit_fen": 500}),
        ("not_asserted", {"serial": "2", "hours": 30}),
        ("never_asserted", {"serial": "3"}),
    ]


def test_a_meter_that_was_opened_today_has_a_day_to_be_compared(drifts, noon):
    Installation.update(opened_at=noon - dt.timedelta(hours=23)).execute()

    assert "never_asserted" not in [code for code, _ in drift.warnings(noon, 500)]


def test_an_empty_site_has_nothing_to_warn_of(db, noon):
    assert (drift.rows(), drift.oldest_assertion_s(noon), drift.warnings(noon, 500)) == (
        [], None, [],
    )  # fmt: skip


def test_a_row_of_the_meter_table_says_its_drift(drifts, noon):
    row = meters.one("2", noon)

    assert (row.drift_fen, row.asserted_at) == (-900, noon - dt.timedelta(hours=30))
    assert Flag.DRIFT in row.flags
    assert row.as_json(noon)["drift_fen"] == -900
    assert row.as_json(noon)["asserted_at"] == "2026-11-22T06:00:00+08:00"
    assert Flag.DRIFT not in meters.one("1", noon).flags
