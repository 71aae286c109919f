"""One counted command on its way: read, mark, write once, read back, judge, settle.

What is done next is decided by engine.domain.counted alone; here it is carried out. A step of
the wire happens in a turn on the line, which nobody else has meanwhile; what is written down in
between goes through the writer, while the turn waits.
"""

import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from engine import clock
from engine.bus.driver import order_pdu
from engine.bus.errors import BadReading, BusError, LineDown, OtherModel, Refused
from engine.bus.link import Bus, Exchange, Priority
from engine.domain.counted import (
    COUNT_MAX,
    Evidence,
    PurchaseState,
    Step,
    Verdict,
    judge,
    next_step,
    over_ceiling,
    tolerance_fen,
)
from engine.domain.errors import CountMoved, MeterFrozen
from engine.domain.measurement import MeterReading, MeterSettings
from engine.duty import Duty
from engine.lines import MeterAt
from engine.senders import Sender
from engine.services import commands, readings
from models.commands import Command
from models.enums import CommandState, EventKind
from models.metering import Latest

log = logging.getLogger(__name__)
T = TypeVar("T")


class Unfit(Exception):
    """Nothing has left, and this purchase must not: `reason` is the command's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading that decides something, and when it was taken."""

    reading: MeterReading
    state: PurchaseState
    at: dt.datetime


