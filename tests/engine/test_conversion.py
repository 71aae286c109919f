"""Old meters' amounts from a file, each written into its new meter once."""

import pytest

from engine import tables
from engine.config import MoneySection
from engine.domain import counted
from engine.domain.errors import ApprovalNeeded, Forbidden, TotalDiffers
from engine.services import conversion, ledger, operators, verify
from models.base import write_transaction
from models.commands import Command, Transfer
from models.enums import AccountKind, CommandKind, MeterKind, Role
from models.site import Meter
from tests.conftest import MORNING
from tests.engine.conftest import BALANCE_FEN, BLIND, CHECKED, FAR, MONEY

HEADER = "serial,amount_yuan,old_serial,old_reading_kwh,reference\n"
ROWS = f"{CHECKED},120.50,旧-1,1234.56,抄表单 1\n{BLIND},80,旧-2,99,\n{FAR},0,旧-3,,\n"


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


@pytest.fixture
def write(tmp_path):
    def write(rows=ROWS, header=HEADER):
        path = tmp_path / "amounts.csv"
        path.write_text(header + rows, encoding="utf-8")
        return path

    return write


@pytest.fixture
def second(practice):
    return operators.create("周敏", "correct horse", Role.SUPERVISOR, at=MORNING)


def convert(practice, path, total_fen=20_050, **more):
    """Alone, as far as the limit goes."""
    more.setdefault("money", MoneySection(approve_adjustment_fen=1_000_000))
    money = more.pop("money", MONEY)
    return conversion.convert(
        tables.read(path), total_fen, more.pop("by", practice.chief), money=money, **more
    )


def codes(report):
    return [(each.code, each.row, each.column) for each in report.errors]


def rows_of_books():
    return (Transfer.select().count(), Command.select().count())


async def test_every_amount_arrives_once_however_often_the_file_comes(practice, write):
    first = convert(practice, write())
    async with practice.engine():
        await practice.until(lambda: conversion.progress(first.transfers).done == 2)
        second = convert(practice, write())

    assert (first.rows, first.converted, first.known, first.empty) == (3, 2, 0, 1)
    assert (second.converted, second.known, second.transfers) == (0, 2, first.transfers)
    assert practice.bought(CHECKED) == [(6, 12_050)]
    assert practice.bought(BLIND) == [(6, 8_000)]
    assert ledger.balance_of(ledger.meter_credit(CHECKED)) == BALANCE_FEN + 12_050
    taken_fen = ledger.balance_of(ledger.take_over())
    assert taken_fen == 20_050 + 4 * BALANCE_FEN
    assert conversion.progress(first.transfers).done_fen == 20_050
    assert Transfer.get(Transfer.amount_fen == 12_050).why == "旧-1 1234.560 kWh 抄表单 1"
    assert verify.faults() == []


def test_amounts_that_do_not_add_up_change_nothing(practice, write):
    with pytest.raises(TotalDiffers) as refusal:
        convert(practice, write(), 20_000)

    assert refusal.value.params == {"found": "200.50", "declared": "200.00", "difference": "0.50"}
    assert rows_of_books() == (0, 0)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(practice, write):
    report = convert(practice, write(), dry_run=True)

    assert (report.converted, report.total_fen) == (2, 20_050)
    assert rows_of_books() == (0, 0)


def test_one_wrong_row_and_nothing_is_converted(practice, write):
    rows = f"{CHECKED},1\n{CHECKED},2\n999999999999,3\n{BLIND},1.234\n{FAR},-5\n12,1\n=cmd(),1\n"

    report = convert(practice, write(rows, "serial,amount_yuan\n"), 600)

    assert codes(report) == [
        ("bad_money", 5, "amount_yuan"),
        ("bad_money", 6, "amount_yuan"),
        ("bad_serial", 7, "serial"),
        ("bad_serial", 8, "serial"),
        ("double_key", 3, "serial"),
        ("unknown_meter", 4, "serial"),
    ]
    assert rows_of_books() == (0, 0)


def test_a_meter_is_converted_once_whatever_a_later_file_says(practice, write):
    convert(practice, write())

    report = convert(practice, write(f"{CHECKED},7,旧-1,,\n"), 700)

    assert codes(report) == [("meter_converted", 2, "serial")]
    assert Transfer.select().count() == 2


def test_meters_that_take_no_credit_are_named(practice, write):
    with write_transaction():
        Meter.update(kind=MeterKind.ORDINARY).where(Meter.serial == CHECKED).execute()
        Meter.update(retired_at=MORNING).where(Meter.serial == BLIND).execute()
    ceiling = MoneySection(ceiling_fen=9_000)

    report = convert(
        practice, write(f"{CHECKED},1,,,\n{BLIND},1,,,\n{FAR},100,,,\n"), 10_200, money=ceiling
    )

    assert codes(report) == [
        ("meter_ordinary", 2, "serial"),
        ("meter_retired", 3, "serial"),
        ("over_ceiling", 4, "amount_yuan"),
    ]


def test_a_conversion_above_the_limit_needs_a_second_person(practice, write, second):
    strict = MoneySection(approve_adjustment_fen=20_050)

    with pytest.raises(ApprovalNeeded):
        convert(practice, write(), money=strict)
    assert rows_of_books() == (0, 0)

    convert(practice, write(), money=strict, approver=second)
    assert {transfer.approver for transfer in Transfer.select()} == {second}


def test_a_cashier_converts_nothing(practice, write):
    cashier = operators.create("钱多", "correct horse", Role.CASHIER, at=MORNING)

    with pytest.raises(Forbidden):
        convert(practice, write(), by=cashier)


async def test_what_a_meter_refused_is_tried_again_with_the_same_file(practice, write):
    practice.meters.meter(CHECKED).balance_fen = MONEY.ceiling_fen
    report = convert(practice, write())
    async with practice.engine():
        await practice.until(lambda: conversion.progress(report.transfers).refused == 1)
        practice.meters.meter(CHECKED).balance_fen = 0
        convert(practice, write())
        await practice.until(lambda: conversion.progress(report.transfers).done == 2)

    legs = Command.select().where(Command.kind == CommandKind.TRANSFER_IN)
    assert legs.count() == 3
    assert practice.bought(CHECKED) == [(6, 12_050)]
    clearing = ledger.account(AccountKind.CLEARING, str(report.transfers[0]))
    assert ledger.balance_of(clearing) == 0
    assert verify.faults() == []


def test_a_file_with_foreign_columns_or_none_is_refused(practice, write, tmp_path):
    odd = convert(practice, write("1,2\n", "serial,amount\n"), 200)
    gone = convert(practice, tmp_path / "none.csv", 200)

    assert codes(odd) == [("unknown_column", 1, "amount"), ("missing_column", 1, "amount_yuan")]
    assert [each.code for each in gone.errors] == ["no_such_path"]
