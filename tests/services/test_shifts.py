"""A shift from its float to its numbered report; nothing undecided is left in nobody's hands."""

import datetime as dt

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    BadAmount,
    Forbidden,
    NoOpenShift,
    NotCounted,
    NotExplained,
    NotForHandOver,
    NotHandedOver,
    ShiftOpen,
)
from engine.services import (
    chain,
    ledger,
    operators,
    refunding,
    selling,
    shifts,
    transferring,
    verify,
)
from models import base
from models.enums import AccountKind, EntryKind, PayKind, Role
from models.ledger import LedgerEntry
from models.people import AuditEntry, Operator, Shift
from models.shifts import HandOver, ShiftCount

ZONE = dt.timezone(dt.timedelta(hours=8))
CASH, CARD = PayKind.CASH, PayKind.CARD


@pytest.fixture
def boss(db, clock) -> Operator:
    return operators.create("王总", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def other(db, clock) -> Operator:
    return operators.create("赵敏", "correct horse", Role.CASHIER, at=clock.at)


@pytest.fixture
def close(operator):
    def one(counted=None, explanation="", to=None, *, by=operator, of=None) -> Shift:
        return shifts.close_shift(by, counted or {}, explanation, to, zone=ZONE, of=of)

    return one


def faults() -> list[str]:
    return [fault.code for fault in verify.faults()]


def test_a_shift_opens_with_its_float_and_the_log_says_so(operator):
    shift = shifts.open_shift(operator, 10_000)

    assert (shift.float_fen, shift.closed_at, shift.number) == (10_000, None, None)
    assert AuditEntry.get(AuditEntry.action == "shift_open").operator == "李娜"


def test_a_second_open_shift_is_refused(operator, picture):
    shifts.open_shift(operator, 0)
    before = picture()

    with pytest.raises(ShiftOpen):
        shifts.open_shift(operator, 10_000)
    assert picture() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ENGINEER])
def test_who_may_not_sell_opens_no_shift(db, clock, role):
    someone = operators.create("某人", "correct horse", role, at=clock.at)

    with pytest.raises(Forbidden):
        shifts.open_shift(someone, 0)


def test_a_float_is_not_less_than_nothing(operator):
    with pytest.raises(BadAmount):
        shifts.open_shift(operator, -1)


def test_a_sale_goes_into_the_shift_that_was_opened(operator, sell):
    shift = shifts.open_shift(operator, 10_000)

    assert sell().shift == shift


def test_expected_is_the_float_and_what_the_till_took(operator, sell, prove, add_meter):
    shift = shifts.open_shift(operator, 10_000)
    prove(sell(paid_fen=5_000))
    prove(sell("r2", to=add_meter("202611230002"), paid_fen=700, pay=CARD))

    assert shifts.expected_fen(shift, CASH) == 15_000
    assert shifts.expected_fen(shift, CARD) == 700
    assert shifts.expected_fen(shift, PayKind.WECHAT) == 0


def test_a_close_that_fits_has_number_counts_of_every_kind_and_a_line_in_the_log(
    operator, sell, prove, close
):
    shifts.open_shift(operator, 10_000)
    prove(sell(paid_fen=5_000))

    shift = close({CASH: 15_000})

    assert (shift.number, shift.closed_by, shift.explanation) == ("S20261123-001", operator, "")
    counts = {row.pay: (row.expected_fen, row.counted_fen) for row in ShiftCount.select()}
    assert counts == dict.fromkeys(PayKind, (0, 0)) | {CASH: (15_000, 15_000)}
    line = AuditEntry.get(AuditEntry.action == "shift_close")
    assert line.subject == "S20261123-001"
    assert chain.head(LedgerEntry) in line.detail
    assert faults() == []


def test_numbers_rise_over_operators_and_days(operator, other, close, clock):
    numbers = []
    for by in (operator, other, operator):
        shifts.open_shift(by, 0)
        numbers.append(close(by=by).number)
        clock.advance(hours=12)

    assert numbers == ["S20261123-001", "S20261123-002", "S20261124-003"]


