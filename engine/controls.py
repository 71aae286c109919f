"""Downloads, switches and clocks: read first, write only what differs, believe the read-back.

A download is absolute: it may be written again until the meter holds it. A switch moves the relay
once: what an earlier engine left under way is looked at and never sent again. Both give way to
money between their frames.
"""

import logging
from collections.abc import Awaitable, Callable

from engine.bus.errors import BusError, LineDown, OtherModel
from engine.bus.link import Bus, Exchange, Priority
from engine.control_turn import ControlTurn, json_of
from engine.control_works import download, reconnect, reconnected, set_clock, switch
from engine.counted import reason_of
from engine.duty import Duty
from engine.lines import MeterAt
from engine.meter_turn import Unfit
from engine.services import commands
from models.commands import Command
from models.enums import CommandKind, CommandState

log = logging.getLogger(__name__)
Work = Callable[[ControlTurn, Bus], Awaitable[bool]]

WORKS: dict[CommandKind, Work] = {
    CommandKind.DOWNLOAD: download,
    CommandKind.CLOCK: set_clock,
    CommandKind.TRIP: switch,
    CommandKind.HOLD: switch,
    CommandKind.RESUME: switch,
    CommandKind.RECONNECT: reconnect,
}
CLOSING_LOOKS, CLOSING_PAUSE_S = 8, 0.5  # until a relay that may close has closed


class Control:
    """Carries one command as far as it can be carried now."""

    def __init__(self, command: Command, at: MeterAt, duty: Duty) -> None:
        self._at = at
        self._duty = duty
        self._control = ControlTurn(command, at, duty)

    @property
    def command(self) -> Command:
        return self._control.command

    async def carry(self) -> None:
        """To its outcome, or kept for a later look.

        Raises BusError and NotNow where nothing has left.
        """
        try:
            done = await self._done()
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
            state = CommandState.APPLIED if done else CommandState.REFUSED
            await self._finish(state, None if done else self._why_not())

    async def _done(self) -> bool:
        done = await self._turn(WORKS[self.command.kind])
        looks = CLOSING_LOOKS if self.command.kind is CommandKind.RECONNECT else 0
        while not done and looks and await self._duty.pause(CLOSING_PAUSE_S):
            done, looks = await self._turn(reconnected), looks - 1
        return done

    def _why_not(self) -> str:
        if self._control.refused:
            return "refused_by_meter"
        return str(self._control.left.get("relay") or "not_held")

    async def _turn(self, work: Work) -> bool:
        frames: list[Exchange] = []

        async def recorded(bus: Bus) -> bool:
            nonlocal frames
            frames = bus.frames
            return await work(self._control, bus)

        if not await self._at.line.ripe():
            raise LineDown("stopped")
        try:
            return await self._at.line.turn(Priority.CONTROL, recorded, gives_way=True)
        finally:
            if frames:
                await self._duty.writer.run(commands.record_attempts, self.command.id, frames)

    async def _finish(self, state: CommandState, reason: str | None) -> None:
        self._control.command = await self._duty.writer.run(
            commands.finish_uncounted,
            self.command.id,
            state,
            reason,
            self._duty.epoch,
            found=json_of(self._control.found),
            left=json_of(self._control.left),
        )
        log.info(
            "control ended command=%d kind=%s state=%s reason=%s",
            self.command.id, self.command.kind.value, state.value, reason,
        )  # fmt: skip
