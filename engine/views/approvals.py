"""Requests for a second person, as lists show them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import peewee as pw

from models.accounts import Account, Installation
from models.base import tuples
from models.cases import Approval
from models.enums import ApprovalState
from models.people import Operator
from models.site import Meter

LASTS = dt.timedelta(hours=24)  # as the service has it: then nobody can approve it


@dataclass(frozen=True, slots=True)
class Request:
    """An approval that somebody asked for, as a list shows it."""

    approval: int
    verb: str
    asked_at: dt.datetime
    asked_by: str
    meter_id: int | None
    serial: str
    shop: str
    tenant: str | None
    amount_fen: int
    why: str
    state: ApprovalState
    decided_by: str | None
    command: int | None
    refusal: str
    arguments: str

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        """One element of `voltill approval list --json`."""
        return {
            "approval": self.approval,
            "verb": self.verb,
            "asked_at": self.asked_at.astimezone(now.tzinfo).isoformat(),
            "age_s": max(0, int((now - self.asked_at).total_seconds())),
            "asked_by": self.asked_by,
            "serial": self.serial,
            "tenant": self.tenant,
            "amount_fen": self.amount_fen,
            "why": self.why,
            "state": self.state,
            "decided_by": self.decided_by,
            "command": self.command,
        }


def waiting(now: dt.datetime) -> list[Request]:
    """Requests that somebody can still approve, oldest first."""
    return _requests(
        (Approval.state == ApprovalState.WAITING) & (Approval.asked_at > now - LASTS), now
    )


def request(approval_id: int, now: dt.datetime) -> Request | None:
    """That one, whatever became of it; None where there is none."""
    found = _requests(Approval.id == approval_id, now)
    return found[0] if found else None


def _requests(which: pw.Expression, now: dt.datetime) -> list[Request]:
    second = Operator.alias()
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        Approval.select(
            Approval.id, Approval.verb, Approval.asked_at, Operator.name, Meter.id,
            Approval.serial, Meter.shop, Account.name, Approval.amount_fen, Approval.why,
            Approval.state, second.name, Approval.command, Approval.refusal, Approval.arguments,
        )
        .join(Operator, on=Approval.asked_by == Operator.id)
        .switch(Approval)
        .join(second, pw.JOIN.LEFT_OUTER, on=Approval.decided_by == second.id)
        .switch(Approval)
        .join(Meter, pw.JOIN.LEFT_OUTER, on=Meter.serial == Approval.serial)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(which)
        .order_by(Approval.id)
    )  # fmt: skip
    return [_request(row, now) for row in tuples(query)]


def _request(row: tuple[Any, ...], now: dt.datetime) -> Request:
    """A request that nobody decided for a day is over, whether that is written down or not."""
    fields = list(row)
    fields[6] = fields[6] or ""
    if fields[10] is ApprovalState.WAITING and now - fields[2] >= LASTS:
        fields[10] = ApprovalState.EXPIRED
    return Request(*fields)
