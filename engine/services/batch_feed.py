"""Batches at work: each line's queue kept short and full, what ended followed to its item.

A line holds a few commands of batches at a time, so that a sale never waits behind many; lines
are fed apart from each other, so that a dead one holds up only itself.
"""

import datetime as dt
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import peewee as pw

from engine import clock
from engine.config import Config
from engine.domain.batch_rules import DOWNLOADS
from engine.domain.errors import DomainError, PlanStale, SwitchOvertaken
from engine.services import (
    audit,
    batch_facts,
    batch_store,
    commands,
    desired,
    downloads,
    meters,
    queueing,
    switching,
    temporary,
    temporary_rows,
    transitions,
)
from models.base import tuples, write_transaction
from models.commands import Command
from models.control import Batch, BatchItem
from models.enums import (
    BatchState,
    BatchVerb,
    CommandKind,
    CommandState,
    ItemState,
    TemporaryPurpose,
)
from models.site import Meter

log = logging.getLogger(__name__)

UNDER_WAY_MAX = 2  # commands of batches that a line has in hand
READS_MAX = 6  # of reads, which are one frame each
SLOW_S = 10  # who is silent for longer does not keep the next from its turn
OPEN_MAX = 8  # and so many of them do, on one line
AT_ONCE_MAX = 120  # commands of one transaction: who sells meanwhile waits for it
READ_EXPIRES_S = 600
EXPIRED = "expired"
KINDS = {
    BatchVerb.HOLD: CommandKind.HOLD,
    BatchVerb.RESUME: CommandKind.RESUME,
    BatchVerb.TRIP: CommandKind.TRIP,
    BatchVerb.RECONNECT: CommandKind.RECONNECT,
}
ENDS = {  # what a command's state means for its item
    CommandState.APPLIED: ItemState.APPLIED,
    CommandState.REFUSED: ItemState.REFUSED,
    CommandState.VOIDED: ItemState.SKIPPED,
    CommandState.UNKNOWN: ItemState.UNKNOWN,
}


def restarted(epoch: int) -> None:
    """An engine takes the site up: switches that another one was feeding wait for a person.

    What had not left for its meter is taken back before anything is sent. Raises StaleEngine.
    """
    with write_transaction():
        transitions.require_lease(epoch)
        for batch in _running():
            _adopt(batch, epoch)


def feed(config: Config, epoch: int) -> bool:
    """Agenda: follow what ended, then fill up each line. Has it queued anything?

    Raises StaleEngine where the lease is another's.
    """
    if not _anything_open():
        return False
    with write_transaction():
        transitions.require_lease(epoch)
        _follow()
        down = batch_facts.lines_down()
        queued = 0
        for batch in _running():
            if batch.epoch != epoch and not _adopt(batch, epoch):
                continue
            if batch_store.is_late(batch, config):
                batch_store.skip_waiting(batch, EXPIRED)
            else:
                queued += _fill(batch, down, config)
            _end_if_done(batch)
        return queued > 0


def _running() -> list[Batch]:
    query = Batch.select().where(Batch.state == BatchState.RUNNING)
    return list(query.order_by(Batch.id))


def _anything_open() -> bool:
    running = Batch.select().where(Batch.state == BatchState.RUNNING)
    followed = BatchItem.select().where(BatchItem.state.in_((ItemState.QUEUED, ItemState.UNKNOWN)))
    return bool(running.exists() or followed.exists())


def _adopt(batch: Batch, epoch: int) -> bool:
    """Does it go on under this engine? Switches of another one do not, until a person says so."""
    if batch.epoch in (None, epoch) or not batch.verb.switch:
        batch_store.change(batch, epoch=epoch)
        return True
    batch_store.take_back(batch)
    if not batch_store.count(batch, ItemState.WAITING):
        batch_store.change(batch, epoch=epoch)
        return True  # nothing is left to ask about
    batch_store.change(batch, state=BatchState.PAUSED, stopped="restarted")
    audit.write(audit.SYSTEM, "batch_pause", str(batch.id), {"why": "restarted"})
    log.info("batch paused batch=%d why=restarted", batch.id)
    return False


def _follow() -> None:
    """Items whose command has moved on; one of an unknown outcome may still be decided later."""
    query = (
        BatchItem.select(
            BatchItem.id, BatchItem.batch, BatchItem.state, Command.state, Command.reason
        )
        .join(Command)
        .where(BatchItem.state.in_((ItemState.QUEUED, ItemState.UNKNOWN)))
    )
    touched = set()
    for item_id, batch_id, state, command_state, reason in tuples(query):
        ended = ENDS.get(command_state, ItemState.QUEUED)
        if ended is ItemState.REFUSED and reason == EXPIRED:
            ended = ItemState.SKIPPED
        if ended in (state, ItemState.QUEUED):
            continue
        batch_store.end_item(item_id, ended, reason)
        touched.add(batch_id)
    for batch_id in touched:
        batch = batch_store.change(batch_store.get(batch_id))
        if batch.state is BatchState.PAUSED:  # the last of it had left before
            _end_if_done(batch)


def _end_if_done(batch: Batch) -> None:
    if batch_store.count(batch, ItemState.WAITING, ItemState.QUEUED):
        return
    batch_store.change(batch, state=BatchState.DONE, finished_at=clock.now())
    by_state = BatchItem.select(BatchItem.state, pw.fn.COUNT(BatchItem.id)).where(
        BatchItem.batch == batch
    )
    detail = {state.value: number for state, number in tuples(by_state.group_by(BatchItem.state))}
    audit.write(audit.SYSTEM, "batch_done", str(batch.id), detail)
    log.info("batch done batch=%d %s", batch.id, detail)


