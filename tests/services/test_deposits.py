"""押金: taken once, given back at most once, apart from credit."""

import pytest

from engine.config import MoneySection
from engine.domain.errors import (
    ApprovalNeeded,
    BadAmount,
    DepositTooSmall,
    Forbidden,
    NoReason,
    NoSuchTenant,
    NotApprovable,
    PayKindOff,
    RequestIdReused,
    TenantClosed,
)
from engine.services import deposits, ledger, operators, shifts, verify
from engine.views import deposits as deposit_views
from models.accounts import Account
from models.base import write_transaction
from models.deposits import Deposit
from models.enums import PayKind, Role
from models.ledger import LedgerEntry
from models.people import Operator

MONEY = MoneySection(approve_refund_fen=50_000, approve_reversal_fen=50_000)
CASH = PayKind.CASH


@pytest.fixture
def number(meter) -> str:
    return str(Account.get().number)


@pytest.fixture
def boss(db, clock) -> Operator:
    return operators.create("王总", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def take(number, operator):
    def one(fen=100_000, request_id="d1", *, pay=CASH, by=operator, to=number, money=MONEY):
        return deposits.take_deposit(to, fen, pay, by, request_id, money=money)

    return one


@pytest.fixture
def give_back(number, operator):
    def one(fen=20_000, request_id="b1", *, why="退租", approver=None, money=MONEY):
        return deposits.return_deposit(
            number, fen, CASH, why, operator, request_id, money=money, approver=approver
        )

    return one


def test_a_deposit_lies_in_the_till_and_is_owed_to_the_tenant(take, number, operator):
    made = take()

    shift = shifts.open_of(operator)
    assert (made.shift, made.amount_fen) == (shift, 100_000)
    assert ledger.balance_of(ledger.till(shift, CASH)) == 100_000
    assert deposits.held_fen(number) == 100_000
    assert verify.faults() == []


def test_a_part_goes_back(take, give_back, number, operator):
    take()

    give_back()

    assert deposits.held_fen(number) == 80_000
    assert shifts.expected_fen(shifts.open_of(operator), CASH) == 80_000
    assert deposit_views.held() == [deposit_views.HeldRow("T0001", "张三丰茶馆", 80_000)]
    assert [row.amount_fen for row in deposit_views.moves_of(number)] == [20_000, 100_000]
    assert verify.faults() == []


def test_the_same_request_takes_and_gives_back_once(take, give_back, number):
    assert take() == take()
    assert give_back() == give_back()

    assert deposits.held_fen(number) == 80_000
    assert Deposit.select().count() == 2


def test_a_request_id_with_other_contents_is_an_error(take, give_back, picture):
    take()
    before = picture()

    with pytest.raises(RequestIdReused):
        take(100_001)
    with pytest.raises(RequestIdReused):
        give_back(request_id="d1")
    assert picture() == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"fen": 0}, BadAmount, id="nothing"),
        pytest.param({"fen": -1}, BadAmount, id="less than nothing"),
        pytest.param({"to": "T9999"}, NoSuchTenant, id="nobody"),
        pytest.param({"money": MoneySection(pay_kinds="card")}, PayKindOff, id="kind not taken"),
    ],
)
def test_a_deposit_that_cannot_be_taken_changes_nothing(take, picture, changes, error):
    before = picture()

    with pytest.raises(error):
        take(**changes)
    assert picture() == before


def test_a_viewer_takes_none(take, clock):
    viewer = operators.create("看客", "correct horse", Role.VIEWER, at=clock.at)

    with pytest.raises(Forbidden):
        take(by=viewer)


def test_more_than_is_held_does_not_go_back(take, give_back, picture):
    take(10_000)
    before = picture()

    with pytest.raises(DepositTooSmall):
        give_back(10_001)
    assert picture() == before


def test_giving_back_wants_a_reason(take, give_back, picture):
    take()
    before = picture()

    with pytest.raises(NoReason):
        give_back(why=" \x00 ")
    assert picture() == before


def test_from_the_limit_on_a_second_person_approves(take, give_back, operator, boss, picture):
    take()
    before = picture()

    with pytest.raises(ApprovalNeeded):
        give_back(50_000)
    with pytest.raises(NotApprovable):
        give_back(50_000, approver=operator)
    assert picture() == before

    assert give_back(50_000, approver=boss).approver == boss


def test_a_closed_account_gets_its_deposit_back_and_pays_none(take, give_back, clock, number):
    take()
    with write_transaction():
        Account.update(closed_at=clock.at).execute()

    with pytest.raises(TenantClosed):
        take(request_id="d2")
    give_back(20_000)
    assert deposits.held_fen(number) == 80_000


def test_verify_finds_a_deposit_without_its_request_and_one_that_was_altered(take):
    take()
    with write_transaction():
        Deposit.update(amount_fen=1).execute()
    assert [fault.code for fault in verify.faults()] == ["deposit_differs"]
    with write_transaction():
        Deposit.delete().execute()
    assert [fault.code for fault in verify.faults()] == ["deposit_differs"]
    assert LedgerEntry.select().count() == 1
