"""Two cashiers at one meter in the same second, and a day of sales replayed from a seed."""

import asyncio
import random
import subprocess
import sys
import threading
from collections import Counter

import pytest

from engine.domain import counted
from engine.domain.errors import CommandOpen
from engine.services import ledger, refunding, selling, transferring, verify
from engine.services.receipts import WITH_RECEIPT
from models import base
from models.commands import OPEN_STATES, Command, Receipt, Transfer
from models.enums import AccountKind, CommandState, PayKind
from models.ledger import LedgerAccount
from models.people import Operator, Shift
from models.site import Meter
from tests.engine.conftest import BALANCE_FEN, CHECKED, COUNT, MONEY, PLACES

PAIRS = 20  # of threads that sell at once
SEED = 20_261_123
MIX = [*["sell"] * 85, *["refund"] * 5, *["reverse"] * 4, *["transfer"] * 6]
PAYS = list(PayKind)


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


def till_fen(by: Operator) -> int:
    shift = Shift.get_or_none(Shift.operator == by)
    return ledger.balance_of(ledger.till(shift, PayKind.CASH)) if shift else 0


def test_of_two_cashiers_who_sell_to_one_meter_at_once_one_is_told_that_it_is_under_way(practice):
    """Twenty times over, on connections of their own, let go at the same instant."""
    names = ("李娜", "王强")
    for number in range(PAIRS):
        told = _both_at_once(practice, number, names)

        assert sorted(told.values()) == ["command_open", "queued"]
        (sale,) = Command.select().where(Command.state == CommandState.QUEUED)
        winner = next(name for name, what in told.items() if what == "queued")
        assert sale.operator.name == winner
        selling.void(sale.id, Operator.get(Operator.name == winner), undo_s=60)
        assert [till_fen(Operator.get(Operator.name == name)) for name in names] == [0, 0]
    assert Command.select().count() == PAIRS
    assert verify.faults() == []


