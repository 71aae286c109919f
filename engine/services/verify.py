"""Are the books right? Everything is recomputed from rows; a fault names the first wrong one."""

from collections import defaultdict
from dataclasses import dataclass, field

import peewee as pw

from engine.domain.measurement import MeterReading
from engine.services import chain
from models import base
from models.accounts import Installation
from models.commands import Command, Receipt
from models.enums import AccountKind, CommandKind, CommandState, EntryKind
from models.ledger import LedgerAccount, LedgerEntry
from models.metering import Latest
from models.people import AuditEntry
from models.site import Meter

Purse = tuple[str, str]  # kind and key of a ledger account, as stored
Leg = tuple[Purse, Purse, int]  # debit, credit, fen


@dataclass(frozen=True)
class Fault:
    """Text: `error.verify.<code>`."""

    code: str
    params: dict[str, object]


@dataclass
class Books:
    """All entries, read once."""

    legs: dict[int, dict[str, Leg]] = field(default_factory=lambda: defaultdict(dict))
    balances_fen: dict[Purse, int] = field(default_factory=lambda: defaultdict(int))
    taken_over_fen: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    take_overs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    strays: list[int] = field(default_factory=list)


def faults() -> list[Fault]:
    """What is wrong in core.db; empty when ledger, chains and commands agree.

    One read transaction, so sales may go on meanwhile.
    """
    with base.core.atomic():
        books = _read_books()
        return [
            *_broken_chains(),
            *(Fault("stray_entry", {"entry": entry}) for entry in books.strays),
            *_equation(books),
            *_commands(books),
            *_flights(books),
            *_credits(books),
            *_take_overs(books),
            *_receipts(),
        ]


def warnings() -> list[Fault]:
    """Where a meter's newest reading and the books differ: a matter for a look, not a wrong row."""
    with base.core.atomic():
        balances = _read_books().balances_fen
        meters = list(Meter.select().where(Meter.retired_at.is_null()).order_by(Meter.serial))
    newest = {
        row.meter_id: MeterReading.from_json(row.reading) for row in Latest.select() if row.reading
    }
    found = []
    for meter in meters:
        if meter.id not in newest or meter.mirror_count is None:
            continue
        reading = newest[meter.id]
        credit_fen = balances[AccountKind.METER_CREDIT.value, meter.serial]
        if reading.purchase_count not in (None, meter.mirror_count):
            params = {"expected": meter.mirror_count, "found": reading.purchase_count}
            found.append(Fault("count_differs", {"serial": meter.serial, **params}))
        elif reading.balance_fen is not None and reading.balance_fen > credit_fen:
            params = {"credit_fen": credit_fen, "balance_fen": reading.balance_fen}
            found.append(Fault("more_than_sold", {"serial": meter.serial, **params}))
    return found


def _read_books() -> Books:
    books = Books()
    debit, credit = LedgerAccount.alias(), LedgerAccount.alias()
    query = (
        LedgerEntry.select(
            LedgerEntry.id,
            LedgerEntry.command,
            LedgerEntry.kind,
            LedgerEntry.amount_fen,
            debit.kind,
            debit.key,
            credit.kind,
            credit.key,
        )
        .join(debit, pw.JOIN.LEFT_OUTER, on=LedgerEntry.debit == debit.id)
        .switch(LedgerEntry)
        .join(credit, pw.JOIN.LEFT_OUTER, on=LedgerEntry.credit == credit.id)
        .order_by(LedgerEntry.id)
    )
    for entry, command, kind, amount_fen, *sides in base.core.execute(query):
        giver, taker = (sides[0], sides[1]), (sides[2], sides[3])
        books.balances_fen[giver] -= amount_fen
        books.balances_fen[taker] += amount_fen
        if command is not None:
            books.legs[command][kind] = (giver, taker, amount_fen)
        elif kind == EntryKind.TAKE_OVER and taker[0] == AccountKind.METER_CREDIT:
            books.taken_over_fen[taker[1]] += amount_fen
            books.take_overs[taker[1]] += 1
        elif kind == EntryKind.TAKE_OVER and giver[0] == AccountKind.METER_CREDIT:
            books.taken_over_fen[giver[1]] -= amount_fen
            books.take_overs[giver[1]] += 1
        else:
            books.strays.append(entry)
    return books


def _broken_chains() -> list[Fault]:
    return [
        Fault("chain_broken", {"table": table._meta.table_name, "row": row})  # noqa: SLF001 (peewee's way)
        for table in (LedgerEntry, AuditEntry)
        if (row := chain.first_broken(table)) is not None
    ]


