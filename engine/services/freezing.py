"""日冻结: the end of a local day, and what the fall of each balance since the last one earned."""

import datetime as dt

import peewee as pw

from engine.services import commands, ledger, transitions
from models.accounts import Installation
from models.base import write_transaction
from models.enums import AccountKind, EntryKind
from models.ledger import DayFreeze
from models.site import Meter


def freeze_day(
    meter: Meter,
    *,
    energy_wh: int,
    balance_fen: int,
    at: dt.datetime,
    epoch: int,
    zone: dt.tzinfo,
) -> DayFreeze | None:
    """Close the local day before `at` for `meter`, once, with the first reading after it.

    Nothing is done for a meter without tenant, one not taken over or frozen, nor while a counted
    command is open or ended after the reading was taken: the next reading does it, or, after
    days, covers them all. Raises StaleEngine.
    """
    today = at.astimezone(zone).date()
    day = today - dt.timedelta(days=1)
    midnight = dt.datetime.combine(today, dt.time(), zone)
    if _due(meter, day, midnight) is None:
        return None
    with write_transaction():
        transitions.require_lease(epoch)
        installation = _due(meter, day, midnight)
        if installation is None or commands.counted_since(meter, at):
            return None
        return _freeze(installation, day, energy_wh=energy_wh, balance_fen=balance_fen, at=at)


def final(
    installation: Installation,
    *,
    energy_wh: int,
    balance_fen: int,
    at: dt.datetime,
    zone: dt.tzinfo,
) -> DayFreeze:
    """The last revenue of a meter that leaves its tenant now.

    Inside the write_transaction that releases it, once an installation, after refund or transfer
    were posted. `energy_wh` and `balance_fen` are the last proved values, read while no counted
    command was open.
    """
    day = at.astimezone(zone).date()
    return _freeze(installation, day, energy_wh=energy_wh, balance_fen=balance_fen, at=at)


def _due(meter: Meter, day: dt.date, midnight: dt.datetime) -> Installation | None:
    """Whose day is still to be closed; None where none is, or not now."""
    closed = DayFreeze.select().where(
        DayFreeze.installation == Installation.id, DayFreeze.day >= day.isoformat()
    )
    found: Installation | None = (
        Installation.select(Installation, Meter)
        .join(Meter)
        .where(
            Installation.meter == meter,
            Installation.closed_at.is_null(),
            Installation.opened_at < midnight,
            Installation.taken_over == True,  # noqa: E712 (SQL)
            Meter.frozen == False,  # noqa: E712 (SQL)
            ~pw.fn.EXISTS(closed),
        )
        .first()
    )
    return found


def _freeze(
    installation: Installation, day: dt.date, *, energy_wh: int, balance_fen: int, at: dt.datetime
) -> DayFreeze:
    """Where the balance is above the books nothing is earned: that is drift, not revenue."""
    meter = installation.meter
    credit = ledger.meter_credit(meter.serial)
    fallen_fen = max(0, ledger.balance_of(credit) - balance_fen)
    entry = None
    if fallen_fen:
        revenue = ledger.account(AccountKind.REVENUE)
        entry = ledger.post(credit, revenue, fallen_fen, EntryKind.REVENUE)
    freeze: DayFreeze = DayFreeze.create(
        day=day.isoformat(),
        meter=meter,
        installation=installation,
        at=at,
        energy_wh=energy_wh,
        balance_fen=balance_fen,
        revenue_fen=fallen_fen,
        entry=entry,
    )
    return freeze
