"""A practice site: pretend meters on real sockets, the databases, and an engine in a hurry."""

import asyncio
import contextlib
import csv
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Callable

import pytest

from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.site import SimSite
from engine.bus.timing import LineTiming
from engine.config import CollectionSection, Config, MoneySection
from engine.engine import Engine
from engine.pace import Pace
from engine.services import operators, selling
from models import base
from models.accounts import Account, Installation
from models.commands import Command
from models.enums import LinkKind, PayKind, Role
from models.site import Building, Gateway, Line, Meter

CHECKED, BLIND, OTHER, FAR = "202611230001", "202611230002", "202611230003", "202611230004"
PLACES = {CHECKED: ("L1", 1), BLIND: ("L1", 2), OTHER: ("L1", 3), FAR: ("L2", 1)}
BALANCE_FEN, COUNT = 8765, 5
HURRY = Pace(
    tick_s=0.2, notice_s=0.02, health_s=0.05, settle_s=0.05, renew_s=0.5, stand_by_s=0.02,
    rebuild_s=0.05,
)  # fmt: skip
MONEY = MoneySection()
ZONE = Config().site.zone
PATIENCE_S = 30.0  # until a test that waits for something says what is missing


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch):
    """A pretend meter answers at once: a lost reply is known as lost after a quarter second."""
    usual = LineTiming.of

    def short(**settings):
        return dataclasses.replace(
            usual(**settings), fixed_timeout_s=0.15, write_timeout_s=0.25, gap_s=0.0
        )

    monkeypatch.setattr(LineTiming, "of", short)


class Practice:
    """The site under test: its meters, its engine, and what stands in the databases."""

    def __init__(self, directory, meters: SimSite, config: Config) -> None:
        self.directory, self.meters, self.config = directory, meters, config
        now = dt.datetime.now(dt.UTC)
        self._cashier = operators.create("李娜", "correct horse", Role.CASHIER, at=now)
        self.chief = operators.create("王强", "correct horse", Role.SUPERVISOR, at=now)
        self._sales = 0
        self._furnish()

    def _furnish(self) -> None:
        now = dt.datetime.now(dt.UTC)
        with base.write_transaction():
            building = Building.create(code="A", name="A")
            gateway = Gateway.create(name="W1", building=building)
            lines = {
                name: Line.create(
                    name=name, gateway=gateway, link=LinkKind.RTU_TCP, host="127.0.0.1", port=port
                )
                for name, port in self.meters.ports.items()
            }
            for serial, (line, address) in PLACES.items():
                meter = Meter.create(
                    serial=serial, model="DDSY1352-NK", line=lines[line], address=address,
                    building=building, rev=1,
                )  # fmt: skip
                account = Account.create(number=serial, name="茶馆", opened_at=now)
                Installation.create(meter=meter, account=account, opened_at=now)

    @contextlib.asynccontextmanager
    async def engine(self, pace: Pace = HURRY) -> AsyncIterator[Engine]:
        """An engine at work on the site in a thread of its own, until the block ends.

        That thread has no database: what it looks up outside the writer fails here as on site.
        """
        engine = Engine(self.directory, self.config, pace=pace)
        engine.start()
        try:
            yield engine
        finally:
            await asyncio.to_thread(engine.stop, PATIENCE_S)
            assert engine.error is None, engine.error

    def sell(self, serial: str = CHECKED, paid_fen: int = 10_000) -> int:
        """A sale as the form writes it down; the number of its command."""
        self._sales += 1
        request_id = f"r{self._sales}"
        return selling.sell(
            serial, paid_fen, PayKind.CASH, self._cashier, request_id, money=MONEY
        ).id

    def command(self, command_id: int) -> Command:
        return Command.get_by_id(command_id)

    async def ended(self, command_id: int) -> Command:
        """The command, when it is open no more."""
        await self.until(lambda: not self.command(command_id).state.open)
        return self.command(command_id)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for something to come about in the databases or a meter."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.01)

    def bought(self, serial: str = CHECKED) -> list[tuple[int, int]]:
        """(count, fen) of every purchase that the meter has taken."""
        return self.meters.meter(serial).purchases


def write_tables(folder) -> None:
    tables = {
        "lines": [("line", "gateway", "port"), ("L1", "W1", "0"), ("L2", "W1", "0")],
        "meters": [
            ("serial", "model", "line", "address", "kind"),
            *((s, "DDSY1352-NK", line, a, "prepaid") for s, (line, a) in PLACES.items()),
        ],
    }
    folder.mkdir()
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


@pytest.fixture
async def practice(db, tmp_path) -> AsyncIterator[Practice]:
    """Four meters at rest on two lines, 87.65 yuan and five purchases in each."""
    write_tables(tmp_path / "tables")
    meters = SimSite.load(tmp_path / "tables", clock=SiteClock(speed=0))
    for serial, meter in meters.meters.items():
        meter.balance_fen, meter.owed, meter.count = BALANCE_FEN, 0, COUNT
        meter.checked, meter.load_w, meter.relay_closed = serial != BLIND, 0, True
        meter.run_state &= ~0x20
    collection = CollectionSection(frame_life_s=0, interval_s=86_400)
    config = Config(collection=collection, money=MONEY)
    async with meters.serve(base_port=0, pacing=False, turnaround_s=0.0):
        yield Practice(db, meters, config)
