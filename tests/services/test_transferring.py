"""金额转入 and a tenant's payment over several meters: what is written, and what is refused."""

import pytest

from engine.config import MoneySection
from engine.domain import errors
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, operators, receipts, selling, transferring, verify
from models.accounts import Account, Installation
from models.base import write_transaction
from models.commands import Command, Payment, Receipt, Transfer
from models.enums import AccountKind, CommandKind, CommandState, PayKind, Role
from models.site import Meter
from tests.services.conftest import BASE, EPOCH

MONEY = MoneySection()


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def other(add_meter):
    return add_meter("202611230002", "李记面馆")


@pytest.fixture
def begin(meter, other, chief):
    def one(amount_fen=300, *, source=meter, target=other, request_id="t1", by=chief, **more):
        return transferring.begin(
            source.serial, target and target.serial, amount_fen, "换铺", by, request_id,
            money=MONEY, **more,
        )  # fmt: skip

    return one


@pytest.fixture
def lower(send, settle):
    def one(command, state=BASE):
        sent = send(command, state)
        after = PurchaseState(state.count, sent.target_fen, state.energy_wh)
        return settle(command, Step.CONFIRM, after)

    return one


def in_clearing(transfer):
    return ledger.balance_at(AccountKind.CLEARING, str(transfer.id))


def test_the_second_leg_is_queued_when_the_first_is_proved_and_not_before(begin, lower, other):
    transfer = begin()
    (out,) = transferring.legs_of(transfer)
    assert (out.kind, out.state, in_clearing(transfer)) == (
        CommandKind.TRANSFER_OUT, CommandState.QUEUED, 0,
    )  # fmt: skip

    lower(out)

    _, into = transferring.legs_of(transfer)
    assert (into.kind, into.serial, into.amount_fen) == (
        CommandKind.TRANSFER_IN, other.serial, 300,
    )  # fmt: skip
    assert (in_clearing(transfer), ledger.balance_of(ledger.in_flight(other.serial))) == (0, 300)
    assert verify.faults() == []


def test_a_transfer_is_finished_when_clearing_is_empty(begin, lower, prove):
    transfer = begin()
    lower(transferring.legs_of(transfer)[0])
    assert Transfer.get_by_id(transfer.id).finished_at is None

    prove(transferring.legs_of(transfer)[1])

    assert Transfer.get_by_id(transfer.id).finished_at is not None
    assert Receipt.select().count() == 1
    assert verify.faults() == []


def test_a_first_leg_that_is_refused_ends_the_transfer(begin, lease):
    transfer = begin()

    commands.refuse_unsent(transferring.legs_of(transfer)[0].id, "no_reply", EPOCH)

    assert Transfer.get_by_id(transfer.id).finished_at is not None
    assert verify.faults() == []


def test_a_second_leg_that_is_refused_leaves_its_credit_in_clearing_for_another_meter(
    begin, lower, meter, add_meter, chief
):
    transfer = begin()
    lower(transferring.legs_of(transfer)[0])
    commands.refuse_unsent(transferring.legs_of(transfer)[1].id, "ceiling", EPOCH)
    third = add_meter("202611230003", "光年影城")
    assert (in_clearing(transfer), transferring.waiting()) == (300, [])

    transferring.aim(transfer.id, third.serial, chief, money=MONEY)

    assert transferring.legs_of(transfer)[-1].serial == third.serial
    assert in_clearing(transfer) == 0
    assert verify.faults() == []


def test_a_target_that_is_busy_gets_its_credit_when_it_is_free(
    begin, lower, prove, other, sell, lease
):
    busy = sell("r1", to=other)
    transfer = begin()
    lower(transferring.legs_of(transfer)[0])
    assert (len(transferring.legs_of(transfer)), in_clearing(transfer)) == (1, 300)
    assert transferring.go_on() == 0

    prove(busy)

    assert transferring.go_on() == 1
    assert transferring.go_on() == 0
    assert verify.faults() == []


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        pytest.param({"amount_fen": 501}, errors.NotTransferable, "too_much", id="too much"),
        pytest.param({"amount_fen": 0}, errors.BadAmount, "not_positive", id="nothing"),
        pytest.param({"target": "same"}, errors.NotTransferable, "same_meter", id="to itself"),
    ],
)
def test_a_transfer_that_cannot_be_changes_nothing(
    begin, poll, meter, other, picture, change, error, why
):
    poll(meter, balance_fen=500)
    before = picture()
    if change.get("target") == "same":
        change = {"target": meter}

    with pytest.raises(error) as caught:
        begin(**change)

    assert caught.value.params["why"] == why
    assert picture() == before


