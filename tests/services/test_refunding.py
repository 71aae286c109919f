"""退电 and 冲正: who may, what is asked first, and that a refusal writes nothing."""

import pytest

from engine.config import MoneySection
from engine.domain import errors
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, operators, refunding, selling, shifts, verify
from models.base import write_transaction
from models.commands import Command
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, PayKind, Role
from models.ledger import LedgerEntry
from models.people import AuditEntry, Shift
from models.site import Meter
from tests.services.conftest import BASE, EPOCH, ZONE

MONEY = MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000)


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def refund(meter, operator):
    def one(amount_fen=2_000, *, request_id="b1", why="搬走", by=operator, money=MONEY, **more):
        return refunding.refund(
            meter.serial, amount_fen, PayKind.CASH, why, by, request_id, money=money, **more
        )

    return one


@pytest.fixture
def lower(send, settle):
    """Carry a queued lowering command to its meter, where it is obeyed."""

    def one(command, state=BASE):
        sent = send(command, state)
        after = PurchaseState(state.count, sent.target_fen, state.energy_wh)
        return settle(command, Step.CONFIRM, after)

    return one


def test_a_refund_posts_nothing_until_the_meter_has_proved_it(refund, poll, meter):
    poll(meter, balance_fen=5_000)

    command = refund()

    assert (command.kind, command.state) == (CommandKind.REFUND, CommandState.QUEUED)
    assert LedgerEntry.select().where(LedgerEntry.command == command).count() == 0
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).get().action == "refund"


def test_a_proved_refund_is_payable_once(refund, poll, meter, lower, operator):
    poll(meter, balance_fen=5_000)
    command = lower(refund(), PurchaseState(4, 5_000, 1_000))

    assert command.state is CommandState.APPLIED
    assert refunding.payable_fen(command) == 2_000
    refunding.pay_out(command.id, PayKind.CASH, operator, money=MONEY)
    assert refunding.payable_fen(command) == 0
    assert ledger.balance_of(ledger.till(Shift.get(), PayKind.CASH)) == -2_000
    with pytest.raises(errors.NothingPayable) as caught:
        refunding.pay_out(command.id, PayKind.CASH, operator, money=MONEY)
    assert caught.value.params["why"] == "paid"
    assert verify.faults() == []


def test_what_was_not_proved_is_never_paid_out(refund, poll, meter, operator):
    poll(meter, balance_fen=5_000)

    with pytest.raises(errors.NothingPayable):
        refunding.pay_out(refund().id, PayKind.CASH, operator, money=MONEY)


@pytest.mark.parametrize(
    ("amount_fen", "balance_fen", "error", "why"),
    [
        pytest.param(5_001, 5_000, errors.NotRefundable, "", id="more than it holds"),
        pytest.param(None, 0, errors.NotRefundable, "nothing_left", id="nothing left"),
        pytest.param(1, -300, errors.NotRefundable, "nothing_left", id="in arrears"),
        pytest.param(0, 5_000, errors.BadAmount, "not_positive", id="nothing"),
        pytest.param(-5, 5_000, errors.BadAmount, "not_positive", id="negative"),
    ],
)
def test_a_refund_that_cannot_be_changes_nothing(
    refund, poll, meter, picture, amount_fen, balance_fen, error, why
):
    poll(meter, balance_fen=balance_fen)
    before = picture()

    with pytest.raises(error) as caught:
        refund(amount_fen)

    assert caught.value.params["why"] == why
    assert picture() == before


@pytest.mark.parametrize("why", ["", "   ", "\x1b\x00"])
def test_a_refund_without_a_reason_is_refused(refund, poll, meter, picture, why):
    poll(meter, balance_fen=5_000)
    before = picture()

    with pytest.raises(errors.NoReason):
        refund(why=why)

    assert picture() == before


def test_a_kind_of_payment_that_is_not_taken_is_refused_by_name(refund, poll, meter, picture):
    poll(meter, balance_fen=5_000)
    before = picture()

    with pytest.raises(errors.PayKindOff) as caught:
        refund(money=MoneySection(pay_kinds="card,wechat"))

    assert caught.value.params == {"pay": "cash", "known": "card, wechat"}
    assert picture() == before


def test_from_the_limit_on_a_second_person_is_needed(refund, poll, meter, picture, chief):
    poll(meter, balance_fen=90_000)
    before = picture()

    with pytest.raises(errors.ApprovalNeeded) as caught:
        refund(50_000)
    assert caught.value.params["limit"] == "500.00"
    with pytest.raises(errors.ApprovalNeeded):
        refund(None)
    assert picture() == before
    assert refund(50_000, approver=chief).approver == chief


def test_nobody_is_his_own_second_person_nor_is_a_cashier(refund, poll, meter, clock, chief):
    poll(meter, balance_fen=90_000)
    other = operators.create("小陈", "correct horse", Role.CASHIER, at=clock.at)

    with pytest.raises(errors.NotApprovable) as caught:
        refund(50_000, by=chief, approver=chief)
    assert caught.value.params["why"] == "same_person"
    with pytest.raises(errors.NotApprovable):
        refund(50_000, approver=other)


