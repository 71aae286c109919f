"""A program in a pty: what it sends for a key, how soon, and how much when nobody touches it."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyte

COLUMNS, LINES = 140, 40
QUIET_S = 0.05  # a paint is over after so long


@dataclass
class Terminal:
    """The far end of a program's terminal."""

    process: subprocess.Popen[bytes]
    descriptor: int
    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, LINES))

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        """What stands on the screen (pyte's own `display` fails on half a wide character)."""
        rows = (self.screen.buffer[line] for line in range(LINES))
        return "\n".join("".join(row[column].data for column in range(COLUMNS)) for row in rows)

    def _take(self) -> bytes:
        try:
            return os.read(self.descriptor, 65_536)
        except OSError as error:
            error.add_note(f"the program has ended; last seen:\n{self.text}")
            raise

    def read(self, for_s: float) -> int:
        """Take what comes for so long; how many bytes it was."""
        end, count = time.perf_counter() + for_s, 0
        while (left_s := end - time.perf_counter()) > 0:
            if select.select([self.descriptor], [], [], left_s)[0]:
                data = self._take()
                count += len(data)
                self._stream.feed(data)
        return count

    def wait_for(self, text: str, timeout_s: float = 30.0) -> float:
        """Seconds until `text` (without blanks) stands on the screen."""
        started = time.perf_counter()
        while text not in self.text.replace(" ", ""):
            assert time.perf_counter() - started < timeout_s, self.text
            self.read(0.005)
        return time.perf_counter() - started

    def type(self, keys: str) -> None:
        """Keys in a row, and what the program makes of them."""
        os.write(self.descriptor, keys.encode())
        self.read(0.4)

    def press(self, key: str) -> tuple[float, int]:
        """Seconds from a key to the first byte of its paint, and the bytes until it is over."""
        self.read(QUIET_S)
        os.write(self.descriptor, key.encode())
        started = time.perf_counter()
        select.select([self.descriptor], [], [], 2.0)
        painted_s = time.perf_counter() - started
        return painted_s, self.read(QUIET_S)

    def resident_mb(self) -> float:
        """Memory of the program, without what it shares through files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        kilobytes = next(line.split()[1] for line in status.splitlines() if "VmRSS" in line)
        return int(kilobytes) / 1024


@contextlib.contextmanager
def terminal(*command: str | Path, environment: Mapping[str, str], cwd: Path) -> Iterator[Terminal]:
    """`command` in a pty of 140 × 40 until the block ends."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(environment),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        os.close(ours)
