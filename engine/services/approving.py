"""Two-person money: who may be the second person, and from which amount on one is needed."""

from engine.domain.errors import ApprovalNeeded, Forbidden, NoReason, NotApprovable
from engine.domain.units import yuan_text
from engine.services import operators
from models.enums import Right
from models.people import Operator

REASON_LENGTH_MAX = 200


def require_second(
    by: Operator, approver: Operator | None, amount_fen: int, limit_fen: int, *, what: str = ""
) -> None:
    """Let `by` act alone below `limit_fen`; from there on only with an `approver`.

    An approver who is named is checked below the limit too. `what` names a text of its own
    (`adjustment`). Raises ApprovalNeeded, NotApprovable; inside a write_transaction.
    """
    if approver is None:
        if amount_fen >= limit_fen:
            raise ApprovalNeeded(amount=yuan_text(amount_fen), limit=yuan_text(limit_fen), why=what)
        return
    if approver.id == by.id:
        raise NotApprovable(operator=approver.name, why="same_person")
    try:
        operators.require(approver, Right.APPROVE)
    except Forbidden:
        raise NotApprovable(operator=approver.name) from None


def checked_reason(why: str) -> str:
    """What an operator gave as the reason, without control characters. Raises NoReason."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in why).split())
    if not plain:
        raise NoReason
    return plain[:REASON_LENGTH_MAX]
