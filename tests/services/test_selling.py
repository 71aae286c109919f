"""售电 and 撤单: what is written, and that a refusal writes nothing."""

import threading
from decimal import Decimal

import pytest

from engine.config import MoneySection
from engine.domain import errors
from engine.domain.counted import PurchaseState, Step
from engine.services import commands, ledger, meters, operators, selling
from models import base
from models.commands import Command
from models.enums import AccountKind, CommandState, EntryKind, MeterKind, PayKind, Role
from models.ledger import LedgerEntry
from models.people import AuditEntry, Shift
from models.site import Meter


def entries() -> list[tuple[EntryKind, AccountKind, AccountKind, int]]:
    return [
        (entry.kind, entry.debit.kind, entry.credit.kind, entry.amount_fen)
        for entry in LedgerEntry.select().order_by(LedgerEntry.id)
    ]


def test_a_sale_is_queued_with_its_cash_in_flight(sell, meter, operator):
    command = sell()

    assert (command.state, command.amount_fen, command.fee_fen) == (CommandState.QUEUED, 10_000, 0)
    assert entries() == [(EntryKind.SALE, AccountKind.CASH, AccountKind.IN_FLIGHT, 10_000)]
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 10_000
    assert ledger.balance_of(ledger.till_of(command)) == 10_000


def test_the_fee_is_split_off_and_the_whole_payment_is_in_flight(sell, meter):
    command = sell(paid_fen=10_001, fee_pct=Decimal("2.5"))

    assert (command.amount_fen, command.fee_fen) == (9_751, 250)  # 250.025 fen, half up
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 10_001


def test_a_sale_is_in_the_log_with_who_and_what(sell, meter):
    command = sell()

    row = AuditEntry.get(AuditEntry.action == "sell")
    assert (row.operator, row.subject) == ("李娜", meter.serial)
    assert row.detail == f'{{"command":{command.id},"paid_fen":10000,"pay":"cash"}}'


def test_the_first_sale_opens_a_shift_with_an_empty_float_and_the_next_uses_it(
    sell, prove, operator
):
    first = prove(sell("r1"))

    second = sell("r2")

    assert first.shift == second.shift
    assert [(shift.operator, shift.float_fen) for shift in Shift.select()] == [(operator, 0)]


def test_each_kind_of_payment_has_its_own_till(sell, add_meter, operator):
    sell("r1", pay=PayKind.CASH)
    wechat = sell("r2", to=add_meter("202611230002"), pay=PayKind.WECHAT, paid_fen=700)

    assert ledger.balance_of(ledger.till_of(wechat)) == 700


def test_a_repeated_request_returns_the_first_command_and_changes_nothing(sell, picture):
    first = sell("r1")
    before = picture()

    again = sell("r1")

    assert again == first
    assert picture() == before


def test_a_repeated_request_is_the_same_though_the_fee_has_changed(sell):
    first = sell("r1")

    assert sell("r1", fee_pct=Decimal(5)) == first


@pytest.mark.parametrize("other", [{"paid_fen": 10_001}, {"pay": PayKind.CARD}])
def test_the_same_request_id_with_other_contents_is_an_error(sell, picture, other):
    sell("r1")
    before = picture()

    with pytest.raises(errors.RequestIdReused):
        sell("r1", **other)

    assert picture() == before


def test_a_request_id_cannot_be_taken_over_for_another_meter(sell, add_meter):
    sell("r1")

    with pytest.raises(errors.RequestIdReused):
        sell("r1", to=add_meter("202611230002"))


def test_another_operator_cannot_repeat_a_request(sell, clock):
    sell("r1")
    other = operators.create("王强", "another password", Role.CASHIER, at=clock.at)

    with pytest.raises(errors.RequestIdReused):
        sell("r1", by=other)


def freeze(meter):
    with base.write_transaction():
        Meter.update(frozen=True).where(Meter.id == meter.id).execute()


def retire(meter, clock):
    with base.write_transaction():
        Meter.update(retired_at=clock.at).where(Meter.id == meter.id).execute()


