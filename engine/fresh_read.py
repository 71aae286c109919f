"""A reading that somebody asked for: now, before routine polling."""

from engine import clock
from engine.bus.errors import BusError
from engine.bus.link import Bus, Priority
from engine.counted import reason_of
from engine.domain.measurement import MeterReading
from engine.duty import Duty
from engine.keeping import keep
from engine.line_pass import Stranger
from engine.lines import MeterAt
from engine.services import commands, exchange_rows, readings
from engine.services.readings import Acceptance
from models.commands import Command
from models.enums import CommandState
from models.metering import Latest


async def fresh_read(command: Command, at: MeterAt, duty: Duty) -> None:
    """Read and store, or say why not. A doubted reading is asked for twice, as in a sweep."""
    try:
        accepted = await _read(at, duty) or await _read(at, duty)
    except BusError as error:
        reason: str | None = reason_of(error)
    else:
        reason = None if accepted else "bad_reading"
    state = CommandState.REFUSED if reason else CommandState.APPLIED
    await duty.writer.run(commands.finish_read, command.id, state, reason)


async def _identify(at: MeterAt, duty: Duty, bus: Bus) -> None:
    """Have it say its number before anything else is believed. Raises Stranger."""
    identity = await at.driver.read_identity(bus)
    if not await duty.writer.run(
        readings.store_identity, at.meter, identity.number, at=clock.now(), epoch=duty.epoch
    ):
        raise Stranger(found=identity.number)


def _is_unproved(meter_id: int) -> bool:
    """Was it never read, or does it take another's place, or did another answer there last?"""
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    if latest is None or latest.reading is None or latest.seen_serial is not None:
        return True
    return meter_id in exchange_rows.to_identify()


async def _read(at: MeterAt, duty: Duty) -> bool:
    """One reading, stored; False where it contradicts the last one."""
    unproved = at.driver.map.number is not None and await duty.writer.run(_is_unproved, at.meter.id)

    async def read(bus: Bus) -> MeterReading:
        if unproved:
            await _identify(at, duty, bus)
        return await at.driver.read_main(bus, step="read")

    reading = await at.line.turn(Priority.FRESH, read)
    acceptance = await keep(duty, at, reading, read_at=clock.now())
    return acceptance is Acceptance.ACCEPTED
