"""From the wire to the database: the one way in which the engine's parts keep a reading."""

import datetime as dt

from engine.domain.measurement import MeterReading
from engine.duty import Duty
from engine.lines import MeterAt
from engine.services import readings
from engine.services.readings import Acceptance


async def keep(
    duty: Duty, at: MeterAt, reading: MeterReading, *, read_at: dt.datetime
) -> Acceptance:
    """Commit what the meter said. Raises StaleEngine."""
    return await duty.writer.run(
        readings.store,
        at.meter,
        reading,
        at=read_at,
        slot_s=at.interval_s,
        raw_frame=bytes.fromhex(reading.raw),
        epoch=duty.epoch,
        zone=duty.config.site.zone,
        drift_limit_fen=duty.config.money.drift_limit_fen,
    )