class Carriage:
    """Carries one command as far as it can be carried now."""

    def __init__(self, command: Command, at: MeterAt, duty: Duty, *, sole_sender: bool) -> None:
        self.command = command
        self._at = at
        self._duty = duty
        self._sole_sender = sole_sender  # of all frames before this carriage
        self._price_max: Decimal | None = None
        self._seen: Seen | None = None
        self._reason: str | None = None
        self._refused = False  # an exception answered the last write
        self._unchanged = False  # the look before this one showed that nothing had arrived

    async def carry(self) -> None:
        """From queued to its outcome, or on from wherever an earlier engine left it.

        Raises BusError only where nothing has left: the command is then as it was.
        """
        try:
            step = await self._until_decided()
        except Unfit as unfit:
            self._reason = unfit.reason
            step = Step.REFUSE
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
        step = await self._turn(self._sell if queued else self._look)
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

    async def _sell(self, bus: Bus) -> Step:
        """The whole of a sale that has not been sent, in one turn. Raises Unfit and BusError."""
        driver = self._at.driver
        if "purchase" not in driver.map.orders:
            raise Unfit("no_purchase")
        try:
            ciphered = await self._recognise(bus)
            seen = await self._read(bus, step="before")
        except OtherModel:
            await self._note(EventKind.OTHER_MODEL)
            raise Unfit("other_model") from None
        await self._learn_price(bus)
        self._require_fit(seen.state)
        await self._mark_sent(seen.state)
        await self._write(bus, ciphered=ciphered)
        return await self._look(bus)

    async def _recognise(self, bus: Bus) -> bool:
        """Fence the meter and have it say its number; True where it wants ciphered commands.

        Raises Unfit where it is another.
        """
        ciphered = await self._at.driver.read_ciphered(bus)
        identity = await self._at.driver.read_identity(bus)
        if not await self._duty.writer.run(
            readings.store_identity,
            self._at.meter,
            identity.number,
            at=clock.now(),
            epoch=self._duty.epoch,
        ):
            raise Unfit("other_meter")
        return ciphered

    async def _read(self, bus: Bus, *, step: str) -> Seen:
        reading = await self._at.driver.read_main(bus, step=step)
        if reading.purchase_count is None or reading.balance_fen is None:
            raise Unfit("no_purchase")
        state = PurchaseState(reading.purchase_count, reading.balance_fen, reading.energy_wh)
        self._seen = Seen(reading, state, clock.now())
        return self._seen

    async def _learn_price(self, bus: Bus) -> Decimal:
        """The highest price read back from this meter; read now where that was never done."""
        if self._price_max is None:
            settings = await self._duty.writer.run(_known_settings, self._at.meter.id)
            if settings is None:
                try:
                    settings = await self._at.driver.read_settings(bus)
                except (Refused, BadReading):
                    raise Unfit("no_price") from None
                await self._duty.writer.run(
                    readings.store_settings,
                    self._at.meter.id,
                    settings,
                    at=clock.now(),
                    epoch=self._duty.epoch,
                )
            self._price_max = settings.price_max
        return self._price_max

    def _require_fit(self, state: PurchaseState) -> None:
        if state.count >= COUNT_MAX:
            raise Unfit("count_exhausted")
        amount_fen = self.command.amount_fen
        ceiling_fen = self._duty.config.money.ceiling_fen
        if over_ceiling(state.balance_fen, amount_fen, ceiling_fen=ceiling_fen):
            raise Unfit("ceiling")
        order = self._at.driver.map.orders["purchase"]
        try:  # now, while nothing is marked as sent
            order_pdu(order, {"amount_fen": amount_fen, "purchase_count": state.count + 1})
        except ValueError:
            raise Unfit("ceiling") from None

    async def _mark_sent(self, base: PurchaseState) -> None:
        me = Sender.me()
        try:
            self.command = await self._duty.writer.run(
                commands.mark_sent, self.command.id, base, self._duty.epoch, me.boot, me.pid
            )
        except (MeterFrozen, CountMoved) as refusal:
            raise Unfit(refusal.code) from None
        self._sole_sender = True

    # -- on the wire

    async def _write(self, bus: Bus, *, ciphered: bool) -> None:
        """The frame, once. Whatever comes back, only the read-back tells what it did."""
        command = self.command
        assert command.seq is not None, "only what is marked as sent is written"
        await self._duty.lease.check()
        log.info("write command=%d seq=%d writes=%d", command.id, command.seq, command.writes)
        self._refused = False
        try:
            await self._at.driver.purchase(
                bus, amount_fen=command.amount_fen, count=command.seq, ciphered=ciphered
            )
        except Refused:
            self._refused = True
        except BusError as error:
            log.info("write unanswered command=%d why=%s", command.id, error.code)

    async def _look(self, bus: Bus) -> Step:
        """Read back and judge; where the same purchase may go out once more, write it here."""
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
        self.command = await self._duty.writer.run(
            commands.mark_rewrite, self.command.id, self._duty.epoch, me.boot, me.pid
        )
        self._unchanged = False
        await self._write(bus, ciphered=ciphered)
        return await self._look(bus)

    async def _judged(self, bus: Bus) -> tuple[Verdict | None, bool]:
        """What the meter shows of our purchase, None where it does not answer; and its cipher."""
        self._seen = None
        try:
            ciphered = await self._recognise(bus)
            seen = await self._read(bus, step="read_back")
            price_max = await self._learn_price(bus)
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
        tolerance = tolerance_fen(
            base, seen.state, price_max=price_max, energy_step_wh=seen.reading.energy_step_wh
        )
        self._reason = None
        amount_fen = self.command.amount_fen
        return judge(base, seen.state, amount_fen=amount_fen, tolerance=tolerance), ciphered

    # -- what came of it

    async def _settle(self, step: Step) -> None:
        self.command = await self._duty.writer.run(
            commands.settle,
            self.command.id,
            step,
            self._seen.state if self._seen and self.command.seq is not None else None,
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
        if self._seen is not None and step is not Step.KEEP:
            await self._keep_reading(self._seen)

    async def _keep_reading(self, seen: Seen) -> None:
        """What was read back is as good as a poll: the screen need not wait for the next."""
        await self._duty.writer.run(
            readings.store,
            self._at.meter,
            seen.reading,
            at=seen.at,
            slot_s=self._at.interval_s,
            raw_frame=bytes.fromhex(seen.reading.raw),
            epoch=self._duty.epoch,
            zone=self._duty.config.site.zone,
        )

    async def _note(self, kind: EventKind) -> None:
        await self._duty.writer.run(
            readings.note,
            self._at.meter.id,
            kind,
            clock.now(),
            self._duty.epoch,
            command=self.command.id,
        )


def reason_of(error: BusError) -> str:
    """A code of the catalogs under `error.reason`."""
    codes = {"unproved": "no_reply", "refused": "bad_reading", "queue_full": "line_down"}
    return codes.get(error.code, error.code)


def _known_settings(meter_id: int) -> MeterSettings | None:
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    return MeterSettings.from_json(latest.settings) if latest and latest.settings else None


def _base_of(command: Command) -> PurchaseState:
    """What the meter said before the first write of this command."""
    count, balance_fen = command.base_count, command.base_balance_fen
    assert count is not None, command.id
    assert balance_fen is not None, command.id
    assert command.base_energy_wh is not None, command.id
    return PurchaseState(count, balance_fen, command.base_energy_wh)
