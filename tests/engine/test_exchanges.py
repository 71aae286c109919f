"""A meter exchanged over real sockets: read, emptied, identified, credited, configured, proved."""

import pytest

from engine.config import Config
from engine.domain import counted
from engine.domain.errors import MeterInExchange
from engine.services import exchanges, ledger, operators, verify
from engine.services.exchanges import Naming
from models.accounts import Installation
from models.base import write_transaction
from models.cases import Exchange
from models.commands import Command, Receipt, Transfer
from models.enums import CommandKind, CommandState, ExchangeStep, InstallationEnd, Role
from models.metering import Latest
from models.people import AuditEntry
from models.site import Meter
from tests.conftest import MORNING
from tests.engine.conftest import BALANCE_FEN, CHECKED, OTHER

CONFIG = Config()
ZONE = CONFIG.site.zone
SWAPPED = "202611239999"  # hangs where the old one hung


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


@pytest.fixture
def engineer(practice):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=MORNING)


@pytest.fixture
def spare(practice):
    """A meter at an address of its own that is nobody's: 12.00 yuan and two purchases in it."""
    with write_transaction():
        meter = Meter.get(Meter.serial == OTHER)
        Installation.delete().where(Installation.meter == meter).execute()
    simulated = practice.meters.meter(OTHER)
    simulated.balance_fen, simulated.count, simulated.energy_wh = 1_200, 2, 40_000
    return meter


def begin(engineer, request_id="e1"):
    return exchanges.begin(CHECKED, "表计损坏", engineer, request_id)


def swap(practice, number=SWAPPED, balance_fen=0):
    """The fitter hangs another meter where CHECKED hung."""
    simulated = practice.meters.meter(CHECKED)
    simulated.number, simulated.balance_fen, simulated.owed, simulated.count = (
        number, balance_fen, 0, 0,
    )  # fmt: skip
    simulated.energy_wh = 700


def advance(exchange, by, **more):
    return exchanges.advance(exchange.id, by, config=CONFIG, **more)


async def onward(practice, exchange, by, **more):
    """Step after step until something but the engine is waited for."""

    def settled():
        nonlocal progress
        progress = advance(exchange, by)
        return not progress.waits.for_engine

    progress = advance(exchange, by, **more)
    await practice.until(settled)
    return progress


def credit(serial):
    return ledger.balance_of(ledger.meter_credit(serial))


async def test_an_exchange_moves_all_credit_to_the_meter_that_proved_its_number(
    practice, engineer, spare
):
    exchange = begin(engineer)

    async with practice.engine():
        progress = await onward(practice, exchange, engineer)
        assert progress.waits.code == "new_meter"
        assert practice.meters.meter(CHECKED).balance_fen == 0
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert (progress.exchange.step, progress.waits.code) == (ExchangeStep.DONE, "done")
    new = practice.meters.meter(OTHER)
    assert (new.balance_fen, new.count) == (1_200 + BALANCE_FEN, 3)
    assert credit(OTHER) == 1_200 + BALANCE_FEN
    assert credit(CHECKED) == 0
    assert ledger.balance_of(ledger.clearing(progress.exchange.transfer)) == 0
    assert Transfer.get().finished_at is not None
    assert Receipt.get().command.kind is CommandKind.TRANSFER_IN
    assert verify.faults() == []


async def test_the_tenant_goes_on_with_the_new_meter_and_history_stays_with_the_old(
    practice, engineer, spare
):
    exchange = begin(engineer)
    practice.meters.meter(CHECKED).energy_wh = 123_450

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        await onward(practice, exchange, engineer)

    first, second = Installation.select().where(
        Installation.account == Installation.get(Installation.ended.is_null(False)).account
    )
    assert (first.meter.serial, first.ended) == (CHECKED, InstallationEnd.EXCHANGED)
    assert (first.last_energy_wh, first.last_balance_fen) == (123_450, BALANCE_FEN)
    assert (second.meter.serial, second.closed_at) == (OTHER, None)
    assert (second.first_energy_wh, second.first_balance_fen) == (40_000, 1_200)
    assert second.opened_at == first.closed_at
    old, new = Meter.get(Meter.serial == CHECKED), Meter.get(Meter.serial == OTHER)
    assert old.retired_at is not None
    assert (new.epoch, new.mirror_count, new.frozen) == (2, 3, False)
    actions = [row.action for row in AuditEntry.select()]
    assert actions.index("exchange_install") < actions.index("exchange_done")


