"""Requests that wait for a second person, who approves or declines in a session of his own.

Approving calls the very verb that was asked for, with `by` the asker and `approver` the second
person. Its request id makes it once: after a crash, or a second key, the same command comes back.
"""

import datetime as dt
import json
from collections.abc import Mapping

from engine import clock
from engine.config import Config
from engine.domain.errors import (
    ApprovalClosed,
    ApprovalNeeded,
    DomainError,
    NoSuchApproval,
    RequestIdReused,
)
from engine.domain.units import yuan_text
from engine.services import approvable, audit, operators
from engine.services.approving import checked_reason, require_second
from models.base import next_rev, write_transaction
from models.cases import Approval
from models.commands import Command
from models.enums import ApprovalState, Right
from models.people import Operator

LASTS = dt.timedelta(hours=24)  # then nobody can approve it any more
CLAIM_LASTS = dt.timedelta(seconds=60)  # who approves has it in hand; then he must have crashed

Arguments = Mapping[str, str | int | None]


def attempt(
    verb: str,
    arguments: Arguments,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
) -> Command | Approval | None:
    """Do it, or where that needs a second person and none is here, ask for one.

    A Command (None: the verb makes none) where it was done, the Approval where it waits. Raises
    what the verb raises, save ApprovalNeeded; then nothing has changed.
    """
    if not Approval.select().where(Approval.request_id == request_id).exists():
        try:
            return at_once(verb, arguments, by, request_id, config=config, approver=approver)
        except ApprovalNeeded:
            if approver is not None:
                raise
    return ask(verb, arguments, by, request_id)


def at_once(
    verb: str,
    arguments: Arguments,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    approver: Operator | None = None,
) -> Command | None:
    """Do it now, with the second person who is here, if any. Raises what the verb raises."""
    return approvable.call(verb, arguments, by, request_id, approver=approver, config=config)


def ask(verb: str, arguments: Arguments, by: Operator, request_id: str) -> Approval:
    """Keep the request until somebody decides; the same id twice is the first request.

    `arguments` are the verb's own, by name, as JSON can hold them. Raises Forbidden,
    RequestIdReused.
    """
    text = json.dumps(dict(arguments), sort_keys=True, ensure_ascii=False)
    with write_transaction():
        first = Approval.get_or_none(Approval.request_id == request_id)
        if first is not None:
            if (first.verb, first.arguments, first.asked_by) != (verb, text, by):
                raise RequestIdReused(request_id=request_id)
            assert isinstance(first, Approval)
            return first
        operators.require(by, Right.VIEW)
        _expire_old()
        subject = approvable.subject_of(verb, arguments)
        made: Approval = Approval.create(
            verb=verb,
            request_id=request_id,
            arguments=text,
            serial=subject.serial,
            amount_fen=subject.amount_fen,
            why=str(arguments.get("why") or ""),
            asked_by=by,
            asked_at=clock.now(),
            rev=next_rev(Approval),
        )
        detail = {"approval": made.id, "verb": verb, "amount_fen": subject.amount_fen}
        audit.write(by.name, "ask_approval", subject.serial, detail)
        return made


def get(approval_id: int) -> Approval:
    """Raises NoSuchApproval."""
    found = Approval.get_or_none(Approval.id == approval_id)
    if found is None:
        raise NoSuchApproval(approval=approval_id)
    assert isinstance(found, Approval)
    return found


def approve(approval_id: int, by: Operator, *, config: Config) -> Approval:
    """Have it done, with `by` as the second person; repeated, the same command again.

    Where the verb refuses now, the request still waits and keeps the refusal, which is raised.
    Raises NoSuchApproval, ApprovalClosed (`grown`: "all" is more by now, and is shown so from here
    on), NotApprovable, and what the verb raises.
    """
    claimed = _claim(approval_id, by)
    if claimed.state is ApprovalState.APPROVED:
        return claimed
    try:
        _require_no_more(claimed)
        command = approvable.call(
            claimed.verb,
            json.loads(claimed.arguments),
            claimed.asked_by,
            claimed.request_id,
            approver=by,
            config=config,
        )
    except DomainError as refusal:
        _leave(claimed, by, refusal)
        raise
    with write_transaction():
        return _approved(claimed, command, by)


