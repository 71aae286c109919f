"""换表: a meter exchange as a checklist that can be left and gone on with, whoever goes on.

Begun, read by hand and cancelled here; the new meter is named in `exchange_naming`, what each
step does by itself is in `exchange_steps`.
"""

import datetime as dt
from collections.abc import Collection

from engine import clock
from engine.config import Config
from engine.domain.errors import (
    CommandOpen,
    MeterFrozen,
    NotExchangeable,
    NotOpened,
    NotPrepaid,
    RequestIdReused,
)
from engine.domain.units import kwh_text
from engine.services import (
    audit,
    commands,
    exchange_rows,
    hand_reading,
    meters,
    newest,
    operators,
)
from engine.services.approving import checked_reason, require_second
from engine.services.exchange_naming import Naming, check, name_new
from engine.services.exchange_rows import get, open_of
from engine.services.exchange_steps import Progress, Run, Waits
from models.base import next_rev, write_transaction
from models.cases import Exchange
from models.commands import Command
from models.enums import CommandState, ExchangeStep, MeterKind, Right
from models.metering import Latest
from models.people import Operator
from models.site import Meter

__all__ = [
    "Naming", "Progress", "Waits", "advance", "begin", "by_hand", "cancel", "get", "name_new",
    "open_of",
]  # fmt: skip

BEFORE_MONEY = (ExchangeStep.FINAL_READ, ExchangeStep.CLEAR_OLD)


def begin(
    old: str,
    why: str,
    by: Operator,
    request_id: str,
    *,
    new: Naming | None = None,
    models: Collection[str] | None = None,
) -> Exchange:
    """Open the checklist for the meter `old`; from now on nothing is sold to it.

    A `new` meter that is known already is checked now and named when its time has come. A
    repeated `request_id` returns the first exchange. Raises Forbidden, NoReason, NoSuchMeter,
    MeterRetired, NotPrepaid, NotOpened, MeterFrozen (a command is in suspense), CommandOpen,
    MeterInExchange, NotExchangeable (of `new`), RequestIdReused.
    """
    why = checked_reason(why)
    with write_transaction():
        earlier = Exchange.get_or_none(Exchange.request_id == request_id)
        if earlier is not None:
            if earlier.old.serial != old:
                raise RequestIdReused(request_id=request_id)
            assert isinstance(earlier, Exchange)
            return earlier
        operators.require(by, Right.EXCHANGE)
        meter = meters.living(old)
        _require_exchangeable(meter)
        if new is not None:
            check(Exchange(old=meter), new, models=models)
        exchange: Exchange = Exchange.create(
            request_id=request_id,
            old=meter,
            why=why,
            plan=new.to_json() if new else "",
            operator=by,
            started_at=clock.now(),
            rev=next_rev(Exchange),
        )
        audit.write(by.name, "exchange_begin", old, {"exchange": exchange.id, "why": why})
        return exchange


def advance(exchange_id: int, by: Operator, *, config: Config, again: bool = False) -> Progress:
    """Do all that can be done now, and say what the exchange waits for.

    Can be asked as often as one likes, by anybody with the right, from the same state after a
    crash or a restart. `again` asks once more for what a meter or a line refused. Raises
    Forbidden, NoSuchExchange, and what the verbs of a step raise: then that step was not begun.
    """
    operators.require(by, Right.EXCHANGE)
    return Run(exchange_id, by, config, again=again).go()


def by_hand(
    exchange_id: int,
    energy_wh: int,
    balance_fen: int,
    evidence: str,
    by: Operator,
    *,
    zone: dt.tzinfo,
    approver: Operator | None = None,
) -> Exchange:
    """The old meter does not answer: its last values from a signed sheet or a photo.

    Two persons vouch for them. The books follow at once: no frame will; `zone` is the site's, for
    the day it counts to. Raises Forbidden,
    ApprovalNeeded, NotApprovable, NoReason (no evidence), CommandOpen,
    NotExchangeable(`over`, `money_moved`, `energy_fell`, `more_than_books`); then nothing has
    changed.
    """
    evidence = checked_reason(evidence)
    with write_transaction():
        operators.require(by, Right.EXCHANGE)
        require_second(by, approver, abs(balance_fen), 0, what="adjustment")
        exchange = get(exchange_id)
        _require_before_money(exchange)
        _require_not_less(exchange.old, energy_wh)
        exchange.approver = approver
        transfer = hand_reading.post_by_hand(exchange, energy_wh, balance_fen, by, zone)
        exchange_rows.change(
            exchange,
            step=ExchangeStep.IDENTITY,
            by_hand=True,
            evidence=evidence,
            final_energy_wh=energy_wh,
            final_balance_fen=balance_fen,
            final_at=clock.now(),
            approver=approver,
            transfer=transfer,
            command=None,
        )
        detail = {
            "exchange": exchange_id,
            "energy_wh": energy_wh,
            "balance_fen": balance_fen,
            "evidence": evidence,
            "approver": approver.name if approver else None,
        }
        audit.write(by.name, "exchange_hand_reading", exchange.old.serial, detail)
        return get(exchange_id)


def cancel(exchange_id: int, by: Operator) -> Exchange:
    """Give the exchange up; the old meter is sold to as before.

    Raises Forbidden, NoSuchExchange, NotExchangeable(`over`, `money_moved`), CommandOpen.
    """
    with write_transaction():
        operators.require(by, Right.EXCHANGE)
        exchange = get(exchange_id)
        _require_before_money(exchange)
        exchange_rows.change(exchange, step=ExchangeStep.CANCELLED, finished_at=clock.now())
        audit.write(by.name, "exchange_cancel", exchange.old.serial, {"exchange": exchange_id})
        return get(exchange_id)


def _require_exchangeable(meter: Meter) -> None:
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=meter.serial)
    if meters.installation_of(meter) is None:
        raise NotOpened(serial=meter.serial)
    undecided = Command.select().where(
        Command.meter == meter, Command.state == CommandState.SUSPENSE
    )
    if meter.frozen and undecided.exists():
        raise MeterFrozen(serial=meter.serial)
    exchange_rows.require_none(meter)
    _require_no_command(meter)


def _require_no_command(meter: Meter) -> None:
    command = commands.open_counted(meter)
    if command is not None:
        raise CommandOpen(serial=meter.serial, command=command)


def _require_before_money(exchange: Exchange) -> None:
    """Nothing has left the old meter, and nothing is on its way out of it."""
    serial = exchange.old.serial
    if exchange.finished_at is not None:
        raise NotExchangeable(serial=serial, why="over", exchange=exchange.id)
    if exchange.step not in BEFORE_MONEY or exchange_rows.has_moved(exchange):
        raise NotExchangeable(serial=serial, why="money_moved", exchange=exchange.id)
    _require_no_command(exchange.old)


def _require_not_less(meter: Meter, energy_wh: int) -> None:
    """A total never falls: what was read before stands against a hand reading below it."""
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    last = newest.reading_in(latest) if latest else None
    if last is not None and energy_wh < last.energy_wh:
        raise NotExchangeable(
            serial=meter.serial,
            why="energy_fell",
            found=kwh_text(energy_wh),
            last=kwh_text(last.energy_wh),
        )
