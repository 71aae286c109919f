"""A verb over many meters: planned, approved by its number, fed to the lines, followed to its end.

The plan comes first and writes nothing. What is approved is what was shown: the books are asked
again in the transaction that writes it down, and anything that changed since refuses it.
"""

import datetime as dt
import json
from collections.abc import Sequence

from engine import clock
from engine.config import Config
from engine.domain.errors import BatchEnded, ConfirmNumber, NoSuchBatch, PlanStale, RequestIdReused
from engine.domain.selection import Selection
from engine.services import audit, batch_plan, batch_store
from engine.services.approving import REASON_LENGTH_MAX, checked_reason
from engine.services.batch_feed import feed, restarted
from engine.services.batch_plan import Options
from engine.services.batch_rows import Plan, PlanRow
from engine.services.batch_store import get
from models.base import next_rev, tuples, write_transaction
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, ItemState, Planned
from models.people import Operator

__all__ = [
    "Plan",
    "PlanRow",
    "cancel",
    "feed",
    "get",
    "of_request",
    "pause",
    "plan",
    "plan_retry",
    "restarted",
    "resume",
    "retry",
    "start",
    "wish",
]

NAMED_MAX = 20  # serials in one message


def plan(
    verb: BatchVerb, selection: Selection, options: Options, *, config: Config, now: dt.datetime
) -> Plan:
    """What `verb` would do to each meter that is meant. Writes nothing.

    Options: `names` (of price, settings: only these, separated by commas), `unopened` 1 (also
    meters on nobody's account), `override` 1 (also against a hold that stands), `until` (of hold:
    ISO instant with offset, at which it is taken back), `fresh` 1 (of export: reads first).
    Raises BadSelection, BadBatch.
    """
    return batch_plan.make(verb, selection, options, config=config, now=now)


def start(
    plan: Plan,
    confirm: int,
    why: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
    retries: Batch | None = None,
) -> Batch:
    """Write the batch down; the engine carries it out. The same id twice is the first batch.

    `why` must be given for switches. Raises Forbidden, NoReason, ConfirmNumber, PlanStale,
    ApprovalNeeded, NotApprovable, RequestIdReused.
    """
    why = checked_reason(why) if plan.verb.switch else why.strip()[:REASON_LENGTH_MAX]
    with write_transaction():
        if first := _earlier(plan, by, request_id):
            return first
        batch_store.require_right(by, plan.verb)
        _require_number(confirm, len(plan.change))
        _require_unchanged(plan, config)
        change = {row.meter_id: row.loses_power for row in plan.change}
        batch_store.require_two(by, approver, plan.verb, change, config)
        return _write(plan, why, by, request_id, config, approver, retries)


def _earlier(plan: Plan, by: Operator, request_id: str) -> Batch | None:
    first = Batch.get_or_none(Batch.request_id == request_id)
    if first is None:
        return None
    assert isinstance(first, Batch)
    if (first.verb, first.selection, first.operator) != (plan.verb, _json_of(plan), by):
        raise RequestIdReused(request_id=request_id)
    return first


def _json_of(plan: Plan) -> str:
    return json.dumps(plan.selection.as_json(), sort_keys=True, ensure_ascii=False)


def _require_number(confirm: int, number: int) -> None:
    if confirm != number or number < 1:
        raise ConfirmNumber(confirm=confirm, number=number, why="nothing" if number < 1 else "")


def _require_unchanged(plan: Plan, config: Config) -> None:
    """Raises PlanStale where a meter that is to be changed is not as it was shown.

    One that is so by now may stay: it is read first, and nothing is written.
    """
    serials = [row.serial for row in plan.change]
    again = batch_plan.make(
        plan.verb,
        Selection(serials=tuple(serials)),
        plan.options,
        config=config,
        now=clock.now(),
    )
    now_so = {row.serial: row for row in again.rows}
    changed = [row.serial for row in plan.change if not _stands(row, now_so.get(row.serial))]
    if changed:
        named = ", ".join(changed[:NAMED_MAX])
        raise PlanStale(number=len(changed), serials=named, why="")


