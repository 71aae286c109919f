"""The engine without a screen: a line a sweep, and a clean end on any signal."""

import argparse
import contextlib
import datetime as dt
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from console import failures, words
from console.commands.site import opened
from console.failures import Status
from engine.bus.errors import MapError
from engine.config import Config
from engine.engine import Engine
from engine.i18n import t
from models.metering import Sweep
from models.sqlite import StoreError

LOOK_S = 0.5  # between two looks for a finished sweep
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def engine(args: argparse.Namespace) -> int:
    """Run until a signal, or for `--for` seconds; a second engine waits as stand-by."""
    with opened(args) as config, stop_signals() as stop:
        run_headless(Engine(args.site, config), config, stop=stop, for_s=args.for_s)
    return Status.DONE


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that any of SIGNALS sets, while the context lasts."""
    stop = threading.Event()

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, ring) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_headless(
    engine: Engine, config: Config, *, stop: threading.Event, for_s: float | None
) -> None:
    """Start, tell what happens, stop. Raises StoreError if the engine failed."""
    deadline = None if for_s is None else time.monotonic() + for_s
    told = _last_sweep_id()
    state = ""
    engine.start()
    try:
        while not stop.wait(LOOK_S) and (deadline is None or time.monotonic() < deadline):
            if engine.state != state:
                state = engine.state
                _say(t(f"cli.engine.{state}"))
            if state == "failed":
                raise _failure(engine.error)
            told = _tell_sweeps(told, config.site.zone)
    finally:
        engine.stop()
        _say(t("cli.engine.stopped"))


def _failure(error: Exception | None) -> Exception:
    """What the engine could not go on with, where it has a text of its own."""
    known = failures.store_error(error) if isinstance(error, OSError) else error
    if isinstance(known, StoreError | MapError):
        return known
    return StoreError("engine_failed", why=str(error))


def _last_sweep_id() -> int:
    last = Sweep.select(Sweep.id).order_by(Sweep.id.desc()).first()
    return last.id if last else 0


def _tell_sweeps(told: int, zone: dt.tzinfo) -> int:
    for sweep in Sweep.select().where(Sweep.id > told).order_by(Sweep.id):
        _say(
            t(
                "cli.sweep",
                at=words.moment(sweep.finished_at, zone),
                read=sweep.read,
                failed=sweep.failed,
                duration_s=f"{(sweep.finished_at - sweep.started_at).total_seconds():.1f}",
                wire_s=f"{sweep.wire_ms / 1000:.1f}",
            )
        )
        told = sweep.id
    return told


def _say(text: str) -> None:
    print(text, flush=True)
