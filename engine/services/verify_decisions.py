"""Are decisions what the books say of them? Each by two persons, each with its command or entry."""

from collections import Counter

from models import base
from models.cases import Decision
from models.commands import Command
from models.enums import AccountKind, CommandState, EntryKind, Verdict
from models.ledger import LedgerAccount, LedgerEntry
from models.site import Meter

STATES = {Verdict.APPLIED: CommandState.APPLIED, Verdict.NOT_APPLIED: CommandState.REFUSED}
Found = tuple[str, dict[str, object]]  # code of a fault of `verify`, and what fills its text


def faults() -> list[Found]:
    """Inside the caller's read transaction."""
    return [*_alone(), *_commands(), *_adjustments()]


def _alone() -> list[Found]:
    query = Decision.select(Decision.id).where(Decision.operator == Decision.approver)
    return [
        ("decided_alone", {"decision": number})
        for (number,) in base.core.execute(query.order_by(Decision.id))
    ]


def _commands() -> list[Found]:
    """A decided command is in the state of its one verdict, and one that says so was decided."""
    query = Decision.select(Command.id, Command.state, Decision.verdict).join(Command)
    told = [
        (number, CommandState(state), Verdict(verdict) if verdict else None)
        for number, state, verdict in base.core.execute(query)
    ]
    times = Counter(number for number, _, _ in told)
    wrong = [
        number
        for number, state, verdict in told
        if verdict is None or STATES[verdict] is not state or times[number] > 1
    ]
    undecided = Command.select(Command.id).where(
        Command.reason.startswith("decided_"), Command.id.not_in(list(times))
    )
    wrong += [number for (number,) in base.core.execute(undecided)]
    return [("decision_differs", {"command": number}) for number in sorted(set(wrong))]


def _adjustments() -> list[Found]:
    """Each adjustment is named by exactly one decision, and moves the credit of its meter."""
    naming = Decision.select(Decision.entry, Decision.meter).where(Decision.entry.is_null(False))
    meters = dict(base.core.execute(naming))
    named = Counter(row[0] for row in base.core.execute(naming))
    serials = dict(base.core.execute(Meter.select(Meter.id, Meter.serial)))
    debit, credit = LedgerAccount.alias(), LedgerAccount.alias()
    query = (
        LedgerEntry.select(LedgerEntry.id, debit.kind, debit.key, credit.kind, credit.key)
        .join(debit, on=LedgerEntry.debit == debit.id)
        .switch(LedgerEntry)
        .join(credit, on=LedgerEntry.credit == credit.id)
        .where(LedgerEntry.kind == EntryKind.ADJUSTMENT)
        .order_by(LedgerEntry.id)
    )
    wrong = [
        entry
        for entry, *sides in base.core.execute(query)
        if named.pop(entry, 0) != 1 or not _of_meter(sides, serials.get(meters[entry]))
    ]
    return [("adjustment_undecided", {"entry": entry}) for entry in sorted([*wrong, *named])]


def _of_meter(sides: list[str], serial: str | None) -> bool:
    purses = {(sides[0], sides[1]), (sides[2], sides[3])}
    return purses == {
        (AccountKind.METER_CREDIT.value, serial),
        (AccountKind.ADJUSTMENT.value, serial),
    }
