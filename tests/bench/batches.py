"""Plans of 10,000 meters; a price download to the reference site, with a sale in the middle."""

import datetime as dt
import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path

from engine.bus.timing import LineTiming
from engine.config import Config
from engine.domain.selection import Selection
from engine.services import batches
from engine.views import batches as views
from engine.views.batches import BatchRow
from models import base, store
from models.commands import Attempt, Command
from models.enums import BatchState, BatchVerb, CommandKind
from models.metering import Latest
from models.site import Line, Meter
from tests.bench.figures import Figure
from tests.bench.reference import (
    INTERVAL_S,
    OPERATOR,
    ROOT,
    TURNAROUND_S,
    VOLTILL,
    background,
    voltill,
)

VERBS = (BatchVerb.PRICE, BatchVerb.TRIP)
EVERYTHING = Selection(everything=True)
WITHIN_S = 1200
NEW_PRICE = 'price_flat = "0.7123"'


def of_plans(site: Path) -> list[Figure]:
    """The slowest of three, on a site that another process is changing."""
    figures = []
    with store.opened(site):
        for verb in VERBS:
            took = []
            for _ in range(3):
                began = time.perf_counter()
                plan = batches.plan(
                    verb, EVERYTHING, {}, config=Config(), now=dt.datetime.now(dt.UTC)
                )
                took.append(time.perf_counter() - began)
            what = f"plan of {len(plan.rows):,} meters, {verb}"
            figures.append(Figure(what, f"{max(took):.2f} s", "1"))
    return figures


def of_price_download(site: Path) -> list[Figure]:
    """Every meter of the site gets a price that it does not have; a tenant buys meanwhile."""
    person = ("--as", OPERATOR, "--password-file", site.parent / "password")
    config = site / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert 'price_flat = "0.7000"' in text
    text = text.replace('price_flat = "0.7000"', NEW_PRICE)
    text = text.replace(f"interval_s = {INTERVAL_S}", "interval_s = 1800", 1)  # no sweep beside it
    config.write_text(text, encoding="utf-8")
    with store.opened(site), base.write_transaction():
        Meter.update(tariff=None).execute()  # the site's prices, which no meter has
    with background(*VOLTILL, "--site", site, "engine"):
        _wait_until_read(site)
        number = len(json.loads(_batch(site, "--dry-run"))["change"])
        began = time.perf_counter()
        _batch(site, "--confirm", str(number), "--wait", "0", *person)
        sale_s = _sell(site, person)
        while _latest(site).state is not BatchState.DONE:
            assert time.perf_counter() - began < WITHIN_S, "the batch does not end"
            time.sleep(0.2)
        took_s = time.perf_counter() - began
    wire_s = _wire_s(site)
    done = _latest(site).done
    return [
        Figure(
            f"price download to {done} of {number} meters ÷ wire time",
            f"{took_s / wire_s:.3f} ({took_s:.1f} s)",
        ),
        Figure("a sale in the middle of it, from asking to proof", f"{sale_s:.2f} s"),
    ]


def _batch(site: Path, *words: str | Path) -> str:
    """What it prints; exit 4 is as good as 0: accepted, it runs."""
    asked = ("--site", site, "batch", "price", "--select", "all", "--json", *words)
    done = subprocess.run(
        [*VOLTILL, *map(str, asked)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 4), done.stdout + done.stderr
    return done.stdout


def _sell(site: Path, person: tuple[str | Path, ...]) -> float:
    with store.opened(site):
        meter = Meter.select().order_by(Meter.id.desc()).first()
    began = time.perf_counter()
    voltill("--site", site, "sell", meter.serial, "10", "--pay", "cash", *person)
    return time.perf_counter() - began


def _latest(site: Path) -> BatchRow:
    with store.opened(site):
        return views.list_batches(1)[0]


def _wait_until_read(site: Path) -> None:
    """Until every meter's settings were read back: nothing else is on the lines then."""
    with store.opened(site):
        while Latest.select().where(Latest.held_at.is_null(False)).count() < Meter.select().count():
            time.sleep(0.5)


def _wire_s(site: Path) -> float:
    """What the frames of the downloads had to take on the busiest line."""
    timing = LineTiming.of(baud=9600)
    found: dict[str, float] = defaultdict(float)
    with store.opened(site):
        query = (
            Attempt.select(Line.name, Attempt.request, Attempt.reply)
            .join(Command)
            .join(Meter)
            .join(Line)
            .where(Command.kind == CommandKind.DOWNLOAD)
            .tuples()
        )
        for line, request, reply in query:
            found[line] += timing.wire_s(len(request), len(reply or b"")) + TURNAROUND_S
    return max(found.values())
