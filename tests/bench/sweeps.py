"""The engine alone: how long a sweep of the whole site takes, of the time the wire must take."""

import datetime as dt
import time
from pathlib import Path

from models import store
from models.metering import Sweep
from tests.bench.figures import Figure
from tests.bench.reference import INTERVAL_S, VOLTILL, ReferenceSite, background

SWEEPS = 3


def of_engine(site: Path, reference: ReferenceSite) -> list[Figure]:
    """The first sweep of an engine, and its later ones."""
    wait_for_room()
    with background(*VOLTILL, "--site", site, "engine"):
        while len(done := sweeps_s(site)) < SWEEPS:
            time.sleep(0.2)
    first_s, *later_s = done
    return [
        sweep_figure("first, on new connections", first_s, reference),
        sweep_figure("later", sum(later_s) / len(later_s), reference),
    ]


def sweep_figure(which: str, swept_s: float, reference: ReferenceSite) -> Figure:
    ratio = swept_s / reference.wire_s
    return Figure(f"sweep ÷ wire time, {which}", f"{ratio:.3f} ({swept_s:.2f} s)", "1.05")


def sweeps_s(site: Path) -> list[float]:
    """Seconds of each finished sweep."""
    with store.opened(site):
        rows = list(Sweep.select().order_by(Sweep.id))
    return [(row.finished_at - row.started_at).total_seconds() for row in rows]


def wait_for_room() -> None:
    """Meters are due with the minute: what starts now is done before the next one begins."""
    while not 10 < time.time() % INTERVAL_S < 25:
        time.sleep(0.5)


def next_due_at() -> dt.datetime:
    """The start of the next minute."""
    minutes = int(time.time()) // INTERVAL_S + 1
    return dt.datetime.fromtimestamp(minutes * INTERVAL_S, tz=dt.UTC)