@pytest.mark.parametrize(
    ("counted_fen", "debit", "credit", "fen"),
    [
        pytest.param(4_800, AccountKind.CASH_DIFFERENCE, AccountKind.CASH, 200, id="short"),
        pytest.param(5_300, AccountKind.CASH, AccountKind.CASH_DIFFERENCE, 300, id="over"),
    ],
)
def test_a_difference_is_posted_so_that_the_till_holds_what_was_counted(
    sell, prove, close, counted_fen, debit, credit, fen
):
    prove(sell(paid_fen=5_000))

    shift = close({CASH: counted_fen}, "找零出错")

    entry = LedgerEntry.get(LedgerEntry.kind == EntryKind.CASH_DIFFERENCE)
    assert (entry.debit.kind, entry.credit.kind, entry.amount_fen) == (debit, credit, fen)
    assert ledger.balance_of(ledger.till(shift, CASH)) == counted_fen
    assert shift.explanation == "找零出错"
    assert faults() == []


def test_each_kind_has_its_own_difference(sell, prove, close, add_meter):
    prove(sell(paid_fen=5_000))
    prove(sell("r2", to=add_meter("202611230002"), paid_fen=700, pay=CARD))

    shift = close({CASH: 5_700, CARD: 0}, "刷卡记成现金")

    assert ledger.balance_of(ledger.till(shift, CASH)) == 5_700
    assert ledger.balance_of(ledger.till(shift, CARD)) == 0
    difference = ledger.account(AccountKind.CASH_DIFFERENCE, str(shift.id))
    assert ledger.balance_of(difference) == 0
    assert faults() == []


@pytest.mark.parametrize("explanation", ["", "  ", "\t\n"])
def test_a_difference_without_a_word_is_refused(sell, prove, close, picture, explanation):
    prove(sell(paid_fen=5_000))
    before = picture()

    with pytest.raises(NotExplained) as refused:
        close({CASH: 4_999}, explanation)
    assert refused.value.params["differences"] == "cash -0.01"
    assert picture() == before


def test_an_explanation_keeps_no_control_characters_and_a_formula_stays_text(sell, prove, close):
    prove(sell(paid_fen=5_000))

    assert close({CASH: 4_999}, "=cmd()\x1b[2J 少一分\n").explanation == "=cmd() [2J 少一分"


def test_a_kind_that_should_be_there_must_be_counted(sell, prove, close, picture):
    prove(sell(paid_fen=700, pay=CARD))
    before = picture()

    with pytest.raises(NotCounted) as refused:
        close({CASH: 0})
    assert refused.value.params["kinds"] == "card"
    assert picture() == before


def test_cash_is_not_counted_below_zero(sell, prove, close):
    prove(sell(paid_fen=700))

    with pytest.raises(BadAmount):
        close({CASH: -700}, "为什么")


def test_closing_without_an_open_shift_is_refused(close):
    with pytest.raises(NoOpenShift):
        close()


def queued(sell, send, settle):
    return sell()


def sent(sell, send, settle):
    return send(sell())


def unknown(sell, send, settle):
    return settle(send(sell()), Step.KEEP, None, "no_reply")


def suspended(sell, send, settle):
    return settle(send(sell()), Step.SUSPEND, PurchaseState(9, 0, 1000), None)


UNDECIDED = [queued, sent, unknown, suspended]


@pytest.mark.parametrize("make", UNDECIDED)
def test_what_is_not_decided_must_be_handed_over_by_name(
    sell, send, settle, close, other, picture, make
):
    command = make(sell, send, settle)
    before = picture()

    with pytest.raises(NotHandedOver) as refused:
        close({CASH: 10_000})
    assert refused.value.params["commands"] == str(command.id)
    assert picture() == before

    shift = close({CASH: 10_000}, to=other)
    handed = HandOver.get()
    assert (handed.shift, handed.command, handed.to) == (shift, command, other)
    assert faults() == []


def test_what_was_handed_over_must_be_handed_on(sell, close, operator, other):
    command = sell()
    close({CASH: 10_000}, to=other)
    shifts.open_shift(other, 0)

    with pytest.raises(NotHandedOver):
        close(by=other)
    close(by=other, to=operator)

    shifts.open_shift(other, 0)
    assert close(by=other).number == "S20261123-003"  # it is 李娜's again
    assert [row.to.name for row in HandOver.select()] == ["赵敏", "李娜"]
    assert [row.command for row in HandOver.select()] == [command, command]


