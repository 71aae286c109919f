"""Accounts opened and closed over real sockets: what the meter holds and shows at the end."""

import pytest

from engine.domain import counted
from engine.domain.errors import AlreadyOpen, CommandOpen
from engine.services import (
    accounts,
    closing,
    ledger,
    meters,
    moving,
    opening,
    operators,
    verify,
)
from engine.services.closing_steps import Step
from models import base
from models.accounts import Account, Installation
from models.commands import OPEN_STATES, Command, Transfer
from models.enums import AccountKind, InstallationEnd, PayKind, Role
from models.site import Meter
from tests.conftest import MORNING
from tests.engine.conftest import BALANCE_FEN, CHECKED, MONEY, OTHER, ZONE

CONTROL, SWITCH = 0x20, 0x10  # function codes


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


@pytest.fixture
def vacant(practice):
    """CHECKED is nobody's, its credit gone; OTHER stays 茶馆's."""
    with base.write_transaction():
        Installation.delete().where(
            Installation.meter == Meter.get(Meter.serial == CHECKED)
        ).execute()
    practice.meters.meter(CHECKED).balance_fen = 0
    return CHECKED


async def drive(practice, step, *, until=lambda plan: plan.step is Step.DONE, most=30):
    """Call `step` until it is done, each time when what it queued has ended."""
    for _ in range(most):
        plan = step()
        if until(plan):
            return plan
        await practice.until(
            lambda: not Command.select().where(Command.state.in_(OPEN_STATES)).exists()
        )
    raise AssertionError(plan)


def close(practice, number=CHECKED, **more):
    return drive(
        practice,
        lambda: closing.advance(number, practice.chief, money=MONEY, zone=ZONE, **more),
        until=lambda plan: plan.closed,
    )


def meter_of(serial=CHECKED):
    return Meter.get(Meter.serial == serial)


def credit(serial=CHECKED):
    return ledger.balance_of(ledger.meter_credit(serial))


async def test_from_opening_with_an_amount_to_closing_with_a_refund(practice, vacant):
    accounts.register("T900", "重庆小面", "13800138000", practice.chief)
    async with practice.engine():
        opened = opening.open_account(
            "T900", [vacant], practice.chief, "o1", config=practice.config,
            amount_fen=10_000, pay=PayKind.CASH,
        )  # fmt: skip
        ended = [await practice.ended(command.id) for command in opened.commands]
        assert [(each.kind, each.state) for each in ended] == [
            ("download", "applied"), ("sell", "applied"),
        ]  # fmt: skip
        assert practice.meters.meter(CHECKED).balance_fen == 10_000

        plan = await close(practice, "T900")

    meter = practice.meters.meter(CHECKED)
    assert (meter.balance_fen, meter.relay_closed) == (0, False)
    assert opening.is_forced_off(meter_of())
    assert plan.account.closed_at is not None
    ended_one = Installation.get(Installation.account == plan.account)
    assert (ended_one.ended, ended_one.last_balance_fen) == (InstallationEnd.CLOSED, 0)
    assert ended_one.first_energy_wh is not None
    assert (credit(), meter_of().epoch) == (0, 2)
    assert ledger.balance_of(ledger.refund_payable()) == 0
    assert verify.faults() == []


async def test_what_was_used_before_the_close_is_revenue(practice):
    async with practice.engine():
        await practice.ended(practice.sell())
        practice.meters.meter(CHECKED).balance_fen -= 1_234
        await close(practice)

    revenue = ledger.account(AccountKind.REVENUE)
    assert ledger.balance_of(revenue) == 1_234
    assert (credit(), practice.meters.meter(CHECKED).balance_fen) == (0, 0)
    assert verify.faults() == []


async def test_a_closed_meter_opens_for_the_next_tenant_and_is_switched_on(practice):
    accounts.register("T901", "下一家", "", practice.chief)
    async with practice.engine():
        await close(practice)
        opened = opening.open_account(
            "T901", [CHECKED], practice.chief, "o2", config=practice.config,
            amount_fen=5_000, pay=PayKind.CARD,
        )  # fmt: skip
        ended = [await practice.ended(command.id) for command in opened.commands]

    assert [(each.kind, each.state) for each in ended] == [
        ("download", "applied"), ("resume", "applied"), ("sell", "applied"),
    ]  # fmt: skip
    meter = practice.meters.meter(CHECKED)
    assert (meter.balance_fen, meter.force_active) == (5_000, False)
    assert credit() == 5_000
    assert verify.faults() == []


async def test_the_balance_goes_to_a_named_meter_instead(practice):
    async with practice.engine():
        plan = await close(practice, transfer_to=OTHER)

    assert plan.closed
    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert practice.meters.meter(OTHER).balance_fen == 2 * BALANCE_FEN
    assert Transfer.get().finished_at is not None
    assert verify.faults() == []


