"""The tray: what waits for a meter's answer, for two persons, or for whoever is to be paid."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import peewee as pw

from engine.views import clearing
from engine.views.sales import Sale, shop_then
from models.accounts import Account, Installation
from models.base import tuples
from models.commands import OPEN_STATES, Command
from models.enums import (
    AccountKind,
    CommandKind,
    CommandState,
    EventKind,
)
from models.ledger import LedgerAccount, LedgerEntry
from models.metering import MeterEvent
from models.people import Operator
from models.site import Meter


class CaseKind(StrEnum):
    """Why it lies in the tray."""

    UNDECIDED = "undecided"  # a command under way, unknown or in suspense
    STOPPED = "stopped"  # a meter whose sales are stopped, no command of it undecided
    RETURNED = "returned"  # a sale that came to nothing: its money goes back to whoever paid
    CLEARING = "clearing"  # credit between two meters with nothing under way
    PAYABLE = "payable"  # money that came out of a meter or a sale and was not paid out yet


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the tray. `command` None: the meter itself."""

    kind: CaseKind
    command: int | None
    verb: CommandKind | None
    state: CommandState | None
    reason: str | None
    since: dt.datetime | None
    meter_id: int
    serial: str
    shop: str
    tenant: str | None
    amount_fen: int  # taken from or owed to somebody
    operator: str | None
    next_check_at: dt.datetime | None
    checks: int

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        """One element of `voltill tray --json`."""
        at = self.next_check_at
        return {
            "kind": self.kind,
            "command": self.command,
            "verb": self.verb,
            "state": self.state,
            "reason": self.reason,
            "since": self.since and self.since.astimezone(now.tzinfo).isoformat(),
            "age_s": self.since and max(0, int((now - self.since).total_seconds())),
            "serial": self.serial,
            "shop": self.shop,
            "tenant": self.tenant,
            "amount_fen": self.amount_fen,
            "operator": self.operator,
            "next_check_at": at and at.astimezone(now.tzinfo).isoformat(),
            "checks": self.checks,
        }


def tray() -> list[Case]:
    """Undecided commands, stopped meters, credit in clearing, money to be paid out."""
    undecided = _undecided()
    stopped = _stopped({case.meter_id for case in undecided})
    return [*undecided, *stopped, *_clearing(), *_payable()]


def payable_of(command: int) -> Case | None:
    """The one of that command; None where nothing of it waits to be paid out."""
    return next((case for case in _payable() if case.command == command), None)


def of_returned(sale: Sale) -> Case:
    """A refused sale whose payer waits at the counter."""
    return Case(
        kind=CaseKind.RETURNED, command=sale.command, verb=sale.kind, state=sale.state,
        reason=sale.reason, since=sale.created_at, meter_id=sale.meter_id, serial=sale.serial,
        shop=sale.shop, tenant=sale.tenant, amount_fen=sale.amount_fen + sale.fee_fen,
        operator=sale.operator, next_check_at=None, checks=sale.checks,
    )  # fmt: skip


def _undecided() -> list[Case]:
    states = [*OPEN_STATES, CommandState.SUSPENSE.value]
    query = _commands().where(Command.counted, Command.state.in_(states)).order_by(Command.id)
    return [_case(CaseKind.UNDECIDED, row, amount_fen=row[9] + row[10]) for row in tuples(query)]


def _payable() -> list[Case]:
    """By the books: what came to refund payable for a command, less what was paid out of it."""
    account = LedgerAccount.get_or_none(LedgerAccount.kind == AccountKind.REFUND_PAYABLE)
    if account is None:
        return []
    came = pw.Case(None, [(LedgerEntry.credit == account, LedgerEntry.amount_fen)], 0)
    went = pw.Case(None, [(LedgerEntry.debit == account, LedgerEntry.amount_fen)], 0)
    owed = pw.fn.SUM(came) - pw.fn.SUM(went)
    sums = (
        LedgerEntry.select(LedgerEntry.command, owed)
        .where((LedgerEntry.credit == account) | (LedgerEntry.debit == account))
        .group_by(LedgerEntry.command)
        .having(owed > 0)
    )
    owed_fen = {row[0]: row[1] for row in tuples(sums) if row[0] is not None}
    query = _commands().where(Command.id.in_(list(owed_fen))).order_by(Command.id)
    return [_case(CaseKind.PAYABLE, row, amount_fen=owed_fen[row[0]]) for row in tuples(query)]


