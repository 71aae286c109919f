"""A property office in one thread: real services, executor and bus, simulated meters, no waiting.

What each command's frames really did to its meter is noted beside, by request id: that is what the
books are compared with.
"""

import asyncio
import contextlib
import dataclasses
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from engine import clock, lease, security
from engine.bus.driver import Driver
from engine.bus.registers import load_maps
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.site import SimSite
from engine.config import CollectionSection, Config
from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.executor import Executor
from engine.lines import MeterAt, settings_of
from engine.pace import Pace
from engine.senders import Sender, _here
from engine.services import commands, operators
from engine.tables import write_csv
from models import base, store
from models.accounts import Account, Installation
from models.cases import Decision
from models.commands import Command, Lease
from models.enums import CommandState, LinkKind, Role
from models.people import Operator
from models.site import Building, Gateway, Line, Meter
from tests.conftest import StandingClock
from tests.properties.wire import Crash, Fuse, PlainLine

T = TypeVar("T")
SERIALS = tuple(f"20261123000{number}" for number in range(1, 7))
BLIND, SPARES = (SERIALS[1], SERIALS[4]), SERIALS[4:]  # the spares are nobody's
TENANTS = {"T1": SERIALS[:2], "T2": SERIALS[2:3], "T3": SERIALS[3:4]}
HELD_FEN, COUNT = 8_765, 5
CASHIER, CHIEF = "李娜", "王强"
PATIENCE_S = 60.0  # of one life of the engine
AT_ONCE = Pace(notice_s=0.0, settle_s=0.0, rebuild_s=0.0)
CONTROL = 0x20
FRAMES_MAX = 400  # of one run of the engine: more is a loop without an end
MAPS = load_maps()
NO_PROCESS = 5_000_000  # above any pid


def build(site: Path) -> None:
    """Databases and people of the office, to be copied for each sequence."""
    site.mkdir()
    security.create_chain_key(site)
    store.create(site)
    with store.opened(site):
        now = clock.now()
        operators.create(CASHIER, "correct horse", Role.SUPERVISOR, at=now)
        operators.create(CHIEF, "correct horse", Role.SUPERVISOR, at=now)
        with base.write_transaction():
            building = Building.create(code="A", name="A")
            gateway = Gateway.create(name="W1", building=building)
            line = Line.create(name="L1", gateway=gateway, link=LinkKind.RTU_TCP, retries=1)
            meters = {
                serial: Meter.create(
                    serial=serial, model="DDSY1352-NK", line=line, address=address,
                    building=building,
                )
                for address, serial in enumerate(SERIALS, start=1)
            }  # fmt: skip
            for number, serials in TENANTS.items():
                account = Account.create(number=number, name="茶馆", opened_at=now)
                for serial in serials:
                    Installation.create(meter=meters[serial], account=account, opened_at=now)


@dataclasses.dataclass(frozen=True)
class Oops:
    """Something waits for the next frame with this function that goes to this meter."""

    name: str
    control: bool = True  # a purchase or a balance; else a read


