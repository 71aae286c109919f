"""Sell, kill the engine at one event, start it again, and compare ledger and meter."""

import contextlib
import datetime as dt
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import security
from engine.bus.simulator.control import ask
from engine.bus.simulator.site import SimSite
from engine.services import ledger, operators, verify
from engine.tables import write_csv
from models import base, store
from models.accounts import Account, Installation
from models.commands import Command, Receipt
from models.enums import CommandState, LinkKind, Role
from models.site import Building, Gateway, Line, Meter
from tests.torture.seller import CASHIER, PAID_FEN, sell

ROOT = Path(__file__).parents[2]
SETTLED_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0
LOCKED_OUT_S = 2.5  # more than a lease lasts, less than the database is waited for
OVERLAP_S = 0.6  # into what the second engine does the first wakes up
AWAKE_S = 3.0  # time for both to find out whose the site is
LAST_EVENTS_S = 1.0  # what an engine does after a sale is settled, it does at once
SERIALS = {"checked": "202611230001", "blind": "202611230002"}


@dataclass(frozen=True)
class Meters:
    """The running simulator: two meters without load, each alone on its line."""

    ports: dict[str, int]
    control: int

    def memory(self, kind: str) -> dict[str, Any]:
        meter: dict[str, Any] = ask(self.control, {"meter": SERIALS[kind]})["meter"]
        return meter

    def fault(self, kind: str, name: str, **options: object) -> None:
        ask(self.control, {"fault": name, "target": f"meter:{SERIALS[kind]}", **options})

    def clear(self) -> None:
        ask(self.control, {"fault": "clear", "target": "site"})


@contextlib.contextmanager
def simulated(folder: Path) -> Iterator[Meters]:
    tables, state = folder / "tables", folder / "state.json"
    _write_tables(tables)
    site = SimSite.load(tables, state_file=state)
    for kind, serial in SERIALS.items():
        meter = site.meter(serial)
        meter.load_w, meter.checked = 0, kind == "checked"
    site.save()
    with _python("tests.simulated", tables, state, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Meters(ports=said["lines"], control=said["control"])


def _write_tables(folder: Path) -> None:
    folder.mkdir()
    lines = [(kind, "W1", "A", "rtu-tcp", "127.0.0.1", "0") for kind in SERIALS]
    meters = [
        (serial, "DDSY1352-NK", kind, "1", "A", "prepaid") for kind, serial in SERIALS.items()
    ]
    heads = {
        "lines": ("line", "gateway", "building", "link", "host", "port"),
        "meters": ("serial", "model", "line", "address", "building", "kind"),
    }
    for name, rows in (("lines", lines), ("meters", meters)):
        write_csv(folder, name, heads[name], rows)


@contextlib.contextmanager
def _python(module: str, *arguments: object, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that has ended when the block has."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, **options)
    try:
        yield process
    finally:
        _end(process)
        if process.stdout:
            process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have it stop cleanly, even where it stops itself (SIGSTOP) on the way."""
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + ENDED_WITHIN_S
    while process.poll() is None:
        assert time.monotonic() < deadline, "the process does not end"
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)


class Trial:
    """A new site with one simulated meter, a sale to it, and processes that are made to die."""

    def __init__(self, folder: Path, meters: Meters, kind: str) -> None:
        folder.mkdir()
        self.site, self.kind, self.meters = folder, kind, meters
        self.serial = SERIALS[kind]
        meters.fault(kind, "set_balance", value=0)  # trial after trial would reach the ceiling
        self.before = meters.memory(kind)
        self._log = folder / "events"
        security.create_chain_key(folder)
        store.create(folder)
        with store.opened(folder):
            self._furnish()
            operators.create(CASHIER, "correct horse", Role.CASHIER, at=_now())

    def _furnish(self) -> None:
        with base.write_transaction():
            building = Building.create(code="A", name="A")
            gateway = Gateway.create(name="W1", building=building)
            line = Line.create(
                name=self.kind,
                gateway=gateway,
                link=LinkKind.RTU_TCP,
                host="127.0.0.1",
                port=self.meters.ports[self.kind],
                timeout_ms=300,
            )
            meter = Meter.create(
                serial=self.serial,
                model="DDSY1352-NK",
                line=line,
                address=1,
                building=building,
            )
            account = Account.create(number="T1", name="张三丰茶馆", opened_at=_now())
            Installation.create(meter=meter, account=account, opened_at=_now())

    def sell(self) -> None:
        """A cashier sells; asked again with the same request id it sells only once."""
        with store.opened(self.site):
            sell(self.serial)

    def die_selling(self, event: int) -> None:
        """A cashier's process sells, and is killed at its `event`."""
        with _python("tests.torture.seller", self.site, self.serial, self._log, event) as seller:
            seller.wait(SETTLED_WITHIN_S)
        assert seller.returncode == -signal.SIGKILL, self.events()

    def run(self, fatal: int = 0) -> None:
        """Run an engine until event `fatal` kills it, or else until the sale is settled."""
        self._log.unlink(missing_ok=True)
        with self._engine(self._log, fatal, "SIGKILL") as engine:
            self._await(lambda: engine.poll() is not None or (self.settled() and self.events()))
            with contextlib.suppress(subprocess.TimeoutExpired):
                engine.wait(LAST_EVENTS_S if fatal else 0)
        died = engine.returncode == -signal.SIGKILL
        assert died or engine.returncode == 0, f"the engine failed: {self.events()[-5:]}"

    def pause(self, event: int | str) -> None:
        """Stop an engine at `event`, have another take over, wake the first; until settled."""
        self._log.unlink(missing_ok=True)
        others = self.site / "events of the other"
        with self._engine(self._log, event, "SIGSTOP") as first:
            self._await(lambda: _stopped(first.pid) or (self.settled() and self.events()))
            with self._engine(others, 0, "SIGSTOP"):
                with contextlib.suppress(AssertionError):  # stopped in a transaction it locks out
                    self._await(lambda: others.exists() and _lines(others) > 4, LOCKED_OUT_S)
                time.sleep(random.uniform(0, OVERLAP_S))
                first.send_signal(signal.SIGCONT)
                with contextlib.suppress(AssertionError):  # what it may still send keeps it open
                    self._await(self.settled, AWAKE_S)
                _end(first)
                self._await(self.settled)

    def settled(self) -> bool:
        return not self.command().state.open

    def _engine(
        self, log: Path, fatal: int | str, blow: str
    ) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
        return _python("tests.torture.child", self.site, log, fatal, blow)

    def _await(self, happened: Callable[[], object], within_s: float = SETTLED_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not happened():
            assert time.monotonic() < deadline, f"not settled: {self.events()[-5:]}"
            time.sleep(0.02)

    def events(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    def command(self) -> Command:
        with store.opened(self.site):
            return Command.get()

    def prove(self) -> CommandState:
        """Ledger and meter tell the same; returns how the sale ended."""
        after = self.meters.memory(self.kind)
        arrived = after["purchases"][len(self.before["purchases"]) :]
        with store.opened(self.site):
            command, meter = Command.get(), Meter.get()
            assert Command.select().count() == 1
            assert verify.faults() == []
            applied = command.state is CommandState.APPLIED
            assert command.state in (CommandState.APPLIED, CommandState.REFUSED)
            assert arrived == ([[self.before["count"] + 1, PAID_FEN]] if applied else [])
            assert Receipt.select().count() == applied
            if meter.mirror_count is not None:
                assert meter.mirror_count == after["count"]
                assert ledger.balance_of(ledger.meter_credit(self.serial)) == after["balance_fen"]
            return command.state


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines())


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