def decline(approval_id: int, by: Operator, why: str) -> Approval:
    """Say no, with the reason; the asker himself may take his request back so.

    Raises NoReason, NoSuchApproval, ApprovalClosed, NotApprovable.
    """
    why = checked_reason(why)
    with write_transaction():
        _expire_old()
        approval = get(approval_id)
        if approval.asked_by != by:
            _require_approver(approval, by)
        _require_waiting(approval)
        if _in_hand(approval):
            raise ApprovalClosed(approval=approval_id, why="in_hand")
        if approvable.made_by(approval.request_id):  # and it was not written down here: a crash
            raise ApprovalClosed(approval=approval_id, why="done")
        refusal = json.dumps({"code": "declined", "params": {"why": why}}, ensure_ascii=False)
        _change(approval, state=ApprovalState.DECLINED, decided_by=by, refusal=refusal)
        detail = {"approval": approval_id, "verb": approval.verb, "why": why}
        audit.write(by.name, "decline", approval.serial, detail)
        return get(approval_id)


def _claim(approval_id: int, by: Operator) -> Approval:
    """Take it in hand, so that nobody declines it while the verb is at work."""
    with write_transaction():
        _expire_old()
        approval = get(approval_id)
        _require_approver(approval, by)
        if approval.state is ApprovalState.APPROVED:
            return approval
        _require_waiting(approval)
        if _in_hand(approval) and approval.decided_by != by:
            raise ApprovalClosed(approval=approval_id, why="in_hand")
        return _change(approval, decided_by=by, refusal="")


def _require_no_more(approval: Approval) -> None:
    """Who approves "all" means what was shown, not what was sold to the meter since."""
    given = json.loads(approval.arguments)
    if given.get("amount_fen", 0) is not None or approvable.made_by(approval.request_id):
        return
    amount_fen = approvable.subject_of(approval.verb, given).amount_fen
    if amount_fen <= approval.amount_fen:
        return
    with write_transaction():
        _change(approval, decided_by=None, amount_fen=amount_fen)
    asked, amount = yuan_text(approval.amount_fen), yuan_text(amount_fen)
    raise ApprovalClosed(approval=approval.id, why="grown", asked=asked, amount=amount)


def _leave(approval: Approval, by: Operator, refusal: DomainError) -> None:
    """The verb refused: it waits on, and says why."""
    params = {name: str(value) for name, value in refusal.params.items()}
    text = json.dumps({"code": refusal.code, "params": params}, ensure_ascii=False)
    with write_transaction():
        Approval.update(
            decided_by=None, decided_at=None, refusal=text, rev=next_rev(Approval)
        ).where(
            Approval.id == approval.id,
            Approval.state == ApprovalState.WAITING,
            Approval.decided_by == by,
        ).execute()


def _approved(approval: Approval, command: Command | None, by: Operator) -> Approval:
    stored = get(approval.id)
    if stored.state is not ApprovalState.WAITING:  # the same second person, twice at once
        return stored
    detail = {
        "approval": approval.id,
        "verb": approval.verb,
        "asked_by": approval.asked_by.name,
        "command": command.id if command else None,
    }
    audit.write(by.name, "approve", approval.serial, detail)
    return _change(stored, state=ApprovalState.APPROVED, decided_by=by, command=command)


def _change(approval: Approval, **fields: object) -> Approval:
    Approval.update(decided_at=clock.now(), rev=next_rev(Approval), **fields).where(
        Approval.id == approval.id
    ).execute()
    return get(approval.id)


def _require_approver(approval: Approval, by: Operator) -> None:
    """Another person, with the right to approve. Raises NotApprovable."""
    require_second(approval.asked_by, by, 0, 0)


def _require_waiting(approval: Approval) -> None:
    if approval.state is not ApprovalState.WAITING:
        why = "done" if approval.state is ApprovalState.APPROVED else approval.state.value
        raise ApprovalClosed(approval=approval.id, why=why)


def _in_hand(approval: Approval) -> bool:
    """Is somebody approving it at this moment?"""
    if approval.decided_by is None:
        return False
    return bool(clock.now() - approval.decided_at < CLAIM_LASTS)


def _expire_old() -> None:
    """Inside a write_transaction: what nobody decided for a day is over."""
    Approval.update(
        state=ApprovalState.EXPIRED, decided_at=clock.now(), rev=next_rev(Approval)
    ).where(
        Approval.state == ApprovalState.WAITING, Approval.asked_at <= clock.now() - LASTS
    ).execute()
