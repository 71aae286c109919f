"""A sale on its way to a meter, over real sockets, with what may go wrong on it."""

from engine.services import ledger, verify
from models.commands import Receipt
from models.enums import CommandState
from tests.engine.conftest import BALANCE_FEN, BLIND, CHECKED, COUNT


def in_flight(serial=CHECKED):
    return ledger.balance_of(ledger.in_flight(serial))


def credit(serial=CHECKED):
    return ledger.balance_of(ledger.meter_credit(serial))


async def test_a_sale_arrives_in_the_meter_and_is_proved_by_its_own_values(practice):
    command_id = practice.sell()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought() == [(COUNT + 1, 10_000)]
    assert (command.base_count, command.after_count) == (COUNT, COUNT + 1)
    assert command.after_balance_fen == BALANCE_FEN + 10_000
    assert Receipt.select().count() == 1
    assert (in_flight(), credit()) == (0, BALANCE_FEN + 10_000)
    assert verify.faults() == []


async def test_a_sale_to_a_blind_meter_arrives_once(practice):
    command_id = practice.sell(BLIND)

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought(BLIND) == [(COUNT + 1, 10_000)]
