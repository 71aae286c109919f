"""Whatever is asked for in whatever order: the books stay right, and no fen appears or vanishes."""

import random
from collections.abc import Callable

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import DomainError, StaleEngine
from engine.services import ledger, selling, verify
from models.commands import Command
from models.enums import AccountKind, CommandState, PayKind
from models.ledger import LedgerAccount
from models.site import Meter

STEPS = 120


@pytest.fixture
def world(sell, send, settle, poll, add_meter, operator, clock):
    """Three meters, and one random deed after the other; many of them are refused."""
    shops = [add_meter(f"20261123100{number}") for number in range(3)]

    def state(count_off: int = 0) -> PurchaseState:
        return PurchaseState(4 + count_off, 500, 1000)

    def any_command(dice: random.Random) -> Command:
        return dice.choice(list(Command.select()) or [Command(id=0)])

    def deeds(dice: random.Random) -> list[Callable[[], object]]:
        shop = dice.choice(shops)
        known = Meter.get_by_id(shop.id).mirror_count or 4
        seen = state(known - 4 + dice.choice([0, 0, 0, 1]))
        money = {"paid_fen": dice.randint(1, 30_000), "fee_pct": dice.choice([0, 2, 50])}
        request_id = f"r{dice.randint(0, 60)}"
        pay = dice.choice(list(PayKind))
        return [
            lambda: sell(request_id, to=shop, pay=pay, **money),
            lambda: sell(request_id, to=shop, pay=pay, **money),
            lambda: selling.void(any_command(dice).id, operator, undo_s=20),
            lambda: send(any_command(dice), seen),
            lambda: send(any_command(dice), seen, epoch=6),
            lambda: settle(any_command(dice), dice.choice(SETTLING), seen, "no_reply"),
            lambda: settle(any_command(dice), Step.CONFIRM, seen),
            lambda: poll(shop, balance_fen=dice.randint(-100, 9_000), count=seen.count),
            lambda: clock.advance(seconds=dice.randint(1, 30)),
        ]

    return deeds


SETTLING = [Step.CONFIRM, Step.REFUSE, Step.SUSPEND, Step.KEEP]


@pytest.mark.parametrize("seed", range(8))
def test_after_any_deeds_in_any_order_the_books_are_right(world, seed):
    dice = random.Random(seed)
    refused = 0

    for _ in range(STEPS):
        try:
            dice.choice(world(dice))()
        except (DomainError, StaleEngine):
            refused += 1

    assert verify.faults() == []
    assert 0 < refused < STEPS
    paid_fen = sum(
        command.amount_fen + command.fee_fen
        for command in Command.select()
        if command.state not in (CommandState.REFUSED, CommandState.VOIDED)
    )
    tills = LedgerAccount.select().where(LedgerAccount.kind == AccountKind.CASH)
    assert sum(map(ledger.balance_of, tills)) == paid_fen
