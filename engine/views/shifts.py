"""Shifts as screens, reports and JSON show them: per kind of payment what moved the till."""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import Any

import peewee as pw

from models import base
from models.base import tuples
from models.commands import Command
from models.enums import AccountKind, CommandKind, CommandState, EntryKind, PayKind
from models.ledger import LedgerAccount, LedgerEntry
from models.people import AuditEntry, Operator, Shift
from models.shifts import HandOver, ShiftCount
from models.site import Meter

IN, OUT = 1, -1  # of a till


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind of payment in a shift. Amounts going out are positive here too."""

    pay: PayKind
    float_fen: int
    sales: int
    sales_fen: int
    fees_fen: int  # part of the sales, proved before the close
    returned: int
    returned_fen: int  # sales that came to nothing
    paid_out: int
    paid_out_fen: int  # refunds and reversals
    deposits_fen: int
    deposits_returned_fen: int
    other_fen: int  # whatever else moved the till, in less out
    expected_fen: int
    counted_fen: int | None = None  # None: the shift is open

    @property
    def difference_fen(self) -> int | None:
        return None if self.counted_fen is None else self.counted_fen - self.expected_fen

    @property
    def moved(self) -> bool:
        """Something of this kind was in the till, or should have been."""
        amounts = (self.sales_fen, self.returned_fen, self.paid_out_fen, self.deposits_fen)
        rest = (self.deposits_returned_fen, self.other_fen, self.expected_fen)
        return any((*amounts, *rest, self.counted_fen))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A command that was not decided at the close, and who minds it now."""

    command: int
    kind: CommandKind
    serial: str
    shop: str
    amount_fen: int
    state: CommandState  # today
    to: str


