"""Downloads and switches: read first, write only what differs, believe the read-back.

A download is absolute: it may be written again until the meter holds it. A switch moves the relay
once: what an earlier engine left under way is looked at and never sent again.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal

from engine import clock
from engine.bus.blocks import Values
from engine.bus.errors import BusError, LineDown, OtherModel, Refused
from engine.bus.link import Bus, Exchange, Priority
from engine.bus.points import Value
from engine.counted import reason_of
from engine.duty import Duty
from engine.keeping import keep
from engine.lines import MeterAt
from engine.meter_turn import MeterTurn, Unfit
from engine.services import commands, downloads, readings
from models.commands import Command
from models.enums import CommandKind, CommandState

log = logging.getLogger(__name__)
DOWNLOADS_MAX = 3  # frames of one download that the meter takes and does not show
FORCED = {  # what the force registers are to hold
    CommandKind.TRIP: {"force_on": 1, "force_open": 1},
    CommandKind.HOLD: {"force_on": 1, "force_open": 0},
    CommandKind.RESUME: {"force_on": 0, "force_open": 0},
}


class Control:
    """Carries one download or switch as far as it can be carried now."""

    def __init__(self, command: Command, at: MeterAt, duty: Duty) -> None:
        self.command = command
        self._at = at
        self._duty = duty
        self._ciphered = False
        self._refused = False

    async def carry(self) -> None:
        """To its outcome, or kept for a later look. Raises BusError where nothing has left."""
        try:
            done = await self._turn(self._work)
        except Unfit as unfit:
            await self._finish(CommandState.REFUSED, unfit.reason)
        except OtherModel:
            await self._finish(CommandState.REFUSED, "other_model")
        except BusError as error:
            if self.command.state is CommandState.QUEUED:
                raise
            if not self._duty.over.is_set():
                await self._duty.writer.run(
                    commands.keep_control, self.command.id, reason_of(error), self._duty.epoch
                )
        else:
            refusal = "refused_by_meter" if self._refused else "not_held"
            state = CommandState.APPLIED if done else CommandState.REFUSED
            await self._finish(state, None if done else refusal)

    async def _turn(self, work: Callable[[Bus], Awaitable[bool]]) -> bool:
        frames: list[Exchange] = []

        async def recorded(bus: Bus) -> bool:
            nonlocal frames
            frames = bus.frames
            return await work(bus)

        if not await self._at.line.ripe():
            raise LineDown("stopped")
        try:
            return await self._at.line.turn(Priority.CONTROL, recorded)
        finally:
            if frames:
                await self._duty.writer.run(commands.record_attempts, self.command.id, frames)

    async def _work(self, bus: Bus) -> bool:
        """Does the meter hold what is wanted, now or after writing it? In one turn."""
        self._ciphered = await MeterTurn(self._at, self._duty, bus).recognise()
        if await self._holds(bus, step="before"):
            return True
        if self.command.kind.switch:
            return await self._switch(bus)
        while self.command.writes < DOWNLOADS_MAX:
            await self._write(bus)
            if await self._holds(bus, step="read_back"):
                return True
        return False

    async def _switch(self, bus: Bus) -> bool:
        if self.command.state is not CommandState.QUEUED:
            return False  # it was sent once, and the relay is not as it was asked for
        await self._write(bus)
        return await self._holds(bus, step="read_back")

    async def _write(self, bus: Bus) -> None:
        self.command = await self._duty.writer.run(
            commands.mark_control_sent, self.command.id, self._duty.epoch
        )
        await self._duty.lease.check()
        name, values = self._order()
        order = self._at.driver.map.orders[name]
        ciphered = self._ciphered and bool(order.cipher)
        log.info("write command=%d kind=%s", self.command.id, self.command.kind.value)
        self._refused = False
        try:
            await self._at.driver.give(bus, order, values, step="write", ciphered=ciphered)
        except Refused:
            self._refused = True
        except BusError as error:
            log.info("write unanswered command=%d why=%s", self.command.id, error.code)

    def _order(self) -> tuple[str, Values]:
        """What to write, by the map. Raises Unfit where this model takes no such order."""
        name = "money_control" if self.command.kind is CommandKind.DOWNLOAD else "force_switch"
        if name not in self._at.driver.map.orders:
            raise Unfit("no_order")
        if self.command.kind is CommandKind.DOWNLOAD:
            wanted = json.loads(self.command.desired)
            return name, {key: _exact(value) for key, value in wanted.items()}
        return name, dict(FORCED[self.command.kind])

    async def _holds(self, bus: Bus, *, step: str) -> bool:
        """Read back what the command is about, and keep what was read."""
        self._order()
        if self.command.kind is CommandKind.DOWNLOAD:
            return await self._holds_settings(bus, step)
        wanted = FORCED[self.command.kind]
        block = self._at.driver.map.blocks["force"]
        found = await self._at.driver.read_block(bus, block, step=step)
        reading = await self._at.driver.read_main(bus, step=step)
        await keep(self._duty, self._at, reading, read_at=clock.now())
        return found["force_on"] == wanted["force_on"] and (
            not wanted["force_on"] or found["force_open"] == wanted["force_open"]
        )

    async def _holds_settings(self, bus: Bus, step: str) -> bool:
        settings = await self._at.driver.read_settings(bus, step=step)
        await self._duty.writer.run(
            readings.store_settings,
            self._at.meter.id,
            settings,
            at=clock.now(),
            epoch=self._duty.epoch,
        )
        return downloads.holds(settings, json.loads(self.command.desired))

    async def _finish(self, state: CommandState, reason: str | None) -> None:
        self.command = await self._duty.writer.run(
            commands.finish_uncounted, self.command.id, state, reason, self._duty.epoch
        )
        log.info(
            "control ended command=%d kind=%s state=%s reason=%s",
            self.command.id, self.command.kind.value, state.value, reason,
        )  # fmt: skip


def _exact(value: str | int) -> Value:
    """Prices stand as text in the command's row."""
    return Decimal(value) if isinstance(value, str) else value
