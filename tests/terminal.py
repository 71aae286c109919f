"""A program in a pseudo terminal: its keys, its screen as pyte draws it, every byte it sends."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pyte

QUIET_S = 0.4  # nothing sent for so long: what was asked for is painted
PATIENCE_S = 30.0


class Terminal:
    """`sent` counts the bytes the program wrote since `sent` was last set to 0."""

    def __init__(self, pid: int, fd: int, columns: int, lines: int) -> None:
        self.pid, self.fd = pid, fd
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.sent = 0
        self.status: int | None = None

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def read(self, seconds: float) -> bool:
        """Take what comes within `seconds`; False where nothing came, or the program has ended."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            chunk = os.read(self.fd, 65_536)
        except OSError:  # the other end is closed
            return False
        self.raw += chunk
        self.sent += len(chunk)
        self.stream.feed(chunk)
        return bool(chunk)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, holds: Callable[[str], bool]) -> None:
        """Read until `holds(text on the screen)`."""
        end = time.monotonic() + PATIENCE_S
        while not holds(self.text):
            assert time.monotonic() < end, f"never happened; the screen shows\n{self.text}"
            self.read(0.1)

    def settle(self) -> None:
        """Read until nothing has come for a while, the clock's tick aside."""
        while True:
            before = self.sent
            self.read_for(QUIET_S)
            if self.sent - before < 200:
                return

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def wait(self) -> int:
        """Exit status of the program, when it has ended."""
        end = time.monotonic() + PATIENCE_S
        while self.status is None:
            assert time.monotonic() < end, f"does not end; the screen shows\n{self.text}"
            self.read(0.05)
            self.poll()
        while self.read(0.05):
            pass
        return self.status

    def poll(self) -> None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.status = os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def running(
    *command: str, columns: int = 80, lines: int = 24, **environment: str
) -> Iterator[Terminal]:
    """`python *command` on a terminal of its own, killed at the end if it has not ended."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environment)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execv(sys.executable, [sys.executable, *command])
    terminal = Terminal(pid, fd, columns, lines)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        yield terminal
    finally:
        if terminal.status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)