def test_who_may_only_look_refunds_nothing(refund, poll, meter, clock):
    poll(meter, balance_fen=5_000)
    viewer = operators.create("看客", "correct horse", Role.VIEWER, at=clock.at)

    with pytest.raises(errors.Forbidden):
        refund(by=viewer)


def test_the_same_id_is_the_same_refund_and_another_wish_with_it_an_error(refund, poll, meter):
    poll(meter, balance_fen=5_000)
    first = refund()

    assert refund() == first
    with pytest.raises(errors.RequestIdReused):
        refund(3_000)


def test_a_refund_waits_for_the_open_sale_of_its_meter(refund, poll, meter, sell):
    poll(meter, balance_fen=5_000)
    sale = sell()

    with pytest.raises(errors.CommandOpen) as caught:
        refund()

    assert caught.value.params["command"] == sale.id


@pytest.fixture
def reverse(operator):
    def one(sale, *, request_id="v1", by=operator, **more):
        return refunding.reverse(sale.id, "输错金额", by, request_id, money=MONEY, **more)

    return one


def test_a_reversal_undoes_credit_and_fee_naming_both(sell, prove, reverse, lower):
    sale = prove(sell(fee_pct=2))
    command = lower(reverse(sale), PurchaseState(5, 500 + 9_800, 1_000))

    undone = {
        (entry.kind, entry.reverses.kind, entry.amount_fen)
        for entry in LedgerEntry.select().where(LedgerEntry.command == command)
    }
    assert undone == {
        (EntryKind.REVERSAL, EntryKind.CREDIT, 9_800),
        (EntryKind.FEE_REVERSAL, EntryKind.FEE, 200),
    }
    assert refunding.payable_fen(command) == 10_000
    assert ledger.balance_at(AccountKind.FEE_INCOME) == 0
    assert verify.faults() == []


def why_not(reverse, sale):
    with pytest.raises(errors.NotReversible) as caught:
        reverse(sale, request_id="v9")
    return caught.value.params["why"]


def test_only_a_proved_sale_that_is_the_latest_purchase_is_reversed_and_once(
    sell, prove, reverse, lower, poll, meter, clock
):
    queued = sell("r1")
    assert why_not(reverse, queued) == "not_applied"
    first = prove(queued)
    clock.advance(minutes=1)
    second = prove(sell("r2"), PurchaseState(5, 10_500, 1_000))
    assert why_not(reverse, first) == "not_latest"
    reversal = lower(reverse(second), PurchaseState(6, 20_500, 1_000))
    assert why_not(reverse, second) == "reversed"
    assert why_not(reverse, reversal) == "not_a_sale"


def test_a_sale_that_is_partly_used_is_not_reversed(sell, prove, reverse, poll, meter, clock):
    sale = prove(sell())
    clock.advance(minutes=30)
    poll(meter, 2_000, balance_fen=9_999, count=5)

    assert why_not(reverse, sale) == "spent"


def test_a_reversal_that_was_refused_can_be_asked_for_again(sell, prove, reverse):
    sale = prove(sell())
    refused = commands.refuse_unsent(reverse(sale).id, "no_reply", EPOCH)

    again = reverse(sale, request_id="v2")

    assert (refused.state, again.state) == (CommandState.REFUSED, CommandState.QUEUED)
    assert verify.faults() == []


def test_the_money_of_a_refused_sale_goes_to_its_till_while_that_is_open(sell, lease):
    sale = sell()

    commands.refuse_unsent(sale.id, "no_reply", EPOCH)

    assert ledger.balance_of(ledger.till(Shift.get(), PayKind.CASH)) == 0
    assert refunding.payable() == []


def test_and_waits_to_be_paid_out_where_the_shift_is_closed(sell, lease, operator, chief):
    sale = sell()
    shifts.close_shift(operator, {PayKind.CASH: 10_000}, hand_over_to=chief, zone=ZONE)

    commands.refuse_unsent(sale.id, "no_reply", EPOCH)

    assert refunding.payable() == [sale]
    assert ledger.balance_of(ledger.till(sale.shift, PayKind.CASH)) == 10_000
    refunding.pay_out(sale.id, PayKind.CASH, operator, money=MONEY)
    assert ledger.balance_at(AccountKind.REFUND_PAYABLE) == 0
    assert verify.faults() == []


def test_a_queued_refund_is_taken_back_with_the_key_of_a_sale(refund, poll, meter, operator):
    poll(meter, balance_fen=5_000)
    command = refund()

    voided = selling.void(command.id, operator, undo_s=60)

    assert voided.state is CommandState.VOIDED
    assert verify.faults() == []


def test_a_reversal_is_refused_when_another_purchase_came_before_it_was_sent(
    sell, prove, reverse, send, meter
):
    sale = prove(sell())
    queued = reverse(sale)
    with write_transaction():
        Meter.update(mirror_count=6).where(Meter.id == meter.id).execute()

    with pytest.raises(errors.NotReversible):
        send(queued, PurchaseState(6, 20_500, 1_000))

    assert Command.get_by_id(queued.id).state is CommandState.QUEUED
