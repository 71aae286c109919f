"""The moment of a meter exchange: the old meter ends with the tenant, the new one begins."""

import datetime as dt

from engine import clock
from engine.domain.measurement import MeterReading
from engine.services import audit, exchange_rows, hand_reading, locking, meters, stepping
from models.accounts import Account, Installation
from models.base import next_rev
from models.cases import Exchange
from models.enums import ExchangeStep, InstallationEnd
from models.people import Operator
from models.site import Meter

HANDED_ON = (
    "shop", "floor", "location", "building", "tariff", "tariff_at", "alarm1_fen", "alarm2_fen",
    "overload_w", "overload_trips_max", "overload_recovery_min", "overdraft_fen", "time_control",
    "interval_s", "parent", "protected",
)  # fmt: skip


def install(exchange: Exchange, reading: MeterReading, by: Operator, zone: dt.tzinfo) -> None:
    """The new meter has proved its number: all that the books know of the old one passes to it.

    The credit found in it is taken over and its epoch rises. Inside a write_transaction; changes
    nothing where somebody else was first.
    """
    new, now = exchange.new, clock.now()
    assert new is not None, exchange.id
    assert reading.balance_fen is not None, new.serial
    assert reading.purchase_count is not None, new.serial
    moved = exchange_rows.change(
        exchange, step=ExchangeStep.TRANSFER, first_energy_wh=reading.energy_wh, command=None
    )
    if not moved:
        return
    old = Meter.get_by_id(exchange.old.id)
    ended = meters.installation_of(old)
    assert ended is not None, old.serial
    _close_books(exchange, by, zone)
    Installation.update(
        closed_at=now,
        ended=InstallationEnd.EXCHANGED,
        last_energy_wh=exchange.final_energy_wh,
        last_balance_fen=exchange.final_balance_fen,
    ).where(Installation.id == ended.id).execute()
    _hand_on(old, new)
    begun = Installation.create(
        meter=new,
        account=ended.account,
        opened_at=now,
        first_energy_wh=reading.energy_wh,
        first_balance_fen=reading.balance_fen,
        shop=old.shop,
    )
    stepping.carry_over(ended, begun, exchange.final_energy_wh, reading.energy_wh, now)
    meters.take_over(
        new,
        balance_fen=reading.balance_fen,
        count=reading.purchase_count,
        energy_wh=reading.energy_wh,
    )
    Account.update(rev=next_rev(Account)).where(Account.id == ended.account.id).execute()
    detail = {
        "exchange": exchange.id,
        "new": new.serial,
        "last_wh": exchange.final_energy_wh,
        "first_wh": reading.energy_wh,
        "found_fen": reading.balance_fen,
    }
    audit.write(by.name, "exchange_install", old.serial, detail)


def _close_books(exchange: Exchange, by: Operator, zone: dt.tzinfo) -> None:
    """Nothing of the old meter stays in the mirror: no freeze will ever hear it again.

    What was read by hand has had its last freeze then.
    """
    if not exchange.by_hand:
        moved = exchange.transfer is not None
        left_fen = 0 if moved else max(0, exchange.final_balance_fen or 0)
        assert exchange.final_energy_wh is not None, exchange.id
        hand_reading.close_day(exchange.old, exchange.final_energy_wh, left_fen, zone)
    hand_reading.round_off(exchange.old, by)


def _hand_on(old: Meter, new: Meter) -> None:
    """Place, tariff and thresholds to the new meter; the old one is retired, its history stays."""
    rev = next_rev(Meter)
    retired_at = old.retired_at or clock.now()
    Meter.update(retired_at=retired_at, epoch=Meter.epoch + 1, rev=rev).where(
        Meter.id == old.id
    ).execute()  # nothing of this tenant is reversed should the meter come back for another
    handed = {name: getattr(old, name) for name in HANDED_ON}
    Meter.update(**handed, epoch=Meter.epoch + 1, rev=rev).where(Meter.id == new.id).execute()
    Meter.update(parent=new.serial, rev=rev).where(Meter.parent == old.serial).execute()
    locking.go_on(old, new)
