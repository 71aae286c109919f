"""`voltill simulate`: serves a site's tables as pretend serial servers until it is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.control import control, send_fault
from engine.bus.simulator.faults import parse_faults
from engine.bus.simulator.site import SimSite

__all__ = ["send_fault", "simulate"]


async def simulate(
    path: Path,
    *,
    base_port: int | None = None,
    seed: int = 1,
    faults: str = "",
    pacing: bool = True,
    speed: float = 1.0,
    state: Path | None = None,
    control_port: int = 0,
    announce: Callable[[dict[str, Any]], None],
) -> None:
    """Serve every line until cancelled, SIGTERM or SIGINT; `announce` gets the ports when ready.

    Raises BadSite, BadState, BadFault, SimulatorError where a line's port cannot be had, and
    OSError where the control port is taken.
    """
    site = SimSite.load(path, seed=seed, clock=SiteClock(speed=speed), state_file=state)
    wanted = parse_faults(faults)
    async with site.serve(base_port=base_port, pacing=pacing), control(site, control_port) as port:
        for fault in wanted:
            site.strike(fault)
        announce({"lines": dict(site.ports), "control": port})
        with _stop_on_signals() as stop:
            await stop.wait()


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    try:
        for each in signals:
            loop.add_signal_handler(each, stop.set)
        added = True
    except (RuntimeError, ValueError):  # not the main thread: whoever runs us cancels
        added = False
    try:
        yield stop
    finally:
        if added:
            for each in signals:
                loop.remove_signal_handler(each)
