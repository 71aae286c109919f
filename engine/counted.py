"""One counted command on its way: read, mark, write once, read back, judge, settle.

What is done next is decided by engine.domain.counted alone; here it is carried out. A step of
the wire happens in a turn on the line, which nobody else has meanwhile; what is written down in
between goes through the writer, while the turn waits.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine import clock
from engine.bus.errors import BusError, LineDown, OtherModel, Refused
from engine.bus.link import Bus, Exchange, Priority
from engine.domain.counted import (
    Evidence,
    PurchaseState,
    Step,
    Verdict,
    judge,
    judge_set,
    next_step,
    tolerance_fen,
)
from engine.domain.errors import (
    ApprovalNeeded,
    CountMoved,
    MeterFrozen,
    MeterLockedOut,
    NotReversible,
)
from engine.duty import Duty
from engine.fitness import require_fit
from engine.keeping import keep
from engine.lines import MeterAt
from engine.meter_turn import MeterTurn, Seen, Unfit
from engine.senders import Sender
from engine.services import commands, readings
from models.commands import Command
from models.enums import CommandState, EventKind

log = logging.getLogger(__name__)
ORDERS = {True: "purchase", False: "money_control"}  # of the map: raising, lowering
T = TypeVar("T")


class Carriage:
    """Carries one command as far as it can be carried now."""

    def __init__(self, command: Command, at: MeterAt, duty: Duty, *, sole_sender: bool) -> None:
        self.command = command
        self._at = at
        self._duty = duty
        self._sole_sender = sole_sender  # of all frames before this carriage
        self._seen: Seen | None = None
        self._reason: str | None = None
        self._refused = False  # an exception answered the last write
        self._unchanged = False  # the look before this one showed that nothing had arrived
        self._tolerance = 0  # of one read after the other, by the meter's prices

    async def carry(self) -> None:
        """From queued to its outcome, or on from wherever an earlier engine left it.

        Raises BusError only where nothing has left: the command is then as it was.
        """
        try:
            step = await self._until_decided()
        except Unfit as unfit:
            await self._refuse(unfit.reason)
            return
        except BusError as error:
            if self.command.state is CommandState.QUEUED:
                raise
            if self._duty.over.is_set():
                return  # the next engine looks
            self._reason = reason_of(error)
            step = Step.KEEP
        if step is not Step.LOOK_AGAIN:
            await self._settle(step)

    async def _until_decided(self) -> Step:
        """LOOK_AGAIN where the duty ends first: the next engine looks."""
        queued = self.command.state is CommandState.QUEUED
        step = await self._turn(self._begin if queued else self._look)
        while step is Step.LOOK_AGAIN and await self._duty.pause(self._duty.pace.settle_s):
            step = await self._turn(self._look)
        return step

    async def _turn(self, work: Callable[[Bus], Awaitable[T]]) -> T:
        """`work` with the line to itself, on a connection that nothing older can come out of."""
        frames: list[Exchange] = []

        async def recorded(bus: Bus) -> T:
            nonlocal frames
            frames = bus.frames
            await bus.quiet(self._at.driver.unit)
            return await work(bus)

        if not await self._at.line.ripe():
            raise LineDown("stopped")
        try:
            return await self._at.line.turn(Priority.MONEY, recorded)
        finally:
            if frames:
                await self._duty.writer.run(commands.record_attempts, self.command.id, frames)

    # -- before anything has left

    async def _begin(self, bus: Bus) -> Step:
        """The whole of a command that has not been sent, in one turn. Raises Unfit and BusError."""
        if ORDERS[self.command.kind.raises] not in self._at.driver.map.orders:
            raise Unfit("no_purchase")
        meter = MeterTurn(self._at, self._duty, bus)
        try:
            ciphered = await meter.recognise()
            self._seen = await meter.see(step="before")
        except OtherModel:
            await self._note(EventKind.OTHER_MODEL)
            raise Unfit("other_model") from None
        price_max = await meter.price_max()  # while the money can still go back
        step_wh = self._seen.reading.energy_step_wh
        state = self._seen.state
        tolerance = tolerance_fen(state, state, price_max=price_max, energy_step_wh=step_wh)
        self._require_fit(state, tolerance)
        await self._mark_sent(state)
        await self._write(bus, ciphered=ciphered)
        return await self._look(bus)

    def _require_fit(self, state: PurchaseState, tolerance: int) -> None:
        """May this command act on what the meter holds now? Raises Unfit(reason)."""
        meter_map, money = self._at.driver.map, self._duty.config.money
        require_fit(self.command, state, tolerance, meter_map, money)

    async def _mark_sent(self, base: PurchaseState) -> None:
        me = Sender.me()
        try:
            self.command = await self._duty.writer.run(
                commands.mark_sent,
                self.command.id,
                base,
                self._duty.epoch,
                me.boot,
                me.pid,
                alone_fen=self._duty.config.money.approve_refund_fen,
            )
        except NotReversible:
            raise Unfit("not_latest") from None
        except MeterLockedOut:
            raise Unfit("locked_out") from None
        except (ApprovalNeeded, MeterFrozen, CountMoved) as refusal:
            raise Unfit(refusal.code) from None
        self._sole_sender = True

    async def _refuse(self, reason: str) -> None:
        self.command = await self._duty.writer.run(
            commands.refuse_unsent, self.command.id, reason, self._duty.epoch
        )
        log.info("refused command=%d reason=%s", self.command.id, reason)
        await self._keep_seen()

    # -- on the wire

    async def _write(self, bus: Bus, *, ciphered: bool) -> None:
        """The frame, once. Whatever comes back, only the read-back tells what it did."""
        command = self.command
        await self._duty.lease.check()
        log.info(
            "write command=%d kind=%s seq=%s target=%s writes=%d",
            command.id, command.kind.value, command.seq, command.target_fen, command.writes,
        )  # fmt: skip
        self._refused = False
        try:
            await self._send(bus, command, ciphered=ciphered)
        except Refused:
            self._refused = True
        except BusError as error:
            log.info("write unanswered command=%d why=%s", command.id, error.code)

    async def _send(self, bus: Bus, command: Command, *, ciphered: bool) -> None:
        driver = self._at.driver
        if command.kind.raises:
            assert command.seq is not None, "only what is marked as sent is written"
            await driver.purchase(
                bus, amount_fen=command.amount_fen, count=command.seq, ciphered=ciphered
            )
        else:
            assert command.target_fen is not None, "only what is marked as sent is written"
            await driver.set_balance(bus, balance_fen=command.target_fen, ciphered=ciphered)

    async def _look(self, bus: Bus) -> Step:
        """Read back and judge; where the same wish may go out once more, write it here."""
        verdict, ciphered = await self._judged(bus)
        step = next_step(
            Evidence(
                verdict=verdict,
                seen_unchanged_twice=self._unchanged,
                refused_by_meter=self._refused,
                writes=self.command.writes,
                writes_max=self._duty.config.money.writes_max,
                sole_sender=self._sole_sender,
            )
        )
        self._unchanged = verdict is Verdict.NOT_APPLIED
        log.info("look command=%d verdict=%s step=%s", self.command.id, verdict, step.name)
        if step is Step.REFUSE:
            self._reason = "refused_by_meter" if self._refused else "not_applied"
        if step is Step.KEEP and verdict is not None:
            self._reason = "other_sender"
        if step is not Step.REWRITE:
            return step
        me = Sender.me()
        assert self._seen is not None, "only what was read back is written again"
        if self.command.kind.lowers:
            try:  # the meter may hold less by now
                self._require_fit(self._seen.state, self._tolerance)
            except Unfit as unfit:
                self._reason = unfit.reason
                return Step.REFUSE
        try:
            self.command = await self._duty.writer.run(
                commands.mark_rewrite,
                self.command.id,
                self._duty.epoch,
                me.boot,
                me.pid,
                base=self._seen.state,
            )
        except MeterLockedOut:  # it would close the relay: it waits until the lock is off
            self._reason = "locked_out"
            return Step.KEEP
        self._unchanged = False
        await self._write(bus, ciphered=ciphered)
        return await self._look(bus)

    async def _judged(self, bus: Bus) -> tuple[Verdict | None, bool]:
        """What the meter shows of our purchase, None where it does not answer; and its cipher."""
        self._seen = None
        meter = MeterTurn(self._at, self._duty, bus)
        try:
            ciphered = await meter.recognise()
            seen = self._seen = await meter.see(step="read_back")
            price_max = await meter.price_max()
        except OtherModel as error:
            self._reason = error.code
            return Verdict.SUSPENSE, False
        except Unfit as unfit:
            self._reason = unfit.reason
            return (None if unfit.reason == "no_price" else Verdict.SUSPENSE), False
        except BusError as error:
            self._reason = reason_of(error)
            return None, False
        base = _base_of(self.command)
        step_wh = seen.reading.energy_step_wh
        tolerance = tolerance_fen(base, seen.state, price_max=price_max, energy_step_wh=step_wh)
        self._tolerance = tolerance_fen(
            seen.state, seen.state, price_max=price_max, energy_step_wh=step_wh
        )
        self._reason = None
        return _verdict(self.command, base, seen.state, tolerance), ciphered

    # -- what came of it

    async def _settle(self, step: Step) -> None:
        self.command = await self._duty.writer.run(
            commands.settle,
            self.command.id,
            step,
            self._seen.state if self._seen else None,
            self._reason,
            self._duty.epoch,
            zone=self._duty.config.site.zone,
        )
        log.info(
            "settled command=%d serial=%s state=%s reason=%s",
            self.command.id, self.command.serial, self.command.state.value, self.command.reason,
        )  # fmt: skip
        if step is Step.SUSPEND:
            await self._note(EventKind.SUSPENSE)
        if step is not Step.KEEP:
            await self._keep_seen()

    async def _keep_seen(self) -> None:
        """What was read back is as good as a poll: a screen need not wait for the next one."""
        if self._seen is not None:
            await keep(self._duty, self._at, self._seen.reading, read_at=self._seen.at)

    async def _note(self, kind: EventKind) -> None:
        await self._duty.writer.run(
            readings.note,
            self._at.meter.id,
            kind,
            clock.now(),
            self._duty.epoch,
            command=self.command.id,
        )


def _verdict(command: Command, base: PurchaseState, seen: PurchaseState, tolerance: int) -> Verdict:
    if command.kind.raises:
        return judge(base, seen, amount_fen=command.amount_fen, tolerance=tolerance)
    assert command.target_fen is not None, command.id
    return judge_set(base, seen, target_fen=command.target_fen, tolerance=tolerance)


def reason_of(error: BusError) -> str:
    """A code of the catalogs under `error.reason`."""
    codes = {"unproved": "no_reply", "refused": "bad_reading", "queue_full": "line_down"}
    return codes.get(error.code, error.code)


def _base_of(command: Command) -> PurchaseState:
    """What the meter said before the first write of this command."""
    count, balance_fen = command.base_count, command.base_balance_fen
    assert count is not None, command.id
    assert balance_fen is not None, command.id
    assert command.base_energy_wh is not None, command.id
    return PurchaseState(count, balance_fen, command.base_energy_wh)