@pytest.mark.parametrize("paid_fen", [0, -1])
def test_nothing_or_less_cannot_be_sold(sell, picture, paid_fen):
    before = picture()

    with pytest.raises(errors.BadAmount) as caught:
        sell(paid_fen=paid_fen)

    assert caught.value.params["why"] == "not_positive"
    assert picture() == before


def test_a_payment_that_is_all_fee_changes_nothing(sell, picture):
    before = picture()

    with pytest.raises(errors.BadAmount) as caught:
        sell(paid_fen=1, fee_pct=Decimal(50))

    assert caught.value.params["why"] == "all_fee"
    assert picture() == before


def test_an_unknown_meter_changes_nothing(operator, picture):
    before = picture()

    with pytest.raises(errors.NoSuchMeter):
        selling.sell("0" * 12, 100, PayKind.CASH, operator, "r1", money=MoneySection())

    assert picture() == before


def test_a_retired_meter_changes_nothing(sell, meter, clock, picture):
    retire(meter, clock)
    before = picture()

    with pytest.raises(errors.MeterRetired):
        sell()

    assert picture() == before


def test_an_ordinary_meter_changes_nothing(sell, add_meter, picture):
    ordinary = add_meter("202611230002", kind=MeterKind.ORDINARY)
    before = picture()

    with pytest.raises(errors.NotPrepaid):
        sell(to=ordinary)

    assert picture() == before


def test_a_meter_that_is_not_opened_changes_nothing(sell, add_meter, picture):
    closed = add_meter("202611230002", tenant="")
    before = picture()

    with pytest.raises(errors.NotOpened):
        sell(to=closed)

    assert picture() == before


def test_a_frozen_meter_changes_nothing(sell, meter, picture):
    freeze(meter)
    before = picture()

    with pytest.raises(errors.MeterFrozen):
        sell()

    assert picture() == before


def test_a_second_sale_while_one_is_open_changes_nothing_and_names_the_first(sell, picture):
    first = sell("r1")
    before = picture()

    with pytest.raises(errors.CommandOpen) as caught:
        sell("r2")

    assert caught.value.params["command"] == first.id
    assert picture() == before


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.VIEWER])
def test_who_may_not_sell_changes_nothing(sell, clock, picture, role):
    other = operators.create("赵敏", "another password", role, at=clock.at)
    before = picture()

    with pytest.raises(errors.Forbidden):
        sell(by=other)

    assert picture() == before


def test_a_sale_over_the_ceiling_of_the_balance_last_read_changes_nothing(
    sell, poll, meter, picture
):
    poll(meter, balance_fen=501)
    before = picture()

    with pytest.raises(errors.CreditCeilingExceeded) as caught:
        sell(paid_fen=10_000, ceiling_fen=10_500)

    assert caught.value.params["balance"] == "5.01"
    assert picture() == before


def test_a_sale_up_to_the_ceiling_is_made(sell, poll, meter):
    poll(meter, balance_fen=500)

    assert sell(paid_fen=10_000, ceiling_fen=10_500).state is CommandState.QUEUED


def test_only_the_credit_counts_against_the_ceiling_not_the_fee(sell):
    assert sell(paid_fen=10_000, ceiling_fen=9_800, fee_pct=Decimal(2)).amount_fen == 9_800


def test_a_meter_never_read_counts_as_empty(sell):
    with pytest.raises(errors.CreditCeilingExceeded):
        sell(paid_fen=10_001, ceiling_fen=10_000)
    assert sell(paid_fen=10_000, ceiling_fen=10_000).state is CommandState.QUEUED


def test_the_ceiling_counts_what_a_sale_after_the_last_poll_read_back(
    sell, poll, prove, meter, clock
):
    poll(meter)
    clock.advance(seconds=5)
    prove(sell("r1"))  # 5.00 + 100.00

    with pytest.raises(errors.CreditCeilingExceeded) as caught:
        sell("r2", ceiling_fen=20_000)

    assert caught.value.params["balance"] == "105.00"


def test_a_poll_after_the_sale_is_newer(sell, poll, prove, meter, clock):
    prove(sell("r1"))
    clock.advance(minutes=30)
    poll(meter, balance_fen=9_000, count=5)

    assert meters.known_balance_fen(meter) == 9_000


