"""The rows of meter exchanges (换表): found, changed, and which meters are in one."""

import peewee as pw

from engine.domain.errors import MeterInExchange, NoSuchExchange
from models.base import next_rev, tuples
from models.cases import Exchange
from models.enums import CommandState, ExchangeStep
from models.site import Meter


def get(exchange_id: int) -> Exchange:
    """Raises NoSuchExchange."""
    found = Exchange.get_or_none(Exchange.id == exchange_id)
    if found is None:
        raise NoSuchExchange(exchange=exchange_id)
    assert isinstance(found, Exchange)
    return found


def open_of(serial: str) -> Exchange | None:
    """The exchange under way of the old meter `serial`."""
    found: Exchange | None = (
        Exchange.select()
        .join(Meter, on=Exchange.old == Meter.id)
        .where(Meter.serial == serial, Exchange.finished_at.is_null())
        .first()
    )
    return found


def change(exchange: Exchange, **values: object) -> bool:
    """Write `values` if the exchange still is at the step that `exchange` shows.

    Inside a write_transaction. False where somebody else has gone on meanwhile.
    """
    changed = (
        Exchange.update(rev=next_rev(Exchange), **values)
        .where(Exchange.id == exchange.id, Exchange.step == exchange.step)
        .execute()
    )
    return bool(changed)


def require_none(meter: Meter) -> None:
    """Raises MeterInExchange while `meter` is the old or the new one of an exchange under way."""
    _refuse(meter, (Exchange.old == meter) | (Exchange.new == meter))


def require_not_leaving(meter: Meter) -> None:
    """Raises MeterInExchange while `meter` is on its way out: its credit is about to move."""
    _refuse(meter, Exchange.old == meter)


def is_in_one(meter: Meter) -> bool:
    """Is it the old or the new one of an exchange under way?"""
    return _number((Exchange.old == meter) | (Exchange.new == meter)) is not None


def _refuse(meter: Meter, part: pw.Expression) -> None:
    number = _number(part)
    if number is not None:
        raise MeterInExchange(serial=meter.serial, exchange=number)


def _number(part: pw.Expression) -> int | None:
    query = Exchange.select(Exchange.id).where(part, Exchange.finished_at.is_null())
    number: int | None = query.scalar()
    return number


def to_identify() -> set[int]:
    """Meters that were named as new ones and have not proved their number yet.

    Until then nothing that answers at their address is believed before it has said its number.
    """
    query = Exchange.select(Exchange.new).where(
        Exchange.step == ExchangeStep.IDENTITY,
        Exchange.new.is_null(False),
        Exchange.finished_at.is_null(),
    )
    return {row[0] for row in tuples(query)}


def has_moved(exchange: Exchange) -> bool:
    """Has the old meter's credit left it, or may it have?"""
    command = exchange.command
    return (
        exchange.transfer is not None
        and command is not None
        and command.state not in (CommandState.REFUSED, CommandState.VOIDED)
    )
