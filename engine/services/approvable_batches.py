"""What of batches may wait for a second person: to start one, to go on with one."""

import json
from collections.abc import Mapping
from typing import Any

from engine import clock
from engine.domain.errors import PlanStale
from engine.domain.selection import Selection
from engine.services import batches
from engine.services.wishes import Subject, Verb, Wish
from models.control import Batch
from models.enums import BatchVerb


def _start(wish: Wish) -> None:
    """The plan is made anew; what an approver sees in the list must still be what it says."""
    given = wish.given
    plan = batches.plan(
        BatchVerb(given["verb"]),
        Selection.from_json(json.loads(given["selection"])),
        json.loads(given["options"]),
        config=wish.config,
        now=clock.now(),
    )
    made = Batch.select().where(Batch.request_id == wish.request_id).exists()
    if plan.digest != given["digest"] and not made:
        raise PlanStale(number=len(plan.change), serials="", why="asked")
    batches.start(
        plan,
        given["confirm"],
        given["why"],
        wish.by,
        wish.request_id,
        config=wish.config,
        approver=wish.approver,
        retries=batches.get(given["retries"]) if given.get("retries") else None,
    )


def _resume(wish: Wish) -> None:
    batches.resume(
        wish.given["batch_id"],
        wish.given["confirm"],
        wish.by,
        config=wish.config,
        approver=wish.approver,
    )


def _of_batch(given: Mapping[str, Any]) -> Subject:
    """No one meter and no money: its arguments say how many meters, and which."""
    del given
    return Subject()


BATCH_VERBS: dict[str, Verb] = {
    "batch": Verb(_start, _of_batch),
    "batch_resume": Verb(_resume, _of_batch),
}
