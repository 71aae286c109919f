"""The drift report: one row a meter that a tenant has, and the age of the oldest comparison."""

import datetime as dt

from engine.reports.drift import COLUMNS, drift
from engine.reports.period import Period
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