@dataclass(frozen=True, slots=True)
class ShiftView:
    id: int
    number: str | None  # None: still open
    operator: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    closed_by: str | None
    float_fen: int
    explanation: str
    kinds: tuple[KindLine, ...]  # all, in the order of PayKind
    handed_over: tuple[HandedOver, ...]
    ledger_head: str  # newest links of both chains at the close; empty while it is open
    audit_head: str

    @property
    def difference_fen(self) -> int | None:
        """Over all kinds."""
        found = [line.difference_fen for line in self.kinds]
        return None if None in found else sum(fen for fen in found if fen is not None)

    def as_json(self, zone: dt.tzinfo) -> dict[str, object]:
        def instant(at: dt.datetime | None) -> str | None:
            return at.astimezone(zone).isoformat() if at else None

        return asdict(self) | {
            "opened_at": instant(self.opened_at),
            "closed_at": instant(self.closed_at),
            "kinds": [
                asdict(line) | {"difference_fen": line.difference_fen} for line in self.kinds
            ],
            "difference_fen": self.difference_fen,
        }


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift in a list."""

    id: int
    number: str | None
    operator: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    closed_by: str | None
    float_fen: int
    difference_fen: int | None
    handed_over: int
    explanation: str

    def as_json(self, zone: dt.tzinfo) -> dict[str, object]:
        return asdict(self) | {
            "opened_at": self.opened_at.astimezone(zone).isoformat(),
            "closed_at": self.closed_at.astimezone(zone).isoformat() if self.closed_at else None,
        }


def latest(limit: int = 200, *, operator_id: int | None = None) -> list[ShiftRow]:
    """Newest first, open ones among them; of all operators or of one."""
    closer = Operator.alias()
    difference = ShiftCount.select(
        pw.fn.SUM(ShiftCount.counted_fen - ShiftCount.expected_fen)
    ).where(ShiftCount.shift == Shift.id)
    handed = HandOver.select(pw.fn.COUNT(HandOver.id)).where(HandOver.shift == Shift.id)
    query: Any = (
        Shift.select(
            Shift.id, Shift.number, Operator.name, Shift.opened_at, Shift.closed_at, closer.name,
            Shift.float_fen, difference, handed, Shift.explanation,
        )
        .join(Operator, on=Shift.operator == Operator.id)
        .switch(Shift)
        .join(closer, pw.JOIN.LEFT_OUTER, on=Shift.closed_by == closer.id)
        .order_by(Shift.id.desc())
        .limit(limit)
    )  # fmt: skip
    if operator_id is not None:
        query = query.where(Shift.operator == operator_id)
    return [ShiftRow(*row) for row in tuples(query)]


def open_of(operator_id: int) -> ShiftView | None:
    """The shift that operator has open."""
    return _one((Shift.operator == operator_id) & Shift.closed_at.is_null())


def numbered(number: str) -> ShiftView | None:
    """A closed one by the number of its report."""
    return _one(Shift.number == number)


def _one(where: pw.Expression) -> ShiftView | None:
    """In one read transaction: sales that go on meanwhile do not spoil the sums."""
    with base.core.atomic():
        shift = Shift.get_or_none(where)
        return None if shift is None else _view(shift)


def _view(shift: Shift) -> ShiftView:
    ledger_head, audit_head = _heads(shift)
    return ShiftView(
        shift.id,
        shift.number,
        shift.operator.name,
        shift.opened_at,
        shift.closed_at,
        shift.closed_by.name if shift.closed_by else None,
        shift.float_fen,
        shift.explanation,
        tuple(_lines(shift)),
        tuple(_handed_over(shift)),
        ledger_head,
        audit_head,
    )


def _lines(shift: Shift) -> list[KindLine]:
    counted = dict(
        tuples(
            ShiftCount.select(ShiftCount.pay, ShiftCount.counted_fen).where(
                ShiftCount.shift == shift
            )
        )
    )
    fees = _fees(shift)
    return [_line(shift, pay, fees.get(pay, 0), counted.get(pay)) for pay in PayKind]


def _line(shift: Shift, pay: PayKind, fees_fen: int, counted_fen: int | None) -> KindLine:
    moves = _moves(shift, pay)
    moves.pop((EntryKind.CASH_DIFFERENCE, IN), None)
    moves.pop((EntryKind.CASH_DIFFERENCE, OUT), None)
    float_fen = shift.float_fen if pay is PayKind.CASH else 0
    moved_fen = sum(way * fen for (_, way), (_, fen) in moves.items())
    sales, sales_fen = moves.pop((EntryKind.SALE, IN), (0, 0))
    returned, returned_fen = moves.pop((EntryKind.RETURNED, OUT), (0, 0))
    paid_out, paid_out_fen = moves.pop((EntryKind.PAYOUT, OUT), (0, 0))
    _, deposits_fen = moves.pop((EntryKind.DEPOSIT, IN), (0, 0))
    _, given_back_fen = moves.pop((EntryKind.DEPOSIT_RETURNED, OUT), (0, 0))
    return KindLine(
        pay=pay,
        float_fen=float_fen,
        sales=sales,
        sales_fen=sales_fen,
        fees_fen=fees_fen,
        returned=returned,
        returned_fen=returned_fen,
        paid_out=paid_out,
        paid_out_fen=paid_out_fen,
        deposits_fen=deposits_fen,
        deposits_returned_fen=given_back_fen,
        other_fen=sum(way * fen for (_, way), (_, fen) in moves.items()),
        expected_fen=float_fen + moved_fen,
        counted_fen=counted_fen,
    )


def _moves(shift: Shift, pay: PayKind) -> dict[tuple[EntryKind, int], tuple[int, int]]:
    """(kind, IN or OUT) -> how many entries, and their fen."""
    till = LedgerAccount.get_or_none(kind=AccountKind.CASH, key=f"{shift.id}:{pay.value}")
    if till is None:
        return {}
    found: dict[tuple[EntryKind, int], tuple[int, int]] = {}
    for side, way in ((LedgerEntry.debit, IN), (LedgerEntry.credit, OUT)):
        query: Any = (
            LedgerEntry.select(
                LedgerEntry.kind,
                pw.fn.COUNT(LedgerEntry.id),
                pw.fn.SUM(LedgerEntry.amount_fen),
            )
            .where(side == till)
            .group_by(LedgerEntry.kind)
        )
        found |= {(kind, way): (number, fen) for kind, number, fen in tuples(query)}
    return found


def _fees(shift: Shift) -> dict[PayKind, int]:
    """Service fees proved before the close: one proved later must not change a reprint."""
    query: Any = (
        LedgerEntry.select(Command.pay, pw.fn.SUM(LedgerEntry.amount_fen))
        .join(Command)
        .where(LedgerEntry.kind == EntryKind.FEE, Command.shift == shift)
        .group_by(Command.pay)
    )
    if shift.closed_at is not None:
        query = query.where(LedgerEntry.posted_at <= shift.closed_at)
    return dict(tuples(query))


def _handed_over(shift: Shift) -> list[HandedOver]:
    query: Any = (
        HandOver.select(
            Command.id, Command.kind, Command.serial, Meter.shop,
            Command.amount_fen + Command.fee_fen, Command.state, Operator.name,
        )
        .join(Command)
        .join(Meter)
        .switch(HandOver)
        .join(Operator, on=HandOver.to == Operator.id)
        .where(HandOver.shift == shift)
        .order_by(Command.id)
    )  # fmt: skip
    return [HandedOver(*row) for row in tuples(query)]


def _heads(shift: Shift) -> tuple[str, str]:
    """Of ledger and log when the shift closed: the log's own line of the close holds both."""
    row = None
    if shift.number is not None:
        row = (
            AuditEntry.select()
            .where(AuditEntry.action == "shift_close", AuditEntry.subject == shift.number)
            .first()
        )
    if row is None:
        return "", ""
    return json.loads(row.detail)["ledger_head"], bytes(row.chain).hex()
