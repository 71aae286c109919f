"""不断电保护: meters that would run out while nobody can sell are held until the office opens."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engine.config import Config
from engine.domain.errors import (
    ApprovalNeeded,
    DomainError,
    Forbidden,
    GuardCountDiffers,
    NotApprovable,
)
from engine.services import audit, in_parts, operators, temporary, temporary_checks
from engine.services.approving import checked_reason
from models import base
from models.base import tuples, write_transaction
from models.control import Temporary
from models.enums import Right, TemporaryPurpose
from models.people import Operator
from models.site import Meter


@dataclass(frozen=True)
class Kept:
    """What was asked for, and by serial what stood against the others."""

    holds: tuple[Temporary, ...]
    left_out: dict[str, DomainError]


def hold_all(
    serials: Sequence[str],
    until: dt.datetime,
    why: str,
    by: Operator,
    request_id: str,
    *,
    confirm: int,
    config: Config,
    approver: Operator | None = None,
) -> Kept:
    """Hold these meters until `until`, each with a return of its own; all in one transaction.

    One that may not be held (locked out meanwhile, held by a hand) is left out and named.
    `confirm` is their number, as the person has read it; from control.second_from on (with what
    he switched alone just before) a second person is needed. Raises Forbidden, NoReason,
    GuardCountDiffers, ApprovalNeeded, NotApprovable, BadUntil, RequestIdReused.
    """
    why, wanted = checked_reason(why), tuple(dict.fromkeys(serials))
    with write_transaction():
        operators.require(by, Right.SWITCH)
        operators.require(by, Right.BATCH)
        if confirm != len(wanted):
            raise GuardCountDiffers(found=confirm, number=len(wanted))
        _require_second(by, approver, wanted, config.control.second_from)
        temporary_checks.require_until(until, TemporaryPurpose.NO_CUT, config)
        holds: list[Temporary] = []
        left_out: dict[str, DomainError] = {}
        for serial in wanted:
            try:
                with base.core.atomic():  # a savepoint: what a refusal left behind is undone
                    held = temporary.hold_within(
                        serial, until, TemporaryPurpose.NO_CUT, why, by, f"{request_id}:{serial}",
                        config=config, approver=approver,
                    )  # fmt: skip
            except DomainError as error:
                left_out[serial] = error
            else:
                holds.append(held)
        detail: dict[str, object] = {
            "until": until.isoformat(),
            "held": [each.serial for each in holds],
            "left_out": {serial: error.code for serial, error in left_out.items()},
            "why": why,
            "approver": approver.name if approver else None,
        }
        audit.write(by.name, "guard_hold", "", detail)
        return Kept(tuple(holds), left_out)


def _require_second(
    by: Operator, approver: Operator | None, serials: Sequence[str], second_from: int
) -> None:
    """Many meters held on are credit that nobody decided alone. Raises as `hold_all` says."""
    if approver is None:
        found = Meter.select(Meter.id).where(Meter.serial.in_(serials))
        number = len({row[0] for row in tuples(found)} | in_parts.switched_by(by))
        if number >= second_from:
            raise ApprovalNeeded(number=number, limit=second_from, why="meters")
        return
    if approver.id == by.id:
        raise NotApprovable(operator=approver.name, why="same_person")
    try:
        operators.require(approver, Right.APPROVE)
    except Forbidden:
        raise NotApprovable(operator=approver.name) from None
