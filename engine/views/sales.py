"""Money commands as lists show them: the latest, and those whose outcome is still open."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import peewee as pw

from models.accounts import Account, Installation
from models.base import highest_rev, tuples
from models.commands import OPEN_STATES, Command, Receipt
from models.enums import CommandKind, CommandState, PayKind
from models.people import Operator
from models.site import Meter


@dataclass(frozen=True, slots=True)
class Sale:
    """A counted command with the names a person knows it by."""

    command: int
    kind: CommandKind
    created_at: dt.datetime
    state: CommandState
    reason: str | None
    meter_id: int
    serial: str
    shop: str
    tenant: str | None
    amount_fen: int
    fee_fen: int
    pay: PayKind | None
    operator: str | None
    next_check_at: dt.datetime | None
    checks: int
    receipt: str | None


def latest(limit: int = 500) -> list[Sale]:
    """Newest first."""
    return _sales(_query().order_by(Command.id.desc()).limit(limit))


def undecided() -> list[Sale]:
    """The tray: sent or unknown, or in suspense until a person has looked; oldest first."""
    states = [*OPEN_STATES, CommandState.SUSPENSE.value]
    return _sales(_query().where(Command.state.in_(states)).order_by(Command.id))


def returned(since: dt.datetime) -> list[Sale]:
    """Sales that ended refused since then: their money goes back to whoever paid; oldest first."""
    ended = (Command.state == CommandState.REFUSED) & (Command.finished_at >= since)
    ended &= Command.kind == CommandKind.SELL
    ended &= ~pw.fn.COALESCE(Command.reason, "").startswith("decided_")  # waits to be paid out
    return _sales(_query().where(ended).order_by(Command.id))


def last_rev() -> int:
    """Rises with every change of any command."""
    return highest_rev(Command)


def shop_then() -> pw.Node:
    """Where the meter hung when the joined Installation held: history stays through moves."""
    ended = pw.fn.COALESCE(pw.fn.NULLIF(Installation.shop, ""), Meter.shop)
    return pw.Case(None, [(Installation.closed_at.is_null(), Meter.shop)], ended)


def _query() -> Any:  # as Peewee types a joined select
    then = (
        (Installation.meter == Command.meter)
        & (Installation.opened_at <= Command.created_at)
        & (Installation.closed_at.is_null() | (Installation.closed_at > Command.created_at))
    )
    own = (Receipt.command == Command.id) | (Receipt.payment == Command.payment)
    shop = shop_then()
    return (
        Command.select(
            Command.id, Command.kind, Command.created_at, Command.state, Command.reason,
            Command.meter, Command.serial, shop, Account.name, Command.amount_fen,
            Command.fee_fen, Command.pay, Operator.name, Command.next_check_at, Command.checks,
            Receipt.number,
        )
        .join(Meter)
        .switch(Command)
        .join(Operator, pw.JOIN.LEFT_OUTER)
        .switch(Command)
        .join(Receipt, pw.JOIN.LEFT_OUTER, on=own)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=then)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(Command.counted)
    )  # fmt: skip


def _sales(query: Any) -> list[Sale]:
    return [Sale(*row) for row in tuples(query)]
