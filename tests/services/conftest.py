"""What a sale needs besides a site: a lease, the short way through a sale, a picture of it all."""

import datetime as dt
from collections.abc import Callable

import pytest

from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.domain.measurement import MeterReading
from engine.services import commands, readings, selling
from models import base
from models.commands import Command, Lease
from models.enums import PayKind
from models.people import Operator
from models.site import Meter
from models.store import CORE_TABLES, READINGS_TABLES

EPOCH = 7
ZONE = dt.timezone(dt.timedelta(hours=8))
BASE = PurchaseState(count=4, balance_fen=500, energy_wh=1000)


@pytest.fixture
def lease(db, clock) -> int:
    """The site is held by an engine of epoch 7, in both databases."""
    with base.write_transaction():
        Lease.create(
            resource="site", holder="here", epoch=EPOCH, expires_boot_ms=0, host="h",
            boot_id="b", pid=1, since=clock.at,
        )  # fmt: skip
    readings.own(EPOCH)
    return EPOCH


@pytest.fixture
def sell(meter, operator) -> Callable[..., Command]:
    """Sell 100 yuan in cash, no fee, unless told otherwise."""

    def one(
        request_id: str = "r1", *, to: Meter = meter, paid_fen: int = 10_000,
        pay: PayKind = PayKind.CASH, by: Operator = operator, **money: object,
    ) -> Command:  # fmt: skip
        return selling.sell(to.serial, paid_fen, pay, by, request_id, money=MoneySection(**money))

    return one


@pytest.fixture
def send(lease) -> Callable[..., Command]:
    """Mark a command sent, by this engine, to a meter that says count 4 and 5.00 yuan."""

    def one(command: Command, state: PurchaseState = BASE, epoch: int = EPOCH) -> Command:
        return commands.mark_sent(command.id, state, epoch, "this boot", 4711)

    return one


@pytest.fixture
def settle() -> Callable[..., Command]:
    def one(
        command: Command, step: Step, after: PurchaseState | None = None,
        reason: str | None = None, epoch: int = EPOCH,
    ) -> Command:  # fmt: skip
        return commands.settle(command.id, step, after, reason, epoch, zone=ZONE)

    return one


@pytest.fixture
def prove(send, settle) -> Callable[[Command], Command]:
    """Carry a queued sale to its meter, where it arrives whole."""

    def one(command: Command, state: PurchaseState = BASE) -> Command:
        send(command, state)
        balance_fen = state.balance_fen + command.amount_fen
        after = PurchaseState(state.count + 1, balance_fen, state.energy_wh)
        return settle(command, Step.CONFIRM, after)

    return one


@pytest.fixture
def poll(lease, clock) -> Callable[..., readings.Acceptance]:
    """Store what a meter says now; the last quarter of the day's rates takes all energy."""

    def one(
        meter: Meter, energy_wh: int = 1000, *, balance_fen: int | None = 500,
        count: int | None = 4, epoch: int = EPOCH, **fields: object,
    ) -> readings.Acceptance:  # fmt: skip
        reading = MeterReading(
            energy_wh=energy_wh, energy_by_rate_wh=(0, 0, 0, energy_wh),
            balance_fen=balance_fen, purchase_count=count, voltage_mv=(230_000,), **fields,
        )  # fmt: skip
        return readings.store(
            meter, reading, at=clock.at, slot_s=1800, raw_frame=b"\x01\x03", epoch=epoch, zone=ZONE
        )

    return one


@pytest.fixture
def picture(db) -> Callable[[], dict[str, list[tuple[object, ...]]]]:
    """Every row of both databases, to compare before and after."""

    def all_rows() -> dict[str, list[tuple[object, ...]]]:
        return {
            table._meta.table_name: list(table.select().tuples())
            for table in (*CORE_TABLES, *READINGS_TABLES)
        }

    return all_rows
