"""Who sent a frame: this process, or another that may or may not be provably dead."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from engine import clock

GONE_STATES = ("Z", "X", "x")  # a zombie has no open sockets left
START_FIELD = 19  # of /proc/PID/stat after the name: start in clock ticks since boot (field 22)


@dataclass(frozen=True, slots=True)
class Sender:
    """A process, named so that no later one has the same name.

    `boot` is boot id, pid namespace and start time: a pid alone is used again.
    """

    boot: str
    pid: int

    @classmethod
    def me(cls) -> Self:
        return cls(boot=_boot_of_me(os.getpid()), pid=os.getpid())

    def is_me(self) -> bool:
        return self == Sender.me()

    def is_dead(self) -> bool:
        """Provably gone: of this boot and pid namespace, and no such process runs.

        Of another boot or namespace nothing can be said: that is no proof.
        """
        here, _, started = self.boot.rpartition("/")
        if here != _here():
            return False
        now_started = _started(self.pid)
        return now_started is None or now_started != started


def is_running(pid: int) -> bool:
    """Does a process of that pid run on this host now?"""
    return _started(pid) is not None


@cache
def _here() -> str:
    return f"{clock.boot_id()}/{Path('/proc/self/ns/pid').readlink()}"


@cache
def _boot_of_me(pid: int) -> str:
    started = _started(pid)
    assert started is not None, "this process runs"
    return f"{_here()}/{started}"


def _started(pid: int) -> str | None:
    """When the process of `pid` started, in clock ticks since boot; None where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in GONE_STATES else fields[START_FIELD - 1]