def test_a_queued_sale_is_taken_back_and_the_cash_returns(sell, operator, meter):
    command = sell()

    voided = selling.void(command.id, operator, undo_s=60)

    assert (voided.state, voided.reason) == (CommandState.VOIDED, "voided")
    assert entries()[1] == (EntryKind.RETURNED, AccountKind.IN_FLIGHT, AccountKind.CASH, 10_000)
    assert ledger.balance_of(ledger.in_flight(meter.serial)) == 0
    assert ledger.balance_of(ledger.till_of(command)) == 0


def test_after_a_void_the_meter_can_be_sold_to_again(sell, operator):
    selling.void(sell("r1").id, operator, undo_s=60)

    assert sell("r2").state is CommandState.QUEUED


def test_a_sale_can_be_taken_back_up_to_the_last_second_of_the_window(sell, operator, clock):
    command = sell()
    clock.advance(seconds=60)

    assert selling.void(command.id, operator, undo_s=60).state is CommandState.VOIDED


def test_after_the_window_a_void_changes_nothing(sell, operator, clock, picture):
    command = sell()
    clock.advance(seconds=61)
    before = picture()

    with pytest.raises(errors.NotVoidable) as caught:
        selling.void(command.id, operator, undo_s=60)

    assert caught.value.params["why"] == "too_late"
    assert picture() == before


def test_a_sale_that_was_sent_cannot_be_voided(sell, send, operator, picture):
    command = send(sell())
    before = picture()

    with pytest.raises(errors.NotVoidable) as caught:
        selling.void(command.id, operator, undo_s=60)

    assert caught.value.params["why"] == "has_left"
    assert picture() == before


def test_a_sale_is_voided_once(sell, operator, picture):
    command = sell()
    selling.void(command.id, operator, undo_s=60)
    before = picture()

    with pytest.raises(errors.NotVoidable):
        selling.void(command.id, operator, undo_s=60)

    assert picture() == before


def test_a_read_cannot_be_voided(meter, operator, picture):
    read = commands.request_read(meter.serial, "read-1")
    before = picture()

    with pytest.raises(errors.NotVoidable) as caught:
        selling.void(read.id, operator, undo_s=60)

    assert caught.value.params["why"] == "not_a_sale"
    assert picture() == before


def test_a_void_needs_the_right_to_sell(sell, clock, picture):
    command = sell()
    viewer = operators.create("赵敏", "another password", Role.VIEWER, at=clock.at)
    before = picture()

    with pytest.raises(errors.Forbidden):
        selling.void(command.id, viewer, undo_s=60)

    assert picture() == before


def test_a_command_nobody_made_cannot_be_voided(operator):
    with pytest.raises(errors.NoSuchCommand):
        selling.void(99, operator, undo_s=60)


def test_four_tills_selling_to_one_meter_at_once_make_one_sale(sell, meter, operator):
    gate = threading.Barrier(4, timeout=20)
    outcomes: list[object] = []

    def till(number: int) -> None:
        with base.connection():
            gate.wait()
            try:
                outcomes.append(sell(f"till-{number}"))
            except errors.CommandOpen as error:
                outcomes.append(error)

    threads = [threading.Thread(target=till, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(outcome, Command) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, errors.CommandOpen) for outcome in outcomes) == 3
    assert entries() == [(EntryKind.SALE, AccountKind.CASH, AccountKind.IN_FLIGHT, 10_000)]


def test_four_tills_selling_to_four_meters_at_once_all_sell(sell, add_meter):
    shops = [add_meter(f"20261123100{number}") for number in range(4)]
    gate = threading.Barrier(4, timeout=20)

    def till(number: int) -> None:
        with base.connection():
            gate.wait()
            sell(f"till-{number}", to=shops[number])

    threads = [threading.Thread(target=till, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(command.serial for command in Command.select()) == [shop.serial for shop in shops]


def test_a_refused_sale_frees_the_meter(sell, send, settle):
    settle(send(sell("r1")), Step.REFUSE, PurchaseState(4, 500, 1000), "not_applied")

    assert sell("r2").state is CommandState.QUEUED
