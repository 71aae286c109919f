"""What is read now and then, between the sweeps: who the meter is, and all that it holds."""

import datetime as dt
import logging

from engine import clock
from engine.bus.errors import BusError, LineDown
from engine.bus.holding import Holding, groups_in
from engine.bus.link import Bus, Priority
from engine.control_turn import store_held
from engine.control_works import clock_off_s
from engine.domain.measurement import Identity
from engine.duty import Duty
from engine.lines import Lines, MeterAt, OwnedLine
from engine.services import readings
from models.base import tuples
from models.metering import Latest

log = logging.getLogger(__name__)


async def read_settings(line: OwnedLine, lines: Lines, duty: Duty) -> None:
    """Identity and settings of the meters of `line` that answer and were not asked for long.

    Every night, too. Steps aside while a pass over the line is under way, and for whoever wants
    the line before each frame. A meter that does not answer is left for the next time.
    """
    collection, zone = duty.config.collection, duty.config.site.zone
    old = dt.timedelta(seconds=collection.settings_interval_s)
    known = await duty.writer.run(_answering)
    for meter_id, asked_at in known.items():
        at = lines.meters.get(meter_id)
        if at is None or at.line is not line or at.driver.map.settings is None:
            continue
        now = clock.now()
        night = last_night(collection.settings_at, now.astimezone(zone))
        if asked_at is not None and asked_at + old > now and not (night and asked_at < night):
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

    async def survey(bus: Bus) -> Holding:
        holding = Holding(at.driver, bus)
        failed = await holding.survey(groups_in(at.driver.map), step="settings")
        if failed:
            log.info("unread serial=%s blocks=%s", at.meter.serial, ",".join(failed))
        return holding

    if at.driver.map.number is not None:
        identity = await at.line.turn(Priority.POLL, read_number, gives_way=True)
        if not await duty.writer.run(
            readings.store_identity, at.meter, identity.number, at=clock.now(), epoch=duty.epoch
        ):
            log.warning("other meter serial=%s found=%s", at.meter.serial, identity.number)
            return
    holding = await at.line.turn(Priority.POLL, survey, gives_way=True)
    if holding.reading is not None and holding.read_at is not None:
        off_s = clock_off_s(holding.reading, holding.read_at, duty.config.site.zone)
        if off_s is not None:
            holding.held["clock_off_s"] = off_s
    await store_held(duty, at, holding, whole=True)


def last_night(at: str, local: dt.datetime) -> dt.datetime | None:
    """The last moment at which a clock showed `at` (HH:MM, local), not after `local`."""
    if not at:
        return None
    hour, minute = at.split(":")
    moment = local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return moment if moment <= local else moment - dt.timedelta(days=1)


def _answering() -> dict[int, dt.datetime | None]:
    """Meters that answered last, and when each was asked for all it holds: longest ago first."""
    query = (
        Latest.select(Latest.meter_id, Latest.held_whole_at)
        .where(Latest.failed_attempts == 0, Latest.read_at.is_null(False))
        .order_by(Latest.held_whole_at.asc(nulls="first"))
    )
    return dict(tuples(query))
