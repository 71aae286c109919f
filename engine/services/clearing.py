"""A balance set to exactly 0 at an account's end: a remainder rounded, arrears written off."""

from engine.config import MoneySection
from engine.domain.errors import NotRefundable
from engine.domain.units import yuan_text
from engine.services import audit, meters, operators, queueing
from engine.services.approving import checked_reason, require_second
from models.base import write_transaction
from models.commands import Command
from models.enums import CommandKind, Right
from models.people import Operator

ROUNDED_FEN_MAX = 100  # more than that is a tenant's money: refund or transfer it


def clear(
    serial: str,
    why: str,
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    approver: Operator | None = None,
) -> Command:
    """Have the balance of `serial` become 0; the purchase count stays.

    Arrears are written off, which a second person approves. Raises Forbidden, NoReason,
    NotRefundable(why `too_much_to_clear`: it would be the tenant's money), ApprovalNeeded,
    NotApprovable, CommandOpen, RequestIdReused, and what a meter may be: see `sell`.
    """
    why = checked_reason(why)
    with write_transaction():
        if first := queueing.earlier(request_id, CommandKind.CLEAR, serial, by):
            return first
        operators.require(by, Right.ACCOUNTS)
        meter = meters.living(serial)
        queueing.require_movable(meter)
        balance_fen = meters.known_balance_fen(meter)
        if balance_fen is not None and balance_fen > ROUNDED_FEN_MAX:
            text = yuan_text(balance_fen)
            raise NotRefundable(serial=serial, balance=text, amount=text, why="too_much_to_clear")
        if balance_fen is not None and balance_fen < 0:
            limit_fen = money.approve_adjustment_fen
            require_second(by, approver, -balance_fen, limit_fen, what="adjustment")
        command = queueing.queue(
            meter, CommandKind.CLEAR, by, request_id, whole=True, approver=approver, why=why
        )
        detail = {"command": command.id, "why": why, "balance_fen": balance_fen}
        audit.write(by.name, "clear", serial, detail)
        return command
