"""Refunds, reversals, transfers and cleared balances over real sockets, with what may go wrong."""

import pytest

from engine.config import Config
from engine.domain import counted
from engine.services import (
    clearing,
    downloads,
    ledger,
    meters,
    operators,
    refunding,
    switching,
    transferring,
    verify,
)
from models.commands import Attempt, Command, Receipt, Transfer
from models.enums import AccountKind, CommandKind, CommandState, PayKind, Role, TransferPurpose
from models.site import Meter
from tests.conftest import MORNING
from tests.engine.conftest import BALANCE_FEN, BLIND, CHECKED, COUNT, MONEY, OTHER

CONTROL = 0x20  # function code
EITHER = pytest.mark.parametrize("serial", [CHECKED, BLIND], ids=["checked", "blind"])


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


def refund(practice, amount_fen, serial=CHECKED, **more):
    return refunding.refund(
        serial, amount_fen, PayKind.CASH, "搬走", practice.chief, "b1", money=MONEY, **more
    )


def credit(serial=CHECKED):
    return ledger.balance_of(ledger.meter_credit(serial))


def payable():
    return ledger.balance_of(ledger.refund_payable())


@EITHER
async def test_a_refund_lowers_the_meter_once_and_waits_to_be_paid_out(practice, serial):
    command = refund(practice, 3_000, serial)

    async with practice.engine():
        ended = await practice.ended(command.id)

    meter = practice.meters.meter(serial)
    assert (ended.state, ended.target_fen) == (CommandState.APPLIED, BALANCE_FEN - 3_000)
    assert (meter.balance_fen, meter.count) == (BALANCE_FEN - 3_000, COUNT)
    assert credit(serial) == BALANCE_FEN - 3_000
    assert (payable(), refunding.payable()) == (3_000, [ended])
    assert Receipt.select().count() == 1
    assert verify.faults() == []

    refunding.pay_out(command.id, PayKind.CASH, practice.chief, money=MONEY)
    assert (payable(), refunding.payable()) == (0, [])
    assert verify.faults() == []


async def test_a_refund_of_all_leaves_nothing_in_the_meter(practice):
    command = refund(practice, None)

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.amount_fen) == (CommandState.APPLIED, BALANCE_FEN)
    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert verify.faults() == []


@EITHER
@pytest.mark.parametrize("fault", ["no_reply", "lost_request"])
async def test_a_lost_frame_of_a_refund_is_decided_by_the_read_back(practice, serial, fault):
    practice.meters.inject(f"meter:{serial}", fault, function=CONTROL)
    command = refund(practice, 3_000, serial)

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert ended.state is CommandState.APPLIED
    assert ended.writes == (1 if fault == "no_reply" else 2)
    assert practice.meters.meter(serial).balance_fen == BALANCE_FEN - 3_000
    assert verify.faults() == []


async def test_a_refund_that_the_meter_refuses_moves_nothing(practice):
    practice.meters.inject(f"meter:{CHECKED}", "refuse", function=CONTROL)
    command = refund(practice, 3_000)

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.reason) == (CommandState.REFUSED, "refused_by_meter")
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN
    assert (payable(), credit()) == (0, BALANCE_FEN)
    assert verify.faults() == []


@pytest.mark.parametrize(
    ("amount_fen", "reason"),
    [pytest.param(BALANCE_FEN + 1, "spent", id="too much"), (1, "too_little")],
)
async def test_the_meter_itself_says_what_cannot_be_refunded(practice, amount_fen, reason):
    command = refund(practice, amount_fen)  # never read so far: only the meter knows

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.reason) == (CommandState.REFUSED, reason)
    assert not Attempt.select().where(Attempt.step == "write").exists()
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN
    assert verify.faults() == []


@EITHER
async def test_a_reversal_undoes_the_latest_sale_and_keeps_the_count(practice, serial):
    async with practice.engine():
        sale = await practice.ended(practice.sell(serial))
        command = refunding.reverse(sale.id, "输错金额", practice.chief, "v1", money=MONEY)
        ended = await practice.ended(command.id)

    meter = practice.meters.meter(serial)
    assert ended.state is CommandState.APPLIED
    assert (meter.balance_fen, meter.count) == (BALANCE_FEN, COUNT + 1)
    assert (payable(), credit(serial)) == (10_000, BALANCE_FEN)
    assert verify.faults() == []


