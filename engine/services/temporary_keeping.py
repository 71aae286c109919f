"""Orders for a time are followed: begun, taken back at their time, and what they cost noted.

What takes one back is a command of its own, asked for again only when the one before has ended.
A hold ends with RESUME, a limit with a download of what is desired by then. All is derived from
rows, so a restart anywhere in between neither forgets nor repeats.
"""

import datetime as dt
import json
from collections.abc import Callable

import peewee as pw

from engine import clock
from engine.config import Config
from engine.services import (
    audit,
    desired,
    downloads,
    newest,
    queueing,
    readings,
    temporary_debt,
    temporary_rows,
)
from engine.services import temporary_signs as signs
from engine.services.transitions import require_lease
from models.base import next_rev, write_transaction
from models.commands import Command
from models.control import Temporary
from models.enums import (
    CommandKind,
    CommandState,
    EventKind,
    TemporaryState,
)
from models.site import Meter

TRIES_MAX = 5  # commands in a row that were to take it back; then it is for a person to look at
TRIES_EVER = 50  # also where the meter answers again and again and does not do it
FAILED = (CommandState.REFUSED, CommandState.VOIDED)


def keep(config: Config, epoch: int) -> bool:
    """Take every open order one step on, where there is one; True where a command was written.

    Raises StaleEngine.
    """
    written = False
    for row in _open():
        step = _step_of(row)
        if step is None:
            continue
        if step is _give_up:
            detail = {"temporary": row.id}
            readings.note(
                row.meter.id, EventKind.TEMPORARY_STUCK, clock.now(), epoch, **detail
            )  # first: noted twice it is one event, not noted it would be none
        with write_transaction():
            require_lease(epoch)
            now = _again(row)
            if now.ended_at is None and _step_of(now) is step:  # nobody was between
                step(now, config)
                written = written or step in (_take_back, _begin_again)
    return written


def _open() -> list[Temporary]:
    """Those that may want a step, with meter and commands, in one query: it is asked twice a
    second. What is held and whose time has not come stands still, unless somebody resumed it.
    """
    begin, end, resumed = Command.alias(), Command.alias(), Command.alias()
    by_hand = resumed.select(resumed.id).where(
        resumed.meter == Temporary.meter,
        resumed.kind == CommandKind.RESUME,
        resumed.state == CommandState.APPLIED,
        resumed.id > Temporary.begin,
    )
    stands = (
        (Temporary.state == TemporaryState.HELD)
        & (Temporary.until > clock.now())
        & Meter.retired_at.is_null()
        & ~pw.fn.EXISTS(by_hand)
    )
    query = (
        Temporary.select(Temporary, Meter, begin, end)
        .join(Meter)
        .join_from(Temporary, begin, on=Temporary.begin == begin.id)
        .join_from(Temporary, end, pw.JOIN.LEFT_OUTER, on=Temporary.end == end.id)
        .where(Temporary.ended_at.is_null(), ~stands)
        .order_by(Temporary.id)
    )
    return list(query)


def _again(row: Temporary) -> Temporary:
    found: Temporary = Temporary.get_by_id(row.id)
    return found


Step = Callable[[Temporary, Config], None]


def _step_of(row: Temporary) -> Step | None:
    """What is to be done now; None where it waits for its time or for an answer."""
    if row.meter.retired_at is not None or signs.ended_by_hand(row) is not None:
        return _end
    match row.state:
        case TemporaryState.BEGINNING:
            return _step_beginning(row)
        case TemporaryState.HELD:
            return _take_back if signs.may_take_back(row) else None
        case TemporaryState.ENDING | TemporaryState.STUCK:
            return _step_ending(row)
    raise AssertionError(row.state)


def _step_beginning(row: Temporary) -> Step | None:
    begin, over = temporary_rows.begin_of(row), row.until <= clock.now()
    if begin.state is CommandState.APPLIED:
        return _hold
    if begin.state in FAILED:
        return _begin_again if begin.reason == signs.SUPERSEDED and not over else _fail
    if over and begin.state is CommandState.QUEUED:
        return _call_off
    if over and begin.state is CommandState.UNKNOWN and signs.may_take_back(row):
        return _take_back  # it may hold: that it does not is proved the same way
    return None


def _step_ending(row: Temporary) -> Step | None:
    end = row.end
    if end is None:  # stuck, and ended anew by a person
        return _take_back if signs.may_take_back(row) else None
    if end.state is CommandState.APPLIED:
        return _end
    stuck = row.state is TemporaryState.STUCK
    if end.state not in FAILED:
        return None if stuck or not signs.too_long_unknown(end) else _give_up
    if stuck:
        again = row.tries == 0 or (row.tries < TRIES_EVER and signs.answers_again(row, end))
        return _take_back if again and signs.may_take_back(row) else None
    if row.tries >= TRIES_MAX:
        return _give_up
    return _take_back if signs.waited(row, end) and signs.may_take_back(row) else None


