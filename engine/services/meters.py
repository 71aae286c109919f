"""What the books say of a meter: found, opened, frozen, its expected count, its take-over."""

import peewee as pw

from engine.domain.errors import MeterRetired, NoSuchMeter
from engine.domain.measurement import MeterReading
from engine.services import ledger
from models.accounts import Account, Installation
from models.commands import Command
from models.enums import CommandState, EntryKind
from models.metering import Latest
from models.site import Meter


def living(serial: str) -> Meter:
    """The meter of that number. Raises NoSuchMeter, MeterRetired."""
    meter = any_of(serial)
    if meter.retired_at is not None:
        raise MeterRetired(serial=serial)
    return meter


def any_of(serial: str) -> Meter:
    """The meter of that number, in service or not. Raises NoSuchMeter."""
    meter = Meter.get_or_none(Meter.serial == serial)
    if meter is None:
        raise NoSuchMeter(serial=serial)
    assert isinstance(meter, Meter)
    return meter


def installation_of(meter: Meter) -> Installation | None:
    """The tenant's open installation of `meter`; None where it is not opened (未开户)."""
    found: Installation | None = Installation.get_or_none(
        (Installation.meter == meter) & Installation.closed_at.is_null()
    )
    return found


def of_tenant(number: str) -> list[Installation]:
    """The open installations of the tenant with that number, by serial; none where none is."""
    query = (
        Installation.select(Installation, Meter)
        .join(Meter)
        .switch(Installation)
        .join(Account)
        .where(Account.number == number, Installation.closed_at.is_null())
        .order_by(Meter.serial)
    )
    return list(query)


def freeze(meter: Meter) -> None:
    """No sales to this meter until a person has looked. Inside a write_transaction."""
    Meter.update(frozen=True).where(Meter.id == meter.id).execute()


def expected_count(meter: Meter) -> int | None:
    """The purchase count that the books expect in the meter, as stored now; None: never seen."""
    count: int | None = Meter.select(Meter.mirror_count).where(Meter.id == meter.id).scalar()
    return count


def take_over(meter: Meter, *, balance_fen: int, count: int, energy_wh: int) -> bool:
    """Bring the credit found in `meter` into the books, once an installation; True if this was it.

    Where the installation has no opening reading, this is it. What the books have in the meter
    already (a tenant before left it) is not taken over again.

    The same transaction (the caller's) sets the count we expect from now on, so taking over
    raises no alarm of a foreign purchase. An overdraft is posted the other way round.
    """
    first = (
        Installation.update(
            taken_over=True,
            first_energy_wh=pw.fn.COALESCE(Installation.first_energy_wh, energy_wh),
            first_balance_fen=pw.fn.COALESCE(Installation.first_balance_fen, balance_fen),
        )
        .where(
            Installation.meter == meter,
            Installation.closed_at.is_null(),
            Installation.taken_over == False,  # noqa: E712 (SQL)
        )
        .execute()
    )
    if not first:
        return False
    found, credit = ledger.take_over(), ledger.meter_credit(meter.serial)
    new_fen = balance_fen - ledger.balance_of(credit)
    if new_fen > 0:
        ledger.post(found, credit, new_fen, EntryKind.TAKE_OVER)
    elif new_fen < 0:
        ledger.post(credit, found, -new_fen, EntryKind.TAKE_OVER)
    Meter.update(mirror_count=count).where(Meter.id == meter.id).execute()
    return True


def known_balance_fen(meter: Meter) -> int | None:
    """The newest balance the meter told, in a poll or after a later sale. None: never read."""
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    polled_at, polled = (latest.read_at, latest.reading) if latest else (None, None)
    sale = (
        Command.select()
        .where(Command.meter == meter, Command.state == CommandState.APPLIED)
        .where(Command.after_balance_fen.is_null(False))
        .order_by(Command.finished_at.desc())
        .first()
    )
    if sale and (polled_at is None or sale.finished_at > polled_at):
        return int(sale.after_balance_fen)
    return MeterReading.from_json(polled).balance_fen if polled else None