async def test_a_sale_after_a_reversal_goes_on_with_the_next_count(practice):
    async with practice.engine():
        sale = await practice.ended(practice.sell())
        command = refunding.reverse(sale.id, "输错金额", practice.chief, "v1", money=MONEY)
        await practice.ended(command.id)
        again = await practice.ended(practice.sell())

    assert (again.state, again.seq) == (CommandState.APPLIED, COUNT + 2)
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN + 10_000
    assert verify.faults() == []


async def ended_transfer(practice, transfer):
    await practice.until(lambda: Transfer.get_by_id(transfer.id).finished_at)
    return transferring.legs_of(transfer)


@pytest.mark.parametrize("amount_fen", [None, 5_000], ids=["all", "a part"])
async def test_a_transfer_empties_one_meter_and_fills_the_other(practice, amount_fen):
    transfer = transferring.begin(
        CHECKED, BLIND, amount_fen, "换铺", practice.chief, "t1", money=MONEY
    )

    async with practice.engine():
        legs = await ended_transfer(practice, transfer)

    moved_fen = amount_fen or BALANCE_FEN
    assert [(leg.kind, leg.state) for leg in legs] == [
        (CommandKind.TRANSFER_OUT, CommandState.APPLIED),
        (CommandKind.TRANSFER_IN, CommandState.APPLIED),
    ]
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN - moved_fen
    assert practice.bought(BLIND) == [(COUNT + 1, moved_fen)]
    assert (credit(CHECKED), credit(BLIND)) == (BALANCE_FEN - moved_fen, BALANCE_FEN + moved_fen)
    assert ledger.balance_at(AccountKind.CLEARING, str(transfer.id)) == 0
    assert verify.faults() == []


async def test_a_transfer_waits_in_clearing_while_its_target_is_busy(practice):
    practice.meters.inject(f"meter:{BLIND}", "no_reply", count=1_000)
    busy = practice.sell(BLIND)
    transfer = transferring.begin(CHECKED, BLIND, None, "换铺", practice.chief, "t1", money=MONEY)

    async with practice.engine():
        await practice.until(
            lambda: ledger.balance_at(AccountKind.CLEARING, str(transfer.id)) == BALANCE_FEN
        )
        practice.meters.inject(f"meter:{BLIND}", "clear")
        await practice.ended(busy)
        legs = await ended_transfer(practice, transfer)

    assert [leg.state for leg in legs] == [CommandState.APPLIED] * 2
    assert verify.faults() == []


async def test_a_second_leg_that_is_refused_waits_for_a_person_to_aim_it_anew(practice):
    practice.meters.inject(f"meter:{BLIND}", "refuse", function=CONTROL)
    transfer = transferring.begin(CHECKED, BLIND, None, "换铺", practice.chief, "t1", money=MONEY)

    async with practice.engine():
        await practice.until(lambda: len(transferring.legs_of(transfer)) == 2)
        second = await practice.ended(transferring.legs_of(transfer)[1].id)
        assert second.state is CommandState.REFUSED
        assert ledger.balance_at(AccountKind.CLEARING, str(transfer.id)) == BALANCE_FEN
        assert verify.faults() == []
        transferring.aim(transfer.id, OTHER, practice.chief, money=Config().money)
        await ended_transfer(practice, transfer)

    assert practice.bought(OTHER) == [(COUNT + 1, BALANCE_FEN)]
    assert verify.faults() == []


async def test_a_debt_is_written_off_with_a_second_person_and_the_meter_shows_nothing(practice):
    practice.meters.meter(CHECKED).balance_fen = -321
    command = clearing.clear(
        CHECKED, "欠费核销", practice.chief, "c1", money=MONEY, approver=second_person()
    )

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.amount_fen) == (CommandState.APPLIED, 321)
    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert (credit(), ledger.balance_at(AccountKind.WRITE_OFF)) == (0, 321)
    assert verify.faults() == []


async def test_a_remainder_is_rounded_away_and_more_than_that_is_not(practice):
    practice.meters.meter(CHECKED).balance_fen = 37
    small = clearing.clear(CHECKED, "销户", practice.chief, "c1", money=MONEY)
    large = clearing.clear(BLIND, "销户", practice.chief, "c2", money=MONEY)

    async with practice.engine():
        assert (await practice.ended(small.id)).state is CommandState.APPLIED
        assert (await practice.ended(large.id)).reason == "too_much_to_clear"

    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert practice.meters.meter(BLIND).balance_fen == BALANCE_FEN
    assert ledger.balance_at(AccountKind.ROUNDING) == 37
    assert verify.faults() == []


