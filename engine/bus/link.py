"""One line and its one owner: connect, back off, and take turns by priority."""

import asyncio
import contextlib
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, TypeVar

from engine.bus.bus import Bus, Exchange
from engine.bus.doubts import Doubts
from engine.bus.errors import LineDown, QueueFull
from engine.bus.frames import gateway_text
from engine.bus.health import LineCounters, ReplyTimes
from engine.bus.port import Memory, Port
from engine.bus.transport import LineSettings, Wire, open_wire
from models.enums import LineState

__all__ = ["Bus", "Exchange", "LineCounters", "LineSettings", "Link", "Priority"]

T = TypeVar("T")

BACK_OFF_S = (0.5, 30.0)  # between connection attempts, doubling, with jitter
GREETING_S = 0.05  # a new connection is listened to for so long before it is used
ORDERS_MAX = 64  # orders a queue holds beyond its limit, which is for polls


class Priority(IntEnum):
    """Who goes first when the line is free; within one, first come first served."""

    MONEY = 0
    CONTROL = 1
    FRESH = 2
    POLL = 3


@dataclass(order=True, slots=True)
class _Turn:
    priority: Priority
    number: int
    work: Callable[[Bus], Awaitable[object]] = field(compare=False)
    done: "asyncio.Future[Any]" = field(compare=False)
    gives_way: bool = field(compare=False, default=False)


