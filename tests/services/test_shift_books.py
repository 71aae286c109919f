"""Shifts and deposits among sales, in any order: tills, deposits and books stay right."""

import datetime as dt
import random

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import DomainError, StaleEngine
from engine.services import deposits, ledger, operators, refunding, selling, shifts, verify
from models.accounts import Account
from models.commands import Command
from models.enums import AccountKind, EntryKind, PayKind, Role
from models.ledger import LedgerAccount, LedgerEntry
from models.people import Shift
from models.shifts import HandOver, ShiftCount
from models.site import Meter

STEPS = 120
ZONE = dt.timezone(dt.timedelta(hours=8))
MONEY = MoneySection()
SETTLING = [Step.CONFIRM, Step.CONFIRM, Step.REFUSE, Step.SUSPEND, Step.KEEP]


@pytest.fixture
def deed(sell, send, settle, add_meter, operator, clock):
    """One random deed of two cashiers; many are refused."""
    shops = [add_meter(f"20261123100{number}") for number in range(4)]
    people = [operator, operators.create("赵敏", "correct horse", Role.CASHIER, at=clock.at)]
    number = Account.get().number

    def close(dice: random.Random) -> None:
        by, heir = dice.sample(people, 2)
        shift = shifts.open_of(by)
        due = {pay: shifts.expected_fen(shift, pay) for pay in PayKind} if shift else {}
        off = dice.choice([0, 0, -100, 250])
        counted = {pay: max(0, fen + off) if pay is PayKind.CASH else fen + off
                   for pay, fen in due.items()}  # fmt: skip
        shifts.close_shift(
            by, counted, dice.choice(["", "数错"]), dice.choice([None, heir]), zone=ZONE
        )

    def run(dice: random.Random) -> object:
        by, pay, fen = dice.choice(people), dice.choice(list(PayKind)), dice.randint(1, 30_000)
        any_command = dice.choice(list(Command.select()) or [Command(id=0)])
        shop, request_id = dice.choice(shops), f"r{dice.randint(0, 80)}"
        known = Meter.get_by_id(shop.id).mirror_count or 4
        seen = PurchaseState(known, 500, 1000)
        deeds = [
            lambda: sell(request_id, to=shop, pay=pay, paid_fen=fen, by=by, fee_pct=2),
            lambda: sell(request_id, to=shop, pay=pay, paid_fen=fen, by=by),
            lambda: send(any_command, seen),
            lambda: settle(any_command, dice.choice(SETTLING), PurchaseState(known + 1, 600, 1000)),
            lambda: selling.void(any_command.id, by, undo_s=600),
            lambda: refunding.pay_out(any_command.id, pay, by, money=MONEY),
            lambda: deposits.take_deposit(number, fen, pay, by, request_id, money=MONEY),
            lambda: deposits.return_deposit(number, fen, pay, "退", by, request_id, money=MONEY),
            lambda: shifts.open_shift(by, fen),
            lambda: close(dice),
            lambda: close(dice),
            lambda: clock.advance(minutes=dice.randint(1, 300)),
        ]
        return dice.choice(deeds)()

    return run


@pytest.mark.parametrize("seed", range(8))
def test_after_any_deeds_of_two_cashiers_every_till_holds_what_was_counted(deed, seed):
    dice = random.Random(seed)
    refused = 0

    for _ in range(STEPS):
        try:
            deed(dice)
        except (DomainError, StaleEngine):
            refused += 1

    assert verify.faults() == []
    assert 0 < refused < STEPS
    closed = list(Shift.select().where(Shift.closed_at.is_null(False)).order_by(Shift.id))
    assert closed
    for shift in closed:
        counts = {row.pay: row.counted_fen for row in ShiftCount.select().where(
            ShiftCount.shift == shift)}  # fmt: skip
        assert counts == {pay: shifts.expected_fen(shift, pay) for pay in PayKind}
    handed = {row.command.id for row in HandOver.select()}
    for shift in closed:
        assert {command.id for command in Command.select().where(Command.shift == shift)
                if command.state in shifts.NOT_DECIDED} <= handed  # fmt: skip
    deposit = LedgerAccount.get_or_none(LedgerAccount.kind == AccountKind.DEPOSIT)
    if deposit is not None:
        took = LedgerEntry.select().where(LedgerEntry.kind == EntryKind.DEPOSIT)
        gave = LedgerEntry.select().where(LedgerEntry.kind == EntryKind.DEPOSIT_RETURNED)
        held = sum(row.amount_fen for row in took) - sum(row.amount_fen for row in gave)
        assert ledger.balance_of(deposit) == held >= 0
