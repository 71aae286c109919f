"""Entries that no command stands behind, each well chained: `verify` knows what they may say."""

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, refunding, verify
from models.base import write_transaction
from models.commands import Command
from models.enums import AccountKind, EntryKind


def codes():
    return [fault.code for fault in verify.faults()]


def account(kind, key=""):
    return ledger.account(kind, key)


@pytest.mark.parametrize(
    ("kind", "debit", "credit"),
    [
        (EntryKind.CLEAR, ("meter_credit", "202611230001"), ("cash", "1:cash")),
        (EntryKind.CLEAR, ("meter_credit", "202611230001"), ("rounding", "")),
        (EntryKind.CLEAR, ("refund_payable", ""), ("cash", "1:cash")),
        (EntryKind.CLEAR, ("suspense", "202611230001"), ("fee_income", "")),
        (EntryKind.TAKE_OVER, ("take_over", ""), ("cash", "1:cash")),
        (EntryKind.TAKE_OVER, ("take_over", ""), ("refund_payable", "")),
        (EntryKind.TAKE_OVER, ("take_over", ""), ("clearing", "1")),
        (EntryKind.TRANSFER_OUT, ("meter_credit", "202611230001"), ("clearing", "1")),
        (EntryKind.TRANSFER_OUT, ("meter_credit", "202611230001"), ("cash", "1:cash")),
    ],
)
def test_an_entry_without_command_that_nothing_explains_is_found(
    meter, poll, sell, prove, clock, kind, debit, credit
):
    poll(meter)
    clock.advance(seconds=10)
    prove(sell())
    assert codes() == []

    with write_transaction():
        ledger.post(
            account(AccountKind(debit[0]), debit[1]),
            account(AccountKind(credit[0]), credit[1]), 250, kind,
        )  # fmt: skip

    assert codes() != []


def test_an_entry_of_a_command_that_moves_no_money_is_found(meter, sell, prove):
    prove(sell())
    read = commands.request_read(meter.serial, "read")

    with write_transaction():
        ledger.post(
            ledger.fee_income(), ledger.refund_payable(), 250, EntryKind.FEE_REVERSAL, command=read
        )

    assert codes() != []


@pytest.mark.parametrize(
    "change", [{"reverses": None}, {"reverses": 2}, {"reverses": 3}], ids=["none", "other", "own"]
)
def test_a_reversal_that_names_another_sale_is_found(
    meter, add_meter, sell, prove, send, settle, operator, change
):
    other = add_meter("202611230002", "李记面馆")
    first = prove(sell("r1", paid_fen=10_000))
    prove(sell("r2", to=other, paid_fen=20_000))
    money = MoneySection()
    reversal = refunding.reverse(first.id, "错售", operator, "v1", money=money)
    send(reversal, PurchaseState(5, 10_500, 1000))
    settle(reversal, Step.CONFIRM, PurchaseState(5, 500, 1000))
    assert codes() == []

    Command.update(**change).where(Command.id == reversal.id).execute()

    assert "reversal_differs" in codes()