def test_a_transfer_is_in_no_till_but_is_handed_over_like_a_sale(
    close, boss, other, poll, meter, add_meter
):
    poll(meter, balance_fen=5_000)
    poll(add_meter("202611230002"), balance_fen=0)
    shifts.open_shift(boss, 0)
    transferring.begin(
        meter.serial, "202611230002", 1_000, "换铺", boss, "t1", money=MoneySection()
    )

    with pytest.raises(NotHandedOver):
        close(by=boss)
    close(by=boss, to=other)
    assert HandOver.get().command.shift is None
    assert faults() == []


def test_what_was_decided_meanwhile_need_not_be_handed_on(sell, prove, close, other):
    command = sell()
    close({CASH: 10_000}, to=other)
    shifts.open_shift(other, 0)
    prove(command)

    close(by=other)

    assert HandOver.select().count() == 1
    assert faults() == []


def test_nobody_hands_over_to_himself_to_the_disabled_or_to_who_may_not_sell(
    sell, close, operator, other, clock, picture
):
    viewer = operators.create("看客", "correct horse", Role.VIEWER, at=clock.at)
    sell()
    with base.write_transaction():
        Operator.update(disabled_at=clock.at).where(Operator.id == other.id).execute()
    before = picture()

    for to, why in ((operator, "same_person"), (other, None), (viewer, None)):
        with pytest.raises(NotForHandOver) as refused:
            close({CASH: 10_000}, to=to)
        assert refused.value.params.get("why") == why
    assert picture() == before
    assert shifts.may_take_over(operator) == []


def test_only_who_may_see_to_others_shifts_closes_one(operator, other, boss, close, picture):
    shifts.open_shift(operator, 0)
    before = picture()

    with pytest.raises(Forbidden):
        close(by=other, of=operator)
    assert picture() == before

    shift = close(by=boss, of=operator)
    assert (shift.operator, shift.closed_by) == (operator, boss)


def test_a_closed_shift_takes_no_more_sales(sell, prove, close, add_meter):
    prove(sell())
    shift = close({CASH: 10_000})

    assert sell("r2", to=add_meter("202611230002")).shift != shift


def test_a_voided_sale_leaves_nothing_to_count(sell, close, operator):
    selling.void(sell().id, operator, undo_s=60)

    assert close().number == "S20261123-001"
    assert faults() == []


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(
            lambda: ShiftCount.update(counted_fen=1).where(ShiftCount.pay == CASH),
            "till_differs",
            id="a count altered",
        ),
        pytest.param(
            lambda: ShiftCount.update(expected_fen=1).where(ShiftCount.pay == CASH),
            "cash_difference_differs",
            id="an expected amount altered",
        ),
        pytest.param(
            lambda: LedgerEntry.update(amount_fen=1).where(
                LedgerEntry.kind == EntryKind.CASH_DIFFERENCE
            ),
            "till_differs",
            id="a difference altered",
        ),
    ],
)
def test_verify_finds_a_till_that_is_not_what_was_counted(sell, prove, close, spoil, code):
    prove(sell(paid_fen=5_000))
    close({CASH: 4_800}, "少找")
    assert faults() == []

    base.core.execute_sql("DROP TRIGGER ledgerentry_no_update")
    with base.write_transaction():
        spoil().execute()

    assert code in faults()


def test_money_of_a_handed_over_sale_that_came_to_nothing_is_paid_from_the_next_shift(
    sell, send, settle, close, operator, other
):
    command = unknown(sell, send, settle)
    first = close({CASH: 10_000}, to=other)
    settle(command, Step.REFUSE, PurchaseState(4, 500, 1000), "not_applied")
    assert ledger.balance_of(ledger.till(first, CASH)) == 10_000

    refunding.pay_out(command.id, CASH, other, money=MoneySection())

    assert shifts.expected_fen(shifts.open_of(other), CASH) == -10_000
    assert faults() == []
