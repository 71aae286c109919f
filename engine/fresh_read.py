"""A reading that somebody asked for: now, before routine polling."""

from engine import clock
from engine.bus.errors import BusError
from engine.bus.link import Bus, Priority
from engine.counted import reason_of
from engine.domain.measurement import MeterReading
from engine.duty import Duty
from engine.keeping import keep
from engine.lines import MeterAt
from engine.services import commands
from engine.services.readings import Acceptance
from models.commands import Command
from models.enums import CommandState


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


async def _read(at: MeterAt, duty: Duty) -> bool:
    """One reading, stored; False where it contradicts the last one."""

    async def read(bus: Bus) -> MeterReading:
        return await at.driver.read_main(bus, step="read")

    reading = await at.line.turn(Priority.FRESH, read)
    acceptance = await keep(duty, at, reading, read_at=clock.now())
    return acceptance is Acceptance.ACCEPTED
