"""The engine as commands run it: started, stopped, failed."""

import signal
import threading

import pytest

from console.commands.headless import run_headless, stop_signals
from engine.config import Config
from engine.engine import Engine
from models.sqlite import StoreError


def test_an_engine_stopped_as_soon_as_it_was_started_is_stopped(site_dir):
    engine = Engine(site_dir, Config())

    engine.start()
    engine.stop()

    assert engine.state == "stopped"


class FailedEngine:
    """An engine that cannot go on."""

    state = "failed"
    error = RuntimeError("no lock file")

    def start(self):
        pass

    def stop(self):
        self.state = "stopped"


def test_an_engine_that_failed_is_the_environments_fault(db, capsys):
    with pytest.raises(StoreError) as caught:
        run_headless(FailedEngine(), Config(), stop=threading.Event(), for_s=None)

    assert (caught.value.code, caught.value.params) == ("engine_failed", {"why": "no lock file"})


def test_signals_are_given_back_as_they_were():
    before = signal.getsignal(signal.SIGHUP)
    with stop_signals() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop.is_set()

    assert signal.getsignal(signal.SIGHUP) == before