def _stands(shown: PlanRow, now: PlanRow | None) -> bool:
    if now is None or now.planned not in (Planned.CHANGE, Planned.SAME):
        return False
    darker = now.loses_power and not shown.loses_power
    return dict(now.wanted) == dict(shown.wanted) and not darker


def _write(
    plan: Plan,
    why: str,
    by: Operator,
    request_id: str,
    config: Config,
    approver: Operator | None,
    retries: Batch | None,
) -> Batch:
    number = len(plan.change)
    instant = plan.verb is BatchVerb.EXPORT and not plan.options.get("fresh")
    now = clock.now()
    batch: Batch = Batch.create(
        request_id=request_id,
        verb=plan.verb,
        selection=_json_of(plan),
        options=json.dumps(dict(plan.options), sort_keys=True, ensure_ascii=False),
        state=BatchState.DONE if instant else BatchState.RUNNING,
        why=why,
        line_s=plan.line_s,
        operator=by,
        approver=approver,
        retries=retries,
        created_at=now,
        expires_at=batch_store.expiry(plan.verb, plan.line_s, config),
        finished_at=now if instant else None,
        rev=next_rev(Batch),
    )
    batch_store.add_items(batch, plan.rows)
    if instant:  # what is known is written as it is: there is nobody to ask
        BatchItem.update(state=ItemState.APPLIED, finished_at=now).where(
            BatchItem.batch == batch, BatchItem.planned == Planned.CHANGE
        ).execute()
    detail = {
        "batch": batch.id,
        "verb": plan.verb,
        "number": number,
        "loses_power": len(plan.loses_power),
        "selection": plan.selection.conditions() or "all",
        "options": dict(plan.options),
        "why": why,
        "approver": approver.name if approver else None,
    }
    audit.write(by.name, "batch_start", str(batch.id), detail)
    return batch


def of_request(request_id: str) -> Batch:
    """Raises NoSuchBatch."""
    found = Batch.get_or_none(Batch.request_id == request_id)
    if found is None:
        raise NoSuchBatch(batch=request_id)
    assert isinstance(found, Batch)
    return found


def wish(
    plan: Plan, confirm: int, why: str, *, retries: Batch | None = None
) -> dict[str, str | int | None]:
    """What `approvals.ask("batch", …)` keeps until a second person looks at it."""
    return {
        "verb": plan.verb.value,
        "selection": _json_of(plan),
        "options": json.dumps(dict(plan.options), sort_keys=True, ensure_ascii=False),
        "confirm": confirm,
        "digest": plan.digest,
        "retries": retries.id if retries else None,
        "why": why,
    }


def pause(batch_id: int, by: Operator) -> Batch:
    """What has not left for a meter stays here. Raises Forbidden, NoSuchBatch, BatchEnded."""
    with write_transaction():
        batch = batch_store.in_state(batch_id, BatchState.RUNNING)
        batch_store.require_right(by, batch.verb)
        batch_store.take_back(batch)
        audit.write(by.name, "batch_pause", str(batch_id))
        return batch_store.change(batch, state=BatchState.PAUSED, stopped="operator")


def resume(
    batch_id: int,
    confirm: int,
    by: Operator,
    *,
    config: Config,
    approver: Operator | None = None,
) -> Batch:
    """Go on with a paused one; `confirm` is the number of meters that are left.

    Switches are asked about again: what is so by now, or may not be any more, is left out.
    Raises Forbidden, NoSuchBatch, BatchEnded, ConfirmNumber, ApprovalNeeded, NotApprovable.
    """
    with write_transaction():
        batch = batch_store.in_state(batch_id, BatchState.PAUSED)
        batch_store.require_right(by, batch.verb)
        left = batch_store.count(batch, ItemState.WAITING)
        if left or confirm:
            _require_number(confirm, left)
        change = BatchItem.select(BatchItem.meter, BatchItem.loses_power).where(
            BatchItem.batch == batch, BatchItem.state == ItemState.WAITING
        )
        batch_store.require_two(
            by, approver, batch.verb, dict(tuples(change)), config, apart_from=batch
        )
        if batch.verb.switch:
            _plan_again(batch, config)
        detail = {"number": left, "approver": approver.name if approver else None}
        audit.write(by.name, "batch_resume", str(batch_id), detail)
        return batch_store.change(
            batch,
            state=BatchState.RUNNING,
            stopped="",
            epoch=None,
            expires_at=batch_store.expiry(batch.verb, batch.line_s, config),
            approver=approver or batch.approver,
        )