class Office:
    """One sequence's world."""

    def __init__(self, template: Path, site: Path, tables: Path, at: StandingClock) -> None:
        self.site, self.clock = site, at
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(template, site)
        self._store = contextlib.ExitStack()
        self._store.enter_context(store.opened(site))
        self.meters = SimSite.load(tables, clock=SiteClock(speed=0))
        self._units = {
            unit.meter.plate.serial: unit
            for line in self.meters.lines.values()
            for unit in line.units.values()
        }
        for serial, meter in self.meters.meters.items():
            meter.balance_fen, meter.owed, meter.count = HELD_FEN, 0, COUNT
            meter.checked, meter.load_w, meter.relay_closed = serial not in BLIND, 0, True
            meter.run_state &= ~0x20
        self.money = Config().money
        self.engines = 0
        self.frames = 0
        # what happened to the meters, beside the books
        self.moved: Counter[str] = Counter()  # request id -> fen that its frames put in or took
        self.slack: Counter[str] = Counter()  # request id -> use during its turn, allowed for
        self.serial_of: dict[str, str] = {}  # request id -> serial
        self.used: Counter[str] = Counter()  # serial -> fen
        self.used_before: Counter[str] = Counter()  # of it, before the credit was taken over
        self.foreign: Counter[str] = Counter()  # serial -> fen
        self.disturbed: set[str] = set()  # serials where another hand, or a gateway, was
        self.reverted: set[str] = set()  # request ids that a restored backup knows less of
        self.dead: set[str] = set()
        self._oops: dict[str, list[Oops]] = defaultdict(list)
        self._late: list[tuple[str, bytes, str | None]] = []  # frames in the gateway
        self._stale = bytearray()  # replies that come before the next one

    def close(self) -> None:
        self._store.close()

    def person(self, name: str = CASHIER) -> Operator:
        return Operator.get(Operator.name == name)

    # -- the wire

    def upset(self, serial: str, oops: Oops) -> None:
        self._oops[serial].append(oops)

    def obey(self, frame: bytes) -> bytes:
        """What comes back for a frame, after what came of those before it."""
        self.frames += 1
        assert self.frames < FRAMES_MAX, "the engine asks and asks"
        serial = SERIALS[frame[0] - 1]
        mine = self._open_request(serial) if frame[1] == CONTROL else None
        came = bytes(self._stale)
        self._stale.clear()
        oops = self._next_oops(serial, control=frame[1] == CONTROL)
        if oops == "late_request":
            self._late.append((serial, frame, mine))
            return came
        came += self._arrive_late()
        if serial in self.dead or oops == "lost_request":
            return came
        if oops == "foreign_before":
            self.buy_elsewhere(serial, 700)
        if oops == "use":
            self.use(serial, 60, during=self._open_request(serial))
        if oops == "refuse":
            return came + self._units[serial].exception(frame, 4)
        reply = self._execute(serial, frame, mine)
        if oops == "repeat":
            self.disturbed.add(serial)
            reply = self._execute(serial, frame, mine)
        if oops == "foreign_after":
            self.buy_elsewhere(serial, 700)
        if oops == "lost_reply":
            return came
        if oops == "late_reply":
            self._stale += reply
            return came
        return came + reply

    def _next_oops(self, serial: str, *, control: bool) -> str:
        for oops in self._oops[serial]:
            if oops.control == control:
                self._oops[serial].remove(oops)
                return oops.name
        return ""

    def _execute(self, serial: str, frame: bytes, request_id: str | None) -> bytes:
        meter = self.meters.meter(serial)
        before_fen = meter.balance_fen
        reply = self._units[serial].answer(frame)
        if request_id is not None:
            self.serial_of[request_id] = serial
            self.moved[request_id] += meter.balance_fen - before_fen
        return reply

    def _arrive_late(self) -> bytes:
        late, self._late = self._late, []
        return b"".join(
            b"" if serial in self.dead else self._execute(serial, frame, request_id)
            for serial, frame, request_id in late
        )

    @staticmethod
    def is_decided(serial: str) -> bool:
        """Did two persons say what became of something there? An adjustment may follow."""
        meter = Meter.get(Meter.serial == serial)
        return bool(Decision.select().where(Decision.meter == meter).exists())

    def lies_in_gateway(self) -> bool:
        """Is a frame still on its way?"""
        return bool(self._late)

    def _open_request(self, serial: str) -> str | None:
        sent = Command.get_or_none(
            Command.serial == serial,
            Command.counted == True,  # noqa: E712 (SQL)
            Command.state.in_([CommandState.SENT, CommandState.UNKNOWN]),
        )
        return sent.request_id if sent else None

    # -- the meters' own lives

    def buy_elsewhere(self, serial: str, amount_fen: int) -> None:
        meter = self.meters.meter(serial)
        meter.purchase(amount_fen, meter.count + 1)
        self.foreign[serial] += amount_fen
        self.disturbed.add(serial)

    def reset_count(self, serial: str) -> None:
        self.meters.meter(serial).count = 0
        self.disturbed.add(serial)

    def use(self, serial: str, seconds: int, *, during: str | None = None) -> None:
        """The shop draws 6 kW for a while."""
        meter = self.meters.meter(serial)
        before_fen = meter.balance_fen
        meter.load_w, meter.money_control = 6_000, True
        self.meters.clock.move_on(seconds)
        self.clock.advance(seconds=seconds)
        used_fen = before_fen - self.meters.meter(serial).balance_fen
        meter.load_w = 0
        self.used[serial] += used_fen
        if Meter.get(Meter.serial == serial).mirror_count is None:
            self.used_before[serial] = self.used[serial]
        if during is not None:
            self.serial_of[during] = serial
            self.slack[during] += used_fen

    # -- the engine

    def work(self, fuse_length: int | None = None) -> None:
        """An engine starts, carries out what it can, and stops; or dies at an event."""
        self.frames = 0
        self.engines += 1
        fuse = Fuse(fuse_length)
        me = Sender(f"{_here()}/{self.engines}", NO_PROCESS + self.engines)
        usual = Sender.me
        Sender.me = lambda: me  # type: ignore[method-assign, assignment]
        try:
            asyncio.run(self._engine(fuse))
        finally:
            Sender.me = usual  # type: ignore[method-assign]
        self._arrive_late()  # frame_life_s goes by before another engine believes anything
        self._stale.clear()

    async def _engine(self, fuse: Fuse) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        epoch = lease._take(clock.boot_ms() + 10**9, locked=True)
        assert epoch is not None, "nobody else runs here"
        assert lease._own_readings(epoch)
        collection = CollectionSection(frame_life_s=0)
        config = Config(collection=collection, money=self.money)
        held: Any = _Held(epoch, fuse)
        writer: Any = _Inline(fuse)
        duty = Duty(epoch, held, writer, config, AT_ONCE)
        line: Any = PlainLine(settings_of(Line.get(), config), self.obey, fuse)
        meters = {
            meter.id: MeterAt(
                meter,
                Driver(MAPS[meter.model], meter.address, cipher_key=bytes(8)),
                line,
                1800,
            )
            for meter in Meter.select()
        }
        lines: Any = SimpleNamespace(refresh=_nothing, meters=meters)
        await self._until_quiet(Executor(duty, lines), duty, fuse)
        if not fuse.burnt:
            lease._give_up(epoch)

    async def _until_quiet(self, executor: Executor, duty: Duty, fuse: Fuse) -> None:
        running = asyncio.create_task(executor.run())
        until = time.monotonic() + PATIENCE_S
        while not (fuse.burnt or running.done() or self._is_quiet()):
            await asyncio.sleep(0)
            assert time.monotonic() < until, "the engine does not come to rest"
        duty.over.set()
        if fuse.burnt:
            running.cancel()
        with contextlib.suppress(Crash, asyncio.CancelledError):
            await running
        if fuse.burnt:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def _is_quiet(self) -> bool:
        """All that is still open waits for a meter that is dead."""
        return all(
            command.serial in self.dead and command.checks >= 1
            for command in commands.pending_counted() + commands.pending_uncounted()
        )

    # -- backups

    def back_up(self, to: Path) -> None:
        with self._closed():
            shutil.copy(self.site / "core.db", to)

    def restore(self, kept: Path) -> None:
        """core.db as it was; the meters and readings.db know better."""
        before = {command.request_id: command.state for command in Command.select()}
        with self._closed():
            shutil.copy(kept, self.site / "core.db")
        known = {command.request_id: command.state for command in Command.select()}
        for request_id, state in before.items():
            if known.get(request_id) is not state:
                self.reverted.add(request_id)
        for meter in Meter.select().where(Meter.mirror_count.is_null()):
            self.used_before[meter.serial] = self.used[meter.serial]

    def behind(self) -> set[str]:
        """Serials of meters where commands were that the restored books know less of."""
        return {self.serial_of[each] for each in self.reverted if each in self.serial_of}

    @contextlib.contextmanager
    def _closed(self) -> Iterator[None]:
        base.core.close()
        for rest in ("core.db-wal", "core.db-shm"):
            (self.site / rest).unlink(missing_ok=True)
        try:
            yield
        finally:
            base.core.connect()


class _Held:
    """A lease that nobody takes away; it is looked up as the real one is."""

    def __init__(self, epoch: int, fuse: Fuse) -> None:
        self.epoch, self._fuse = epoch, fuse

    async def check(self) -> None:
        self._fuse.burn()
        if not Lease.select().where(Lease.epoch == self.epoch).exists():
            raise StaleEngine(self.epoch)


class _Inline:
    """The writer, without its thread."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        self._fuse.burn()
        done = work(*args, **kwargs)
        self._fuse.burn()
        return done


async def _nothing() -> None:
    pass


def tables(folder: Path) -> Path:
    """The simulator's tables: all meters on one line."""
    folder.mkdir()
    write_csv(folder, "lines", ("line", "gateway", "port"), [("L1", "W1", "0")])
    head = ("serial", "model", "line", "address", "kind")
    rows = [
        (serial, "DDSY1352-NK", "L1", str(address), "prepaid")
        for address, serial in enumerate(SERIALS, start=1)
    ]
    write_csv(folder, "meters", head, rows)
    return folder