# -- what a step does, inside a write_transaction


def _hold(row: Temporary, config: Config) -> None:
    """It stands: the balance it began with is what the meter said in the turn that began it."""
    del config
    latest = signs.latest_of(row)
    reading = newest.reading_in(latest) if latest else None
    since = temporary_rows.began_at(row)
    if latest is None or reading is None or latest.read_at is None or latest.read_at < since:
        temporary_rows.change(row, state=TemporaryState.HELD)
        return
    temporary_rows.change(
        row,
        state=TemporaryState.HELD,
        before_balance_fen=reading.balance_fen,
        before_energy_wh=reading.energy_wh,
    )


def _fail(row: Temporary, config: Config) -> None:
    del config
    temporary_rows.finish(row, TemporaryState.FAILED)
    detail = {"temporary": row.id, "reason": temporary_rows.begin_of(row).reason}
    audit.write(audit.SYSTEM, "temporary_failed", row.serial, detail)


def _call_off(row: Temporary, config: Config) -> None:
    """Its time is over before anything was sent: nothing will be."""
    called_off = Command.update(
        state=CommandState.VOIDED,
        reason="expired",
        finished_at=clock.now(),
        rev=next_rev(Command),
    ).where(Command.id == temporary_rows.begin_of(row).id, Command.state == CommandState.QUEUED)
    if called_off.execute() == 1:
        _fail(_again(row), config)


def _begin_again(row: Temporary, config: Config) -> None:
    """A download that says more took the place of a limit's own, which was still queued."""
    del config
    assert row.limit_w is not None, row.id
    command = downloads.queue_values(
        row.meter,
        {"overload_w": row.limit_w},
        row.operator,
        signs.next_id(row, "begin"),
        why=row.why,
    )
    temporary_rows.change(row, begin=command)


def _take_back(row: Temporary, config: Config) -> None:
    """Ask for the return; which one of them it is stands in its request id."""
    request_id = signs.next_id(row, "end")
    if row.limit_w is None:
        expires_at = clock.now() + dt.timedelta(seconds=config.control.switch_expires_s)
        command = queueing.queue(
            row.meter, CommandKind.RESUME, row.operator, request_id,
            expires_at=expires_at, why=row.why,
        )  # fmt: skip
    else:
        command = downloads.queue_values(
            row.meter, _unlimited(row, config), row.operator, request_id, why=row.why
        )
    state = row.state if row.state is TemporaryState.STUCK else TemporaryState.ENDING
    superseded = row.end is not None and row.end.reason == signs.SUPERSEDED
    tries = row.tries if superseded else row.tries + 1
    temporary_rows.change(row, state=state, end=command, tries=tries)
    detail = {"temporary": row.id, "command": command.id, "try": tries}
    audit.write(audit.SYSTEM, "temporary_return", row.serial, detail)


def _unlimited(row: Temporary, config: Config) -> desired.Values:
    """What is desired now; where nobody desires anything any more, what stood before."""
    now = desired.unlimited(row.meter, config)
    former = {"overload_w": _held_before(row), **json.loads(row.former)}
    return {"overload_w": now.get("overload_w", former["overload_w"])}


def _held_before(row: Temporary) -> int:
    """What the meter held that nobody had desired of it; 0 where it is not known."""
    found = json.loads(temporary_rows.begin_of(row).found or "{}").get("overload_w")
    return found if isinstance(found, int) and found != row.limit_w else 0


def _give_up(row: Temporary, config: Config) -> None:
    del config
    temporary_rows.change(row, state=TemporaryState.STUCK)
    audit.write(audit.SYSTEM, "temporary_stuck", row.serial, {"temporary": row.id})


def _end(row: Temporary, config: Config) -> None:
    """It is over: what was used meanwhile, and what of that nobody has paid yet."""
    del config
    latest = signs.latest_of(row)
    reading = newest.reading_in(latest) if latest else None
    by_hand = signs.ended_by_hand(row)
    values: dict[str, object] = {"end": by_hand} if by_hand else {}
    if reading is not None:
        values |= {
            "after_balance_fen": reading.balance_fen,
            "after_energy_wh": reading.energy_wh,
        }
        if row.limit_w is None:
            values["debt_fen"] = temporary_debt.debt_fen(row, reading.balance_fen)
    temporary_rows.finish(row, TemporaryState.ENDED, **values)
    detail = {"temporary": row.id, "debt_fen": values.get("debt_fen")}
    audit.write(audit.SYSTEM, "temporary_ended", row.serial, detail)
