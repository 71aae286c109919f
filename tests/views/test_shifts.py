"""What a shift's view says is what the ledger says, by kind of payment."""

import datetime as dt

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, deposits, ledger, operators, readings, selling, shifts
from engine.views import shifts as shift_views
from models import base
from models.accounts import Account
from models.commands import Lease
from models.enums import CommandState, EntryKind, PayKind, Role
from models.people import Operator

ZONE = dt.timezone(dt.timedelta(hours=8))
CASH = PayKind.CASH


@pytest.fixture
def sell(operator, clock):
    """Sell and settle by hand, as an engine would."""
    with base.write_transaction():
        Lease.create(
            resource="site", holder="here", epoch=7, expires_boot_ms=0, host="h", boot_id="b",
            pid=1, since=clock.at,
        )  # fmt: skip
    readings.own(7)

    def one(meter, step=Step.CONFIRM, *, paid_fen=10_000, pay=CASH, fee_pct=0):
        money = MoneySection(fee_pct=fee_pct)
        asked = selling.sell(meter.serial, paid_fen, pay, operator, meter.serial, money=money)
        if step is None:
            return asked
        before = PurchaseState(count=4, balance_fen=500, energy_wh=1000)
        commands.mark_sent(asked.id, before, 7, "boot", 1)
        after = PurchaseState(5, 500 + asked.amount_fen, 1000)
        return commands.settle(asked.id, step, after, "not_applied", 7, zone=ZONE)

    return one


@pytest.fixture
def day(sell, add_meter, operator):
    """Float 100, three sales in cash of which one came to nothing, one by card, deposits."""
    shops = [add_meter(f"20261123200{number}") for number in range(4)]
    shifts.open_shift(operator, 10_000)
    sell(shops[0], fee_pct=2)
    sell(shops[1], Step.REFUSE)
    waiting = sell(shops[2], None, paid_fen=3_000)
    sell(shops[3], pay=PayKind.CARD, paid_fen=700)
    number = Account.get().number
    money = MoneySection()
    deposits.take_deposit(number, 50_000, CASH, operator, "d1", money=money)
    deposits.return_deposit(number, 20_000, CASH, "退租", operator, "d2", money=money)
    return waiting


def kinds(view):
    return {line.pay: line for line in view.kinds}


def test_every_move_of_the_till_has_its_place(day, operator):
    cash = kinds(shift_views.open_of(operator.id))[CASH]

    assert (cash.sales, cash.sales_fen, cash.fees_fen) == (3, 23_000, 200)
    assert (cash.returned, cash.returned_fen) == (1, 10_000)
    assert (cash.deposits_fen, cash.deposits_returned_fen) == (50_000, 20_000)
    assert (cash.paid_out, cash.paid_out_fen, cash.other_fen) == (0, 0, 0)
    assert (cash.float_fen, cash.expected_fen) == (10_000, 53_000)


def test_expected_is_what_the_service_expects(day, operator):
    shift = shifts.open_of(operator)

    seen = kinds(shift_views.open_of(operator.id))
    assert {pay: line.expected_fen for pay, line in seen.items()} == {
        pay: shifts.expected_fen(shift, pay) for pay in PayKind
    }


def test_money_paid_out_is_told_apart_from_sales_that_came_to_nothing(day, operator):
    with base.write_transaction():
        till = ledger.till(shifts.open_of(operator), CASH)
        ledger.post(ledger.refund_payable(), till, 1_500, EntryKind.PAYOUT, by=operator)

    cash = kinds(shift_views.open_of(operator.id))[CASH]
    assert (cash.paid_out, cash.paid_out_fen, cash.expected_fen) == (1, 1_500, 51_500)


def test_a_closed_shift_reads_the_same_whatever_happens_later(day, operator, clock):
    to = operators.create("赵敏", "correct horse", Role.CASHIER, at=clock.at)
    counted = {CASH: 52_900, PayKind.CARD: 700}
    number = shifts.close_shift(operator, counted, "少一元", to, zone=ZONE).number
    before = shift_views.numbered(number)
    clock.advance(seconds=5)
    commands.mark_sent(day.id, PurchaseState(4, 500, 1000), 7, "boot", 1)
    commands.settle(day.id, Step.CONFIRM, PurchaseState(5, 3500, 1000), None, 7, zone=ZONE)

    after = shift_views.numbered(number)

    assert (after.kinds, after.ledger_head, after.audit_head) == (
        before.kinds,
        before.ledger_head,
        before.audit_head,
    )
    assert (before.handed_over[0].to, before.handed_over[0].state) == ("赵敏", CommandState.QUEUED)
    assert after.handed_over[0].state is CommandState.APPLIED
    assert (after.difference_fen, kinds(after)[CASH].difference_fen) == (-100, -100)
    assert shift_views.open_of(operator.id) is None


def test_the_list_has_the_newest_first_with_its_difference(day, operator, clock):
    to: Operator = operators.create("赵敏", "correct horse", Role.CASHIER, at=clock.at)
    shifts.close_shift(operator, {CASH: 53_000, PayKind.CARD: 0}, "未对账", to, zone=ZONE)
    shifts.open_shift(operator, 0)

    found = [(row.number, row.difference_fen, row.handed_over) for row in shift_views.latest()]
    assert found == [(None, None, 0), ("S20261123-001", -700, 1)]
