"""What of locks and of the guard may wait for a second person."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.services import guard, locking
from engine.services.wishes import Subject, Verb, Wish


def _unlock(wish: Wish) -> None:
    locking.release(wish.given["serial"], wish.by, wish.approver)


def _guard_hold(wish: Wish) -> None:
    """The same meters until the same time, however late it is approved: then it may be over."""
    guard.hold_all(
        wish.given["serials"].split(","),
        dt.datetime.fromisoformat(wish.given["until"]),
        wish.given["why"],
        wish.by,
        wish.request_id,
        confirm=wish.given["confirm"],
        config=wish.config,
        approver=wish.approver,
    )


def _of_meter(given: Mapping[str, Any]) -> Subject:
    return Subject(given["serial"])


def _of_many(given: Mapping[str, Any]) -> Subject:
    del given
    return Subject()


CONTROL_VERBS: dict[str, Verb] = {
    "unlock": Verb(_unlock, _of_meter),
    "guard_hold": Verb(_guard_hold, _of_many),
}
