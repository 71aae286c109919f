"""Meters read when they are due: at each ring the database says who, each line goes its own way."""

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable

from engine import background, clock
from engine.domain.errors import StaleEngine
from engine.domain.polling import Polled, ProbeBudget, due
from engine.duty import Duty
from engine.line_pass import Due, LinePass
from engine.lines import Lines, MeterAt
from engine.services import exchange_rows
from engine.services import lines as line_service
from models.base import tuples
from models.metering import Latest

log = logging.getLogger(__name__)
PROBE_BYTES = (8, 101)  # out and in, of the main block


class Collector:
    """Starts a sweep over the lines that are free and have due meters; sweeps may overlap."""

    def __init__(self, duty: Duty, lines: Lines) -> None:
        self._duty = duty
        self._lines = lines
        self._started_at = clock.now()
        self._rung = asyncio.Event()
        self._sweeps: set[asyncio.Task[None]] = set()
        self._budgets: dict[int, ProbeBudget] = {}
        self._earned_at = asyncio.get_running_loop().time()
        self._stale: StaleEngine | None = None

    def ring(self) -> None:
        """Look who is due."""
        self._rung.set()

    async def run(self) -> None:
        """Until the duty is over; a read under way then is finished. Raises StaleEngine."""
        over = asyncio.ensure_future(self._duty.over.wait())
        while not self._duty.over.is_set() and self._stale is None:
            await self._safely(self._start_due())
            rung = asyncio.ensure_future(self._rung.wait())
            await asyncio.wait({over, rung}, return_when=asyncio.FIRST_COMPLETED)
            rung.cancel()
            self._rung.clear()
        over.cancel()
        if self._sweeps:
            await asyncio.wait(self._sweeps)
        if self._stale is not None:
            raise self._stale

    async def _safely(self, work: Awaitable[None]) -> None:
        """Nothing that goes wrong on one line, or with one sweep, ends the collecting."""
        try:
            await work
        except StaleEngine as error:
            self._stale = error
            self._rung.set()
        except Exception:
            log.exception("collecting failed")

    async def _start_due(self) -> None:
        await self._lines.refresh()
        known, strangers = await self._duty.writer.run(_polling_state)
        passes = self._passes(known, strangers)
        if passes:
            for one in passes:
                one.line.idle.clear()
            task = asyncio.create_task(self._safely(self._sweep(passes)), name="sweep")
            self._sweeps.add(task)
            task.add_done_callback(self._sweeps.discard)

    def _passes(self, known: dict[int, Polled], strangers: set[int]) -> list[LinePass]:
        """One for each free line that is up, or not yet known to be down, with due meters."""
        polled = [
            known.get(meter_id, Polled(meter_id, 0)).every(at.interval_s)
            for meter_id, at in self._lines.meters.items()
            if at.line.idle.is_set() and not at.line.down
        ]
        self._earn()
        now = clock.now()
        self._started_at = min(self._started_at, now)  # the clock may have been set back
        chosen: dict[int, list[Due]] = {}
        for meter in due(
            polled,
            now=now,
            started_at=self._started_at,
            probe_max_s=self._duty.config.collection.probe_max_s,
        ):
            at = self._lines.meters[meter.meter_id]
            healthy = meter.failed_attempts == 0
            timetabled = healthy or self._not_tried_yet(meter)
            if timetabled or self._may_try(meter, at):
                one = Due(
                    at,
                    healthy=healthy,
                    timetabled=timetabled,
                    stranger=meter.meter_id in strangers,
                )
                chosen.setdefault(at.line.line_id, []).append(one)
        return [LinePass(meters[0].at.line, meters, self._duty) for meters in chosen.values()]

    def _earn(self) -> None:
        now = asyncio.get_running_loop().time()
        for budget in self._budgets.values():
            budget.earn(now - self._earned_at)
        self._earned_at = now

    def _not_tried_yet(self, meter: Polled) -> bool:
        """An engine that starts tries everyone once."""
        return meter.attempted_at is None or meter.attempted_at < self._started_at

    def _may_try(self, meter: Polled, at: MeterAt) -> bool:
        """Probes of lost meters share a tenth of the line's time."""
        if not meter.probed:
            return True
        budget = self._budgets.setdefault(at.line.line_id, ProbeBudget())
        return budget.spend(at.line.settings.timing.timeout_s(*PROBE_BYTES))

    async def _sweep(self, passes: list[LinePass]) -> None:
        """All lines at once; a row where meters were read by their timetable, not only probed."""
        started_at = clock.now()
        await asyncio.gather(*(self._pass(one) for one in passes))
        timetabled = [one for one in passes if one.timetabled]
        if not timetabled or self._duty.over.is_set():
            return
        if any(one.read or one.failed for one in passes):
            await self._note(started_at, passes)
        await asyncio.gather(
            *(
                self._safely(background.read_settings(one.line, self._lines, self._duty))
                for one in timetabled
            )
        )

    async def _pass(self, one: LinePass) -> None:
        try:
            await self._safely(one.run())
        finally:
            one.line.idle.set()

    async def _note(self, started_at: dt.datetime, passes: list[LinePass]) -> None:
        finished_at = clock.now()
        read, failed = sum(one.read for one in passes), sum(one.failed for one in passes)
        wire_s = max(one.wire_s for one in passes)
        seconds = (finished_at - started_at).total_seconds()
        log.info("sweep read=%d failed=%d seconds=%.2f wire=%.2f", read, failed, seconds, wire_s)
        await self._duty.writer.run(
            line_service.store_sweep,
            started_at=started_at,
            finished_at=finished_at,
            wire_s=wire_s,
            read=read,
            failed=failed,
            epoch=self._duty.epoch,
        )


def _polling_state() -> tuple[dict[int, Polled], set[int]]:
    """What the database knows of every meter's polling, and which must say their number first."""
    query = Latest.select(
        Latest.meter_id,
        Latest.attempted_at,
        Latest.failed_attempts,
        Latest.first_failed_at,
        Latest.seen_serial,
    )
    known, strangers = {}, exchange_rows.to_identify()
    for meter_id, attempted_at, failed, first_failed_at, seen_serial in tuples(query):
        known[meter_id] = Polled(meter_id, 0, attempted_at, failed, first_failed_at)
        if seen_serial is not None:
            strangers.add(meter_id)
    return known, strangers
