"""Decisions of two persons while an engine looks at the same command, over real sockets."""

import asyncio
import dataclasses
import datetime as dt
import random

import pytest

from engine import clock
from engine.domain import counted
from engine.domain.errors import DomainError, NotDecidable
from engine.services import checking, commands, deciding, ledger, operators, refunding, verify
from models.base import write_transaction
from models.cases import Decision
from models.commands import Command
from models.enums import AccountKind, CommandState, EventKind, PayKind, Role, Verdict
from models.metering import MeterEvent
from models.site import Meter
from tests.conftest import MORNING
from tests.engine.conftest import BALANCE_FEN, CHECKED, COUNT, HURRY, MONEY

PURCHASE = 0x20  # function code
NEVER_AGAIN = dataclasses.replace(HURRY, settle_s=3600.0)
ROUNDS = 12  # of a decision against a read-back
ZONE = dt.UTC


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    """An unknown command is read back at once instead of after 2, 5, 15, 60 s."""
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


@pytest.fixture
def second(practice):
    return operators.create("赵经理", "correct horse", Role.ADMINISTRATOR, at=MORNING)


@pytest.fixture
def decide(practice, second):
    def one(command_id, verdict, request_id="d1"):
        return deciding.decide(
            command_id, verdict, "现场", practice.chief, request_id, zone=ZONE, approver=second
        )

    return one


@pytest.fixture
def freed(practice, second):
    """Read the meter, and free it once the reading is there."""

    async def one(request_id="f1", serial=CHECKED):
        read = commands.request_read(serial, f"read {request_id}")
        assert (await practice.ended(read.id)).state is CommandState.APPLIED
        return deciding.free(serial, "现场", practice.chief, request_id, approver=second)

    return one


def fen(kind, key=CHECKED):
    return ledger.balance_at(kind, key)


async def silent_after_the_write(practice, *, arrives=True):
    """A sale whose meter falls silent, with the purchase in it or not; its number."""
    fault = "no_reply" if arrives else "lost_request"
    practice.meters.inject(f"meter:{CHECKED}", fault, function=PURCHASE)
    command_id = practice.sell()
    await practice.until(lambda: practice.command(command_id).writes)
    if arrives:
        await practice.until(practice.bought)
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
    await practice.until(lambda: practice.command(command_id).state is CommandState.UNKNOWN)
    return command_id


async def test_a_lost_reply_decided_rightly_needs_no_adjustment(practice, decide, freed):
    async with practice.engine():
        command_id = await silent_after_the_write(practice)
        decided = decide(command_id, Verdict.APPLIED)
        practice.meters.inject("site", "clear")
        meter = await freed()

    assert decided.state is CommandState.APPLIED
    assert practice.bought() == [(COUNT + 1, 10_000)]
    assert (meter.frozen, meter.mirror_count) == (False, COUNT + 1)
    assert fen(AccountKind.METER_CREDIT) == BALANCE_FEN + 10_000
    assert fen(AccountKind.ADJUSTMENT) == 0
    assert verify.faults() == []


async def test_a_lost_reply_decided_wrongly_is_found_by_the_next_reading_and_adjusted(
    practice, decide, freed
):
    async with practice.engine():
        command_id = await silent_after_the_write(practice)
        decide(command_id, Verdict.NOT_APPLIED)
        practice.meters.inject("site", "clear")
        await freed()

    foreign = MeterEvent.kind == EventKind.FOREIGN_PURCHASE
    assert MeterEvent.select().where(foreign).count() == 1
    assert fen(AccountKind.REFUND_PAYABLE, "") == 10_000
    assert fen(AccountKind.METER_CREDIT) == BALANCE_FEN + 10_000
    assert fen(AccountKind.ADJUSTMENT) == -10_000
    assert verify.faults() == []


async def test_a_decided_sale_is_never_written_again(practice, decide, freed):
    async with practice.engine():
        command_id = await silent_after_the_write(practice, arrives=False)
        decide(command_id, Verdict.NOT_APPLIED)
        practice.meters.inject("site", "clear")
        await freed()
        await asyncio.sleep(0.3)
        next_id = practice.sell(paid_fen=5_000)
        await practice.ended(next_id)

    assert practice.bought() == [(COUNT + 1, 5_000)]
    assert practice.command(command_id).writes == 1
    assert verify.faults() == []


async def test_what_another_boot_may_still_send_is_decided_by_two_persons(practice, decide, freed):
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", function=PURCHASE)
    command_id = practice.sell()
    async with practice.engine(NEVER_AGAIN):
        await practice.until(lambda: practice.command(command_id).writes)
    with write_transaction():
        Command.update(sender_boot="another/pid:[1]/1").execute()

    async with practice.engine():
        await practice.until(lambda: practice.command(command_id).reason == "other_sender")
        await practice.until(lambda: decided(decide, command_id))
        await freed()

    assert practice.command(command_id).reason == "decided_not_applied"
    assert refunding.payable() == [practice.command(command_id)]
    assert practice.bought() == []
    assert verify.faults() == []