def test_a_cashier_transfers_nothing(begin, operator, picture, other):
    before = picture()

    with pytest.raises(errors.Forbidden):
        begin(by=operator)

    assert picture() == before


def test_a_transfer_to_a_meter_on_nobodys_account_is_refused(begin, add_meter):
    with pytest.raises(errors.NotOpened):
        begin(target=add_meter("202611230009", ""))


@pytest.fixture
def tenant(meter, other, clock):
    """One tenant with both meters."""
    account = Account.get(Account.name == "张三丰茶馆")
    with write_transaction():
        Installation.update(account=account).where(Installation.meter == other).execute()
    return account


def pay(operator, tenant, parts, *, request_id="p1", **money):
    return selling.sell_to_tenant(
        tenant.number, parts, PayKind.CASH, operator, request_id, money=MoneySection(**money)
    )


def test_one_payment_is_a_sale_for_each_meter_and_one_receipt(
    tenant, operator, meter, other, prove
):
    payment = pay(operator, tenant, {meter.serial: 3_000, other.serial: 7_000}, fee_pct=2)
    first, second = selling.legs_of(payment)
    assert [(leg.amount_fen, leg.fee_fen) for leg in (first, second)] == [(2_940, 60), (6_860, 140)]

    prove(first)
    assert Receipt.get().payment == payment
    prove(second)

    assert Receipt.select().count() == 1
    assert receipts.of(first) == receipts.of(second)
    assert verify.faults() == []


def test_each_part_has_its_own_outcome(tenant, operator, meter, other, prove, lease):
    payment = pay(operator, tenant, {meter.serial: 3_000, other.serial: 7_000})
    first, second = selling.legs_of(payment)
    prove(first)

    commands.refuse_unsent(second.id, "no_reply", EPOCH)

    assert [leg.state for leg in selling.legs_of(payment)] == [
        CommandState.APPLIED, CommandState.REFUSED,
    ]  # fmt: skip
    assert verify.faults() == []


def test_the_same_payment_id_pays_once(tenant, operator, meter, other):
    parts = {meter.serial: 3_000, other.serial: 7_000}
    payment = pay(operator, tenant, parts)

    assert pay(operator, tenant, parts) == payment
    assert (Payment.select().count(), Command.select().count()) == (1, 2)
    with pytest.raises(errors.RequestIdReused):
        pay(operator, tenant, {meter.serial: 10_000})


def test_a_payment_is_written_down_whole_or_not_at_all(tenant, operator, meter, other, picture):
    with write_transaction():
        Meter.update(frozen=True).where(Meter.id == other.id).execute()
    before = picture()

    with pytest.raises(errors.MeterFrozen):
        pay(operator, tenant, {meter.serial: 3_000, other.serial: 7_000})

    assert picture() == before


def test_a_meter_of_another_tenant_is_no_part(tenant, operator, add_meter, picture):
    strange = add_meter("202611230007", "光年影城")
    before = picture()

    with pytest.raises(errors.NotOpened):
        pay(operator, tenant, {strange.serial: 3_000})

    assert picture() == before


def test_a_tenant_nobody_knows_or_who_has_left_is_refused(tenant, operator, meter, clock):
    with pytest.raises(errors.NoSuchTenant):
        selling.sell_to_tenant("T9", {}, PayKind.CASH, operator, "p1", money=MONEY)
    with write_transaction():
        Account.update(closed_at=clock.at).where(Account.id == tenant.id).execute()
    with pytest.raises(errors.TenantClosed):
        pay(operator, tenant, {meter.serial: 3_000})


def test_a_tenants_own_fee_goes_before_the_sites(tenant, operator, meter):
    with write_transaction():
        Account.update(fee_pct="5").where(Account.id == tenant.id).execute()

    (leg,) = selling.legs_of(pay(operator, tenant, {meter.serial: 10_000}, fee_pct=2))

    assert (leg.amount_fen, leg.fee_fen) == (9_500, 500)
