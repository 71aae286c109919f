"""日冻结: the end of a local day, and what the fall of each balance since the last one earned."""

import datetime as dt

from engine.services import ledger, standing, transitions
from engine.services.standing import Standing
from models.accounts import Installation
from models.base import write_transaction
from models.enums import AccountKind, EntryKind
from models.ledger import DayFreeze
from models.site import Meter


def is_due(books: Standing, at: dt.datetime, zone: dt.tzinfo) -> bool:
    """Did a local day end before `at` that is not closed? As far as one look can tell."""
    day, midnight = _day_before(at, zone)
    return (
        books.taken_over
        and not books.frozen
        and books.opened_at is not None
        and books.opened_at < midnight
        and (books.last_day is None or books.last_day < day.isoformat())
    )


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
    with write_transaction():
        transitions.require_lease(epoch)
        books = standing.of(meter, at)
        if books.busy or not is_due(books, at, zone):
            return None
        installation = Installation.get_by_id(books.installation)
        day, _ = _day_before(at, zone)
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


def _day_before(at: dt.datetime, zone: dt.tzinfo) -> tuple[dt.date, dt.datetime]:
    """The last local day that had ended at `at`, and the midnight that ended it."""
    today = at.astimezone(zone).date()
    return today - dt.timedelta(days=1), dt.datetime.combine(today, dt.time(), zone)


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