def _plan_again(batch: Batch, config: Config) -> None:
    """Of what waits: leave out what the plan would leave out now, with its reason."""
    waiting = BatchItem.select(BatchItem.id, BatchItem.serial).where(
        BatchItem.batch == batch, BatchItem.state == ItemState.WAITING
    )
    by_serial = {serial: item_id for item_id, serial in tuples(waiting)}
    rows = _rows_now(batch, list(by_serial), config)
    for serial, item_id in by_serial.items():
        row = rows.get(serial)
        if row is None:
            batch_store.end_item(item_id, ItemState.SKIPPED, "gone")
        elif row.planned is not Planned.CHANGE:
            batch_store.end_item(item_id, ItemState.SKIPPED, row.reason or row.planned.value)


def _rows_now(batch: Batch, serials: Sequence[str], config: Config) -> dict[str, PlanRow]:
    if not serials:
        return {}
    living = batch_plan.living(serials)
    if not living:
        return {}
    again = batch_plan.make(
        batch.verb,
        Selection(serials=living),
        json.loads(batch.options),
        config=config,
        now=clock.now(),
        apart_from=batch.id,
    )
    return {row.serial: row for row in again.rows}


def cancel(batch_id: int, by: Operator) -> Batch:
    """What has not left never will. Raises Forbidden, NoSuchBatch, BatchEnded."""
    with write_transaction():
        batch = batch_store.in_state(batch_id, BatchState.RUNNING, BatchState.PAUSED)
        batch_store.require_right(by, batch.verb)
        batch_store.take_back(batch)
        skipped = batch_store.skip_waiting(batch, "cancelled")
        audit.write(by.name, "batch_cancel", str(batch_id), {"skipped": skipped})
        return batch_store.change(
            batch, state=BatchState.CANCELLED, stopped="", finished_at=clock.now()
        )


def plan_retry(batch_id: int, *, config: Config, now: dt.datetime) -> Plan:
    """The plan anew, over those that were refused, unreachable or skipped.

    Never over unknown ones: their read-back decides. Raises NoSuchBatch, BatchEnded (`running`,
    `paused`, `nothing`: nothing is left to do).
    """
    batch = batch_store.in_state(batch_id, BatchState.DONE, BatchState.CANCELLED)
    failed = BatchItem.select(BatchItem.serial).where(
        BatchItem.batch == batch,
        (BatchItem.state == ItemState.REFUSED)
        | (
            (BatchItem.state == ItemState.SKIPPED)
            & BatchItem.planned.in_((Planned.CHANGE, Planned.UNREACHABLE, Planned.LOCKED))
        ),
    )
    serials = batch_plan.living([serial for (serial,) in tuples(failed)])
    if not serials:
        raise BatchEnded(batch=batch_id, why="nothing")
    options = json.loads(batch.options)
    return plan(batch.verb, Selection(serials=serials), options, config=config, now=now)


def retry(
    batch_id: int,
    confirm: int,
    why: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
) -> Batch:
    """A new batch over those that `plan_retry` names. Raises what it and `start` raise."""
    anew = plan_retry(batch_id, config=config, now=clock.now())
    return start(
        anew,
        confirm,
        why,
        by,
        request_id,
        config=config,
        approver=approver,
        retries=get(batch_id),
    )
