"""Any sequence of verbs, faults, crashes and restored backups leaves books and meters as one."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import argon2
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from engine import security
from engine.config import Config
from engine.domain import counted
from engine.domain.errors import DomainError
from engine.services import (
    clearing,
    commands,
    deciding,
    exchanges,
    refunding,
    selling,
    transferring,
)
from engine.services.exchanges import Naming
from models.cases import Decision, Exchange
from models.commands import Command, Transfer
from models.enums import CommandKind, ExchangeStep, PayKind, Verdict
from models.ledger import LedgerEntry
from models.people import AuditEntry
from tests.conftest import MORNING, StandingClock
from tests.properties import invariants
from tests.properties.office import CHIEF, SERIALS, SPARES, TENANTS, Office, Oops, build, tables

CONFIG = Config()
WHY = "搬走"
serials = st.sampled_from(SERIALS)
amounts = st.one_of(st.sampled_from([1, 3, 100, 5_000, 60_000]), st.integers(1, 12_000))
some = st.one_of(st.none(), amounts)
nth, steps = st.integers(0, 5), st.integers(1, 9)
lives = st.one_of(st.just(0), st.just(0), st.none(), st.integers(1, 120))
# after a wish: the engine works (0), has not come to it (None), dies at that event
OOPS = [
    *(Oops(name) for name in ("lost_reply", "lost_request", "late_request", "late_reply")),
    *(Oops(name) for name in ("refuse", "repeat", "foreign_before", "foreign_after", "use")),
    *(Oops(name, control=False) for name in ("lost_reply", "lost_request", "late_reply", "use")),
]
SEQUENCES: Counter[str] = Counter()


class Place:
    """Where the sequences of one test are played: set by the fixture."""

    template: Path
    tables: Path
    clock: StandingClock


class AnySequence(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=Place.template.parent)
        folder = Path(self._folder.name)
        self.office = Office(Place.template, folder / "site", Place.tables, Place.clock)
        self._backup = folder / "core.backup"
        self._asked = 0
        Place.clock.at = MORNING
        SEQUENCES["sequences"] += 1

    def teardown(self) -> None:
        for command in Command.select().where(Command.counted == True):  # noqa: E712 (SQL)
            SEQUENCES[f"{command.kind} {command.state}"] += 1
        SEQUENCES["decisions"] += Decision.select().count()
        done = Exchange.select().where(Exchange.step == ExchangeStep.DONE)
        SEQUENCES["exchanges done"] += done.count()
        self.office.close()
        self._folder.cleanup()

    def ask(self, verb: Callable[[str], object]) -> None:
        """Ask with a new request id; what the rules refuse has changed nothing."""
        self.office.clock.advance(seconds=1)
        self._asked += 1
        before = self.rows()
        SEQUENCES["asked"] += 1
        try:
            verb(f"r{self._asked}")
        except DomainError as refusal:
            event(f"refused: {refusal.code}")
        else:
            return
        assert self.rows() == before, "refused, and not without a trace"

    def rows(self) -> list[int]:
        return [table.select().count() for table in (Command, LedgerEntry, Transfer, AuditEntry)]

    def live(self, life: int | None) -> None:
        if life is not None:
            self.office.work(life or None)
            SEQUENCES["deaths"] += life > 0

    # -- verbs

    @rule(serial=serials, paid_fen=amounts, life=lives)
    def sell(self, serial: str, paid_fen: int, life: int | None) -> None:
        by, money = self.office.person(), self.office.money
        self.ask(lambda r: selling.sell(serial, paid_fen, PayKind.CASH, by, r, money=money))
        self.live(life)

    @rule(number=st.sampled_from(list(TENANTS)), paid_fen=amounts, life=lives)
    def sell_to_tenant(self, number: str, paid_fen: int, life: int | None) -> None:
        by, money = self.office.person(), self.office.money
        parts = dict.fromkeys(TENANTS[number], paid_fen)
        self.ask(
            lambda r: selling.sell_to_tenant(number, parts, PayKind.WECHAT, by, r, money=money)
        )
        self.live(life)

    @rule(number=nth)
    def void(self, number: int) -> None:
        command = self.nth(number, Command.kind == CommandKind.SELL)
        if command:
            by = self.office.person()
            self.ask(lambda _: selling.void(command.id, by, undo_s=60))

    @rule(serial=serials, amount_fen=some, approved=st.booleans(), life=lives)
    def refund(self, serial: str, amount_fen: int | None, approved: bool, life: int | None) -> None:
        by, money = self.office.person(), self.office.money
        second = self.office.person(CHIEF) if approved else None
        self.ask(
            lambda r: refunding.refund(
                serial, amount_fen, PayKind.CASH, WHY, by, r, money=money, approver=second
            )
        )
        self.live(life)

    @rule(number=nth, approved=st.booleans(), life=lives)
    def reverse(self, number: int, approved: bool, life: int | None) -> None:
        sale = self.nth(number, Command.kind == CommandKind.SELL)
        if sale:
            by, money = self.office.person(), self.office.money
            second = self.office.person(CHIEF) if approved else None
            self.ask(lambda r: refunding.reverse(sale.id, WHY, by, r, money=money, approver=second))
        self.live(life)

    @rule(source=serials, to=st.one_of(st.none(), serials), amount_fen=some, life=lives)
    def transfer(
        self, source: str, to: str | None, amount_fen: int | None, life: int | None
    ) -> None:
        by, money = self.office.person(), self.office.money
        second = self.office.person(CHIEF)
        self.ask(
            lambda r: transferring.begin(
                source, to, amount_fen, WHY, by, r, money=money, approver=second
            )
        )
        self.live(life)

    @rule(number=nth, serial=serials)
    def aim(self, number: int, serial: str) -> None:
        open_ones = list(Transfer.select().where(Transfer.finished_at.is_null()))
        if open_ones:
            transfer = open_ones[number % len(open_ones)]
            by = self.office.person()
            self.ask(lambda _: transferring.aim(transfer.id, serial, by, money=self.office.money))

    @rule()
    def go_on(self) -> None:
        transferring.go_on()

    @rule(serial=serials, life=lives)
    def clear(self, serial: str, life: int | None) -> None:
        by, money = self.office.person(), self.office.money
        second = self.office.person(CHIEF)
        self.ask(lambda r: clearing.clear(serial, WHY, by, r, money=money, approver=second))
        self.live(life)

    @rule(number=nth)
    def pay_out(self, number: int) -> None:
        waiting = refunding.payable()
        command = waiting[number % len(waiting)] if waiting else self.nth(number)
        if command:
            by, money = self.office.person(), self.office.money
            self.ask(lambda _: refunding.pay_out(command.id, PayKind.CASH, by, money=money))

    @rule(number=nth)
    def decide(self, number: int) -> None:
        """Two persons have looked at the meter itself, and say what is so."""
        undecided = list(Command.select().where(Command.state.in_(["unknown", "suspense"])))
        if undecided and not self.office.lies_in_gateway():
            command = undecided[number % len(undecided)]
            moved = self.office.moved[command.request_id]
            verdict = Verdict.APPLIED if moved else Verdict.NOT_APPLIED
            by, second = self.office.person(), self.office.person(CHIEF)
            self.ask(
                lambda r: deciding.decide(
                    command.id, verdict, WHY, by, r, zone=CONFIG.site.zone, approver=second
                )
            )

    @rule(serial=serials)
    def free(self, serial: str) -> None:
        by, second = self.office.person(), self.office.person(CHIEF)
        self.ask(lambda r: deciding.free(serial, WHY, by, r, approver=second))

    @rule(serial=serials, spare=st.sampled_from(SPARES), steps=steps, life=lives)
    def exchange(self, serial: str, spare: str, steps: int, life: int | None) -> None:
        by = self.office.person()
        self.ask(lambda r: exchanges.begin(serial, WHY, by, r))
        begun = Exchange.get_or_none(Exchange.request_id == f"r{self._asked}")
        if begun:
            self.go_on_with(begun, spare, steps, life)

    @rule(number=nth, spare=st.sampled_from(SPARES), steps=steps, life=lives)
    def go_on_exchanging(self, number: int, spare: str, steps: int, life: int | None) -> None:
        open_ones = list(Exchange.select().where(Exchange.finished_at.is_null()))
        if open_ones:
            self.go_on_with(open_ones[number % len(open_ones)], spare, steps, life)

    def go_on_with(self, exchange: Exchange, spare: str, steps: int, life: int | None) -> None:
        """So many steps of the checklist; at the last one the engine may die."""
        by = self.office.person()
        for step in range(steps):
            now = Exchange.get_by_id(exchange.id)
            if now.step is ExchangeStep.IDENTITY and now.new is None:
                self.ask(lambda _: exchanges.name_new(exchange.id, Naming(spare), by))
            with contextlib.suppress(DomainError):
                exchanges.advance(exchange.id, by, config=CONFIG)
            self.live(life if step == steps - 1 else 0)

    @rule(number=nth)
    def cancel_exchange(self, number: int) -> None:
        open_ones = list(Exchange.select().where(Exchange.finished_at.is_null()))
        if open_ones:
            exchange, by = open_ones[number % len(open_ones)], self.office.person()
            self.ask(lambda _: exchanges.cancel(exchange.id, by))

    def nth(self, number: int, *where: object) -> Command | None:
        """The newest but `number`."""
        query = Command.select().order_by(Command.id.desc()).offset(number).limit(1)
        return (query.where(*where) if where else query).first()

    # -- the engine, the meters, the line

    @rule()
    def work(self) -> None:
        self.office.clock.advance(seconds=1)
        self.office.work()

    @rule(events=st.integers(1, 120))
    def die(self, events: int) -> None:
        self.office.clock.advance(seconds=1)
        self.office.work(events)
        SEQUENCES["deaths"] += 1

    @rule(serial=serials)
    def poll(self, serial: str) -> None:
        self.ask(lambda r: commands.request_read(serial, r))
        self.office.work()

    @rule(serial=serials, oops=st.sampled_from(OOPS))
    def upset(self, serial: str, oops: Oops) -> None:
        self.office.upset(serial, oops)
        SEQUENCES["faults"] += 1

    @rule(serial=serials)
    def go_silent(self, serial: str) -> None:
        self.office.dead.add(serial)

    @rule(serial=serials)
    def come_back(self, serial: str) -> None:
        self.office.dead.discard(serial)

    @rule(serial=serials, seconds=st.integers(1, 600))
    def use(self, serial: str, seconds: int) -> None:
        self.office.use(serial, seconds)

    @rule()
    def night_falls(self) -> None:
        self.office.clock.advance(days=1)

    @rule(serial=serials, amount_fen=st.sampled_from([700, 1_000]))
    def buy_elsewhere(self, serial: str, amount_fen: int) -> None:
        self.office.buy_elsewhere(serial, amount_fen)

    # -- backups

    @rule()
    def back_up(self) -> None:
        self.office.back_up(self._backup)

    @precondition(lambda self: self._backup.exists())
    @rule()
    def restore(self) -> None:
        self.office.restore(self._backup)
        SEQUENCES["restores"] += 1

    @invariant()
    def books_and_meters_are_one(self) -> None:
        invariants.check(self.office)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(security, "HASHER", hasher)
    Place.clock = StandingClock()
    monkeypatch.setattr("engine.clock.now", Place.clock)
    SEQUENCES.clear()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.exists() else None) as folder:
        Place.template = Path(folder) / "template"
        build(Place.template)
        Place.tables = tables(Path(folder) / "tables")
        yield


QUICK = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(QUICK, max_examples=3_000, stateful_step_count=50, derandomize=False)


def test_any_sequence_leaves_books_and_meters_as_one() -> None:
    run(AnySequence, settings=QUICK)
    print(dict(SEQUENCES))


@pytest.mark.torture
def test_thousands_of_long_sequences_do_too() -> None:
    run(AnySequence, settings=LONG)
    print(dict(SEQUENCES))
