"""The reference site for a measurement: served at 9600 baud by a process of its own, and set up."""

import contextlib
import csv
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.bus.simulator.reference import write_reference_site
from engine.bus.timing import LineTiming

ROOT = Path(__file__).parents[2]
VOLTILL = (sys.executable, "-m", "console")
TURNAROUND_S = 0.02  # the simulator's
MAIN_BLOCK = (8, 101)  # bytes out and in
LINES = 12
INTERVAL_S = 60  # between sweeps: the shortest that is allowed
OPERATOR, PASSWORD = "admin", "correct horse"


@dataclass(frozen=True)
class ReferenceSite:
    tables: Path
    addresses: dict[str, list[int]]  # of each line
    ports: dict[str, int]

    @property
    def wire_s(self) -> float:
        """What the busiest line needs to read each of its meters once: bytes, gaps, turnaround."""
        read_s = LineTiming.of(baud=9600).wire_s(*MAIN_BLOCK) + TURNAROUND_S
        return max(len(units) for units in self.addresses.values()) * read_s


@contextlib.contextmanager
def served(folder: Path) -> Iterator[ReferenceSite]:
    """The reference site, while the context lasts."""
    tables = folder / "tables"
    write_reference_site(tables, base_port=_free_ports(LINES))
    with background(*_python("tests.simulated"), tables, folder / "state", "paced") as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())["lines"]
        yield ReferenceSite(tables, _addresses(tables), ports)


@contextlib.contextmanager
def background(*command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs while the context lasts."""
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


def _python(module: str) -> tuple[str, str, str]:
    return sys.executable, "-m", module


def set_up(folder: Path, tables: Path) -> Path:
    """A new site with these tables, as an operator makes one; its directory."""
    folder.mkdir(exist_ok=True)
    site, password = folder / "site", folder / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    voltill("init", site, "--admin", OPERATOR, "--password-file", password)
    voltill("--site", site, "import", tables)
    config = site / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert "interval_s = 1800" in text
    text = text.replace("interval_s = 1800", f"interval_s = {INTERVAL_S}", 1)
    config.write_text(text, encoding="utf-8")
    return site


def voltill(*words: str | Path) -> str:
    """What the command prints."""
    command = [*VOLTILL, *(str(word) for word in words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    """A terminal with all colours, in English."""
    return {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


def _addresses(tables: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with (tables / "meters.csv").open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["line"], []).append(int(row["address"]))
    return found


def _free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    while True:
        first = random.randrange(20_000, 30_000)
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for port in range(first, first + count):
                listener = taken.enter_context(socket.socket())
                listener.bind(("127.0.0.1", port))
            return first