def _both_at_once(practice, number: int, names: tuple[str, str]) -> dict[str, str]:
    gate, told = threading.Barrier(2), {}

    def sell(name: str) -> None:
        with base.connection():
            by = Operator.get(Operator.name == name)
            gate.wait()
            try:
                selling.sell(CHECKED, 10_000, PayKind.CASH, by, f"{name}{number}", money=MONEY)
                told[name] = "queued"
            except CommandOpen as refusal:
                told[name] = refusal.code

    threads = [threading.Thread(target=sell, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


SELLER = """
import sys
from pathlib import Path
from engine.config import MoneySection
from engine.domain.errors import CommandOpen
from engine.services import selling
from models import store
from models.enums import PayKind
from models.people import Operator
site, name, serial = sys.argv[1:]
with store.opened(Path(site)):
    by = Operator.get(Operator.name == name)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        selling.sell(serial, 10_000, PayKind.CASH, by, name, money=MoneySection())
        print("queued")
    except CommandOpen as refusal:
        print(refusal.code)
"""


async def test_nor_do_two_processes_sell_twice_while_the_engine_works(practice):
    """Whoever comes first sells once; the other sells after it, or is told to wait."""
    names = ("李娜", "王强")
    command = [sys.executable, "-c", SELLER, str(practice.directory)]
    async with practice.engine():
        sellers = [
            await asyncio.create_subprocess_exec(
                *command, name, CHECKED, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for name in names
        ]
        for seller in sellers:
            assert (await seller.stdout.readline()).strip() == b"ready"
        for seller in sellers:
            seller.stdin.write(b"\n")
        told = [(await seller.communicate())[0].decode().strip() for seller in sellers]
        await practice.until(lambda: not Command.select().where(Command.state == "queued").exists())
        for sale in Command.select():
            await practice.ended(sale.id)

    sold = told.count("queued")
    assert sold >= 1
    assert set(told) <= {"queued", "command_open"}
    assert practice.bought() == [(COUNT + 1 + number, 10_000) for number in range(sold)]
    tills = [till_fen(Operator.get(Operator.name == name)) for name in names]
    assert tills == [10_000 if what == "queued" else 0 for what in told]
    assert ledger.balance_of(ledger.meter_credit(CHECKED)) == BALANCE_FEN + 10_000 * sold
    assert verify.faults() == []


class Day:
    """What a seed makes of a day, and what every meter must hold in the evening."""

    def __init__(self, sales: int) -> None:
        dice = random.Random(SEED)
        self.balance_fen = dict.fromkeys(PLACES, BALANCE_FEN)
        self.bought: dict[str, list[tuple[int, int]]] = {serial: [] for serial in PLACES}
        self.taken_fen = self.given_back_fen = 0
        self.wishes: list[tuple[str, str, str, int, PayKind]] = []  # verb, serial, target, fen, pay
        sold = 0
        while sold < sales:
            verb = dice.choice(MIX)
            serial, target = dice.sample(list(PLACES), 2)
            pay = dice.choice(PAYS)
            fen = dice.randint(100, 6_000)
            if verb == "reverse":
                fen = self._latest_sale_fen(serial)
            if verb != "sell" and not 100 <= fen <= self.balance_fen[serial]:
                continue
            sold += verb == "sell"
            self._note(verb, serial, target, fen)
            self.wishes.append((verb, serial, target, fen, pay))

    def _latest_sale_fen(self, serial: str) -> int:
        for verb, of, target, fen, _ in reversed(self.wishes):
            if (verb, of) == ("sell", serial):
                return fen
            if (verb, of) == ("reverse", serial) or (verb, target) == ("transfer", serial):
                return 0
        return 0

    def _note(self, verb: str, serial: str, target: str, fen: int) -> None:
        if verb == "sell":
            self._buys(serial, fen)
            self.taken_fen += fen
            return
        self.balance_fen[serial] -= fen
        if verb == "transfer":
            self._buys(target, fen)
        else:
            self.given_back_fen += fen

    def _buys(self, serial: str, fen: int) -> None:
        self.balance_fen[serial] += fen
        self.bought[serial].append((COUNT + len(self.bought[serial]) + 1, fen))


async def play(practice, sales: int) -> None:
    """Four meters on two lines; every twentieth frame that moves money is lost, or its reply."""
    day, dice = Day(sales), random.Random(SEED)
    async with practice.engine() as engine:
        for number, (verb, serial, target, fen, pay) in enumerate(day.wishes):
            at = [serial, target] if verb == "transfer" else [serial]
            await practice.until(lambda at=at: not _open_at(at))
            if dice.random() < 0.05:
                fault = dice.choice(["no_reply", "lost_request"])
                practice.meters.inject(f"meter:{serial}", fault, function=0x20)
            ask(verb, serial, target, fen, pay, practice.chief, f"d{number}")
            engine.wake()
        await practice.until(lambda: not _open_at(list(PLACES)))
    for command in refunding.payable():
        refunding.pay_out(command.id, command.pay, practice.chief, money=MONEY)
    assert_equal(practice, day)


def _open_at(serials: list[str]) -> bool:
    """Is something under way there, or on its way to there?"""
    coming = Transfer.select().join(Meter, on=Transfer.target).where(Meter.serial.in_(serials))
    if coming.where(Transfer.finished_at.is_null()).exists():
        return True
    open_ones = Command.select().where(Command.serial.in_(serials))
    return open_ones.where(Command.state.in_(OPEN_STATES)).exists()


def ask(verb, serial, target, fen, pay, by, request_id) -> None:
    match verb:
        case "sell":
            selling.sell(serial, fen, pay, by, request_id, money=MONEY)
        case "refund":
            refunding.refund(serial, fen, pay, "搬走", by, request_id, money=MONEY)
        case "reverse":
            sales = Command.select().where(Command.serial == serial, Command.kind == "sell")
            sale = sales.order_by(Command.id.desc()).get()
            refunding.reverse(sale.id, "输错金额", by, request_id, money=MONEY)
        case "transfer":
            transferring.begin(serial, target, fen, "换铺位", by, request_id, money=MONEY)


def assert_equal(practice, day: Day) -> None:
    """Ledger, receipts and meters, each against what the seed says."""
    ends = Counter(command.state for command in Command.select())
    print(f"{len(day.wishes)} wishes: {dict(ends)}")
    assert set(ends) == {CommandState.APPLIED}
    for serial in PLACES:
        meter = practice.meters.meter(serial)
        assert meter.balance_fen == day.balance_fen[serial]
        assert meter.purchases == day.bought[serial]
        credit = ledger.balance_of(ledger.meter_credit(serial))
        assert credit == day.balance_fen[serial]
        assert ledger.balance_of(ledger.in_flight(serial)) == 0
        assert Meter.get(Meter.serial == serial).mirror_count == meter.count
    tills = LedgerAccount.select().where(LedgerAccount.kind == AccountKind.CASH)
    taken = sum(ledger.balance_of(till) for till in tills)
    assert taken == day.taken_fen - day.given_back_fen
    assert ledger.balance_of(ledger.refund_payable()) == 0
    with_receipt = [each.id for each in Command.select() if each.kind in WITH_RECEIPT]
    receipts = list(Receipt.select().order_by(Receipt.id))
    assert sorted(receipt.command.id for receipt in receipts) == with_receipt
    numbers = [int(receipt.number.rpartition("-")[2]) for receipt in receipts]
    assert numbers == list(range(1, len(numbers) + 1))
    assert not Transfer.select().where(Transfer.finished_at.is_null()).exists()
    assert verify.faults() == []
    assert verify.warnings() == []


async def test_a_hundred_sales_of_a_day_leave_ledger_receipts_and_meters_equal(practice):
    await play(practice, sales=100)


@pytest.mark.torture
async def test_a_thousand_sales_of_a_day_leave_ledger_receipts_and_meters_equal(practice):
    await play(practice, sales=1_000)
