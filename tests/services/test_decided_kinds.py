"""Decisions on what lowers a meter, on transfers, on a payment's parts; and what verify says."""

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import clearing, deciding, ledger, operators, refunding, transferring, verify
from models import base
from models.cases import Decision
from models.commands import Command, Receipt, Transfer
from models.enums import (
    AccountKind,
    CommandKind,
    CommandState,
    EntryKind,
    PayKind,
    Role,
    Verdict,
)
from models.ledger import LedgerEntry
from models.people import Operator
from models.site import Meter
from tests.services.conftest import ZONE

MONEY = MoneySection()
APPLIED, NOT_APPLIED = Verdict.APPLIED, Verdict.NOT_APPLIED
HOLDS = PurchaseState(count=5, balance_fen=10_500, energy_wh=1000)
TARGET = "202611230002"


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def sold(sell, prove):
    """100 yuan in a meter that held 5."""
    return prove(sell())


@pytest.fixture
def doubt(send, settle):
    """Carry a queued command to its meter, whose read-back leaves it unknown or in suspense."""

    def one(command, state, base=HOLDS):
        send(command, base)
        step = Step.KEEP if state is CommandState.UNKNOWN else Step.SUSPEND
        after = None if step is Step.KEEP else PurchaseState(9, 1, 1000)
        return settle(command, step, after, "no_reply")

    return one


@pytest.fixture
def decide(boss, chief):
    def one(command, verdict):
        return deciding.decide(
            command.id, verdict, "核对", boss, f"d{command.id}", zone=ZONE, approver=chief
        )

    return one


DOUBTS = pytest.mark.parametrize("state", [CommandState.UNKNOWN, CommandState.SUSPENSE])


def fen(kind: AccountKind, key: str = "202611230001") -> int:
    return ledger.balance_at(kind, key)


@DOUBTS
def test_a_refund_decided_as_applied_waits_to_be_paid_out(state, sold, doubt, decide, boss):
    command = refunding.refund(sold.serial, 3_000, PayKind.CASH, "搬走", boss, "b1", money=MONEY)

    decided = decide(doubt(command, state), APPLIED)

    assert decided.state is CommandState.APPLIED
    assert fen(AccountKind.METER_CREDIT) == 7_500
    assert refunding.payable() == [decided]
    assert verify.faults() == []
    refunding.pay_out(decided.id, PayKind.CASH, boss, money=MONEY)
    assert verify.faults() == []


@DOUBTS
def test_a_refund_decided_as_not_applied_moves_nothing(state, sold, doubt, decide, boss):
    command = refunding.refund(sold.serial, 3_000, PayKind.CASH, "搬走", boss, "b1", money=MONEY)

    decided = decide(doubt(command, state), NOT_APPLIED)

    assert decided.state is CommandState.REFUSED
    assert fen(AccountKind.METER_CREDIT) == 10_500
    assert refunding.payable() == []
    assert verify.faults() == []


@DOUBTS
def test_a_reversal_decided_as_applied_gives_back_the_whole_payment(
    state, sell, prove, doubt, decide, boss
):
    sale = prove(sell(fee_pct=2))
    command = refunding.reverse(sale.id, "输错", boss, "v1", money=MONEY)

    decide(doubt(command, state, PurchaseState(5, 10_300, 1000)), APPLIED)

    assert fen(AccountKind.REFUND_PAYABLE, "") == 10_000
    assert fen(AccountKind.FEE_INCOME, "") == 0
    assert verify.faults() == []


@DOUBTS
def test_a_reversal_decided_as_not_applied_may_be_tried_again(state, sold, doubt, decide, boss):
    command = refunding.reverse(sold.id, "输错", boss, "v1", money=MONEY)

    decide(doubt(command, state), NOT_APPLIED)
    Meter.update(frozen=False, mirror_count=5).execute()

    again = refunding.reverse(sold.id, "输错", boss, "v2", money=MONEY)
    assert again.state is CommandState.QUEUED


@DOUBTS
def test_a_cleared_balance_decided_as_applied_is_a_rounding(
    state, meter, poll, clock, doubt, decide, boss
):
    poll(meter, balance_fen=40)
    clock.advance(seconds=1)
    command = clearing.clear(meter.serial, "销户", boss, "c1", money=MONEY)

    decide(doubt(command, state, PurchaseState(4, 40, 1000)), APPLIED)

    assert fen(AccountKind.METER_CREDIT) == 0
    assert fen(AccountKind.ROUNDING, "") == 40
    assert verify.faults() == []


@pytest.fixture
def transfer(sold, add_meter, boss):
    """30 yuan on their way from one meter to another."""
    add_meter(TARGET, tenant="李记面馆")
    return transferring.begin(sold.serial, TARGET, 3_000, "换店", boss, "t1", money=MONEY)


@pytest.fixture
def first_leg(transfer):
    return transferring.legs_of(transfer)[0]


