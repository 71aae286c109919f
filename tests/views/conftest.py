"""What a site knows, put there as the engine would, without a wire."""

import dataclasses
import datetime as dt

import pytest

from engine.domain.measurement import MeterReading
from models import base
from models.metering import Latest

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
GOOD = MeterReading(
    energy_wh=1_000_000,
    energy_by_rate_wh=(100_000, 200_000, 300_000, 400_000),
    voltage_mv=(220_100,),
    current_ma=(1_230,),
    power_factor_pm=(985,),
    power_w=270,
    balance_fen=10_000,
    purchase_count=7,
    status1=1 << 13,  # the relay of L1 is closed
    status2=1 << 3,  # prepayment is on
)


@pytest.fixture
def noon():
    """12:00 at the site, in its own zone."""
    return NOON


@pytest.fixture
def learn(db):
    """Store what was read of a meter: a changed GOOD reading, and any field of Latest."""

    def learn(meter, rev=1, *, seconds_ago=0, failed_attempts=0, settings=None, **reading):
        latest = {
            "rev": rev,
            "failed_attempts": failed_attempts,
            "read_at": NOON - dt.timedelta(seconds=seconds_ago),
            "reading": dataclasses.replace(GOOD, **reading).to_json(),
            "settings": settings and settings.to_json(),
            "settings_at": settings and NOON,
            "day": NOON.date().isoformat(),
            "day_first_wh": 990_000,
        }
        with base.readings_transaction():
            Latest.replace(meter_id=meter.id, **latest).execute()

    return learn