async def test_a_meter_mounted_in_the_old_ones_place_is_made_and_credited(practice, engineer):
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        swap(practice)
        exchanges.name_new(exchange.id, Naming(SWAPPED), engineer)
        progress = await onward(practice, exchange, engineer)

    new, old = Meter.get(Meter.serial == SWAPPED), Meter.get(Meter.serial == CHECKED)
    assert progress.waits.code == "done"
    assert (new.line, new.address, new.model) == (old.line, old.address, old.model)
    assert practice.meters.meter(CHECKED).purchases[-1] == (1, BALANCE_FEN)
    assert credit(SWAPPED) == BALANCE_FEN
    assert practice.meters.meter(CHECKED).money_control
    assert verify.faults() == []


async def test_another_number_at_the_address_is_waited_for_and_can_be_named_again(
    practice, engineer
):
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(SWAPPED), engineer)  # nobody has swapped anything
        progress = await onward(practice, exchange, engineer)

        assert progress.waits.code == "other_meter"
        assert progress.waits.params["found"] == CHECKED
        assert Installation.select().where(Installation.closed_at.is_null(False)).count() == 0
        meter = Meter.get(Meter.serial == SWAPPED)
        assert Latest.get(Latest.meter_id == meter.id).reading is None
        assert verify.faults() == []

        swap(practice)
        progress = await onward(practice, exchange, engineer, again=True)

    assert progress.waits.code == "done"
    assert verify.faults() == []


async def test_a_wrong_number_named_first_is_put_back(practice, engineer, spare):
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER, line="L1", address=1), engineer)
        progress = await onward(practice, exchange, engineer)
        assert progress.waits.code == "other_meter", progress.waits
        swap(practice)
        exchanges.name_new(exchange.id, Naming(SWAPPED), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    other = Meter.get(Meter.serial == OTHER)
    assert (other.line.name, other.address, other.retired_at) == ("L1", 3, None)
    assert verify.faults() == []


async def test_an_exchange_left_at_every_step_goes_on_after_a_restart(practice, engineer, spare):
    """The engine is started for one step at a time, and stopped between them."""
    exchange, seen = begin(engineer), []
    for _ in range(20):
        progress = advance(exchange, engineer)
        seen.append(progress.exchange.step)
        if progress.waits.code == "new_meter":
            exchanges.name_new(exchange.id, Naming(OTHER), engineer)
            continue
        if not progress.waits.for_engine:
            break
        async with practice.engine():
            await practice.ended(progress.exchange.command.id)

    assert progress.waits.code == "done"
    assert set(seen) == set(ExchangeStep) - {ExchangeStep.CANCELLED}
    assert practice.meters.meter(OTHER).balance_fen == 1_200 + BALANCE_FEN
    assert practice.meters.meter(OTHER).count == 3
    assert verify.faults() == []


async def test_use_before_the_last_reading_is_revenue_and_nothing_stays_behind(
    practice, engineer, spare
):
    async with practice.engine():
        await practice.until(lambda: credit(CHECKED) == BALANCE_FEN)
        practice.meters.meter(CHECKED).balance_fen -= 765  # used since the books heard of it
        exchange = begin(engineer)
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    assert practice.meters.meter(OTHER).balance_fen == 1_200 + 8_000
    assert (credit(CHECKED), credit(OTHER)) == (0, 9_200)
    assert verify.faults() == []


async def test_an_empty_meter_is_exchanged_without_a_transfer(practice, engineer, spare):
    practice.meters.meter(CHECKED).balance_fen = 0
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    assert Transfer.select().count() == 0
    assert credit(OTHER) == 1_200
    assert verify.faults() == []


async def test_a_few_fen_that_no_read_back_can_prove_are_rounded_away(practice, engineer, spare):
    practice.meters.meter(CHECKED).balance_fen = 1
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    assert credit(CHECKED) == 0
    assert verify.faults() == []


async def test_arrears_are_paid_first_and_the_exchange_can_be_cancelled(practice, engineer):
    practice.meters.meter(CHECKED).balance_fen = -350
    exchange = begin(engineer)

    async with practice.engine():
        progress = await onward(practice, exchange, engineer)

    assert (progress.waits.code, progress.waits.params) == ("arrears", {"balance": "-3.50"})
    exchanges.cancel(exchange.id, engineer)
    practice.sell(CHECKED)
    assert verify.faults() == []


async def test_nothing_is_sold_to_a_meter_on_its_way_out(practice, engineer):
    begin(engineer)

    with pytest.raises(MeterInExchange):
        practice.sell(CHECKED)


async def test_a_silent_old_meter_is_asked_again_when_told_to(practice, engineer):
    exchange = begin(engineer)
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)

    async with practice.engine():
        progress = await onward(practice, exchange, engineer)
        assert (progress.waits.code, progress.waits.params["why"]) == ("refused", "no_reply")
        practice.meters.inject(f"meter:{CHECKED}", "clear")
        progress = await onward(practice, exchange, engineer, again=True)

    assert progress.waits.code == "new_meter"
    assert verify.faults() == []


