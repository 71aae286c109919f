"""The one thread of the engine that owns database connections: work is handed to it."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from models.base import connection

P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """Runs functions one after the other, each a short transaction, on connections of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._connections = contextlib.ExitStack()

    async def start(self) -> None:
        """Open the connections. Raises what the database says."""
        await self.run(self._connections.enter_context, connection())

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return or raise what `work` does, in its turn.

        Who is cancelled while it waits takes its work back if it has not begun; what has begun
        runs to its end, so a transaction is never cut.
        """
        return await asyncio.wrap_future(self._pool.submit(work, *args, **kwargs))

    async def stop(self) -> None:
        """Do what is queued, close the connections, end the thread."""
        try:
            await self.run(self._connections.close)
        finally:
            self._pool.shutdown(wait=True)