def _equation(books: Books) -> list[Fault]:
    """All accounts sum to nothing: an entry that leads to no account would break it."""
    total_fen = sum(fen for purse, fen in books.balances_fen.items() if purse[0] is not None)
    return [Fault("not_balanced", {"total_fen": total_fen})] if total_fen else []


def _commands(books: Books) -> list[Fault]:
    """Each sale's state and its entries tell the same story, to the fen and the account."""
    query = Command.select(
        Command.id,
        Command.state,
        Command.serial,
        Command.shift,
        Command.pay,
        Command.amount_fen,
        Command.fee_fen,
    ).where(Command.kind == CommandKind.SELL)
    return [
        Fault("entries_differ", {"command": command, "state": state})
        for command, state, *terms in base.core.execute(query.order_by(Command.id))
        if books.legs.get(command, {}) != _legs_of(state, *terms)
    ]


def _legs_of(
    state: str, serial: str, shift: int, pay: str, amount_fen: int, fee_fen: int
) -> dict[str, Leg]:
    cash: Purse = (AccountKind.CASH.value, f"{shift}:{pay}")
    flight: Purse = (AccountKind.IN_FLIGHT.value, serial)
    suspense: Purse = (AccountKind.SUSPENSE.value, serial)
    paid_fen = amount_fen + fee_fen
    legs: dict[str, Leg] = {EntryKind.SALE.value: (cash, flight, paid_fen)}
    if state == CommandState.APPLIED:
        credit: Purse = (AccountKind.METER_CREDIT.value, serial)
        legs[EntryKind.CREDIT.value] = (flight, credit, amount_fen)
        if fee_fen:
            income: Purse = (AccountKind.FEE_INCOME.value, "")
            legs[EntryKind.FEE.value] = (flight, income, fee_fen)
    elif state == CommandState.SUSPENSE:
        legs[EntryKind.SUSPENSE.value] = (flight, suspense, paid_fen)
    elif state in (CommandState.REFUSED, CommandState.VOIDED):
        legs[EntryKind.RETURNED.value] = (flight, cash, paid_fen)
    return legs


def _flights(books: Books) -> list[Fault]:
    """In flight for a meter is what its open commands were paid, and nothing else."""
    paid = (
        Command.select(Command.serial, pw.fn.SUM(Command.amount_fen + Command.fee_fen))
        .where(Command.state.in_([state for state in CommandState if state.open]))
        .where(Command.kind == CommandKind.SELL)
        .group_by(Command.serial)
    )
    return _differences(books, AccountKind.IN_FLIGHT, dict(base.core.execute(paid)))


def _credits(books: Books) -> list[Fault]:
    """The credit of a meter is what was taken over plus what was applied."""
    applied = (
        Command.select(Command.serial, pw.fn.SUM(Command.amount_fen))
        .where(Command.kind == CommandKind.SELL, Command.state == CommandState.APPLIED)
        .group_by(Command.serial)
    )
    expected = defaultdict(int, books.taken_over_fen)
    for serial, fen in base.core.execute(applied):
        expected[serial] += fen
    return _differences(books, AccountKind.METER_CREDIT, expected)


def _differences(books: Books, kind: AccountKind, expected_fen: dict[str, int]) -> list[Fault]:
    found_fen = {key: fen for (what, key), fen in books.balances_fen.items() if what == kind}
    return [
        Fault(
            "balance_differs",
            {
                "account": kind.value,
                "serial": serial,
                "expected_fen": expected_fen.get(serial, 0),
                "found_fen": found_fen.get(serial, 0),
            },
        )
        for serial in sorted(expected_fen.keys() | found_fen.keys())
        if expected_fen.get(serial, 0) != found_fen.get(serial, 0)
    ]


def _take_overs(books: Books) -> list[Fault]:
    """Credit is taken over once an installation at most."""
    allowed = dict(
        base.core.execute(
            Meter.select(Meter.serial, pw.fn.COUNT(Installation.id))
            .join(Installation)
            .where(Installation.taken_over == True)  # noqa: E712 (SQL)
            .group_by(Meter.serial)
        )
    )
    return [
        Fault("taken_over_twice", {"serial": serial})
        for serial, times in sorted(books.take_overs.items())
        if times > allowed.get(serial, 0)
    ]


def _receipts() -> list[Fault]:
    """Every proved sale has its receipt, and no other has one."""
    query = (
        Command.select(Command.id)
        .join(Receipt, pw.JOIN.LEFT_OUTER)
        .where(Command.kind == CommandKind.SELL)
        .where((Command.state == CommandState.APPLIED) == Receipt.id.is_null())
        .order_by(Command.id)
    )
    return [Fault("receipt_differs", {"command": row[0]}) for row in base.core.execute(query)]