def _fill(batch: Batch, down: set[str], config: Config) -> int:
    """Queue what each line has room for, by address, idle lines first. How many that were."""
    most = READS_MAX if batch.verb in (BatchVerb.READ, BatchVerb.EXPORT) else UNDER_WAY_MAX
    under_way = _under_way()
    waiting = BatchItem.select(BatchItem.line).where(
        BatchItem.batch == batch, BatchItem.state == ItemState.WAITING
    )
    lines = [line for (line,) in tuples(waiting.distinct())]
    next_ones: list[BatchItem] = []
    for line in sorted(lines, key=lambda line: under_way.get(line, (0, 0))):
        quick, slow = under_way.get(line, (0, 0))
        room = min(most - quick, OPEN_MAX - quick - slow)
        if line in down or room <= 0 or len(next_ones) >= AT_ONCE_MAX:
            continue
        items = BatchItem.select().where(
            BatchItem.batch == batch,
            BatchItem.state == ItemState.WAITING,
            BatchItem.line == line,
        )
        next_ones.extend(items.order_by(BatchItem.id).limit(room))
    stale = _stale(batch, next_ones, config)
    return sum(_begin(batch, item, stale, config) for item in next_ones)


def _stale(batch: Batch, items: Sequence[BatchItem], config: Config) -> set[int]:
    """Items whose meters are to hold something else by now than was shown and approved.

    A midnight has passed, say, or a limit stands: what waited would bring the old values back.
    """
    if batch.verb not in DOWNLOADS or not items:
        return set()
    meters_ = Meter.select().where(Meter.id.in_([item.__data__["meter"] for item in items]))
    now = desired.of_all(meters_, config)
    return {
        item.id
        for item in items
        if not json.loads(item.wanted).items() <= now[item.__data__["meter"]].items()
    }


def _under_way() -> Mapping[str, tuple[int, int]]:
    """Line -> commands of batches it has in hand: (young ones, those that take long)."""
    query = (
        BatchItem.select(BatchItem.line, Command.created_at)
        .join(Command)
        .where(BatchItem.state == ItemState.QUEUED)
    )
    young_from = clock.now() - dt.timedelta(seconds=SLOW_S)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line, created_at in tuples(query):
        found[line][created_at < young_from] += 1
    return {line: (quick, slow) for line, (quick, slow) in found.items()}


def _begin(batch: Batch, item: BatchItem, stale: Collection[int], config: Config) -> bool:
    """Write its command down; where that is refused now, the item says why and is over."""
    try:
        if item.id in stale:
            raise PlanStale(number=1, serials=item.serial, why="")
        command = _command(batch, item, config)
    except SwitchOvertaken as overtaken:
        batch_store.end_item(item.id, ItemState.SKIPPED, str(overtaken.params["why"]))
        return False
    except DomainError as refusal:
        batch_store.end_item(item.id, ItemState.REFUSED, refusal.code)
        return False
    BatchItem.update(state=ItemState.QUEUED, command=command).where(
        BatchItem.id == item.id
    ).execute()
    return True


def _command(batch: Batch, item: BatchItem, config: Config) -> Command:
    """Raises SwitchOvertaken where somebody switched or paid since: yesterday's trip, say."""
    meter = meters.living(item.serial)
    request_id = f"batch-{batch.id}-{item.id}"
    if item.taken_back:
        request_id += f"-{item.taken_back}"
    match batch.verb:
        case BatchVerb.PRICE | BatchVerb.SETTINGS:
            wanted = json.loads(item.wanted)
            return downloads.queue_values(meter, wanted, batch.operator, request_id)
        case BatchVerb.CLOCK:
            command = queueing.queue(meter, CommandKind.CLOCK, batch.operator, request_id)
            audit.write(batch.operator.name, "clock", meter.serial, {"command": command.id})
            return command
        case BatchVerb.READ | BatchVerb.EXPORT:
            expires_at = clock.now() + dt.timedelta(seconds=READ_EXPIRES_S)
            return queueing.queue(
                meter, CommandKind.READ, batch.operator, request_id, expires_at=expires_at
            )
    batch_store.require_right(batch.operator, batch.verb)  # he may have been dismissed since
    if commands.switched_since(meter, batch.created_at):
        raise SwitchOvertaken(serial=item.serial, why="switched_since")
    until = json.loads(batch.options).get("until")
    if until is not None:
        return _hold_until(batch, item, dt.datetime.fromisoformat(until), request_id, config)
    if batch.verb is BatchVerb.TRIP and commands.counted_since(meter, batch.created_at):
        raise SwitchOvertaken(serial=item.serial, why="sold_since")
    return _switch(batch, item, request_id)


def _hold_until(
    batch: Batch, item: BatchItem, until: dt.datetime, request_id: str, config: Config
) -> Command:
    """Its own order for a time: taken back at `until` whatever becomes of the batch."""
    order = temporary.hold_within(
        item.serial,
        until,
        TemporaryPurpose.NO_CUT,
        batch.why,
        batch.operator,
        request_id,
        config=config,
        approver=batch.approver,
        batch=batch,
    )
    command = temporary_rows.begin_of(order)
    Command.update(expires_at=min(command.expires_at, batch.expires_at)).where(
        Command.id == command.id
    ).execute()
    return command


def _switch(batch: Batch, item: BatchItem, request_id: str) -> Command:
    assert batch.expires_at is not None, batch.id
    left_s = int((batch.expires_at - clock.now()).total_seconds())
    return switching.request_within(
        item.serial,
        KINDS[batch.verb],
        batch.why,
        batch.operator,
        request_id,
        expires_s=max(1, left_s),
    )
