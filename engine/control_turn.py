"""One turn of a download or switch on its meter: recognised, looked at, written, kept."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from engine import clock
from engine.bus.driver import settings_of
from engine.bus.errors import BusError, Refused
from engine.bus.holding import Holding
from engine.bus.link import Bus
from engine.domain.errors import MeterLockedOut, MeterProtected, SwitchOvertaken
from engine.domain.measurement import MeterReading
from engine.duty import Duty
from engine.keeping import keep
from engine.lines import MeterAt
from engine.meter_turn import MeterTurn, Unfit
from engine.services import commands, readings
from models.commands import Command

log = logging.getLogger(__name__)


class NotNow(Exception):
    """Nothing has left, and it must wait: the clock stands where it must not be set."""


class ControlTurn:
    """What one turn of `command` has come to so far. `found` and `left` are for its row."""

    def __init__(self, command: Command, at: MeterAt, duty: Duty) -> None:
        self.command = command
        self.at = at
        self.duty = duty
        self.ciphered = False
        self._kept: MeterReading | None = None
        self.refused = False  # an exception answered the last write
        self.found: dict[str, str | int | None] = {}
        self.left: dict[str, str | int | None] = {}

    async def recognise(self, bus: Bus) -> None:
        """Raises Unfit where another meter answers."""
        self.ciphered = await MeterTurn(self.at, self.duty, bus).recognise()

    async def write(self, bus: Bus, send: Callable[[], Awaitable[None]]) -> None:
        """Mark the command as sent, then send; whatever comes back, only a look tells.

        Whoever passes does so before; then nothing comes between. Raises Unfit, with nothing
        sent, for what must not be done to this meter now.
        """
        await bus.let_pass()
        self._require_time()
        try:
            self.command = await self.duty.writer.run(
                commands.mark_control_sent,
                self.command.id,
                self.duty.epoch,
                found=json_of(self.found),
            )
        except MeterLockedOut:
            raise Unfit("locked_out") from None
        except MeterProtected:
            raise Unfit("protected") from None
        except SwitchOvertaken as error:
            raise Unfit(str(error.params["why"])) from None
        await self.duty.lease.check()
        log.info("write command=%d kind=%s", self.command.id, self.command.kind.value)
        self.refused = False
        try:
            await send()
        except Refused:
            self.refused = True
        except BusError as error:
            log.info("write unanswered command=%d why=%s", self.command.id, error.code)

    def _require_time(self) -> None:
        """What waited for the line, or for sales, until it was too late is not sent any more."""
        if commands.is_late(self.command):
            raise Unfit("expired")

    async def switch_minutes(self) -> frozenset[int]:
        """At which minutes of the day its rates change, as last read back."""
        return await self.duty.writer.run(readings.switch_minutes, self.at.meter.id)

    async def keep(self, reading: MeterReading) -> None:
        """Once, however often the same reading is at hand."""
        if reading is not self._kept:
            self._kept = reading
            await keep(self.duty, self.at, reading, read_at=clock.now())

    async def keep_held(self, holding: Holding) -> None:
        """What was read back: prices first, then the reading that they explain."""
        await store_held(self.duty, self.at, holding, whole=False)
        if holding.reading is not None:
            await self.keep(holding.reading)

    async def keep_clock(self, off_s: int | None) -> None:
        """How far off the meter's clock was seen to be, beside what else it holds."""
        if off_s is not None:
            await self.duty.writer.run(
                readings.store_held,
                self.at.meter.id,
                {"clock_off_s": off_s},
                settings=None,
                at=clock.now(),
                epoch=self.duty.epoch,
                whole=False,
            )


async def store_held(duty: Duty, at: MeterAt, holding: Holding, *, whole: bool) -> None:
    """Keep what was looked at; `whole`: it is all that the meter lets be read."""
    money = holding.raw.get("money")
    await duty.writer.run(
        readings.store_held,
        at.meter.id,
        dict(holding.held),
        settings=settings_of(money) if money else None,
        at=clock.now(),
        epoch=duty.epoch,
        whole=whole,
    )


def json_of(values: Mapping[str, str | int | None]) -> str:
    """For a command's row; empty where there is nothing to say."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False) if values else ""


def values_of(text: str) -> dict[str, str | int]:
    """A command's `desired`."""
    values: dict[str, str | int] = json.loads(text)
    return values
