"""开户: meters opened for a tenant, in one step or later, with prices and an opening amount."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import clock
from engine.config import Config
from engine.domain.errors import (
    BadThresholds,
    NoSuchTariff,
    NothingPlanned,
    NotOpened,
    PayKindOff,
    RequestIdReused,
)
from engine.domain.measurement import MeterReading
from engine.domain.states import StatusBits
from engine.domain.units import yuan_text
from engine.services import (
    accounts,
    audit,
    downloads,
    exchange_rows,
    locking,
    meters,
    operators,
    queueing,
    selling,
    switching,
)
from models.accounts import Account, Installation, PlannedMeter
from models.base import begins_with, next_rev, write_transaction
from models.commands import Command
from models.enums import CommandKind, PayKind, Right
from models.metering import Latest
from models.people import AuditEntry, Operator
from models.site import Meter
from models.tariffs import Tariff

READING_FRESH = dt.timedelta(hours=1)  # an older one is no opening reading: the next one is
READING_WAITS = dt.timedelta(minutes=2)
OPENED = "account_open"  # in the log
OVERLOAD_W_MAX = 65_535


@dataclass(frozen=True)
class Opened:
    account: Account
    serials: tuple[str, ...]
    commands: tuple[Command, ...]  # downloads, switching, the opening sale: as queued


@dataclass(frozen=True)
class Wish:
    """What is wanted of every meter opened; None leaves what its row says."""

    tariff: str | None
    alarm1_fen: int | None
    alarm2_fen: int | None
    overload_w: int | None

    @property
    def given(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value is not None}


def open_account(
    number: str,
    serials: Sequence[str],
    by: Operator,
    request_id: str,
    *,
    config: Config,
    tariff: str | None = None,
    alarm1_fen: int | None = None,
    alarm2_fen: int | None = None,
    overload_w: int | None = None,
    amount_fen: int = 0,
    pay: PayKind | None = None,
    amount_to: str | None = None,
    new: Mapping[str, str] | None = None,
) -> Opened:
    """Open meters for a registered tenant; no `serials`: those that are planned for it.

    A tenant that is not registered yet is, where `new` says its name and so on, by field.
    None leaves tariff, thresholds and overload as the meter's row has them. `amount_fen` is what
    the tenant pays now, by `pay`, for the meter `amount_to` (the first where none is named).
    Raises Forbidden, NoSuchTenant, TenantClosed, NothingPlanned, NoSuchMeter, MeterRetired,
    NotPrepaid, AlreadyOpen (whose), MeterPlanned (for whom), MeterInExchange, MeterLockedOut,
    NoSuchTariff, BadThresholds, and what `sell` does; then nothing has changed. A repeated
    `request_id` returns the first opening.
    """
    wish = Wish(tariff, alarm1_fen, alarm2_fen, overload_w)
    with write_transaction():
        operators.require(by, Right.ACCOUNTS)
        account = _account(number, new, by)
        if first := _earlier(request_id, number, serials):
            return Opened(account, first, _commands(request_id))
        chosen = tuple(dict.fromkeys(serials)) or tuple(accounts.planned_of(account))
        if not chosen:
            raise NothingPlanned(number=number)
        found = [_openable(serial, account) for serial in chosen]
        _require_sound(wish)
        for meter in found:
            install(meter, account)
            since = {"tariff_at": clock.now()} if wish.tariff not in (None, meter.tariff) else {}
            wanted = Meter.update(rev=next_rev(Meter), **wish.given, **since)
            wanted.where(Meter.id == meter.id).execute()
            tell(meter, by, request_id, config=config)
        if amount_fen:
            to, id_ = amount_to or chosen[0], f"{request_id}:amount"
            if pay is None:
                raise PayKindOff(pay="-", known=config.money.pay_kinds)
            if to not in chosen:
                raise NotOpened(serial=to)
            selling.sell_within(to, amount_fen, pay, by, id_, money=config.money)
        accounts.touch(account)
        detail = {"request_id": request_id, "meters": list(chosen), **wish.given}
        audit.write(by.name, OPENED, number, detail)
        return Opened(accounts.get(number), chosen, _commands(request_id))


def _account(number: str, new: Mapping[str, str] | None, by: Operator) -> Account:
    known = Account.get_or_none(Account.number == number)
    if known is None and new is not None:
        return accounts.register_within(number, by, new)
    return accounts.open_one(number)


def tell(meter: Meter, by: Operator, request_id: str, *, config: Config) -> None:
    """What a meter that is opened is told: its prices and thresholds, and to switch by itself.

    Inside the caller's write_transaction.
    """
    download = f"{request_id}:download:{meter.serial}"
    downloads.request_within(meter.serial, by, download, config=config)
    if _fresh_reading(meter) is None:
        _ask_for_reading(meter, by, f"{request_id}:read:{meter.serial}")
    if is_forced_off(meter):
        resume = f"{request_id}:resume:{meter.serial}"
        switching.request_within(meter.serial, CommandKind.RESUME, OPENED, by, resume)


def _commands(request_id: str) -> tuple[Command, ...]:
    """What the opening of that id asked of the meters, in its order."""
    of_it = begins_with(Command.request_id, f"{request_id}:")
    query = Command.select().where(of_it, Command.kind != CommandKind.READ)
    return tuple(query.order_by(Command.id))


def _ask_for_reading(meter: Meter, by: Operator, request_id: str) -> None:
    """The opening reading, soon; where it fails the next poll brings it."""
    if queueing.earlier(request_id, CommandKind.READ, meter.serial, by) is None:
        expires_at = clock.now() + READING_WAITS
        queueing.queue(meter, CommandKind.READ, by, request_id, expires_at=expires_at)


def install(
    meter: Meter,
    account: Account,
    first: MeterReading | None = None,
    *,
    taken_over: bool = False,
) -> Installation:
    """The meter is the tenant's from now on, inside the caller's write_transaction.

    `first` is a reading both sides agreed on, `taken_over` where the books are at its balance;
    else the newest reading, where it is young enough.
    """
    first = first or _fresh_reading(meter)
    kept = PlannedMeter.delete().where(PlannedMeter.meter == meter, PlannedMeter.account == account)
    kept.execute()
    made: Installation = Installation.create(
        meter=meter,
        account=account,
        opened_at=clock.now(),
        shop=meter.shop,
        first_energy_wh=first.energy_wh if first else None,
        first_balance_fen=first.balance_fen if first else None,
        taken_over=taken_over,
    )
    return made


def _openable(serial: str, account: Account) -> Meter:
    meter = meters.living(serial)
    accounts.require_free(meter, account)
    exchange_rows.require_none(meter)
    locking.require_unlocked(meter)  # what an opened meter is told may close it
    return meter


def _earlier(request_id: str, number: str, serials: Sequence[str]) -> tuple[str, ...]:
    """The serials that this very request opened before; empty where it is new."""
    mark = f'"request_id":{json.dumps(request_id, ensure_ascii=False)}'
    logged = AuditEntry.get_or_none(
        (AuditEntry.action == OPENED) & AuditEntry.detail.contains(mark)
    )
    if logged is None:
        return ()
    first = tuple(json.loads(logged.detail)["meters"])
    if logged.subject != number or (serials and tuple(dict.fromkeys(serials)) != first):
        raise RequestIdReused(request_id=request_id)
    return first


def _require_sound(wish: Wish) -> None:
    if wish.tariff is not None and not Tariff.get_or_none(Tariff.name == wish.tariff):
        known = ", ".join(row.name for row in Tariff.select().order_by(Tariff.name))
        raise NoSuchTariff(tariff=wish.tariff, known=known or "-")
    first, second = wish.alarm1_fen, wish.alarm2_fen
    if min(first or 0, second or 0) < 0:
        raise BadThresholds(why="negative")
    if first is not None and second is not None and second > first:
        raise BadThresholds(why="crossed", first=yuan_text(first), second=yuan_text(second))
    if not 0 <= (wish.overload_w or 0) <= OVERLOAD_W_MAX:
        raise BadThresholds(why="overload", most=OVERLOAD_W_MAX)


def _fresh_reading(meter: Meter) -> MeterReading | None:
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    if latest is None or latest.reading is None or latest.read_at is None:
        return None
    if clock.now() - latest.read_at > READING_FRESH:
        return None
    return MeterReading.from_json(latest.reading)


def is_forced_off(meter: Meter) -> bool:
    """Is the meter held open, as its newest reading says? A released one was left so."""
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    reading = MeterReading.from_json(latest.reading) if latest and latest.reading else None
    return reading is not None and forced_off(reading)


def forced_off(reading: MeterReading) -> bool:
    if reading.status1 is None:
        return False
    phases = max(1, len(reading.voltage_mv))
    status = StatusBits(reading.status1, reading.status2 or 0, phases)
    return status.force_active and not status.force_outputs