def _clearing() -> list[Case]:
    """By the last leg of each transfer: the one that came to nothing, else the first."""
    waiting_fen = {each.command: each.amount_fen for each in clearing.in_clearing()}
    query = _commands().where(Command.id.in_(list(waiting_fen))).order_by(Command.id)
    return [_case(CaseKind.CLEARING, row, amount_fen=waiting_fen[row[0]]) for row in tuples(query)]


def _case(kind: CaseKind, row: tuple[Any, ...], *, amount_fen: int) -> Case:
    """`row` as `_commands` selects it."""
    ended = kind is CaseKind.PAYABLE and row[13] is not None
    return Case(
        kind=kind, command=row[0], verb=row[1], state=row[2], reason=row[3],
        since=row[13] if ended else row[4], meter_id=row[5], serial=row[6], shop=row[7],
        tenant=row[8], amount_fen=amount_fen, operator=row[11], next_check_at=row[12],
        checks=row[14],
    )  # fmt: skip


def _commands() -> Any:  # as Peewee types a joined select
    then = (
        (Installation.meter == Command.meter)
        & (Installation.opened_at <= Command.created_at)
        & (Installation.closed_at.is_null() | (Installation.closed_at > Command.created_at))
    )
    return (
        Command.select(
            Command.id, Command.kind, Command.state, Command.reason, Command.created_at,
            Command.meter, Command.serial, shop_then(), Account.name, Command.amount_fen,
            Command.fee_fen, Operator.name, Command.next_check_at, Command.finished_at,
            Command.checks,
        )
        .join(Meter)
        .switch(Command)
        .join(Operator, pw.JOIN.LEFT_OUTER, on=Command.operator == Operator.id)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=then)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
    )  # fmt: skip


def _stopped(decided_first: set[int]) -> list[Case]:
    """Meters that are frozen, but for those of which a command is still undecided."""
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        Meter.select(Meter.id, Meter.serial, Meter.shop, Account.name)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
        .where(Meter.frozen == True, Meter.retired_at.is_null())  # noqa: E712 (SQL)
        .order_by(Meter.serial)
    )
    rows = [row for row in tuples(query) if row[0] not in decided_first]
    since = _stopped_since([row[0] for row in rows])
    return [_stopped_case(row, since.get(row[0])) for row in rows]


def _stopped_case(row: tuple[Any, ...], found: tuple[dt.datetime, str] | None) -> Case:
    meter_id, serial, shop, tenant = row
    at, reason = found or (None, "meter_frozen")
    return Case(
        kind=CaseKind.STOPPED, command=None, verb=None, state=None, reason=reason, since=at,
        meter_id=meter_id, serial=serial, shop=shop, tenant=tenant, amount_fen=0, operator=None,
        next_check_at=None, checks=0,
    )  # fmt: skip


def _stopped_since(ids: list[int]) -> dict[int, tuple[dt.datetime, str]]:
    """The later of the last foreign purchase and the last decided command, with its reason."""
    kinds = (EventKind.FOREIGN_PURCHASE, EventKind.SUSPENSE)
    at, finished_at = pw.fn.MAX(MeterEvent.at), pw.fn.MAX(Command.finished_at)
    events = MeterEvent.select(MeterEvent.meter_id, at.converter(_utc), MeterEvent.kind)
    events = events.where(MeterEvent.meter_id.in_(ids), MeterEvent.kind.in_(kinds))
    decided = Command.select(Command.meter, finished_at.converter(_utc), Command.reason)
    decided = decided.where(Command.meter.in_(ids), Command.reason.startswith("decided_"))
    found: dict[int, tuple[dt.datetime, str]] = {}
    rows = tuples(events.group_by(MeterEvent.meter_id))
    rows += tuples(decided.group_by(Command.meter))
    for meter_id, when, why in rows:
        reason = why.value if isinstance(why, EventKind) else why
        if meter_id not in found or when > found[meter_id][0]:
            found[meter_id] = (when, reason)
    return found


def _utc(value: int) -> dt.datetime | None:
    return Command.finished_at.python_value(value)