async def test_a_dead_meter_is_read_by_hand_and_its_credit_goes_to_the_new_one(
    practice, engineer, spare
):
    async with practice.engine():
        await practice.until(lambda: credit(CHECKED) == BALANCE_FEN)
        practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
        exchange = begin(engineer)
        assert (await onward(practice, exchange, engineer)).waits.code == "refused"
        exchanges.by_hand(
            exchange.id,
            100_000_000,
            8_000,
            "照片 42",
            engineer,
            zone=ZONE,
            approver=practice.chief,
        )
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    assert practice.meters.meter(OTHER).purchases[-1] == (3, 8_000)
    assert (credit(CHECKED), credit(OTHER)) == (0, 9_200)
    assert [leg.kind for leg in Command.select().where(Command.transfer.is_null(False))] == [
        CommandKind.TRANSFER_IN
    ]
    assert verify.faults() == []


async def test_a_meter_that_dies_before_it_is_emptied_is_read_by_hand(practice, engineer, spare):
    exchange = begin(engineer)
    async with practice.engine():
        await practice.ended(advance(exchange, engineer).exchange.command.id)
        practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
        assert (await onward(practice, exchange, engineer)).waits.code == "refused"
        exchanges.by_hand(
            exchange.id,
            100_000_000,
            BALANCE_FEN,
            "照片",
            engineer,
            zone=ZONE,
            approver=practice.chief,
        )
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    assert practice.meters.meter(OTHER).purchases[-1] == (3, BALANCE_FEN)
    assert verify.faults() == []


async def test_a_reading_nobody_was_there_for_is_asked_again_by_itself(practice, engineer):
    exchange = begin(engineer)
    first = advance(exchange, engineer).exchange.command
    with write_transaction():
        Command.update(expires_at=MORNING).where(Command.id == first.id).execute()

    async with practice.engine():
        progress = await onward(practice, exchange, engineer)

    assert practice.command(first.id).reason == "expired"
    assert progress.waits.code == "new_meter"


async def test_a_second_leg_refused_by_the_ceiling_waits_and_is_tried_again(
    practice, engineer, spare
):
    exchange = begin(engineer)
    practice.meters.meter(OTHER).balance_fen = CONFIG.money.ceiling_fen

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)
        assert (progress.waits.code, progress.waits.params["why"]) == ("refused", "ceiling")
        assert ledger.balance_of(ledger.clearing(progress.exchange.transfer)) == BALANCE_FEN
        assert verify.faults() == []
        practice.meters.meter(OTHER).balance_fen -= BALANCE_FEN  # used meanwhile
        progress = await onward(practice, exchange, engineer, again=True)

    assert progress.exchange.step is ExchangeStep.READ_BACK or progress.waits.code == "done"
    assert ledger.balance_of(ledger.clearing(progress.exchange.transfer)) == 0
    assert verify.faults() == []


@pytest.mark.parametrize("fault", ["no_reply", "lost_request"])
async def test_a_lost_frame_of_either_leg_is_decided_by_the_read_back(
    practice, engineer, spare, fault
):
    for serial in (CHECKED, OTHER):
        practice.meters.inject(f"meter:{serial}", fault, function=0x20)
    exchange = begin(engineer)

    async with practice.engine():
        await onward(practice, exchange, engineer)
        exchanges.name_new(exchange.id, Naming(OTHER), engineer)
        progress = await onward(practice, exchange, engineer)

    assert progress.waits.code == "done"
    legs = [
        (leg.kind, leg.state) for leg in Command.select().where(Command.transfer.is_null(False))
    ]
    assert legs == [
        (CommandKind.TRANSFER_OUT, CommandState.APPLIED),
        (CommandKind.TRANSFER_IN, CommandState.APPLIED),
    ]
    assert practice.meters.meter(OTHER).balance_fen == 1_200 + BALANCE_FEN
    assert Exchange.get().finished_at is not None
    assert verify.faults() == []
