"""The lines of the site as the engine owns them: made from the database, kept alive, made anew."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import peewee as pw

from engine.bus.driver import Driver
from engine.bus.errors import LineDown
from engine.bus.link import Bus, LineSettings, Link, Priority
from engine.bus.registers import MeterMap
from engine.bus.timing import LineTiming
from engine.config import Config
from engine.duty import Duty
from models.base import tuples
from models.enums import LineState
from models.site import Line, Meter

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MeterAt:
    """A meter where it hangs, with the map that is at work on it."""

    meter: Meter
    driver: Driver
    line: "OwnedLine"
    interval_s: int


class OwnedLine:
    """A line and its one Link. A Link whose task fails is replaced; the others never notice."""

    def __init__(self, line_id: int, settings: LineSettings, duty: Duty) -> None:
        self.line_id = line_id
        self.settings = settings
        self.link = Link(settings)
        self.idle = asyncio.Event()  # no pass of the collector is under way
        self.idle.set()
        self.turnaround_s: float | None = None  # the shortest seen: what the meters need
        self._duty = duty
        self._turns: set[asyncio.Future[Any]] = set()
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._progress = (0, asyncio.get_running_loop().time())  # requests so far, since when

    @property
    def down(self) -> bool:
        return self.link.health.state is LineState.DOWN

    def saw_turnaround(self, seconds: float) -> None:
        """How long a meter took from a request's last byte to its reply's first, at most."""
        shortest_s = seconds if self.turnaround_s is None else min(seconds, self.turnaround_s)
        self.turnaround_s = max(0.0, shortest_s)

    async def turn(
        self, priority: Priority, work: Callable[[Bus], Awaitable[T]], *, gives_way: bool = False
    ) -> T:
        """As Link.turn, of the Link that serves the line now; LineDown where that is replaced."""
        turn = asyncio.ensure_future(self.link.turn(priority, work, gives_way=gives_way))
        self._turns.add(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn in self._turns:
                raise  # it is the caller who is cancelled
            raise LineDown("stopped") from None
        finally:
            self._turns.discard(turn)

    async def ripe(self) -> bool:
        """Wait until the connection is older than any frame of the one before it.

        The line is free meanwhile. False where the duty ends first.
        """
        loop = asyncio.get_running_loop()
        opened_at = self.link.connected_at
        if opened_at is None:
            return not self._duty.over.is_set()
        return await self._duty.pause(
            max(0.0, opened_at + self.settings.frame_life_s - loop.time())
        )

    async def run(self) -> None:
        """Keep a Link at work until `stop`."""
        while not self._leaving.is_set():
            self._task = asyncio.create_task(self.link.run(), name=f"line {self.settings.name}")
            await asyncio.wait({self._task})
            if self._leaving.is_set():
                return
            error = None if self._task.cancelled() else self._task.exception()
            log.error("line rebuilt line=%s", self.settings.name, exc_info=error)
            self.link = Link(self.settings, self.link.memory)
            self._drop_turns()
            await self._duty.pause(max(self._duty.pace.rebuild_s, self.settings.frame_life_s))

    def _drop_turns(self) -> None:
        """Nobody will serve them any more."""
        turns, self._turns = self._turns, set()
        for turn in turns:
            turn.cancel()

    def watch(self) -> None:
        """Have the Link made anew where turns wait and nothing is asked: it is stuck."""
        now = asyncio.get_running_loop().time()
        requests = self.link.health.requests
        if requests != self._progress[0] or not self._turns:
            self._progress = (requests, now)
        patience_s = self._duty.pace.stuck_s + self.settings.frame_life_s
        if now - self._progress[1] > patience_s and self._task is not None:
            self._progress = (requests, now)
            log.error("line stuck line=%s", self.settings.name)
            self._task.cancel()

    async def stop(self) -> None:
        """Let the turn under way finish."""
        self._leaving.set()
        await self.link.stop()
        if self._task is not None:
            await asyncio.wait({self._task})


class Lines:
    """All lines and meters in service, as the database has them."""

    def __init__(self, duty: Duty, maps: Mapping[str, MeterMap]) -> None:
        self.by_id: dict[int, OwnedLine] = {}
        self.meters: dict[int, MeterAt] = {}
        self._duty = duty
        self._maps = maps
        self._marker: tuple[int, ...] | None = None
        self._refreshing = asyncio.Lock()
        self._tasks: dict[OwnedLine, asyncio.Task[None]] = {}

    async def refresh(self) -> None:
        """Take up what an import has changed: lines come and go, meters move."""
        async with self._refreshing:
            marker = await self._duty.writer.run(_marker)
            if marker != self._marker:
                await self._load()
                self._marker = marker

    async def _load(self) -> None:
        lines, meters = await self._duty.writer.run(_load)
        wanted = {line.id: settings_of(line, self._duty.config) for line in lines}
        for line_id, owned in list(self.by_id.items()):
            if wanted.get(line_id) != owned.settings:
                del self.by_id[line_id]
                await owned.stop()
        for line_id, settings in wanted.items():
            if line_id not in self.by_id:
                self._begin(OwnedLine(line_id, settings, self._duty))
        self.meters = {meter.id: at for meter in meters if (at := self._place(meter)) is not None}
        log.info("site loaded lines=%d meters=%d", len(self.by_id), len(self.meters))

    async def stop(self) -> None:
        await asyncio.gather(*(line.stop() for line in self._tasks))
        await asyncio.gather(*self._tasks.values())

    def _begin(self, line: OwnedLine) -> None:
        self.by_id[line.line_id] = line
        task = asyncio.create_task(line.run(), name=f"owner of {line.settings.name}")
        self._tasks[line] = task
        task.add_done_callback(lambda _: self._tasks.pop(line, None))

    def _place(self, meter: Meter) -> MeterAt | None:
        line = self.by_id.get(meter.line.id)
        meter_map = self._maps.get(meter.model)
        if line is None or meter_map is None:
            log.warning("meter left out serial=%s model=%s", meter.serial, meter.model)
            return None
        config = self._duty.config
        return MeterAt(
            meter=meter,
            driver=Driver(
                meter_map, meter.address, cipher_key=bytes.fromhex(config.meters.cipher_key)
            ),
            line=line,
            interval_s=meter.interval_s or meter.line.interval_s or config.collection.interval_s,
        )


def settings_of(line: Line, config: Config) -> LineSettings:
    """What a Link needs of a row."""
    return LineSettings(
        name=line.name,
        link=line.link,
        timing=LineTiming.of(
            baud=line.baud,
            parity=line.parity,
            stop_bits=line.stop_bits,
            timeout_ms=line.timeout_ms,
            gap_ms=line.gap_ms,
        ),
        host=line.host,
        port=line.port or 0,
        device=line.device,
        baud=line.baud,
        parity=line.parity,
        stop_bits=line.stop_bits,
        retries=line.retries,
        frame_life_s=config.collection.frame_life_s,
    )


def _marker() -> tuple[int, ...]:
    """Another one whenever an import may have changed lines or meters."""
    return (*_highest_and_count(Meter.rev), *_highest_and_count(Line.id))


def _highest_and_count(field: pw.Field) -> tuple[int, int]:
    query = field.model.select(pw.fn.MAX(field), pw.fn.COUNT(field))
    highest, count = tuples(query)[0]
    return highest or 0, count


def _load() -> tuple[list[Line], list[Meter]]:
    lines = Line.select().where(Line.retired_at.is_null()).order_by(Line.id)
    meters = Meter.select(Meter, Line).join(Line).where(Meter.retired_at.is_null())
    return list(lines), list(meters)
