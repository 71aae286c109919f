"""One engine's time in charge of a site: what all its parts share."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from engine.config import Config
from engine.lease import SiteLease
from engine.pace import Pace
from engine.store import Writer


@dataclass(frozen=True)
class Duty:
    """From the moment a lease is taken (`epoch`) until it is given up or lost."""

    epoch: int
    lease: SiteLease
    writer: Writer
    config: Config
    pace: Pace
    over: asyncio.Event = field(default_factory=asyncio.Event)  # set: begin nothing new

    async def pause(self, seconds: float) -> bool:
        """Wait; False at once where the duty is over, so that nothing goes on after it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
        return not self.over.is_set()
