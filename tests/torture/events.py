"""Every commit and every frame of a process as a numbered event, at one of which it dies or stops.

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
from engine.lease import SiteLease
from models import sqlite


class Fuse:
    """Writes events into a file; at `fatal`, a number or the first of a name, it strikes.

    To strike is to send `blow` to its own process.
    """

    def __init__(self, log: Path, fatal: str, blow: signal.Signals = signal.SIGKILL) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._fatal = fatal
        self._blow = blow
        self._count = 0

    def event(self, label: str) -> None:
        if self.burns(label):
            self.strike()

    def burns(self, label: str) -> bool:
        """Count an event. True: this is the one."""
        self._count += 1
        os.write(self._log, f"{label}\n".encode())
        if self._fatal not in (label, str(self._count)):
            return False
        self._fatal = ""
        return True

    def strike(self) -> None:
        os.kill(os.getpid(), self._blow)

    @property
    def kills(self) -> bool:
        return self._blow is signal.SIGKILL


def arm(fuse: Fuse) -> None:
    """From now on each commit, check of the lease, frame sent and reply taken is an event."""
    _arm_commits(fuse)
    _arm_lease(fuse)
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


def _arm_lease(fuse: Fuse) -> None:
    check = SiteLease.check

    async def counted(lease: SiteLease) -> None:
        fuse.event("before lease check")
        await check(lease)
        fuse.event("after lease check")

    SiteLease.check = counted  # type: ignore[method-assign]  # what a fuse is for


def _arm_frames(fuse: Fuse) -> None:
    send, reply = Wire.send, Wire.reply

    def counted_send(wire: Wire, frame: bytes) -> None:
        name = frame[1:4].hex()
        fuse.event(f"before frame {name}")
        if fuse.kills and fuse.burns(f"in frame {name}"):
            send(wire, frame[: len(frame) // 2])
            fuse.strike()
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

    Wire.send = counted_send  # type: ignore[method-assign]
    Wire.reply = counted_reply  # type: ignore[method-assign]
