"""How the lines are, once a second, for everybody who looks: written only when it has changed."""

import asyncio
import dataclasses
import logging
from collections import deque

from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.lines import Lines, OwnedLine
from engine.services import lines as line_service
from engine.services.lines import Health
from models.enums import LineState

log = logging.getLogger(__name__)
LOAD_SAMPLES = 30  # the load is that of so many looks


class HealthLog:
    """Writes the health of every line, and has stuck lines made anew."""

    def __init__(self, duty: Duty, lines: Lines) -> None:
        self._duty = duty
        self._lines = lines
        self._written: dict[int, Health] = {}
        self._busy: dict[int, deque[tuple[float, float]]] = {}  # (loop time, busy seconds)

    async def run(self) -> None:
        """Until the duty is over; then nothing is known of a line any more. Raises StaleEngine."""
        while await self._duty.pause(self._duty.pace.health_s):
            for line in self._lines.by_id.values():
                line.watch()
            await self._write({line.line_id: self._of(line) for line in self._lines.by_id.values()})
        left = {
            line_id: dataclasses.replace(health, state=LineState.UNKNOWN, message="", load_pct=0)
            for line_id, health in self._written.items()
        }
        await self._write(left)

    async def _write(self, healths: dict[int, Health]) -> None:
        changed = {
            line_id: health
            for line_id, health in healths.items()
            if self._written.get(line_id) != health
        }
        if not changed:
            return
        try:
            await self._duty.writer.run(line_service.store_health, changed, epoch=self._duty.epoch)
        except StaleEngine:
            raise
        except Exception:
            log.exception("health of lines not written")
        else:
            self._written |= changed

    def _of(self, line: OwnedLine) -> Health:
        health = line.link.health
        return Health(
            state=health.state,
            message=health.message,
            requests=health.requests,
            timeouts=health.timeouts,
            crc_errors=health.crc_errors,
            foreign_frames=health.foreign_frames,
            load_pct=self._load_pct(line),
            last_good_at=health.last_good_at,
        )

    def _load_pct(self, line: OwnedLine) -> int:
        """How much of the last half minute the line was busy with our frames."""
        samples = self._busy.setdefault(line.line_id, deque(maxlen=LOAD_SAMPLES))
        samples.append((asyncio.get_running_loop().time(), line.link.health.wire_s))
        (first_at, first_s), (last_at, last_s) = samples[0], samples[-1]
        if last_at <= first_at:
            return 0
        return min(100, round(100 * (last_s - first_s) / (last_at - first_at)))
