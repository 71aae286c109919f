"""The next step of one meter at the end of an account, derived from what is stored."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from engine import clock
from engine.config import MoneySection
from engine.domain.measurement import MeterReading
from engine.services import exchange_rows, opening, releasing
from engine.services.clearing import ROUNDED_FEN_MAX
from models.accounts import Account, Installation
from models.base import begins_with
from models.commands import OPEN_STATES, Command, Transfer
from models.enums import CommandKind, CommandState, InstallationEnd, MeterKind, PayKind
from models.people import Operator
from models.site import Meter

FRESH = dt.timedelta(minutes=5)  # a final reading is no older
LEFT_FEN_MAX = 10  # owed: used between the refund and the trip; nobody is asked for it
TAKING = (CommandKind.REFUND, CommandKind.TRANSFER_OUT)


class Step(StrEnum):
    """Of one meter at the end of an account: the first that is not done."""

    WAIT = "wait"  # a command is under way, or credit waits in clearing
    BLOCKED = "blocked"  # a person must look first: in suspense, or being exchanged
    READ = "read"  # no reading younger than FRESH
    TAKE_OUT = "take_out"  # credit is left: refund or transfer
    PAY_ARREARS = "pay_arrears"  # it owes: sell, or write off with a second person
    CLEAR = "clear"  # a few fen are left
    TRIP = "trip"
    RELEASE = "release"
    DONE = "done"


@dataclass(frozen=True)
class Terms:
    """What was agreed of a meter that leaves its tenant."""

    money: MoneySection = field(default_factory=MoneySection)
    pay: PayKind = PayKind.CASH
    why: str = ""
    transfer_to: str | None = None  # None: what is left is refunded
    keep: bool = False  # what is left stays in the meter, for the heir
    write_off: bool = False
    return_deposit: bool = False  # with the rest; else it is still held when the account is closed
    approver: Operator | None = None
    end: InstallationEnd = InstallationEnd.CLOSED
    heir: Account | None = None  # who goes on with the meter: it is not switched off
    zone: dt.tzinfo = dt.UTC  # of the site: on which day the last revenue falls


@dataclass(frozen=True)
class MeterPlan:
    serial: str
    shop: str
    step: Step
    balance_fen: int | None
    energy_wh: int | None
    command: int | None  # the command it waits for, else the last one of this closing
    reason: str | None  # why it is blocked, or the last one failed: `error.reason.<code>`
    protected: bool = False  # it is not tripped: somebody sees to it on the spot


def look(installation: Installation, terms: Terms) -> MeterPlan:
    """The first step that is not done."""
    meter = installation.meter
    reading, read_at = releasing.newest(meter)
    own = own_commands(installation)
    last = own[-1] if own else None
    failed = last is not None and last.state is CommandState.REFUSED
    step, command = _step(installation, terms, reading, read_at, own)
    reason = last.reason if failed and last else None
    if step is Step.BLOCKED:
        reason = "in_exchange" if exchange_rows.is_in_one(meter) else "meter_frozen"
    elif step is Step.WAIT and command is None:
        reason = "transfer_waits"
    return MeterPlan(
        serial=meter.serial,
        shop=installation.shop or meter.shop,
        step=step,
        balance_fen=reading.balance_fen if reading else None,
        energy_wh=reading.energy_wh if reading else None,
        command=command or (last.id if last else None),
        reason=reason,
        protected=meter.protected,
    )


def _step(
    installation: Installation,
    terms: Terms,
    reading: MeterReading | None,
    read_at: dt.datetime | None,
    own: list[Command],
) -> tuple[Step, int | None]:
    """The step, and the open command it waits for."""
    meter = installation.meter
    if installation.closed_at is not None:
        return Step.DONE, None
    if meter.kind is MeterKind.ORDINARY:
        return Step.RELEASE, None
    if (waits_for := _open_command(meter, own)) is not None:
        return Step.WAIT, waits_for
    if _unfinished(installation) is not None:
        return Step.WAIT, None
    if meter.frozen or exchange_rows.is_in_one(meter):
        return Step.BLOCKED, None
    if reading is None or not _final(meter, read_at) or reading.balance_fen is None:
        return Step.READ, None
    too_little = {each.kind for each in own if each.reason == "too_little"}
    step = _money_step(reading.balance_fen, too_little, terms)
    if step is None and terms.heir is None and not meter.protected:
        step = None if opening.forced_off(reading) else Step.TRIP
    return step or Step.RELEASE, None


def _money_step(balance_fen: int, too_little: set[CommandKind], terms: Terms) -> Step | None:
    """None where the meter holds nothing, or what stays in it."""
    if balance_fen < -LEFT_FEN_MAX:
        return Step.PAY_ARREARS
    if balance_fen <= 0 or terms.keep:
        return None
    if balance_fen > ROUNDED_FEN_MAX or not too_little.intersection(TAKING):
        return Step.TAKE_OUT
    return None if CommandKind.CLEAR in too_little else Step.CLEAR


def _final(meter: Meter, read_at: dt.datetime | None) -> bool:
    """Young enough, and from after everything that changed the credit."""
    if read_at is None or clock.now() - read_at > FRESH:
        return False
    changed = Command.select().where(
        Command.meter == meter,
        Command.counted == True,  # noqa: E712 (SQL)
        Command.state == CommandState.APPLIED,
        Command.sent_at > read_at,
    )
    return not changed.exists()


def prefix(installation: Installation) -> str:
    """How the request ids of all commands of this closing begin."""
    return f"close-{installation.id}-"


def next_id(installation: Installation, step: Step) -> str:
    """Of the next try of `step`: whoever asks at the same moment gets the same command."""
    begun = f"{prefix(installation)}{step.value}-"
    tries = Command.select().where(
        begins_with(Command.request_id, begun), Command.state.not_in(OPEN_STATES)
    )
    return f"{begun}{tries.count()}"


def own_commands(installation: Installation) -> list[Command]:
    """The commands of this closing to its meter, oldest first."""
    of_it = begins_with(Command.request_id, prefix(installation))
    query = Command.select().where(of_it, Command.meter == installation.meter)
    return list(query.order_by(Command.id))


def is_own(installation: Installation, command: Command) -> bool:
    return command.request_id.startswith(prefix(installation))


def stranded(installation: Installation) -> Transfer | None:
    """A transfer out of the meter whose credit stands in clearing with nothing under way."""
    transfer = _unfinished(installation)
    if transfer is None:
        return None
    under_way = Command.select().where(
        Command.transfer == transfer,
        Command.state.in_((*OPEN_STATES, CommandState.SUSPENSE)),
    )
    return None if under_way.exists() else transfer


def again(installation: Installation) -> Installation:
    """The row as it is stored now."""
    found: Installation = Installation.get_by_id(installation.id)
    return found


def _open_command(meter: Meter, own: list[Command]) -> int | None:
    counted = Command.select(Command.id).where(
        Command.meter == meter,
        Command.counted == True,  # noqa: E712 (SQL)
        Command.state.in_(OPEN_STATES),
    )
    number: int | None = counted.scalar()
    return number or next((each.id for each in own if each.state.open), None)


def _unfinished(installation: Installation) -> Transfer | None:
    """Credit taken out of the meter that has not arrived elsewhere."""
    found: Transfer | None = (
        Transfer.select()
        .where(
            Transfer.source == installation.meter,
            Transfer.created_at >= installation.opened_at,
            Transfer.finished_at.is_null(),
        )
        .first()
    )
    return found
