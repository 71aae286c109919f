"""One pass over the due meters of one line: read, commit as read, a second try at the end."""

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass

from engine import clock
from engine.bus.errors import BadReading, BusError, LineDown, OtherModel, QueueFull
from engine.bus.link import Bus, Exchange, Priority
from engine.domain.measurement import MeterReading
from engine.duty import Duty
from engine.keeping import keep
from engine.lines import MeterAt, OwnedLine
from engine.services import readings
from engine.services.readings import Acceptance
from models.enums import EventKind

log = logging.getLogger(__name__)
READ_STEP = "read"


@dataclass(frozen=True, slots=True)
class Due:
    """A meter to be read in a pass."""

    at: MeterAt
    healthy: bool  # gets a second try at the end
    timetabled: bool  # by its slot, or because the engine starts; else tried again or probed
    stranger: bool  # another number answered last: asked for before a reading is believed


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one read brought, and what it cost the line."""

    reading: MeterReading
    at: dt.datetime


class Stranger(BadReading):
    """Another meter still answers at this address: nothing of it is stored."""

    code = "other_meter"


class LinePass:
    """Reads each meter once and ends. `read`, `failed` and `wire_s` say what it came to.

    While one reading is being committed the next is already on the wire.
    """

    def __init__(self, line: OwnedLine, meters: list[Due], duty: Duty) -> None:
        self.read = 0
        self.failed = 0
        self._answered = 0
        self._bytes_s = 0.0
        self._lost_s = 0.0
        self.line = line
        self._meters = meters
        self._duty = duty
        self._again: list[Due] = []
        self._storing: asyncio.Task[None] | None = None

    @property
    def wire_s(self) -> float:
        """Time that the reads had to take: bytes, gaps, turnarounds, time-outs of the silent."""
        return self._bytes_s + self._answered * (self.line.turnaround_s or 0.0) + self._lost_s

    @property
    def timetabled(self) -> bool:
        """Are there meters that are due by their timetable, not only silent ones tried again?"""
        return any(one.timetabled for one in self._meters)

    async def run(self) -> None:
        """Where the line goes down the rest is left as it is: no meter has failed by that."""
        try:
            for one in self._meters:
                await self._try(one, last=not one.healthy)
            await self._stored()
            for one in self._again:
                await self._try(one, last=True)
        except LineDown as error:
            log.info("pass cut short line=%s why=%s", self.line.settings.name, error)
        finally:
            await self._stored()

    async def _try(self, one: Due, *, last: bool) -> None:
        """One read, stored beside the next. Raises LineDown: nothing is known of the meter then."""
        try:
            answer = await self._ask(one)
        except LineDown:
            raise
        except QueueFull:
            return  # due as before; the line counts what it drops
        except BusError as error:
            if last:
                await self._fail(one, error)
            else:
                self._again.append(one)
            return
        await self._stored()
        self._storing = asyncio.create_task(self._store(one, answer, last=last))

    async def _ask(self, one: Due) -> _Answer:
        """One read of the main block, its cost added up. Raises BusError."""
        if self._duty.over.is_set():
            raise LineDown("stopped")
        driver, health = one.at.driver, self.line.link.health

        async def work(bus: Bus) -> MeterReading:
            busy_before_s = health.wire_s
            try:
                if one.stranger:
                    identity = await driver.read_identity(bus)
                    if identity.number != one.at.meter.serial:
                        raise Stranger(found=identity.number)
                return await driver.read_main(bus, step=READ_STEP)
            finally:
                self._add_cost(bus.frames, health.wire_s - busy_before_s)

        reading = await self.line.turn(Priority.POLL, work)
        return _Answer(reading, clock.now())

    def _add_cost(self, frames: list[Exchange], took_s: float) -> None:
        """Count the reads among `frames`; a reply that never came costs its time-out.

        Fences are left out: a sweep's figure is what reading costs.
        """
        timing = self.line.settings.timing
        answered = [frame for frame in frames if frame.error is None and frame.reply is not None]
        if answered and len(answered) == len(frames):
            size = sum(len(frame.request) + len(frame.reply or b"") for frame in answered)
            self.line.saw_turnaround((took_s - size * timing.byte_s) / len(answered))
        elif len(frames) == 1 and frames[0].step == READ_STEP:
            self._lost_s += took_s
        for frame in answered:
            if frame.step == READ_STEP:
                self._answered += 1
                self._bytes_s += timing.wire_s(len(frame.request), len(frame.reply or b""))

    async def _stored(self) -> None:
        """Wait until what was read before is committed. Raises what went wrong with it."""
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    async def _store(self, one: Due, answer: _Answer, *, last: bool) -> None:
        acceptance = await keep(self._duty, one.at, answer.reading, read_at=answer.at)
        if one.stranger:
            await self._is_ours_again(one)
        if acceptance is Acceptance.QUARANTINED and not last:
            self._again.append(one)  # a second reading must agree
        else:
            self.read += 1

    async def _is_ours_again(self, one: Due) -> None:
        await self._duty.writer.run(
            readings.store_identity,
            one.at.meter,
            one.at.meter.serial,
            at=clock.now(),
            epoch=self._duty.epoch,
        )

    async def _fail(self, one: Due, error: BusError) -> None:
        await self._stored()
        self.failed += 1
        meter = one.at.meter
        log.info("read failed serial=%s why=%s", meter.serial, error)
        epoch = self._duty.epoch
        if isinstance(error, OtherModel):
            await self._duty.writer.run(
                readings.note, meter.id, EventKind.OTHER_MODEL, clock.now(), epoch
            )
        await self._duty.writer.run(readings.fail, meter.id, clock.now(), epoch)
