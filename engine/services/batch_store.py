"""The rows of batches: found, written, moved on; who may, and when two persons must."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping

from engine import clock
from engine.config import Config
from engine.domain.errors import ApprovalNeeded, BatchEnded, Forbidden, NoSuchBatch
from engine.services import in_parts, operators
from engine.services.approving import require_second
from engine.services.batch_rows import PlanRow
from engine.services.commands import AHEAD
from models.base import next_rev, tuples
from models.commands import Command
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, CommandState, ItemState, Planned, Right
from models.people import Operator

VERB_RIGHTS = {  # any one of them, besides the right to batches
    BatchVerb.PRICE: (Right.SETTINGS, Right.ACCOUNTS, Right.TARIFFS),
    BatchVerb.SETTINGS: (Right.SETTINGS, Right.ACCOUNTS, Right.TARIFFS),
    BatchVerb.CLOCK: (Right.SETTINGS,),
    BatchVerb.READ: (Right.READ,),
    BatchVerb.EXPORT: (Right.READ,),
    **{verb: (Right.SWITCH,) for verb in BatchVerb if verb.switch},
}
TAKEN_BACK = "taken_back"
CHUNK = 500  # rows of one insert


def get(batch_id: int) -> Batch:
    """Raises NoSuchBatch."""
    found = Batch.get_or_none(Batch.id == batch_id)
    if found is None:
        raise NoSuchBatch(batch=batch_id)
    assert isinstance(found, Batch)
    return found


def in_state(batch_id: int, *states: BatchState) -> Batch:
    """Raises NoSuchBatch, BatchEnded where it is in none of `states`."""
    batch = get(batch_id)
    if batch.state not in states:
        raise BatchEnded(batch=batch_id, why=batch.state.value)
    return batch


def require_right(by: Operator, verb: BatchVerb) -> None:
    """Raises Forbidden."""
    operators.require(by, Right.BATCH)
    rights = VERB_RIGHTS[verb]
    if not any(operators.has(by, right) for right in rights):
        raise Forbidden(operator=by.name, right=rights[0].value)


def require_two(
    by: Operator,
    approver: Operator | None,
    verb: BatchVerb,
    change: Mapping[int, bool],
    config: Config,
    *,
    apart_from: Batch | None = None,
) -> None:
    """`change`: meters by id, do they lose power by it? Many want two persons, also in parts.

    `apart_from` is the batch itself. Raises ApprovalNeeded, NotApprovable.
    """
    if approver is not None:
        require_second(by, approver, 0, 0)
        return
    heavy = {each for each, dark in change.items() if dark or verb in in_parts.TWO_PERSONS}
    limit = config.control.second_from
    if heavy and len(lately := heavy | in_parts.switched_by(by, apart_from=apart_from)) >= limit:
        why = "batch" if len(heavy) >= limit else "parts"
        minutes = in_parts.LATELY // dt.timedelta(minutes=1)
        raise ApprovalNeeded(amount=str(len(lately)), limit=str(limit), minutes=minutes, why=why)


def expiry(verb: BatchVerb, line_s: int, config: Config) -> dt.datetime | None:
    """Until when switches that were approved now may leave; None: the others may always."""
    if not verb.switch:
        return None
    return clock.now() + dt.timedelta(seconds=config.control.switch_expires_s + line_s)


def is_late(batch: Batch, config: Config) -> bool:
    """Too late to be fed; also where the clock was set back since somebody said go."""
    latest = expiry(batch.verb, batch.line_s, config)
    if batch.expires_at is None or latest is None:
        return False
    return bool(batch.expires_at <= clock.now() or batch.expires_at > latest + AHEAD)


def add_items(batch: Batch, rows: Iterable[PlanRow]) -> None:
    """Inside a write_transaction, in the order of the plan."""
    now = clock.now()
    lines = [
        {
            "batch": batch.id,
            "meter": row.meter_id,
            "serial": row.serial,
            "line": row.line,
            "planned": row.planned,
            "was": _json(row.was),
            "wanted": _json(row.wanted),
            "loses_power": row.loses_power,
            "state": ItemState.WAITING if row.planned is Planned.CHANGE else ItemState.SKIPPED,
            "reason": row.reason,
            "finished_at": None if row.planned is Planned.CHANGE else now,
        }
        for row in rows
    ]
    for start in range(0, len(lines), CHUNK):
        BatchItem.insert_many(lines[start : start + CHUNK]).execute()


def _json(values: object) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def change(batch: Batch, **values: object) -> Batch:
    Batch.update(rev=next_rev(Batch), **values).where(Batch.id == batch.id).execute()
    return get(batch.id)


def end_item(item_id: int, state: ItemState, reason: str | None) -> None:
    BatchItem.update(state=state, reason=reason, finished_at=clock.now()).where(
        BatchItem.id == item_id
    ).execute()


def skip_waiting(batch: Batch, reason: str) -> int:
    """What has not been begun never will be. How many that were."""
    skipped: int = (
        BatchItem.update(state=ItemState.SKIPPED, reason=reason, finished_at=clock.now())
        .where(BatchItem.batch == batch, BatchItem.state == ItemState.WAITING)
        .execute()
    )
    return skipped


def take_back(batch: Batch) -> None:
    """Commands that have not left for their meters are void, and their items wait again."""
    query = (
        BatchItem.select(BatchItem.id, BatchItem.command)
        .join(Command)
        .where(
            BatchItem.batch == batch,
            BatchItem.state == ItemState.QUEUED,
            Command.state == CommandState.QUEUED,
        )
    )
    for item_id, command_id in tuples(query):
        voided = (
            Command.update(
                state=CommandState.VOIDED,
                reason=TAKEN_BACK,
                finished_at=clock.now(),
                rev=next_rev(Command),
            )
            .where(Command.id == command_id, Command.state == CommandState.QUEUED)
            .execute()
        )
        if voided:
            BatchItem.update(
                state=ItemState.WAITING, command=None, taken_back=BatchItem.taken_back + 1
            ).where(BatchItem.id == item_id).execute()


def count(batch: Batch, *states: ItemState) -> int:
    query = BatchItem.select().where(BatchItem.batch == batch, BatchItem.state.in_(states))
    return int(query.count())
