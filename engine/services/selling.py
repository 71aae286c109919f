"""售电 and 撤单: selling credit to a meter, and taking back a sale that has not left yet."""

import datetime as dt

import peewee as pw

from engine import clock
from engine.config import MoneySection
from engine.domain.counted import over_ceiling
from engine.domain.errors import (
    BadAmount,
    CommandOpen,
    CreditCeilingExceeded,
    MeterFrozen,
    NotOpened,
    NotPrepaid,
    NotVoidable,
    RequestIdReused,
)
from engine.domain.measurement import MeterReading
from engine.domain.units import fee_split, yuan_text
from engine.services import audit, commands, ledger, meters, operators, settling, transitions
from models.base import write_transaction
from models.commands import Command
from models.enums import CommandKind, CommandState, EntryKind, MeterKind, PayKind, Right
from models.metering import Latest
from models.people import Operator
from models.site import Meter


def sell(
    serial: str,
    paid_fen: int,
    pay: PayKind,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
) -> Command:
    """Record the sale of what `paid_fen` buys (售电); the executor carries it to the meter.

    The fee is split off first; the whole payment is *in flight* until the meter proves the
    credit. A repeated `request_id` returns the first command. Raises Forbidden, BadAmount,
    NoSuchMeter, MeterRetired, NotPrepaid, NotOpened, MeterFrozen, CommandOpen,
    CreditCeilingExceeded, RequestIdReused; then nothing has changed.
    """
    with write_transaction():
        if earlier := commands.by_request_id(request_id):
            return _same_or_error(earlier, serial, paid_fen, pay, by)
        operators.require(by, Right.SELL)
        amount_fen, fee_fen = _split(paid_fen, money)
        meter = meters.living(serial)
        _require_sellable(meter)
        _require_under_ceiling(meter, amount_fen, money.ceiling_fen)
        command = _queue(meter, amount_fen, fee_fen, pay, by, request_id)
        ledger.post(
            ledger.till_of(command),
            ledger.in_flight(serial),
            paid_fen,
            EntryKind.SALE,
            command=command,
        )
        detail = {"command": command.id, "paid_fen": paid_fen, "pay": pay}
        audit.write(by.name, "sell", serial, detail)
        return command


def void(command_id: int, by: Operator, *, undo_s: int) -> Command:
    """Take back a sale (撤单) that is still queued, within `undo_s` of it; the money goes back.

    Raises Forbidden, NoSuchCommand, NotVoidable(why: `not_a_sale`, `has_left`, `too_late`).
    """
    with write_transaction():
        operators.require(by, Right.SELL)
        command = commands.get(command_id)
        now = clock.now()
        if command.kind is not CommandKind.SELL:
            raise NotVoidable(command=command_id, why="not_a_sale")
        if command.state is not CommandState.QUEUED:
            raise NotVoidable(command=command_id, why="has_left")
        if now > command.created_at + dt.timedelta(seconds=undo_s):
            raise NotVoidable(command=command_id, why="too_late")
        voided = (
            Command.update(
                state=CommandState.VOIDED,
                reason=CommandState.VOIDED.value,
                finished_at=now,
                rev=transitions.next_rev(),
            )
            .where(Command.id == command_id, Command.state == CommandState.QUEUED)
            .execute()
        )
        assert voided == 1, "the write lock is held since the state was read"
        settling.give_back(command)
        audit.write(by.name, "void", command.serial, {"command": command_id})
        return commands.get(command_id)


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


def _same_or_error(
    earlier: Command, serial: str, paid_fen: int, pay: PayKind, by: Operator
) -> Command:
    """The first command of this request id, if what is asked is the same (the fee may differ)."""
    first = (
        earlier.kind,
        earlier.serial,
        earlier.amount_fen + earlier.fee_fen,
        earlier.pay,
        earlier.operator,
    )
    if first != (CommandKind.SELL, serial, paid_fen, pay, by):
        raise RequestIdReused(request_id=earlier.request_id, command=earlier.id)
    return earlier


def _split(paid_fen: int, money: MoneySection) -> tuple[int, int]:
    """(credit, fee), both of which must leave something to sell."""
    if paid_fen <= 0:
        raise BadAmount(text=yuan_text(paid_fen), why="not_positive")
    amount_fen, fee_fen = fee_split(paid_fen, money.fee_pct)
    if amount_fen <= 0:
        raise BadAmount(text=yuan_text(paid_fen), why="all_fee")
    return amount_fen, fee_fen


def _require_sellable(meter: Meter) -> None:
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=meter.serial)
    if meters.installation_of(meter) is None:
        raise NotOpened(serial=meter.serial)
    if meter.frozen:
        raise MeterFrozen(serial=meter.serial)


def _require_under_ceiling(meter: Meter, amount_fen: int, ceiling_fen: int) -> None:
    """A meter never read counts as empty here: the executor asks again with what it reads."""
    balance_fen = known_balance_fen(meter) or 0
    if over_ceiling(balance_fen, amount_fen, ceiling_fen=ceiling_fen):
        raise CreditCeilingExceeded(
            serial=meter.serial,
            balance=yuan_text(balance_fen),
            amount=yuan_text(amount_fen),
            ceiling=yuan_text(ceiling_fen),
        )


def _queue(
    meter: Meter, amount_fen: int, fee_fen: int, pay: PayKind, by: Operator, request_id: str
) -> Command:
    try:
        command: Command = Command.create(
            request_id=request_id,
            kind=CommandKind.SELL,
            counted=True,
            meter=meter,
            meter_epoch=meter.epoch,
            serial=meter.serial,
            amount_fen=amount_fen,
            fee_fen=fee_fen,
            pay=pay,
            operator=by,
            shift=operators.current_shift(by),
            created_at=clock.now(),
            rev=transitions.next_rev(),
        )
    except pw.IntegrityError:  # the schema allows one open counted command a meter
        raise CommandOpen(serial=meter.serial, command=commands.open_counted(meter)) from None
    return command
