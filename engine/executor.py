"""Commands from the database to their meters: noticed, carried out, one at a time a meter."""

import asyncio
import logging

from engine import clock
from engine.bus.errors import BusError, LineDown, QueueFull
from engine.control_turn import NotNow
from engine.controls import Control
from engine.counted import Carriage, reason_of
from engine.domain.counted import Step, check_delay_s
from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.fresh_read import fresh_read
from engine.lines import Lines, MeterAt
from engine.senders import Sender
from engine.services import commands, transferring
from models import base, sqlite
from models.commands import Command
from models.enums import CommandKind, CommandState

log = logging.getLogger(__name__)

SILENT_TRIES = (
    5  # a sale whose meter stays silent before anything was sent: then the money goes back
)
NOT_NOW_S = 15.0  # until what must not be done at this moment is tried again
NOT_NOW_TRIES = 60  # a clock that stands still at midnight is there for ever
LONGEST_CHECK_S = check_delay_s(99)  # between two read-backs of an unknown command
NOT_THE_METER = (LineDown, QueueFull)  # say nothing about it: the sale waits


class Executor:
    """Looks for commands every `notice_s`, at once when woken, and starts what can be started."""

    def __init__(self, duty: Duty, lines: Lines) -> None:
        self._duty = duty
        self._lines = lines
        self._woken = asyncio.Event()
        self._version: int | None = None
        self._open: list[Command] = []
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._met: set[int] = set()  # commands this duty has had in hand: others go first
        self._silent: dict[int, int] = {}  # queued command -> tries that had no answer
        self._failed: dict[int, int] = {}  # command -> tries that the store, say, ended
        self._not_now: dict[int, int] = {}  # command -> tries at which the moment was a bad one
        self._not_before: dict[int, float] = {}  # command -> loop time of its next try
        self._dead_since: dict[Sender, float] = {}
        self._stale: StaleEngine | None = None

    def wake(self) -> None:
        """A command was written: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Until the duty is over; what is under way then is finished. Raises StaleEngine."""
        while not self._duty.over.is_set() and self._stale is None:
            try:
                await self._look()
            except StaleEngine:
                raise
            except Exception:
                log.exception("commands could not be looked at")
                await self._duty.pause(1.0)
            await self._wait()
        if self._at_work:
            await asyncio.wait(self._at_work.values())
        if self._stale is not None:
            raise self._stale

    async def _wait(self) -> None:
        over = asyncio.ensure_future(self._duty.over.wait())
        woken = asyncio.ensure_future(self._woken.wait())
        await asyncio.wait(
            {over, woken},
            timeout=self._duty.pace.notice_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        over.cancel()
        woken.cancel()
        if self._woken.is_set():
            self._woken.clear()
            self._version = None

    async def _look(self) -> None:
        """Read the open commands anew where anything was committed, or some are open."""
        version = await self._duty.writer.run(_core_version)
        if self._open or version != self._version:
            self._open = await self._duty.writer.run(_open_commands)
            await self._lines.refresh()  # second: where a command's meter hangs was said before it
            self._version = version
        self._forget_ended()
        for command in self._open:
            if command.id not in self._at_work and self._is_ripe(command):
                self._begin(command)

    def _forget_ended(self) -> None:
        still = {command.id for command in self._open} | set(self._at_work)
        self._met &= still
        for kept in (self._silent, self._failed, self._not_now, self._not_before):
            for gone in kept.keys() - still:
                del kept[gone]

    def _is_ripe(self, command: Command) -> bool:
        if commands.is_late(command):
            return True
        at = self._lines.meters.get(command.meter.id)
        if at is None:  # its line or model is unknown here: what has not left never will
            return command.state in (CommandState.QUEUED, CommandState.SENT)
        if self._not_before.get(command.id, 0.0) > asyncio.get_running_loop().time():
            return False
        if command.state is CommandState.UNKNOWN and command.id in self._met:
            return not at.line.down and _is_due(command)
        waits = command.counted or command.kind is not CommandKind.READ
        return not (waits and command.state is CommandState.QUEUED and at.line.down)

    def _begin(self, command: Command) -> None:
        self._met.add(command.id)
        task = asyncio.create_task(self._carry(command), name=f"command {command.id}")
        self._at_work[command.id] = task
        task.add_done_callback(lambda _: self._done(command.id))

    def _done(self, command_id: int) -> None:
        del self._at_work[command_id]
        self._woken.set()

    async def _carry(self, command: Command) -> None:
        """Nothing that goes wrong with one command reaches another."""
        try:
            await self._carry_to(command, self._lines.meters.get(command.meter.id))
        except StaleEngine as error:
            await self._is_stale(error, command)
        except Exception:
            log.exception("command failed command=%d", command.id)
            failed = self._failed.get(command.id, 0)
            self._failed[command.id] = failed + 1
            self._later(command, check_delay_s(failed))

    async def _carry_to(self, command: Command, at: MeterAt | None) -> None:
        if commands.is_late(command):
            await self._refuse(command, "expired")
        elif at is None and command.state is CommandState.QUEUED:
            await self._refuse(command, "no_map")
        elif at is None:
            await self._keep(command, "no_map")
        elif command.kind is CommandKind.READ:
            await fresh_read(command, at, self._duty)
        elif command.counted:
            await self._carried(command, await self._carriage(command, at))
        else:
            await self._carried(command, Control(command, at, self._duty))

    async def _is_stale(self, error: StaleEngine, command: Command) -> None:
        """Has the site a new owner, or was only this command voided while we took it up?"""
        try:
            await self._duty.lease.check()
        except StaleEngine:
            self._stale = error
            log.warning("stale command=%d", command.id)
        else:
            log.info("command moved on command=%d", command.id)

    def _later(self, command: Command, delay_s: float) -> None:
        self._not_before[command.id] = asyncio.get_running_loop().time() + delay_s

    async def _carriage(self, command: Command, at: MeterAt) -> Carriage:
        sole = await self._is_sole_sender(command, at)
        return Carriage(command, at, self._duty, sole_sender=sole)

    async def _carried(self, command: Command, work: Carriage | Control) -> None:
        try:
            await work.carry()
        except NotNow:
            await self._wait_or_refuse(command)
        except NOT_THE_METER as error:
            log.info("command waits command=%d why=%s", command.id, error)
            self._later(command, self._duty.pace.rebuild_s)
        except BusError as error:
            await self._try_again_or_refuse(command, error)

    async def _is_sole_sender(self, command: Command, at: MeterAt) -> bool:
        """Was every frame of `command` sent by this process, or by one that is provably dead?

        What a dead one sent may lie in a gateway for `frame_life_s` from the moment we know.
        """
        if command.sender_boot is None or command.sender_pid is None:
            return True  # nothing was sent
        sender = Sender(command.sender_boot, command.sender_pid)
        if sender.is_me():
            return True
        if not sender.is_dead():
            return False
        loop = asyncio.get_running_loop()
        since = self._dead_since.setdefault(sender, loop.time())
        buried_at = since + at.line.settings.frame_life_s
        return await self._duty.pause(max(0.0, buried_at - loop.time()))

    async def _try_again_or_refuse(self, command: Command, error: BusError) -> None:
        """The meter did not answer and nothing was sent: again a few times, then money back."""
        tries = self._silent.get(command.id, 0) + 1
        self._silent[command.id] = tries
        log.info("unanswered command=%d tries=%d why=%s", command.id, tries, error.code)
        if tries < SILENT_TRIES:
            self._later(command, check_delay_s(tries - 1))
            return
        await self._refuse(command, reason_of(error))

    async def _wait_or_refuse(self, command: Command) -> None:
        tries = self._not_now[command.id] = self._not_now.get(command.id, 0) + 1
        if tries < NOT_NOW_TRIES:
            self._later(command, NOT_NOW_S)
        else:
            await self._refuse(command, "clock_near_switch")

    async def _keep(self, command: Command, reason: str) -> None:
        """Of one that has left to a meter that cannot be asked: unknown, in the tray."""
        work, epoch = self._duty.writer.run, self._duty.epoch
        if command.counted:
            zone = self._duty.config.site.zone
            await work(commands.settle, command.id, Step.KEEP, None, reason, epoch, zone=zone)
        else:
            await work(commands.keep_control, command.id, reason, epoch)

    async def _refuse(self, command: Command, reason: str) -> None:
        """Of one that is queued: nothing has left, and nothing will."""
        work = self._duty.writer.run
        if command.counted:
            await work(commands.refuse_unsent, command.id, reason, self._duty.epoch)
        else:
            state = CommandState.REFUSED
            await work(commands.finish_uncounted, command.id, state, reason, self._duty.epoch)
        log.info("refused command=%d reason=%s", command.id, reason)


def _core_version() -> int:
    return sqlite.data_version(base.core.obj)


def _open_commands() -> list[Command]:
    """Money first; credit that waits in clearing is put on its way to its meter."""
    if transferring.waiting():
        transferring.go_on()
    return commands.pending_counted() + commands.pending_uncounted()


def _is_due(command: Command) -> bool:
    """Is it time to read back? Also where the clock was set back since the last time."""
    if command.next_check_at is None:
        return True
    wait_s = (command.next_check_at - clock.now()).total_seconds()
    return not 0 < wait_s <= LONGEST_CHECK_S