def decided(decide, command_id) -> bool:
    """False while the engine has just taken the command up: asked again, as a person would."""
    try:
        decide(command_id, Verdict.NOT_APPLIED)
    except NotDecidable:
        return False
    return True


async def test_a_refund_whose_reply_was_lost_is_decided_too(practice, decide, freed):
    practice.meters.inject(f"meter:{CHECKED}", "no_reply", function=PURCHASE)
    command_id = refunding.refund(
        CHECKED, 3_000, PayKind.CASH, "搬走", practice.chief, "b1", money=MONEY
    ).id
    async with practice.engine():
        await practice.until(lambda: practice.command(command_id).writes)
        practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
        await practice.until(lambda: practice.command(command_id).state is CommandState.UNKNOWN)
        decide(command_id, Verdict.APPLIED)
        practice.meters.inject("site", "clear")
        await freed()

    balance_fen = practice.meters.meter(CHECKED).balance_fen
    assert fen(AccountKind.METER_CREDIT) == balance_fen
    assert fen(AccountKind.REFUND_PAYABLE, "") == 3_000
    assert verify.faults() == []


async def test_a_corrupt_purchase_in_suspense_is_decided_and_the_meter_freed(
    practice, decide, freed
):
    """Somebody else's 30 yuan take our number just before our frame."""
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", function=PURCHASE)
    async with practice.engine(dataclasses.replace(HURRY, settle_s=0.5)):
        command_id = practice.sell()
        await practice.until(lambda: practice.command(command_id).writes)
        practice.meters.inject(f"meter:{CHECKED}", "foreign_purchase", amount_fen=3_000)
        await practice.ended(command_id)
        assert practice.command(command_id).state is CommandState.SUSPENSE
        decide(command_id, Verdict.NOT_APPLIED)
        await freed()

    assert fen(AccountKind.SUSPENSE) == 0
    assert fen(AccountKind.REFUND_PAYABLE, "") == 10_000
    assert fen(AccountKind.METER_CREDIT) == BALANCE_FEN + 3_000
    assert not Meter.get(Meter.serial == CHECKED).frozen
    assert verify.faults() == []


async def test_a_foreign_purchase_found_by_a_reading_is_freed_with_its_difference(practice, freed):
    async with practice.engine():
        await practice.ended(practice.sell())
        practice.meters.inject(f"meter:{CHECKED}", "foreign_purchase", amount_fen=5_000)
        read = commands.request_read(CHECKED, "look")
        await practice.ended(read.id)
        await practice.until(lambda: Meter.get(Meter.serial == CHECKED).frozen)
        await freed()
        after = await practice.ended(practice.sell(paid_fen=2_000))

    assert after.state is CommandState.APPLIED
    assert fen(AccountKind.ADJUSTMENT) == -5_000
    assert fen(AccountKind.METER_CREDIT) == BALANCE_FEN + 17_000
    assert verify.faults() == []


async def test_a_check_asked_for_now_does_not_wait_for_the_schedule(practice, monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (60,))
    async with practice.engine():
        command_id = await silent_after_the_write(practice)
        practice.meters.inject("site", "clear")
        assert practice.command(command_id).next_check_at > clock.now() + dt.timedelta(seconds=30)
        checking.check_now(command_id, practice.chief, "c1")
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED


async def test_a_decision_against_a_read_back_is_won_by_exactly_one(practice, decide, freed):
    """The meter answers again in the very moment that two persons decide."""
    random.seed(7)
    won = {"engine": 0, "persons": 0}
    async with practice.engine():
        for number in range(ROUNDS):
            practice.meters.meter(CHECKED).purchases.clear()
            command_id = await silent_after_the_write(practice)
            practice.meters.inject("site", "clear")
            await asyncio.sleep(random.uniform(0, 0.08))
            try:
                decide(command_id, Verdict.APPLIED, f"d{number}")
            except DomainError:
                await practice.ended(command_id)
            command = practice.command(command_id)
            assert command.state is CommandState.APPLIED
            by_two = Decision.select().where(Decision.command == command_id).exists()
            assert (command.reason == "decided_applied") is by_two
            won["persons" if by_two else "engine"] += 1
            assert verify.faults() == []
            if by_two:
                await freed(f"f{number}")

    assert sum(won.values()) == ROUNDS
    assert fen(AccountKind.METER_CREDIT) == BALANCE_FEN + ROUNDS * 10_000
    assert fen(AccountKind.ADJUSTMENT) == 0
