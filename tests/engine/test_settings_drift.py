"""The engine holds what was read back to what is desired, and notices when either moves."""

import datetime as dt
import json

from engine.services import settings
from models import base
from models.enums import EventKind
from models.metering import Latest, MeterEvent
from models.site import Meter
from tests.engine.conftest import CHECKED
from tests.services.test_settings import HELD


def of(meter):
    return Latest.get_or_none(Latest.meter_id == meter.id)


async def test_the_flag_follows_read_back_and_wish(practice):
    meter = Meter.get(Meter.serial == CHECKED)
    held = {**HELD, "alarm1_fen": 2500}
    for name in ("alarm1_fen", "alarm2_fen"):
        setattr(practice.meters.meter(CHECKED), name, held[name])
    async with practice.engine():
        await practice.until(lambda: of(meter) is not None and of(meter).settings_at)
        with base.readings_transaction():
            now = dt.datetime.now(dt.UTC)
            Latest.update(held=json.dumps(held), held_at=now).where(
                Latest.meter_id == meter.id
            ).execute()
        await practice.until(lambda: of(meter).settings_differ)

        settings.set_meter(CHECKED, {"alarm1_fen": 2500}, practice.chief, config=practice.config)
        await practice.until(lambda: not of(meter).settings_differ)

    told = MeterEvent.select().where(
        MeterEvent.meter_id == meter.id, MeterEvent.kind == EventKind.SETTINGS_DRIFT
    )
    assert any("2000 / 2500" in event.detail for event in told)
