"""The engine of a site: waits for the lease, then reads and sells until it is stopped."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from engine.agenda import Agenda
from engine.bus.registers import MeterMap, load_maps
from engine.collector import Collector
from engine.config import Config
from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.executor import Executor
from engine.lease import SiteLease
from engine.line_health import HealthLog
from engine.lines import Lines
from engine.log import logging_to
from engine.pace import Pace
from engine.printing import Printing
from engine.scheduler import Timetable
from engine.security import load_chain_key
from engine.services import batches
from engine.store import Writer
from models import base, store

log = logging.getLogger(__name__)
STOPPED, STANDBY, RUNNING, FAILED = "stopped", "standby", "running", "failed"


class Engine:
    """One site's engine, in a thread of its own (`start`) or in the caller's loop (`serve`)."""

    def __init__(self, site: Path, config: Config, *, pace: Pace | None = None) -> None:
        self.state = STOPPED
        self.error: Exception | None = None
        self._site = site
        self._config = config
        self._pace = pace or Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._executor: Executor | None = None
        self._thread: threading.Thread | None = None
        self._told_to_stop = threading.Event()  # perhaps before there is a loop to tell

    def start(self) -> None:
        """Begin, in a daemon thread with a loop of its own. Returns at once."""
        assert self._thread is None, "started once"
        self._thread = threading.Thread(target=self._in_thread, name="engine", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the frames under way, give the site up, end the thread."""
        self._told_to_stop.set()
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def wake(self) -> None:
        """A command was written: carry it out now. From any thread, at any time."""
        executor, loop = self._executor, self._loop
        if executor is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
                loop.call_soon_threadsafe(executor.wake)

    def _in_thread(self) -> None:
        with contextlib.suppress(Exception):  # it is in `error`, and in the log
            asyncio.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        await self.serve(asyncio.Event())

    async def serve(self, stop: asyncio.Event) -> None:
        """Own the site until `stop` is set; stand by while another engine has it.

        Raises what the engine cannot go on with; then `state` is `failed`.
        """
        self._loop, self._stop = asyncio.get_running_loop(), stop
        if self._told_to_stop.is_set():
            stop.set()
        try:
            with logging_to(self._site / "log"):
                await self._serve_logged(stop)
        except Exception as error:
            self.state, self.error = FAILED, error
            raise

    async def _serve_logged(self, stop: asyncio.Event) -> None:
        try:
            await self._serve(stop)
        except Exception:
            log.exception("engine failed")
            raise
        else:
            self.state = STOPPED
            log.info("engine stopped")
        finally:
            self._executor = None

    async def _serve(self, stop: asyncio.Event) -> None:
        _bind(self._site)
        load_chain_key(self._site)  # without it no posting could be made: say so now
        maps = load_maps(self._site / "maps")
        writer = Writer()
        try:
            await writer.start()
            lease = SiteLease(self._site, writer, self._pace)
            try:
                while not stop.is_set():
                    await self._one_duty(lease, writer, maps, stop)
            finally:
                await lease.release()
        finally:
            await writer.stop()

    async def _one_duty(
        self, lease: SiteLease, writer: Writer, maps: dict[str, MeterMap], stop: asyncio.Event
    ) -> None:
        """From stand-by through owning the site to losing it, or to `stop`."""
        self.state = STANDBY
        log.info("engine waits for the site")
        epoch = await lease.acquire(stop)
        if epoch is None:
            return
        duty = Duty(epoch, lease, writer, self._config, self._pace)
        try:
            await self._work(duty, maps, stop)
        except StaleEngine as error:
            lease.lost()
            log.warning("site lost: %s", error)

    async def _work(self, duty: Duty, maps: dict[str, MeterMap], stop: asyncio.Event) -> None:
        """All parts at work. Raises StaleEngine when another engine has taken the site."""
        lines = Lines(duty, maps)
        timetable = Timetable()
        try:
            await lines.refresh()
            await duty.writer.run(batches.restarted, duty.epoch)  # before anything is sent
            executor, collector = Executor(duty, lines), Collector(duty, lines)
            timetable.every(self._pace.tick_s, collector.ring)
            timetable.start()
            self._executor, self.state = executor, RUNNING
            log.info("engine running epoch=%d", duty.epoch)
            await _until_one_ends(
                duty,
                watched=[stop.wait(), duty.lease.keep()],
                parts=[
                    executor.run(),
                    collector.run(),
                    Agenda(duty, executor.wake).run(),
                    HealthLog(duty, lines).run(),
                    Printing(duty, self._site).run(),
                ],
            )
        finally:
            self._executor = None
            timetable.stop()
            duty.over.set()
            await lines.stop()


async def _until_one_ends(
    duty: Duty,
    *,
    watched: list[Coroutine[Any, Any, object]],
    parts: list[Coroutine[Any, Any, None]],
) -> None:
    """Run all until one ends, then have the `parts` finish. Raises what one of them raised."""
    watching = [asyncio.create_task(each) for each in watched]
    working = [asyncio.create_task(each) for each in parts]
    await asyncio.wait([*watching, *working], return_when=asyncio.FIRST_COMPLETED)
    duty.over.set()
    await asyncio.wait(working)
    for task in watching:
        task.cancel()
    await asyncio.wait(watching)
    ended = [task for task in (*working, *watching) if not task.cancelled()]
    errors = [error for task in ended if (error := task.exception()) is not None]
    for error in sorted(errors, key=lambda each: isinstance(each, StaleEngine)):
        raise error  # a fault of ours before the loss of the site


def _bind(site: Path) -> None:
    """The store of `site`, unless this process has bound it already: others may be using it."""
    if base.core.obj is None or base.core.obj.database != str(site / "core.db"):
        store.bind(site)
