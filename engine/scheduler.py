"""The timetable: an alarm clock that rings. Who is due is read from the database at each ring."""

import datetime as dt
from collections.abc import Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from engine import clock


class Timetable:
    """Rings on the running loop: UTC, in memory, a late ring is still a ring, never two at once."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=dt.UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def every(self, seconds: float, ring: Callable[[], None]) -> None:
        """Ring at once, then whenever the clock shows a multiple of `seconds`. `ring` is short:
        it only starts or wakes what works, so that the end of the timetable cuts nothing.
        """

        async def on_the_loop() -> None:  # a plain function would be run in another thread
            ring()

        now = clock.now()
        aligned_at = dt.datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=dt.UTC)
        self._scheduler.add_job(
            on_the_loop, "interval", seconds=seconds, start_date=aligned_at, next_run_time=now
        )

    def start(self) -> None:
        """From within the loop that is to be rung on."""
        self._scheduler.start()

    def stop(self) -> None:
        """No more rings. Nothing that a ring began is cut."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
