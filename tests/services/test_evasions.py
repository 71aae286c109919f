"""Ways round a second person, or into another's pocket, that are closed."""

import pytest

from engine.config import Config, MoneySection
from engine.domain import errors
from engine.domain.counted import PurchaseState, Step
from engine.services import (
    approvals,
    commands,
    deciding,
    deposits,
    ledger,
    moving,
    opening,
    operators,
    refunding,
    transferring,
    verify,
)
from models.accounts import Account, Installation
from models.base import write_transaction
from models.enums import AccountKind, CommandKind, PayKind, Role, TransferPurpose, Verdict
from models.site import Meter
from tests.services.conftest import BASE, EPOCH, ZONE

MONEY = MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000)
RICH = PurchaseState(count=4, balance_fen=80_000, energy_wh=1000)


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def boss(db, clock):
    return operators.create("赵经理", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def other(add_meter):
    return add_meter("202611230002", "李记面馆")


@pytest.fixture
def lower(send, settle):
    def one(command, state=BASE):
        sent = send(command, state)
        after = PurchaseState(state.count, sent.target_fen, state.energy_wh)
        return settle(command, Step.CONFIRM, after)

    return one


def begin(source, target, chief, amount_fen=300, request_id="t1", **more):
    return transferring.begin(
        source.serial, target and target.serial, amount_fen, "换铺", chief, request_id,
        money=MONEY, **more,
    )  # fmt: skip


def give_to_another(meter, clock, name="新租户"):
    """The tenant of `meter` leaves it, another has it from now on."""
    clock.advance(minutes=10)
    with write_transaction():
        Installation.update(closed_at=clock.at).where(
            Installation.meter == meter, Installation.closed_at.is_null()
        ).execute()
        account = Account.create(number="T0099", name=name, opened_at=clock.at)
        opening.install(Meter.get_by_id(meter.id), account)


def test_credit_that_waits_in_clearing_does_not_go_to_the_next_tenant_of_the_target(
    meter, other, chief, lower, sell, lease, clock
):
    busy = sell("r1", to=other)
    transfer = begin(meter, other, chief)
    lower(transferring.legs_of(transfer)[0])
    commands.refuse_unsent(busy.id, "no_reply", EPOCH)
    give_to_another(other, clock)

    assert transferring.go_on() == 0

    assert ledger.balance_at(AccountKind.CLEARING, str(transfer.id)) == 300
    assert verify.faults() == []


def test_all_of_a_meter_never_read_is_not_transferred_by_one_person(
    meter, other, chief, lease, send
):
    transfer = begin(meter, other, chief, None)
    (out,) = transferring.legs_of(transfer)

    with pytest.raises(errors.ApprovalNeeded):
        commands.mark_sent(out.id, RICH, EPOCH, "b", 1, alone_fen=MONEY.approve_refund_fen)


def test_a_meter_is_not_handed_on_with_much_credit_by_a_cashier_alone(
    meter, other, operator, poll, clock
):
    poll(meter, balance_fen=500_000)
    tenant = Installation.get(Installation.meter == other).account

    with pytest.raises((errors.ApprovalNeeded, errors.Forbidden)):
        moving.hand_over(meter.serial, tenant.number, operator, money=MONEY, zone=ZONE, keep=True)


def test_many_small_refunds_need_a_second_person_like_one_large(meter, operator, poll, lower):
    poll(meter, balance_fen=80_000)

    def refund(number, amount_fen):
        return refunding.refund(
            meter.serial, amount_fen, PayKind.CASH, "x", operator, f"f{number}", money=MONEY
        )

    lower(refund(1, 30_000), RICH)

    with pytest.raises(errors.ApprovalNeeded):
        refund(2, 30_000)


def test_a_deposit_given_back_in_parts_needs_a_second_person_too(meter, operator):
    deposits.take_deposit("T0001", 80_000, PayKind.CASH, operator, "d1", money=MONEY)

    def back(number, amount_fen):
        return deposits.return_deposit(
            "T0001", amount_fen, PayKind.CASH, "x", operator, f"b{number}", money=MONEY
        )

    back(1, 30_000)

    with pytest.raises(errors.ApprovalNeeded):
        back(2, 30_000)


def test_a_transfer_that_two_persons_agreed_on_is_not_sent_elsewhere_by_one(
    meter, other, add_meter, chief, boss, lower
):
    third = add_meter("202611230003", "亲戚")
    transfer = begin(meter, other, chief, 60_000, approver=boss)
    lower(transferring.legs_of(transfer)[0], RICH)
    commands.refuse_unsent(transferring.legs_of(transfer)[1].id, "ceiling", EPOCH)

    with pytest.raises(errors.ApprovalNeeded):
        transferring.aim(transfer.id, third.serial, chief, money=MONEY)

    transferring.aim(transfer.id, other.serial, chief, money=MONEY)


def test_an_exchange_does_not_carry_what_strangers_put_into_a_stopped_meter(
    meter, chief, poll, lease, send
):
    poll(meter)
    poll(meter, balance_fen=60_500, count=5)
    assert Meter.get_by_id(meter.id).frozen
    transfer = begin(meter, None, chief, None, purpose=TransferPurpose.EXCHANGE)
    (out,) = transferring.legs_of(transfer)

    with pytest.raises(errors.MeterFrozen):
        send(out, PurchaseState(5, 60_500, 1000))


def test_the_credit_of_an_exchange_goes_to_its_new_meter_and_nowhere_else(
    meter, other, chief, lower
):
    transfer = begin(meter, None, chief, None, purpose=TransferPurpose.EXCHANGE)
    lower(transferring.legs_of(transfer)[0])

    with pytest.raises(errors.NotTransferable):
        transferring.aim(transfer.id, other.serial, chief, money=MONEY)


def test_who_approves_all_of_a_meter_approves_no_more_than_was_shown(
    meter, operator, chief, poll, sell, prove, clock
):
    poll(meter, balance_fen=60_000)
    given = {"serial": meter.serial, "amount_fen": None, "pay": "cash", "why": "退租"}
    asked = approvals.attempt("refund", given, operator, "q1", config=Config(money=MONEY))
    assert asked.amount_fen == 60_000
    clock.advance(minutes=1)
    prove(sell("r1", paid_fen=300_000), PurchaseState(4, 60_000, 1000))

    with pytest.raises(errors.ApprovalClosed) as caught:
        approvals.approve(asked.id, chief, config=Config(money=MONEY))

    assert caught.value.params["why"] == "grown"
    again = approvals.approve(asked.id, chief, config=Config(money=MONEY))
    assert (again.amount_fen, again.command.kind) == (360_000, CommandKind.REFUND)


def test_an_id_of_all_of_a_meter_is_not_one_of_a_part(meter, operator, poll):
    poll(meter, balance_fen=500)

    def refund(amount_fen, pay=PayKind.CASH):
        return refunding.refund(meter.serial, amount_fen, pay, "x", operator, "f", money=MONEY)

    first = refund(None)
    assert refund(None) == first
    for other_wish in ((100, PayKind.CASH), (None, PayKind.CARD)):
        with pytest.raises(errors.RequestIdReused):
            refund(*other_wish)


def test_nor_is_a_transfer_of_a_part_one_of_all(meter, other, chief, poll):
    poll(meter, balance_fen=500)
    first = begin(meter, other, chief)

    assert begin(meter, other, chief) == first
    with pytest.raises(errors.RequestIdReused):
        begin(meter, other, chief, None)


def test_an_exchange_does_not_turn_a_wrong_decision_into_revenue(
    meter, chief, boss, sell, send, settle, poll, clock
):
    unknown = settle(send(sell()), Step.KEEP)
    deciding.decide(
        unknown.id, Verdict.APPLIED, "收据", chief, "d1", zone=ZONE, approver=boss
    )  # but it is not
    clock.advance(minutes=1)
    poll(meter)
    transfer = begin(meter, None, chief, None, purpose=TransferPurpose.EXCHANGE)
    (out,) = transferring.legs_of(transfer)

    with pytest.raises(errors.MeterFrozen):
        send(out)


def test_credit_that_nobody_sold_is_not_paid_out_by_one_person(
    meter, other, operator, chief, poll, clock
):
    poll(meter)
    clock.advance(minutes=30)
    poll(meter, balance_fen=40_000)  # the count as before: another program wrote the balance

    with pytest.raises(errors.ApprovalNeeded):
        refunding.refund(meter.serial, 30_000, PayKind.CASH, "x", operator, "f1", money=MONEY)
    with pytest.raises(errors.ApprovalNeeded):
        begin(meter, other, chief, None)
    refunding.refund(meter.serial, 400, PayKind.CASH, "x", operator, "f2", money=MONEY)
