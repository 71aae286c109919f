"""A wish of an operator becomes a command row: once an id, one counted one a meter."""

import peewee as pw

from engine import clock
from engine.domain.counted import over_ceiling
from engine.domain.errors import (
    CommandOpen,
    CreditCeilingExceeded,
    MeterFrozen,
    NotOpened,
    NotPrepaid,
    RequestIdReused,
)
from engine.domain.units import yuan_text
from engine.services import commands, exchange_rows, locking, meters
from models.base import next_rev
from models.commands import Command
from models.enums import CommandKind, MeterKind
from models.people import Operator
from models.site import Meter


def queue(
    meter: Meter, kind: CommandKind, by: Operator | None, request_id: str, **fields: object
) -> Command:
    """Write the command down, inside the caller's write_transaction.

    Raises CommandOpen; MeterLockedOut where it would raise the credit, which closes the relay.
    """
    if kind.raises:
        locking.require_unlocked(meter)
    try:
        command: Command = Command.create(
            request_id=request_id,
            kind=kind,
            counted=kind.counted,
            meter=meter,
            meter_epoch=meter.epoch,
            serial=meter.serial,
            operator=by,
            created_at=clock.now(),
            rev=next_rev(Command),
            **fields,
        )
    except pw.IntegrityError:  # the schema allows one open counted command a meter
        raise CommandOpen(serial=meter.serial, command=commands.open_counted(meter)) from None
    return command


def earlier(request_id: str, kind: CommandKind, serial: str, by: Operator | None) -> Command | None:
    """The first command of this request id; None where there is none.

    Raises RequestIdReused where it was another wish.
    """
    found = commands.by_request_id(request_id)
    if found is None:
        return None
    if (found.kind, found.serial, found.operator) != (kind, serial, by):
        raise RequestIdReused(request_id=request_id, command=found.id)
    return found


def require_movable(meter: Meter) -> None:
    """May credit be moved into or out of `meter`?

    Raises NotPrepaid, NotOpened, MeterFrozen, MeterInExchange.
    """
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=meter.serial)
    if meters.installation_of(meter) is None:
        raise NotOpened(serial=meter.serial)
    if meter.frozen:
        raise MeterFrozen(serial=meter.serial)
    exchange_rows.require_not_leaving(meter)


def require_under_ceiling(meter: Meter, amount_fen: int, ceiling_fen: int) -> None:
    """Raises CreditCeilingExceeded. A meter never read counts as empty here: the executor
    asks again with what it reads.
    """
    balance_fen = meters.known_balance_fen(meter) or 0
    if over_ceiling(balance_fen, amount_fen, ceiling_fen=ceiling_fen):
        raise CreditCeilingExceeded(
            serial=meter.serial,
            balance=yuan_text(balance_fen),
            amount=yuan_text(amount_fen),
            ceiling=yuan_text(ceiling_fen),
        )
