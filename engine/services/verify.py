"""Are the books right? Everything is recomputed from rows; a fault names the first wrong one."""

from collections import defaultdict
from dataclasses import dataclass, field

import peewee as pw

from engine.domain.measurement import MeterReading
from engine.services import (
    chain,
    verify_decisions,
    verify_freezes,
    verify_reversals,
    verify_shifts,
    verify_uncommanded,
)
from engine.services.receipts import WITH_RECEIPT
from engine.services.verify_legs import PAYABLE, Legs, Purse, Terms, allowed, payout_fen
from models import base
from models.accounts import Installation
from models.commands import Command, Receipt, Transfer
from models.enums import AccountKind, CommandKind, CommandState, EntryKind
from models.ledger import LedgerAccount, LedgerEntry
from models.metering import Latest
from models.people import AuditEntry
from models.site import Meter

WITHOUT_COMMAND = (  # entries that no command stands behind; each is checked by its own subject
    EntryKind.TAKE_OVER, EntryKind.REVENUE, EntryKind.DEPOSIT, EntryKind.DEPOSIT_RETURNED,
    EntryKind.CASH_DIFFERENCE, EntryKind.ADJUSTMENT, EntryKind.TRANSFER_OUT, EntryKind.CLEAR,
)  # fmt: skip
COUNTED = tuple(kind for kind in CommandKind if kind.counted)
RAISING = tuple(kind for kind in CommandKind if kind.raises)


@dataclass(frozen=True)
class Fault:
    """Text: `error.verify.<code>`."""

    code: str
    params: dict[str, object]


@dataclass
class Books:
    """All entries, read once."""

    legs: dict[int, Legs] = field(default_factory=lambda: defaultdict(dict))
    balances_fen: dict[Purse, int] = field(default_factory=lambda: defaultdict(int))
    uncommanded_fen: dict[str, int] = field(default_factory=lambda: defaultdict(int))
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
            *_transfers(books),
            *_receipts(),
            *(Fault(*each) for each in verify_shifts.faults(books.balances_fen)),
            *(Fault(*each) for each in verify_freezes.faults()),
            *(Fault(*each) for each in verify_decisions.faults()),
            *(Fault(*each) for each in verify_uncommanded.faults()),
            *(Fault(*each) for each in verify_reversals.faults()),
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
            continue
        if kind not in WITHOUT_COMMAND:
            books.strays.append(entry)
            continue
        for (what, serial), sign in ((taker, 1), (giver, -1)):
            if what == AccountKind.METER_CREDIT:
                books.uncommanded_fen[serial] += sign * amount_fen
                books.take_overs[serial] += kind == EntryKind.TAKE_OVER
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
    """Each command's state and its entries tell the same story, to the fen and the account."""
    query = Command.select(
        Command.id,
        Command.kind,
        Command.state,
        Command.serial,
        Command.shift,
        Command.pay,
        Command.amount_fen,
        Command.fee_fen,
        Command.transfer,
        Command.base_balance_fen,
    ).where(Command.kind.in_(COUNTED))
    return [
        Fault("entries_differ", {"command": command, "state": terms[1]})
        for command, *terms in base.core.execute(query.order_by(Command.id))
        if not _agree(books.legs.get(command, {}), Terms(*terms))
    ]


def _agree(found: Legs, terms: Terms) -> bool:
    """A payout may stand behind what came to wait for one; the till is whoever's paid it."""
    legs = dict(found)
    payout = legs.pop(EntryKind.PAYOUT.value, None)
    if payout is not None:
        giver, taker, fen = payout
        if (giver, taker[0], fen) != (PAYABLE, AccountKind.CASH, payout_fen(legs)):
            return False
    return legs in allowed(terms)


def _flights(books: Books) -> list[Fault]:
    """In flight for a meter is what its open commands were paid, and nothing else."""
    paid = (
        Command.select(Command.serial, pw.fn.SUM(Command.amount_fen + Command.fee_fen))
        .where(Command.state.in_([state for state in CommandState if state.open]))
        .where(Command.kind.in_(RAISING))
        .group_by(Command.serial)
    )
    return _differences(books, AccountKind.IN_FLIGHT, dict(base.core.execute(paid)))


def _credits(books: Books) -> list[Fault]:
    """The credit of a meter is what its proved commands made of it, and what stands without one.

    What was taken over, used (revenue) or adjusted has its entry alone.
    """
    applied = (
        Command.select(
            Command.serial,
            Command.kind,
            (Command.base_balance_fen < 0).alias("owed"),
            pw.fn.SUM(Command.amount_fen),
        )
        .where(Command.kind.in_(COUNTED), Command.state == CommandState.APPLIED)
        .group_by(Command.serial, Command.kind, pw.SQL("owed"))
    )
    expected = defaultdict(int, books.uncommanded_fen)
    for serial, kind, owed, fen in base.core.execute(applied):
        rises = kind in RAISING or (kind == CommandKind.CLEAR and owed)
        expected[serial] += fen if rises else -fen
    return _differences(books, AccountKind.METER_CREDIT, expected)


def _transfers(books: Books) -> list[Fault]:
    """Of a transfer that is finished nothing waits in clearing."""
    finished = Transfer.select(Transfer.id).where(Transfer.finished_at.is_null(False))
    return [
        Fault("clearing_not_empty", {"transfer": transfer, "found_fen": fen})
        for (transfer,) in base.core.execute(finished.order_by(Transfer.id))
        if (fen := books.balances_fen.get((AccountKind.CLEARING.value, str(transfer)), 0))
    ]


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
    """Every proved command that changes hands has its receipt, its own or its payment's."""
    own = (
        Command.select(Command.id)
        .join(Receipt, pw.JOIN.LEFT_OUTER, on=Receipt.command == Command.id)
        .where(Command.kind.in_(COUNTED))
        .where(
            (
                (Command.state == CommandState.APPLIED)
                & Command.kind.in_(WITH_RECEIPT)
                & Command.payment.is_null()
            )
            == Receipt.id.is_null()
        )
        .order_by(Command.id)
    )
    proved = pw.fn.SUM(pw.Case(None, [(Command.state == CommandState.APPLIED, 1)], 0)) > 0
    shared = (
        Command.select(pw.fn.MIN(Command.id))
        .join(Receipt, pw.JOIN.LEFT_OUTER, on=Receipt.payment == Command.payment)
        .where(Command.payment.is_null(False))
        .group_by(Command.payment, Receipt.id)
        .having(proved == Receipt.id.is_null())
    )
    return [
        Fault("receipt_differs", {"command": row[0]})
        for query in (own, shared)
        for row in base.core.execute(query)
    ]