async def test_a_closing_that_is_left_goes_on_after_the_engine_was_away(practice):
    closing.advance(CHECKED, practice.chief, money=MONEY, zone=ZONE)
    async with practice.engine():
        await practice.until(lambda: not Command.get().state.open)
        closing.advance(CHECKED, practice.chief, money=MONEY, zone=ZONE)
    async with practice.engine():
        plan = await close(practice)

    assert plan.closed
    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert verify.faults() == []


@pytest.mark.parametrize("fault", ["no_reply", "lost_request"])
@pytest.mark.parametrize("function", [CONTROL, SWITCH], ids=["refund", "trip"])
async def test_a_lost_frame_makes_the_closing_longer_and_nothing_else(practice, fault, function):
    async with practice.engine():
        await practice.ended(practice.sell())
        practice.meters.inject(f"meter:{CHECKED}", fault, function=function, count=1)
        plan = await close(practice)

    assert plan.closed
    assert practice.meters.meter(CHECKED).balance_fen == 0
    assert (credit(), ledger.balance_of(ledger.refund_payable())) == (0, 0)
    assert verify.faults() == []


async def test_a_sale_under_way_holds_the_closing_up_and_is_named(practice):
    sale = practice.sell()

    with pytest.raises(CommandOpen) as refused:
        closing.advance(CHECKED, practice.chief, money=MONEY, zone=ZONE)

    assert refused.value.params == {"serial": CHECKED, "command": sale}
    assert Command.select().count() == 1


async def test_arrears_are_paid_or_written_off_by_two(practice):
    practice.meters.meter(CHECKED).balance_fen = -700
    async with practice.engine():
        plan = await drive(
            practice,
            lambda: closing.advance(CHECKED, practice.chief, money=MONEY, zone=ZONE),
            until=lambda plan: plan.meters and plan.meters[0].step is Step.PAY_ARREARS,
        )
        assert plan.meters[0].balance_fen == -700
        boss = operators.create("赵敏", "correct horse", Role.SUPERVISOR, at=MORNING)
        plan = await close(practice, write_off=True, approver=boss)

    assert plan.closed
    assert (practice.meters.meter(CHECKED).balance_fen, credit()) == (0, 0)
    assert verify.faults() == []


async def test_a_tenant_moves_to_another_shop_with_its_credit(practice, vacant):
    async with practice.engine():
        plan = await drive(
            practice,
            lambda: moving.move(OTHER, vacant, practice.chief, "m1", config=practice.config),
        )

    assert plan.step is Step.DONE
    assert meters.installation_of(meter_of(OTHER)) is None
    assert meters.installation_of(meter_of(CHECKED)).account.number == OTHER
    assert practice.meters.meter(CHECKED).balance_fen == BALANCE_FEN
    assert practice.meters.meter(OTHER).balance_fen == 0
    old = Installation.get(Installation.ended == InstallationEnd.MOVED)
    assert old.meter.serial == OTHER
    assert verify.faults() == []


@pytest.mark.parametrize("keep", [True, False], ids=["credit stays", "credit refunded"])
async def test_a_shop_goes_to_another_tenant_at_one_reading(practice, keep):
    accounts.register("T902", "接手", "", practice.chief)
    async with practice.engine():
        await drive(
            practice,
            lambda: moving.hand_over(
                CHECKED, "T902", practice.chief, money=MONEY, zone=ZONE, keep=keep
            ),
        )

    before, after = (
        Installation.select()
        .where(Installation.meter == meter_of())
        .order_by(Installation.opened_at)
    )
    assert (before.ended, after.account.number) == (InstallationEnd.MOVED, "T902")
    assert before.last_energy_wh == after.first_energy_wh
    left = BALANCE_FEN if keep else 0
    assert (before.last_balance_fen, after.first_balance_fen, credit()) == (left, left, left)
    assert not opening.is_forced_off(meter_of())
    assert verify.faults() == []


async def test_nobody_takes_a_meter_that_is_anothers(practice):
    with pytest.raises(AlreadyOpen):
        moving.move(CHECKED, OTHER, practice.chief, "m1", config=practice.config)


async def test_one_meter_of_several_is_released(practice, vacant):
    async with practice.engine():
        opening.open_account(OTHER, [vacant], practice.chief, "o1", config=practice.config)
        await drive(
            practice, lambda: closing.release(OTHER, practice.chief, money=MONEY, zone=ZONE)
        )

    account = Account.get(Account.number == OTHER)
    assert account.closed_at is None
    assert [each.meter.serial for each in accounts.installations_of(account)] == [CHECKED]
    assert [command.serial for command in closing.payable_of(account)] == [OTHER]
    assert verify.faults() == []
