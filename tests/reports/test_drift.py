"""The drift report: one row a meter that a tenant has, and the age of the oldest comparison."""

import datetime as dt

from engine.domain.settings_drift import Differing, to_json
from engine.reports.drift import COLUMNS, drift
from engine.reports.period import Period
from engine.reports.settings_drift import settings_drift
from models import base
from models.metering import Latest
from tests.services.conftest import ZONE


def test_drift_is_told_with_expected_counts_and_the_oldest_age(poll, add_meter, clock):
    first, second = add_meter("202611230001"), add_meter("202611230002")
    for meter in (first, second):
        poll(meter, balance_fen=10_000)
    ages_h = {first: 1, second: 30}
    clock.advance(hours=30)
    with base.readings_transaction():
        for meter, age_h in ages_h.items():
            Latest.update(
                drift_fen=-100 * age_h, asserted_at=clock.at - dt.timedelta(hours=age_h)
            ).where(Latest.meter_id == meter.id).execute()
    today = clock.at.astimezone(ZONE)

    table = drift(Period(today.date(), today.date(), today))

    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table.rows]
    assert [row["serial"] for row in rows] == ["202611230002", "202611230001"]
    assert (rows[0]["drift_fen"], rows[0]["expected_fen"]) == (-3_000, 13_000)
    assert (rows[0]["count_expected"], rows[0]["count_found"]) == (4, 4)
    assert [row["overdue"] for row in rows] == [True, False]
    assert table.totals == {"drift_fen": -3_100, "asserted_s": 30 * 3600}


def test_settings_that_differ_are_told_in_yuan_accepted_ones_last(add_meter, clock):
    first, second = add_meter("202611230001"), add_meter("202611230002")
    with base.readings_transaction():
        for meter, accepted in ((first, True), (second, False)):
            drift = {"alarm1_fen": Differing(2000, 2550, clock.at, accepted=accepted, told=True)}
            Latest.create(
                meter_id=meter.id, rev=1, held='{"alarm1_fen": 2550}', held_at=clock.at,
                settings_drift=to_json(drift),
            )  # fmt: skip
    today = clock.at.astimezone(ZONE)

    table = settings_drift(Period(today.date(), today.date(), today))

    rows = [(row[0], *row[3:6], row[-1]) for row in table.rows]
    assert rows == [
        ("202611230002", "alarm1_fen", "20.00", "25.50", False),
        ("202611230001", "alarm1_fen", "20.00", "25.50", True),
    ]