def second_person():
    return operators.create("赵敏", "correct horse", Role.SUPERVISOR, at=MORNING)


async def test_a_download_writes_what_is_desired_and_reads_it_back(practice):
    command = downloads.request(CHECKED, practice.chief, "d1", config=Config())

    async with practice.engine():
        ended = await practice.ended(command.id)

    meter = practice.meters.meter(CHECKED)
    assert ended.state is CommandState.APPLIED
    assert (meter.alarm1_fen, meter.alarm2_fen) == (2_000, 500)
    assert meter.prices == [12_000, 10_000, 7_000, 4_000]
    assert (meter.balance_fen, meter.count) == (BALANCE_FEN, COUNT)


async def test_a_download_that_is_there_already_is_not_written(practice):
    async with practice.engine():
        first = downloads.request(CHECKED, practice.chief, "d1", config=Config())
        await practice.ended(first.id)
        second = downloads.request(CHECKED, practice.chief, "d2", config=Config())
        ended = await practice.ended(second.id)

    assert (ended.state, ended.writes) == (CommandState.APPLIED, 0)


async def test_a_meter_is_tripped_held_and_given_back_to_its_credit(practice):
    seen = []
    async with practice.engine():
        for kind in (CommandKind.TRIP, CommandKind.HOLD, CommandKind.RESUME):
            command = switching.request(CHECKED, kind, "检修", practice.chief, f"s{kind}")
            ended = await practice.ended(command.id)
            meter = practice.meters.meter(CHECKED)
            seen.append((ended.state.value, meter.relay_closed, meter.force_active))

    assert seen == [("applied", False, True), ("applied", True, True), ("applied", True, False)]


@pytest.mark.parametrize("kind", [CommandKind.DOWNLOAD, CommandKind.TRIP])
async def test_a_meter_that_wants_ciphered_commands_gets_those_that_have_a_cipher(practice, kind):
    practice.meters.meter(CHECKED).run_state |= 0x20
    if kind is CommandKind.DOWNLOAD:
        command = downloads.request(CHECKED, practice.chief, "d1", config=Config())
    else:
        command = switching.request(CHECKED, kind, "检修", practice.chief, "s1")

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.writes) == (CommandState.APPLIED, 1)


async def test_a_ciphered_meter_is_refunded_too(practice):
    practice.meters.meter(CHECKED).run_state |= 0x20
    command = refund(practice, 3_000)

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert ended.state is CommandState.APPLIED
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN - 3_000


async def test_a_switch_whose_frame_was_lost_is_not_sent_again(practice):
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", function=0x10)
    command = switching.request(CHECKED, CommandKind.TRIP, "检修", practice.chief, "s1")

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.reason, ended.writes) == (CommandState.REFUSED, "not_held", 1)
    assert practice.meters.meter(CHECKED).relay_closed


async def test_a_sale_to_a_meter_in_an_exchange_is_refused_but_its_credit_can_leave(practice):
    async with practice.engine():
        first = await practice.ended(practice.sell())
        Meter.update(frozen=True).where(Meter.serial == CHECKED).execute()
        transfer = transferring.begin(
            CHECKED,
            None,
            None,
            "换表",
            practice.chief,
            "t1",
            money=MONEY,
            purpose=TransferPurpose.EXCHANGE,
        )
        leg = await practice.ended(transferring.legs_of(transfer)[0].id)

    assert first.state is leg.state is CommandState.APPLIED
    assert meters.known_balance_fen(Command.get_by_id(leg.id).meter) == 0
    assert Transfer.get().amount_fen == BALANCE_FEN + 10_000
    assert verify.faults() == []


async def test_all_of_a_meter_that_holds_more_than_was_known_needs_a_second_person(practice):
    practice.meters.meter(CHECKED).balance_fen = MONEY.approve_refund_fen
    command = refund(practice, None)  # never read so far: nobody knew how much that is

    async with practice.engine():
        ended = await practice.ended(command.id)

    assert (ended.state, ended.reason) == (CommandState.REFUSED, "approval_needed")
    assert not Attempt.select().where(Attempt.step == "write").exists()
    assert practice.meters.meter(CHECKED).balance_fen == MONEY.approve_refund_fen
    assert verify.faults() == []
