"""The engine's price changes: written down once with their download, followed until applied.

Nothing is posted of what a late change cost: it is listed, and a person settles it with the
tenant, by a refund or a sale.
"""

import datetime as dt
import json

import peewee as pw

from engine import clock
from engine.config import Config
from engine.domain.errors import ChangeSettled, NoSuchChange, NothingToSettle
from engine.services import audit, downloads, late_prices, operators, pricing, transitions
from engine.services.price_due import FUTURE, Due
from engine.services.pricing import Values
from models.accounts import Installation
from models.base import begins_with, write_transaction
from models.commands import OPEN_STATES, Command
from models.enums import CommandKind, CommandState, Right
from models.metering import Latest
from models.people import Operator
from models.tariffs import PriceChange

SILENT = ("no_reply", "line_down", "bad_reading", "busy", "other_meter")  # it said nothing
RETRY_S = 600  # such a meter is told again so often, or when it answers
REFUSED_RETRY_S = 3600  # and one that took it and does not hold it
NOTE_LENGTH_MAX = 200


def write(due: Due, now: dt.datetime) -> PriceChange:
    """The change and its download, inside the caller's write_transaction."""
    _free_mark(due.once, now)
    change: PriceChange = PriceChange.create(
        once=due.once,
        meter=due.meter,
        installation=due.installation,
        serial=due.meter.serial,
        cause=due.boundary.cause,
        version=due.version,
        wanted=_text(due.wanted),
        former=_text(due.former),
        due_at=due.boundary.at,
        due_energy_wh=due.boundary.energy_wh,
        queued_at=now,
    )
    command = downloads.queue_values(due.meter, due.wanted, None, f"price-{change.id}")
    PriceChange.update(command=command).where(PriceChange.id == change.id).execute()
    detail = {"change": change.id, "cause": change.cause.value, "due_at": change.due_at.isoformat()}
    audit.write(audit.SYSTEM, "price_change", change.serial, detail)
    return change


def follow(config: Config, epoch: int) -> tuple[bool, bool]:
    """What became of those under way: (commands were written, some are still under way)."""
    under_way = unfinished()
    ended = [
        (change, change.command)
        for change in under_way
        if change.command is not None and not change.command.state.open
    ]
    if not ended:
        return False, bool(under_way)
    written = False
    with write_transaction():
        transitions.require_lease(epoch)
        for change, command in ended:
            written |= _follow(change, command, config)
    return written, bool(unfinished())


def unfinished() -> list[PriceChange]:
    """The newest of each open installation, until it is applied and its delay is known."""
    later = PriceChange.alias()
    superseded = later.select().where(
        later.installation == PriceChange.installation, later.id > PriceChange.id
    )
    query = (
        PriceChange.select(PriceChange, Command)
        .join(Command)
        .join_from(PriceChange, Installation)
        .where(
            PriceChange.late_wh.is_null(),
            Installation.closed_at.is_null(),
            ~pw.fn.EXISTS(superseded),
        )
        .order_by(PriceChange.id)
    )
    return list(query)


def _follow(change: PriceChange, command: Command, config: Config) -> bool:
    """What came of `command`, which has ended; True where another was written."""
    if command.state is CommandState.APPLIED:
        late_prices.fill(change, command, config)
        return False
    other = _later_download(change, command)
    if other is None:
        return _again(change, command, config)
    if other.state is CommandState.APPLIED:
        PriceChange.update(command=other).where(PriceChange.id == change.id).execute()
        late_prices.fill(change, other, config)
    return False


def _again(change: PriceChange, command: Command, config: Config) -> bool:
    """The same once more, where the meter has answered since, or after a while; not where
    something else is desired of it by now: it has another tariff, say.
    """
    ended_at = command.finished_at
    assert ended_at is not None, command.id
    latest = Latest.get_or_none(Latest.meter_id == change.meter.id)
    silent = command.reason in SILENT
    answered = silent and latest is not None and latest.read_at and latest.read_at > ended_at
    gone_s = abs((clock.now() - ended_at).total_seconds())
    if not answered and gone_s < (RETRY_S if silent else REFUSED_RETRY_S):
        return False
    wanted = json.loads(change.wanted)
    if not wanted.items() <= pricing.wanted(change.meter, config).items():
        return False
    tries = Command.select().where(begins_with(Command.request_id, f"price-{change.id}-")).count()
    again = downloads.queue_values(change.meter, wanted, None, f"price-{change.id}-{tries + 1}")
    PriceChange.update(command=again).where(PriceChange.id == change.id).execute()
    return True


def _later_download(change: PriceChange, command: Command) -> Command | None:
    """A download of the same meter's prices that somebody asked for since, open or applied."""
    query = (
        Command.select()
        .where(
            Command.meter == change.meter.id,
            Command.kind == CommandKind.DOWNLOAD,
            Command.id > command.id,
            Command.state.in_((*OPEN_STATES, CommandState.APPLIED)),
            Command.desired.contains('"price_'),
        )
        .order_by(Command.id.desc())
    )
    wanted = json.loads(change.wanted)
    return next((each for each in query if _covers(each, wanted)), None)


def _covers(command: Command, wanted: Values) -> bool:
    desired = json.loads(command.desired)
    return all(desired.get(name) == value for name, value in wanted.items())


def settle(change_id: int, note: str, by: Operator) -> PriceChange:
    """A person has put the difference right, or says why not; `note` says how.

    Raises Forbidden, NoSuchChange, NothingToSettle (none, or not known yet), ChangeSettled.
    """
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        change = PriceChange.get_or_none(PriceChange.id == change_id)
        if change is None:
            raise NoSuchChange(change=change_id)
        if change.settled_at is not None:
            raise ChangeSettled(change=change_id)
        if not change.late_fen:
            raise NothingToSettle(
                change=change_id, why="unknown" if change.late_fen is None else ""
            )
        note = note.strip()
        if not note or len(note) > NOTE_LENGTH_MAX or not note.isprintable():
            raise NothingToSettle(change=change_id, why="note", most=NOTE_LENGTH_MAX)
        PriceChange.update(settled_at=clock.now(), settled_by=by, note=note).where(
            PriceChange.id == change_id
        ).execute()
        detail = {"change": change_id, "late_fen": change.late_fen, "note": note}
        audit.write(by.name, "price_change_settle", change.serial, detail)
        settled: PriceChange = PriceChange.get_by_id(change_id)
        return settled


def _free_mark(once: str, now: dt.datetime) -> None:
    """A change that a clock far ahead made is no obstacle to the true one."""
    ahead = PriceChange.get_or_none(
        (PriceChange.once == once) & (PriceChange.queued_at > now + FUTURE)
    )
    if ahead is not None:
        PriceChange.update(once=f"{once}~{ahead.id}").where(PriceChange.id == ahead.id).execute()


def _text(values: Values) -> str:
    return json.dumps(values, sort_keys=True)
