"""A sale on its way to a meter, over real sockets, with what may go wrong on it."""

import asyncio
import dataclasses

import peewee as pw
import pytest

from engine.domain import counted
from engine.services import commands, ledger, selling, verify
from models.base import write_transaction
from models.commands import Attempt, Command, Receipt
from models.enums import CommandState, EventKind
from models.metering import Latest, MeterEvent
from models.site import Meter
from tests.engine.conftest import BALANCE_FEN, BLIND, CHECKED, COUNT, HURRY

PURCHASE = 0x20  # function code
PATIENT_S = 0.5  # between two looks: long enough for somebody else to come by
EITHER = pytest.mark.parametrize("serial", [CHECKED, BLIND], ids=["checked", "blind"])


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    """An unknown command is read back at once instead of after 2, 5, 15, 60 s."""
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


def in_flight(serial=CHECKED):
    return ledger.balance_of(ledger.in_flight(serial))


def credit(serial=CHECKED):
    return ledger.balance_of(ledger.meter_credit(serial))


def steps(command):
    return [row.step for row in Attempt.select().where(Attempt.command == command)]


def lose(practice, serial, name, **options):
    """Something happens to the next purchase on its way."""
    practice.meters.inject(f"meter:{serial}", name, function=PURCHASE, **options)


@EITHER
async def test_a_sale_arrives_once_and_is_proved_by_the_meters_own_values(practice, serial):
    command_id = practice.sell(serial)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought(serial) == [(COUNT + 1, 10_000)]
    assert (command.base_count, command.after_count) == (COUNT, COUNT + 1)
    assert command.base_balance_fen == BALANCE_FEN
    assert command.after_balance_fen == BALANCE_FEN + 10_000
    assert Receipt.select().count() == 1
    assert (in_flight(serial), credit(serial)) == (0, BALANCE_FEN + 10_000)
    assert verify.faults() == []


async def test_every_frame_of_a_sale_is_kept_as_evidence(practice):
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert [step for step in steps(command) if step != "settings"] == [
        "fence", "identity", "before", "write", "fence", "identity", "read_back",
    ]  # fmt: skip
    assert Attempt.get(Attempt.step == "write").request[1] == PURCHASE


async def test_a_sale_is_carried_out_while_the_engine_runs_and_shows_its_balance_at_once(practice):
    async with practice.engine() as engine:
        await practice.until(lambda: Latest.select().count() == 4)
        command_id = practice.sell()
        engine.wake()
        await practice.ended(command_id)
        meter = Meter.get(Meter.serial == CHECKED)
        await practice.until(
            lambda: (
                f'"balance_fen":{BALANCE_FEN + 10_000}'
                in Latest.get(Latest.meter_id == meter.id).reading
            )
        )


@EITHER
async def test_a_lost_reply_is_proved_by_reading_back(practice, serial):
    lose(practice, serial, "no_reply")
    command_id = practice.sell(serial)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert command.writes == 1
    assert practice.bought(serial) == [(COUNT + 1, 10_000)]


@EITHER
async def test_a_lost_request_is_written_again_after_two_looks(practice, serial):
    lose(practice, serial, "lost_request")
    command_id = practice.sell(serial)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert command.writes == 2
    assert practice.bought(serial) == [(COUNT + 1, 10_000)]
    done = steps(command)
    first, second = (number for number, step in enumerate(done) if step == "write")
    assert done[first + 1 : second].count("read_back") == 2
    assert "fence" in done[first + 1 : second]


async def test_a_purchase_that_never_arrives_gives_the_money_back(practice):
    lose(practice, CHECKED, "lost_request", count=0)
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "not_applied")
    assert command.writes == practice.config.money.writes_max
    assert practice.bought() == []
    assert (in_flight(), credit()) == (0, BALANCE_FEN)
    assert verify.faults() == []


@EITHER
async def test_a_request_that_arrives_late_is_not_written_again(practice, serial):
    lose(practice, serial, "late_request", delay_s=0.4)
    command_id = practice.sell(serial)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought(serial) == [(COUNT + 1, 10_000)]


async def test_what_a_meter_refuses_goes_back_to_the_till(practice):
    lose(practice, CHECKED, "refuse")
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "refused_by_meter")
    assert command.writes == 1
    assert in_flight() == 0
    assert practice.bought() == []


async def test_busy_is_no_refusal(practice):
    lose(practice, CHECKED, "busy")
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.writes) == (CommandState.APPLIED, 2)
    assert practice.bought() == [(COUNT + 1, 10_000)]


@EITHER
async def test_another_hand_between_write_and_look_is_for_a_person(practice, serial):
    """Ours is lost, somebody else's takes its number."""
    lose(practice, serial, "lost_request")
    command_id = practice.sell(serial)

    async with practice.engine(dataclasses.replace(HURRY, settle_s=PATIENT_S)):
        await practice.until(lambda: "write" in steps(practice.command(command_id)))
        practice.meters.inject(f"meter:{serial}", "foreign_purchase", amount_fen=700)
        command = await practice.ended(command_id)
        await practice.until(lambda: MeterEvent.get_or_none(kind=EventKind.SUSPENSE))

    assert command.state is CommandState.SUSPENSE
    assert practice.bought(serial) == [(COUNT + 1, 700)]
    assert Meter.get(Meter.serial == serial).frozen
    assert ledger.balance_of(ledger.suspense(serial)) == 10_000
    assert verify.faults() == []


