"""Ask for one thing, kill the engine at one event, start it again, compare ledger and meters."""

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
from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, operators, selling, transferring, verify
from engine.services.receipts import WITH_RECEIPT
from engine.tables import write_csv
from models import base, store
from models.accounts import Account, Installation
from models.commands import Command, Lease, Receipt, Transfer
from models.enums import AccountKind, CommandState, LinkKind, PayKind, Role
from models.people import Operator
from models.site import Building, Gateway, Line, Meter
from tests.torture.cashier import CASHIER, PAID_FEN, SERIALS, VERBS
from tests.torture.cashier import ask as wish

ROOT = Path(__file__).parents[2]
SETTLED_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0
LOCKED_OUT_S = 2.5  # more than a lease lasts, less than the database is waited for
OVERLAP_S = 0.6  # into what the second engine does the first wakes up
AWAKE_S = 3.0  # time for both to find out whose the site is
LAST_EVENTS_S = 1.0  # what an engine does after a sale is settled, it does at once


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
    """A new site, one thing asked of a simulated meter, and processes that are made to die."""

    def __init__(self, folder: Path, meters: Meters, kind: str, verb: str = "sell") -> None:
        folder.mkdir()
        self.site, self.kind, self.meters, self.verb = folder, kind, meters, verb
        self.serial = SERIALS[kind]
        self.kinds = list(SERIALS) if verb == "transfer" else [kind]  # those on the site
        for each in self.kinds:  # trial after trial would reach the ceiling
            held_fen = VERBS[verb].held_fen if each == kind else 0
            meters.fault(each, "set_balance", value=held_fen)
        self._log = folder / "events"
        security.create_chain_key(folder)
        store.create(folder)
        with store.opened(folder):
            building = Building.create(code="A", name="A")
            gateway = Gateway.create(name="W1", building=building)
            for each in self.kinds:
                self._furnish(each, gateway)
            operators.create(CASHIER, "correct horse", Role.SUPERVISOR, at=_now())
            if verb == "reverse":
                self._sell_before()
        self.before = {each: meters.memory(each) for each in self.kinds}

    def _furnish(self, kind: str, gateway: Gateway) -> None:
        with base.write_transaction():
            line = Line.create(
                name=kind,
                gateway=gateway,
                link=LinkKind.RTU_TCP,
                host="127.0.0.1",
                port=self.meters.ports[kind],
                timeout_ms=300,
            )
            meter = Meter.create(
                serial=SERIALS[kind],
                model="DDSY1352-NK",
                line=line,
                address=1,
                building=gateway.building,
            )
            account = Account.create(number=kind, name="张三丰茶馆", opened_at=_now())
            Installation.create(meter=meter, account=account, opened_at=_now())

    def _sell_before(self) -> None:
        """A sale `r0` that an engine of yesterday carried to the meter."""
        self.meters.fault(self.kind, "set_balance", value=2_500)
        memory = self.meters.memory(self.kind)
        found = PurchaseState(memory["count"], 2_500, 0)
        Lease.create(
            resource="site", holder="", epoch=1, expires_boot_ms=0, host="", boot_id="", pid=0,
            since=_now(),
        )  # fmt: skip
        by = Operator.get()
        sale = selling.sell(self.serial, PAID_FEN, PayKind.CASH, by, "r0", money=MoneySection())
        commands.mark_sent(sale.id, found, 1, "", 0)
        self.meters.fault(self.kind, "foreign_purchase", amount_fen=PAID_FEN)
        after = PurchaseState(found.count + 1, 2_500 + PAID_FEN, 0)
        commands.settle(sale.id, Step.CONFIRM, after, None, 1, zone=dt.UTC)

    def ask(self) -> None:
        """A cashier asks; asked again with the same request id it is done only once."""
        with store.opened(self.site):
            wish(self.verb, self.serial)

    def die_asking(self, event: int) -> None:
        """A cashier's process asks, and is killed at its `event`."""
        arguments = (self.site, self.verb, self.serial, self._log, event)
        with _python("tests.torture.cashier", *arguments) as cashier:
            cashier.wait(SETTLED_WITHIN_S)
        assert cashier.returncode == -signal.SIGKILL, self.events()

    def run(self, fatal: int = 0) -> None:
        """Run an engine until event `fatal` kills it, or else until all is settled."""
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
        with store.opened(self.site):
            return not any(command.state.open for command in Command.select())

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

    def prove(self) -> CommandState:
        """Ledger and meters tell the same; returns how the wish (or its last leg) ended."""
        after = {each: self.meters.memory(each) for each in self.kinds}
        with store.opened(self.site):
            assert verify.faults() == []
            wishes = list(Command.select().where(Command.request_id != "r0").order_by(Command.id))
            ends = [command.state for command in wishes]
            assert set(ends) <= {CommandState.APPLIED, CommandState.REFUSED}
            self._prove_meters(after, ends)
            self._prove_money(ends)
            with_receipt = [
                command
                for command in Command.select()
                if command.kind in WITH_RECEIPT and command.state is CommandState.APPLIED
            ]
            assert {receipt.command for receipt in Receipt.select()} == set(with_receipt)
            for meter in Meter.select():
                memory = next(after[each] for each in self.kinds if SERIALS[each] == meter.serial)
                if meter.mirror_count is not None:
                    assert meter.mirror_count == memory["count"]
                    credit = ledger.balance_of(ledger.meter_credit(meter.serial))
                    assert credit == memory["balance_fen"]
            return ends[-1]

    def _prove_meters(self, after: dict[str, dict[str, Any]], ends: list[CommandState]) -> None:
        verb, applied = VERBS[self.verb], ends[0] is CommandState.APPLIED
        assert len(ends) == 1 + (applied and self.verb == "transfer")
        held_fen = verb.left_fen if applied else verb.held_fen
        assert after[self.kind]["balance_fen"] == held_fen
        arrived = {
            each: after[each]["purchases"][len(before["purchases"]) :]
            for each, before in self.before.items()
        }
        expected: dict[str, list[list[int]]] = {each: [] for each in self.kinds}
        if self.verb == "sell" and applied:
            expected[self.kind] = [[self.before[self.kind]["count"] + 1, PAID_FEN]]
        if self.verb == "transfer" and ends[1:] == [CommandState.APPLIED]:
            (other,) = (each for each in self.kinds if each != self.kind)
            expected[other] = [[self.before[other]["count"] + 1, verb.carried_fen]]
        assert arrived == expected

    def _prove_money(self, ends: list[CommandState]) -> None:
        verb, applied = VERBS[self.verb], ends[0] is CommandState.APPLIED
        payable = ledger.balance_of(ledger.refund_payable())
        assert payable == (verb.payable_fen if applied else 0)
        for transfer in Transfer.select():
            waits = applied and ends[1] is CommandState.REFUSED
            clearing = ledger.balance_at(AccountKind.CLEARING, str(transfer.id))
            assert clearing == (verb.carried_fen if waits else 0)
            assert (transfer.finished_at is None) == waits
            assert transferring.waiting() == []


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines())


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
