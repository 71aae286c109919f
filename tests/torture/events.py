"""Every commit and every frame of a process as a numbered event, at one of which it dies.

Only a test's launcher calls `arm`: the product has no hook for it.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.bus.errors import BusError
from engine.bus.transport import Wire
from models import sqlite


class Fuse:
    """Counts events into a file; at number `fatal` the process is killed as by `kill -9`."""

    def __init__(self, log: Path, fatal: int) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._fatal = fatal
        self._count = 0

    def event(self, label: str) -> None:
        if self.burns(label):
            self.die()

    def burns(self, label: str) -> bool:
        """Count an event. True: this is the one."""
        self._count += 1
        os.write(self._log, f"{label}\n".encode())
        return self._count == self._fatal

    @staticmethod
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def arm(fuse: Fuse) -> None:
    """From now on each commit, each frame sent and each reply taken is an event."""
    _arm_commits(fuse)
    _arm_frames(fuse)


def _arm_commits(fuse: Fuse) -> None:
    begin = sqlite.begin_immediate

    @contextlib.contextmanager
    def counted(database: Any) -> Iterator[None]:
        name = Path(database.database).name
        with begin(database):
            yield
            fuse.event(f"before commit of {name}")
        fuse.event(f"after commit of {name}")

    sqlite.begin_immediate = counted


def _arm_frames(fuse: Fuse) -> None:
    send, reply = Wire.send, Wire.reply

    def counted_send(wire: Wire, frame: bytes) -> None:
        name = frame[1:4].hex()
        fuse.event(f"before frame {name}")
        if fuse.burns(f"in frame {name}"):
            send(wire, frame[: len(frame) // 2])
            fuse.die()
        send(wire, frame)
        fuse.event(f"after frame {name}")

    async def counted_reply(wire: Wire, *args: Any, **options: Any) -> Any:
        try:
            found = await reply(wire, *args, **options)
        except BusError:
            fuse.event("line lost")
            raise
        fuse.event("reply" if found else "no reply")
        return found

    Wire.send = counted_send  # type: ignore[method-assign]  # what a fuse is for
    Wire.reply = counted_reply  # type: ignore[method-assign]