@DOUBTS
def test_a_first_leg_decided_as_applied_brings_about_the_second(state, first_leg, doubt, decide):
    decide(doubt(first_leg, state), APPLIED)

    second = transferring.legs_of(Transfer.get())[1]
    assert (second.kind, second.serial) == (CommandKind.TRANSFER_IN, TARGET)
    assert second.amount_fen == 3_000
    assert fen(AccountKind.IN_FLIGHT, TARGET) == 3_000
    assert verify.faults() == []


@DOUBTS
def test_a_first_leg_decided_as_not_applied_ends_the_transfer(
    state, first_leg, doubt, decide, clock
):
    decide(doubt(first_leg, state), NOT_APPLIED)

    assert Transfer.get().finished_at == clock.at
    assert len(transferring.legs_of(Transfer.get())) == 1
    assert verify.faults() == []


@pytest.fixture
def second_leg(first_leg, doubt, settle, send):
    send(first_leg, HOLDS)
    settle(first_leg, Step.CONFIRM, PurchaseState(5, 7_500, 1000))
    return transferring.legs_of(Transfer.get())[1]


@DOUBTS
def test_a_second_leg_decided_as_applied_finishes_the_transfer(state, second_leg, doubt, decide):
    decided = decide(doubt(second_leg, state, PurchaseState(2, 0, 500)), APPLIED)

    assert fen(AccountKind.METER_CREDIT, TARGET) == 3_000
    assert Transfer.get().finished_at is not None
    assert Receipt.get(Receipt.command == decided)
    assert verify.faults() == []


@DOUBTS
def test_a_second_leg_decided_as_not_applied_waits_in_clearing(state, second_leg, doubt, decide):
    decide(doubt(second_leg, state, PurchaseState(2, 0, 500)), NOT_APPLIED)

    assert fen(AccountKind.CLEARING, str(Transfer.get().id)) == 3_000
    assert Transfer.get().finished_at is None
    assert fen(AccountKind.IN_FLIGHT, TARGET) == 0
    assert verify.faults() == []


@DOUBTS
@pytest.mark.parametrize("verdict", [APPLIED, NOT_APPLIED])
def test_a_decided_sale_leaves_books_without_a_fault(state, verdict, sell, doubt, decide):
    command = sell(fee_pct=2)

    decide(doubt(command, state, PurchaseState(4, 500, 1000)), verdict)

    assert verify.faults() == []


def test_the_count_that_a_poll_found_stays_the_expected_one(sell, doubt, decide, poll, clock):
    command = doubt(sell(), CommandState.SUSPENSE, PurchaseState(4, 500, 1000))
    clock.advance(minutes=1)
    poll(Meter.get(), count=9)

    decide(command, APPLIED)

    assert Meter.get().mirror_count == 9


# -- what verify finds


@pytest.fixture
def freed(sell, doubt, decide, poll, clock, boss, chief):
    decide(doubt(sell(), CommandState.UNKNOWN, PurchaseState(4, 500, 1000)), NOT_APPLIED)
    clock.advance(minutes=1)
    poll(Meter.get(), balance_fen=3_500, count=6)
    deciding.free("202611230001", "现场核对", boss, "f1", approver=chief)


def codes() -> list[tuple[str, object]]:
    return [(fault.code, next(iter(fault.params.values()))) for fault in verify.faults()]


def test_a_freed_meter_leaves_books_without_a_fault(freed):
    assert codes() == []


def unprotected(table: str) -> None:
    for verb in ("update", "delete"):
        base.core.execute_sql(f"DROP TRIGGER {table}_no_{verb}")


def test_a_decision_that_was_taken_out_is_missed(freed):
    unprotected("decision")
    Decision.delete().where(Decision.verdict == NOT_APPLIED).execute()

    assert codes() == [("decision_differs", 1)]


def test_a_verdict_that_was_turned_round_is_found(freed):
    unprotected("decision")
    Decision.update(verdict=APPLIED).where(Decision.verdict == NOT_APPLIED).execute()

    assert codes() == [("decision_differs", 1)]


def test_a_decision_of_one_person_is_found(freed, boss):
    unprotected("decision")
    Decision.update(approver=boss).where(Decision.id == 1).execute()

    assert codes() == [("decided_alone", 1)]


def test_an_adjustment_that_nobody_decided_is_found(meter, operator):
    with base.write_transaction():
        entry = ledger.post(
            ledger.adjustment(meter.serial),
            ledger.meter_credit(meter.serial),
            100,
            EntryKind.ADJUSTMENT,
            by=Operator.get(),
        )

    assert codes() == [("adjustment_undecided", entry.id)]


def test_an_adjustment_of_another_meter_is_found(freed, add_meter):
    other = add_meter("202611230008", tenant="李记面馆")
    unprotected("decision")
    Decision.update(meter=other).where(Decision.entry.is_null(False)).execute()
    entry = LedgerEntry.get(LedgerEntry.kind == EntryKind.ADJUSTMENT)

    assert codes() == [("adjustment_undecided", entry.id)]


def test_a_command_that_only_says_it_was_decided_is_found(sold):
    Command.update(reason="decided_applied").execute()

    assert codes() == [("decision_differs", sold.id)]