class Link:
    """The owner of one line. `run` is its task; everyone else asks for a `turn`."""

    def __init__(self, settings: LineSettings, memory: Memory | None = None) -> None:
        """`memory` is that of the Link whose place this one takes."""
        self.settings = settings
        self.memory = memory or Memory(Doubts(settings.frame_life_s), LineCounters(), ReplyTimes())
        self.connected_at: float | None = None  # loop time
        self._queue: list[_Turn] = []
        self._numbers = itertools.count()
        self._news = asyncio.Event()
        self._passing: set[asyncio.Task[None]] = set()  # turns in the middle of another's
        self._stopping = False
        self._failures = 0  # connections in a row that failed, or brought no good reply

    @property
    def health(self) -> LineCounters:
        return self.memory.health

    async def turn(
        self, priority: Priority, work: Callable[[Bus], Awaitable[T]], *, gives_way: bool = False
    ) -> T:
        """Run `work` with the line to itself; returns or raises what it does.

        One that `gives_way` lets whoever is of a higher priority pass before each of its reads,
        and where it says so (`Bus.let_pass`): what it has read may then be older than a frame, so
        nothing counted is ever done in it.
        Raises LineDown while there is no connection (a first one, or one just cut, is waited
        for), QueueFull where too much waits. A caller that is cancelled ends its turn; the line
        then stays quiet until the frame under way is answered or has had its time-out.
        """
        if self._stopping or (self._failures and self.connected_at is None):
            raise LineDown(self.health.why or "stopped", self.health.detail)
        self._require_room(priority)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, _Turn(priority, next(self._numbers), work, done, gives_way))
        self._news.set()
        return await done

    def _require_room(self, priority: Priority) -> None:
        """A full queue refuses polls; orders only when very many of them wait."""
        orders = 0 if priority is Priority.POLL else ORDERS_MAX
        if len(self._queue) < self.settings.queue_max + orders:
            return
        self.health.polls_dropped += priority is Priority.POLL
        raise QueueFull(line=self.settings.name, waiting=len(self._queue))

    async def run(self) -> None:
        """Keep a connection and serve turns until `stop`. Nothing a peer sends ends it."""
        try:
            while not self._stopping:
                await self._connect_and_serve()
                if not self._stopping:
                    await self._pause()
        finally:
            self._stopping = True
            self._down("stopped")
            self._fail_waiting()

    async def stop(self) -> None:
        """Let the turn under way finish; everyone who still waits gets LineDown."""
        self._stopping = True
        self._news.set()

    async def _connect_and_serve(self) -> None:
        try:
            wire = await open_wire(self.settings)
        except LineDown as error:
            self._down(error.why, error.detail)
            self._failures += 1
            self._fail_waiting()
            return
        port = Port(self.settings, wire, self.memory)
        try:
            if await self._welcome(wire):
                await self._serve(port)
        finally:
            wire.close()
            self.connected_at = None
            self._down(wire.lost or "closed", wire.detail)
        self._failures = 0 if port.fruitful and not port.hung else self._failures + 1
        if self._failures:
            self._fail_waiting()

    async def _welcome(self, wire: Wire) -> bool:
        """Listen first: a gateway that has another client says so, or hangs up, at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GREETING_S):
                await asyncio.shield(wire.closed)
        if text := gateway_text(wire.take()):
            wire.close("gateway_says", text)
        return wire.lost is None

    async def _serve(self, port: Port) -> None:
        self.memory.doubts.unproved()
        self.connected_at = port.opened_at
        self.health.state, self.health.why, self.health.detail = LineState.UP, "", ""
        self.health.connections += 1
        port.wire.closed.add_done_callback(lambda _: self._news.set())
        while not self._stopping and port.wire.lost is None:
            if self._queue:
                await self._take(heapq.heappop(self._queue), port)
            else:
                self._news.clear()
                await self._news.wait()
            if port.hung:
                port.wire.close("hung")

    async def _take(self, turn: _Turn, port: Port) -> None:
        """One turn, as a task of its own: whatever it raises belongs to the one who waits."""
        if turn.done.cancelled():
            return
        task = asyncio.create_task(self._perform(turn, port))
        turn.done.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)
        try:
            await asyncio.wait({task})
        finally:
            if not task.done():  # the owner itself is cancelled: nobody else may have the line
                for passing in self._passing - {asyncio.current_task()}:
                    passing.cancel()
                task.cancel()
                await asyncio.wait({task})
            _hand_over(task, turn.done)

    async def _perform(self, turn: _Turn, port: Port) -> object:
        if not turn.gives_way:
            return await turn.work(Bus(port))
        return await turn.work(Bus(port, partial(self._let_pass, turn.priority, port)))

    async def _let_pass(self, priority: Priority, port: Port) -> None:
        """Serve every waiting turn that comes before `priority`, on the same connection.

        Whoever made us wait may be cancelled meanwhile; the one who passes is not.
        """
        while self._passes(priority) and port.wire.lost is None and not port.hung:
            passing = asyncio.create_task(self._take(heapq.heappop(self._queue), port))
            self._passing.add(passing)
            passing.add_done_callback(self._passing.discard)
            cancelled: asyncio.CancelledError | None = None
            while not passing.done():
                try:
                    await asyncio.wait({passing})
                except asyncio.CancelledError as error:
                    cancelled = error
            if cancelled is not None:
                raise cancelled

    def _passes(self, priority: Priority) -> bool:
        """Does somebody wait who comes before `priority`, and is still to be served?"""
        return bool(self._queue) and self._queue[0].priority < priority and not self._stopping

    def _down(self, why: str, detail: str = "") -> None:
        self.health.state, self.health.why, self.health.detail = LineState.DOWN, why, detail

    def _fail_waiting(self) -> None:
        waiting, self._queue = self._queue, []
        for turn in waiting:
            if not turn.done.done():
                turn.done.set_exception(LineDown(self.health.why, self.health.detail))

    async def _pause(self) -> None:
        """Back off before the next connection: a gateway that kicks us out is never fought."""
        pause_s = longest_pause_s(self._failures) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                while not self._stopping:
                    self._news.clear()
                    await self._news.wait()


def longest_pause_s(failures: int) -> float:
    """Before the next connection, after so many in a row that failed or brought nothing."""
    shortest_s, longest_s = BACK_OFF_S
    return min(longest_s, shortest_s * (1 << min(failures, 10)))


def _hand_over(task: "asyncio.Future[Any]", done: "asyncio.Future[Any]") -> None:
    """What a turn's task returned or raised, to the one who waits; to nobody where he is gone."""
    error = None if task.cancelled() else task.exception()
    if done.done():
        return
    if task.cancelled():
        done.set_exception(LineDown("stopped"))
    elif error is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())
