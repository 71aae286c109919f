"""The console in a pty: how soon, how many bytes, how much memory."""

import datetime as dt
import os
import time
from pathlib import Path

from engine.domain.units import yuan_text
from models import store
from models.commands import Attempt, Command
from models.metering import Latest
from tests.bench.figures import Figure, spread_bytes, spread_ms
from tests.bench.reference import (
    OPERATOR,
    PASSWORD,
    ROOT,
    VOLTILL,
    ReferenceSite,
    environment,
)
from tests.bench.sweeps import next_due_at, sweep_figure, sweeps_s, wait_for_room
from tests.bench.terminal import Terminal, terminal

DOWN, UP, PAGE_DOWN, PAGE_UP, ENTER = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~", "\r"
PAID_FEN = 10_000
REST_S = 5.0


def of_reference_site(site: Path, reference: ReferenceSite) -> list[Figure]:
    """Console and engine in one process, from start through three sweeps and a sale."""
    figures = []
    wait_for_room()
    with terminal(
        *VOLTILL, "--site", site, "--lang", "en", environment=environment(), cwd=ROOT
    ) as console:
        figures += _start(console)
        swept_s = _swept(console, site, 1)
        figures.append(sweep_figure("first, console beside it", swept_s, reference))
        console.read(2 * reference.wire_s)  # the numbers and prices are read behind it
        figures.append(_bytes("at rest, 334 rows", console.read(REST_S), REST_S))
        figures += _keys(console, "334 rows, at rest", for_s=REST_S)
        _until_sweep(console, site)
        figures += _keys(console, "334 rows, in a sweep", for_s=reference.wire_s - 0.5)
        _swept(console, site, 2)
        _until_sweep(console, site)
        figures.append(_bytes("a sweep, 334 rows", console.read(reference.wire_s)))
        swept_s = _swept(console, site, 3)
        figures.append(sweep_figure("later, console beside it", swept_s, reference))
        figures += _sale(console, site)
        figures.append(Figure("memory, console + engine", f"{console.resident_mb():.0f} MB", "60"))
    return figures


def of_crowd(site: Path) -> list[Figure]:
    """10,020 rows of which 56 a second change; the console's own engine stands by."""
    with terminal(
        *VOLTILL, "--site", site, "--lang", "en", environment=environment(), cwd=ROOT
    ) as console:
        _start(console)
        console.read(5)
        figures = _keys(console, "10,020 rows, 56 changes a second", for_s=5)
        figures.append(_bytes("10,020 rows, 56 changes a second", console.read(REST_S), REST_S))
        figures.append(Figure("memory, console, 10,020 rows", f"{console.resident_mb():.0f} MB"))
    return figures


def _start(console: Terminal) -> list[Figure]:
    """Two waits of the operator: until log-in can be typed, and from there to the table."""
    login_s = console.wait_for("Password")
    console.type(OPERATOR + ENTER)
    console.type(PASSWORD)
    os.write(console.descriptor, ENTER.encode())
    table_s = console.wait_for("2021")
    return [
        Figure("start → log-in", f"{login_s:.2f} s", "0.5"),
        Figure("log-in → table of all meters (password check included)", f"{table_s:.2f} s"),
    ]


def _swept(console: Terminal, site: Path, number: int) -> float:
    """Seconds that sweep `number` (from 1) took."""
    while len(done := sweeps_s(site)) < number:
        console.read(0.05)
    return done[number - 1]


def _until_sweep(console: Terminal, site: Path) -> None:
    """Until the next sweep has read its first meter."""
    due_at = next_due_at()
    while _newest_reading(site) < due_at:
        console.read(0.05)


def _newest_reading(site: Path) -> dt.datetime:
    with store.opened(site):
        newest: dt.datetime = (
            Latest.select(Latest.read_at).order_by(Latest.read_at.desc()).get().read_at
        )
    return newest


def _bytes(what: str, count: int, during_s: float = 0.0) -> Figure:
    if during_s:
        return Figure(f"to the terminal: {what}", f"{count / during_s:.0f} B/s", "1000")
    return Figure(f"to the terminal: {what}", f"{count / 1000:.1f} kB in all")


def _keys(console: Terminal, what: str, *, for_s: float) -> list[Figure]:
    """The cursor goes up and down within the page, and whole pages down and up."""
    figures = []
    for name, keys, target in (
        ("cursor key", (DOWN, UP), "1000 B"),
        ("page key", (PAGE_DOWN, PAGE_UP), "16000 B"),
    ):
        taken: list[tuple[float, int]] = []
        end = time.perf_counter() + for_s / 2
        while time.perf_counter() < end:
            taken.append(console.press(keys[len(taken) % 2]))
        seconds, counts = zip(*taken, strict=True)
        figures += [
            Figure(f"{name} → paint p50 / p95, {what}", spread_ms(list(seconds))),
            Figure(f"{name}, bytes p50 / p95, {what}", spread_bytes(list(counts)), target),
        ]
    return figures


def _sale(console: Terminal, site: Path) -> list[Figure]:
    """100 yuan to the meter under the cursor; the last key when a sweep has just begun."""
    yuan = yuan_text(PAID_FEN)
    for keys, then in (
        ("s", "Cashtaken"),
        (yuan + ENTER, yuan),
        (ENTER, "Typeitagain"),
        (yuan, ""),
    ):
        console.type(keys)
        console.wait_for(then)
    _until_sweep(console, site)
    os.write(console.descriptor, b"y")
    shown_s = console.wait_for("Proved:")
    with store.opened(site):
        sale = Command.get()
        frames = Attempt.select().where(Attempt.command == sale).count()
        proved_s = (sale.finished_at - sale.created_at).total_seconds()
    return [
        Figure("sale in mid-sweep, key → proved", f"{frames} frames, {proved_s:.2f} s"),
        Figure("sale in mid-sweep, key → shown as proved", f"{shown_s:.2f} s"),
    ]
