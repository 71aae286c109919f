"""A verb over many meters: planned, approved by its number, fed to the lines, followed to its end.

The plan comes first and writes nothing. What is approved is what was shown: the books are asked
again in the transaction that writes it down, and anything that changed since refuses it.
"""

import datetime as dt
from collections.abc import Mapping

from engine.config import Config
from engine.domain.selection import Selection
from engine.services.batch_rows import Plan, PlanRow
from models.control import Batch
from models.enums import BatchVerb
from models.people import Operator

__all__ = ["Plan", "PlanRow", "cancel", "feed", "pause", "plan", "resume", "retry", "start"]

Options = Mapping[str, str | int | None]


def plan(
    verb: BatchVerb, selection: Selection, options: Options, *, config: Config, now: dt.datetime
) -> Plan:
    """What `verb` would do to each meter that is meant. Writes nothing.

    Options: `names` (of price, settings: only these, separated by commas), `unopened` 1 (also
    meters on nobody's account), `override` 1 (also trips what is held on), `until` (of hold: ISO
    instant at which it is taken back), `fresh` 1 (of export: reads first). Raises BadSelection,
    BadBatch.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def pause(batch_id: int, by: Operator) -> Batch:
    """What has not left for a meter stays here. Raises Forbidden, NoSuchBatch, BatchEnded."""
    raise NotImplementedError


def resume(
    batch_id: int,
    confirm: int,
    by: Operator,
    *,
    config: Config,
    approver: Operator | None = None,
) -> Batch:
    """Go on with a paused one; `confirm` is the number of meters that are left.

    Raises Forbidden, NoSuchBatch, BatchEnded, ConfirmNumber, ApprovalNeeded, NotApprovable.
    """
    raise NotImplementedError


def cancel(batch_id: int, by: Operator) -> Batch:
    """What has not left never will. Raises Forbidden, NoSuchBatch, BatchEnded."""
    raise NotImplementedError


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
    """A new batch over those that were refused, unreachable or skipped; never over unknown ones.

    Raises what `plan` and `start` raise.
    """
    raise NotImplementedError


def feed(config: Config, epoch: int) -> bool:
    """Agenda: keep each line's queue short and full, follow what ended. Has it queued anything?"""
    raise NotImplementedError
