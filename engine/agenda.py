"""What falls due by the clock: written down as commands, which the executor then carries out."""

import logging
from collections.abc import Callable

from engine.config import Config
from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.services import batches, price_watch, settings_drift, temporary_keeping

log = logging.getLogger(__name__)

Step = Callable[[Config, int], bool]  # (config, lease epoch): has it written commands?
STEPS: tuple[Step, ...] = (
    batches.feed,
    price_watch.keep_up,
    settings_drift.keep_up,
    temporary_keeping.keep,
)


class Agenda:
    """Runs each step every `agenda_s`, one transaction after the other in the writer's thread."""

    def __init__(self, duty: Duty, wake: Callable[[], None]) -> None:
        self._duty = duty
        self._wake = wake

    async def run(self) -> None:
        """Until the duty is over. Raises StaleEngine; what else goes wrong is told and left."""
        while not self._duty.over.is_set():
            for step in STEPS:
                await self._do(step)
            await self._duty.pause(self._duty.pace.agenda_s)

    async def _do(self, step: Step) -> None:
        try:
            written = await self._duty.writer.run(step, self._duty.config, self._duty.epoch)
        except StaleEngine:
            raise
        except Exception:
            log.exception("agenda failed step=%s", step.__module__)
        else:
            if written:
                self._wake()
