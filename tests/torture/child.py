"""The real engine in a process of its own: `python -m … SITE LOG FATAL BLOW`, until SIGTERM.

FATAL 0: no event strikes it. What a sale waits for is shortened, nothing else is changed.
"""

import asyncio
import dataclasses
import signal
import sys
from pathlib import Path
from typing import Any

from engine.bus.timing import LineTiming
from engine.config import Config
from engine.domain import counted
from engine.engine import Engine
from engine.pace import Pace
from tests.torture.events import Fuse, arm

FRAME_LIFE_S = 0.2  # of 5: nothing lies in this gateway
PACE = Pace(settle_s=0.1, lease_s=1.0, renew_s=0.2)  # of 3, 8 and 2 s
CHECK_AFTER_S = (0.2,)  # of 2 to 60: an unknown sale is read back
WRITE_TIMEOUT_S = 0.4  # of 3


def shortened() -> Config:
    config = Config()
    collection = dataclasses.replace(config.collection, frame_life_s=FRAME_LIFE_S)
    return dataclasses.replace(config, collection=collection)


def _shorten_writes() -> None:
    usual = LineTiming.of

    def short(**settings: Any) -> LineTiming:
        return dataclasses.replace(usual(**settings), write_timeout_s=WRITE_TIMEOUT_S)

    LineTiming.of = short  # type: ignore[method-assign]  # a launcher may


async def serve(site: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Engine(site, shortened(), pace=PACE).serve(stop)


def main(site: str, log: str, fatal: str, blow: str) -> None:
    counted.CHECK_AFTER_S = CHECK_AFTER_S
    _shorten_writes()
    arm(Fuse(Path(log), fatal, signal.Signals[blow]))
    asyncio.run(serve(Path(site)))


if __name__ == "__main__":
    main(*sys.argv[1:])