async def test_a_meter_whose_count_moved_before_the_sale_is_sent_nothing(practice):
    async with practice.engine():
        await practice.until(lambda: Meter.get(Meter.serial == CHECKED).mirror_count == COUNT)
    practice.meters.inject(f"meter:{CHECKED}", "reset_counter", value=COUNT + 3)
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "count_moved")
    assert "write" not in steps(command)
    assert in_flight() == 0


async def test_another_meter_at_the_address_is_sent_nothing(practice):
    practice.meters.meter(CHECKED).number = "209912310009"
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "other_meter")
    assert "write" not in steps(command)


async def test_another_model_at_the_address_is_sent_nothing(practice):
    with write_transaction():
        Meter.update(model="DTSY1352-NK").where(Meter.serial == CHECKED).execute()
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "other_model")
    assert "write" not in steps(command)


async def test_a_meter_that_holds_too_much_is_sent_nothing(practice):
    """Never read before, so the sale itself could not know."""
    practice.meters.meter(CHECKED).balance_fen = practice.config.money.ceiling_fen
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "ceiling")
    assert "write" not in steps(command)


async def test_a_purchase_counter_near_its_end_is_not_used_up(practice):
    practice.meters.meter(CHECKED).count = counted.COUNT_MAX
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "count_exhausted")


async def test_a_sale_to_a_silent_meter_gives_the_money_back_with_nothing_sent(practice):
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "no_reply")
    assert set(steps(command)) == {"fence"}
    assert in_flight() == 0


async def test_a_sale_waits_in_the_queue_while_its_line_is_down(practice):
    practice.meters.inject("line:L1", "refuse_connections", delay_s=1.0)
    command_id = practice.sell()

    async with practice.engine() as engine:
        await practice.until(lambda: engine.state == "running")
        await asyncio.sleep(0.3)
        waiting = practice.command(command_id)
        command = await practice.ended(command_id)

    assert waiting.state is CommandState.QUEUED
    assert command.state is CommandState.APPLIED
    assert practice.bought() == [(COUNT + 1, 10_000)]


async def test_a_line_that_breaks_in_the_reply_is_proved_when_it_is_back(practice):
    lose(practice, CHECKED, "drop_connection")
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.writes) == (CommandState.APPLIED, 1)
    assert practice.bought() == [(COUNT + 1, 10_000)]


async def test_a_meter_that_falls_silent_after_the_write_leaves_the_sale_unknown(practice):
    lose(practice, CHECKED, "no_reply")
    command_id = practice.sell()

    async with practice.engine():
        await practice.until(practice.bought)
        practice.meters.inject(f"meter:{CHECKED}", "lost_request", count=0)
        await practice.until(lambda: practice.command(command_id).state is CommandState.UNKNOWN)
        unknown = practice.command(command_id)
        practice.meters.inject("site", "clear")
        command = await practice.ended(command_id)

    assert unknown.reason == "no_reply"
    assert (command.state, command.writes) == (CommandState.APPLIED, 1)


async def test_a_sale_voided_while_it_was_taken_up_is_dropped(practice):
    command_id = practice.sell()
    cashier = Command.get_by_id(command_id).operator
    practice.meters.inject(f"meter:{CHECKED}", "late_reply", delay_s=0.1)

    async with practice.engine() as engine:
        await practice.until(lambda: engine.state == "running")
        selling.void(command_id, cashier, undo_s=60)
        await practice.until(lambda: Latest.select().count() == 4)
        assert engine.state == "running"

    assert practice.command(command_id).state is CommandState.VOIDED
    assert practice.bought() == []
    assert in_flight() == 0


async def test_a_disk_that_is_full_in_mid_sale_is_tried_again_and_the_sale_arrives_once(
    practice, monkeypatch
):
    settle = commands.settle
    full = iter([pw.OperationalError("database or disk is full")])

    def full_once(*args, **options):
        for error in full:
            raise error
        return settle(*args, **options)

    monkeypatch.setattr(commands, "settle", full_once)
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought() == [(COUNT + 1, 10_000)]
    assert verify.faults() == []


async def test_sales_to_two_meters_of_a_line_are_both_carried_out(practice):
    ids = [practice.sell(CHECKED), practice.sell(BLIND)]

    async with practice.engine():
        states = [(await practice.ended(command_id)).state for command_id in ids]

    assert states == [CommandState.APPLIED] * 2


async def test_a_sale_that_nobody_carried_out_in_time_gives_the_money_back(practice):
    command_id = practice.sell()
    with write_transaction():
        Command.update(expires_at=Command.get_by_id(command_id).created_at).execute()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "expired")
    assert practice.bought() == []
    assert in_flight() == 0


async def test_a_sale_to_a_model_without_a_map_gives_the_money_back(practice):
    with write_transaction():
        Meter.update(model="NOBODY-1").where(Meter.serial == CHECKED).execute()
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.reason) == (CommandState.REFUSED, "no_map")
    assert in_flight() == 0


async def test_a_sale_that_left_to_a_meter_nobody_can_ask_any_more_is_unknown_not_sent_for_ever(
    practice,
):
    command = Command.get_by_id(practice.sell())
    Command.update(
        state=CommandState.SENT, seq=6, base_count=5, base_balance_fen=1, base_energy_wh=1, writes=1
    ).where(Command.id == command.id).execute()
    Meter.update(model="none").where(Meter.id == command.meter.id).execute()

    async with practice.engine():
        await practice.until(lambda: Command.get().state is CommandState.UNKNOWN)

    assert Command.get().reason == "no_map"
