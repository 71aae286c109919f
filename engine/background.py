"""What is read now and then, between the sweeps: who the meter is, and its prices."""

import datetime as dt
import logging

from engine import clock
from engine.bus.errors import BusError, LineDown
from engine.bus.link import Bus, Priority
from engine.domain.measurement import Identity, MeterSettings
from engine.duty import Duty
from engine.lines import Lines, MeterAt, OwnedLine
from engine.services import readings
from models.base import tuples
from models.metering import Latest

log = logging.getLogger(__name__)


async def read_settings(line: OwnedLine, lines: Lines, duty: Duty) -> None:
    """Identity and settings of the meters of `line` that answer and were not asked for long.

    Steps aside while a pass over the line is under way. A meter that does not answer is left
    for the next time.
    """
    old = dt.timedelta(seconds=duty.config.collection.settings_interval_s)
    known = await duty.writer.run(_answering)
    for meter_id, asked_at in known.items():
        at = lines.meters.get(meter_id)
        if at is None or at.line is not line or at.driver.map.settings is None:
            continue
        if asked_at is not None and asked_at + old > clock.now():
            continue
        await line.idle.wait()
        if duty.over.is_set():
            return
        try:
            await _ask(at, duty)
        except LineDown:
            return
        except BusError as error:
            log.info("settings unread serial=%s why=%s", at.meter.serial, error)


async def _ask(at: MeterAt, duty: Duty) -> None:
    """Its number first: of another meter no settings are kept."""

    async def read_number(bus: Bus) -> Identity:
        return await at.driver.read_identity(bus)

    async def read_settings(bus: Bus) -> MeterSettings:
        return await at.driver.read_settings(bus)

    if at.driver.map.number is not None:
        identity = await at.line.turn(Priority.POLL, read_number)
        if not await duty.writer.run(
            readings.store_identity, at.meter, identity.number, at=clock.now(), epoch=duty.epoch
        ):
            log.warning("other meter serial=%s found=%s", at.meter.serial, identity.number)
            return
    settings = await at.line.turn(Priority.POLL, read_settings)
    await duty.writer.run(
        readings.store_settings, at.meter.id, settings, at=clock.now(), epoch=duty.epoch
    )


def _answering() -> dict[int, dt.datetime | None]:
    """Meters that answered last, and when each was asked for its settings: longest ago first."""
    query = (
        Latest.select(Latest.meter_id, Latest.settings_at)
        .where(Latest.failed_attempts == 0, Latest.read_at.is_null(False))
        .order_by(Latest.settings_at.asc(nulls="first"))
    )
    return dict(tuples(query))
