"""Which meters one person has switched alone lately: no limit is evaded by going in parts."""

import datetime as dt

from engine import clock
from models.base import tuples
from models.control import Batch, BatchItem, Temporary
from models.enums import BatchVerb, ItemState, Planned, TemporaryPurpose
from models.people import Operator

TWO_PERSONS = (BatchVerb.TRIP, BatchVerb.HOLD)  # many meters by these; by others many that go dark
LATELY = dt.timedelta(minutes=10)


def switched_by(by: Operator, *, apart_from: Batch | None = None) -> set[int]:
    """Ids of meters that `by` tripped, held or darkened by batches and the guard, with no second.

    What was begun within LATELY and has not been left out since; a meter counts once.
    """
    since = clock.now() - LATELY
    heavy = Batch.verb.in_(TWO_PERSONS) | (BatchItem.loses_power == True)  # noqa: E712 (SQL)
    items = (
        BatchItem.select(BatchItem.meter)
        .join(Batch)
        .where(
            Batch.operator == by,
            Batch.approver.is_null(),
            Batch.created_at > since,
            BatchItem.planned == Planned.CHANGE,
            BatchItem.state != ItemState.SKIPPED,
            heavy,
        )
    )
    if apart_from is not None:
        items = items.where(Batch.id != apart_from.id)
    holds = Temporary.select(Temporary.meter).where(
        Temporary.operator == by,
        Temporary.approver.is_null(),
        Temporary.batch.is_null(),
        Temporary.purpose == TemporaryPurpose.NO_CUT,
        Temporary.created_at > since,
    )
    return {meter_id for query in (items, holds) for (meter_id,) in tuples(query)}
