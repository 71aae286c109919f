"""班次: opened with a float, closed with counted money and every open outcome in named hands."""

import datetime as dt
from collections.abc import Mapping

import peewee as pw

from engine import clock
from engine.domain.errors import (
    BadAmount,
    Forbidden,
    NoOpenShift,
    NoSuchOperator,
    NotCounted,
    NotExplained,
    NotForHandOver,
    NotHandedOver,
    ShiftOpen,
)
from engine.domain.units import yuan_text
from engine.services import approving, audit, chain, ledger, operators
from models.base import write_transaction
from models.commands import Command
from models.enums import AccountKind, CommandState, EntryKind, PayKind, Right
from models.ledger import LedgerEntry
from models.people import Operator, Shift
from models.shifts import HandOver, ShiftCount

NOT_DECIDED = [
    *(state.value for state in CommandState if state.open),
    CommandState.SUSPENSE.value,
]


def open_shift(by: Operator, float_fen: int) -> Shift:
    """Begin the shift of `by` with `float_fen` in the drawer.

    Raises Forbidden, BadAmount, ShiftOpen; then nothing has changed.
    """
    with write_transaction():
        operators.require(by, Right.SELL)
        if float_fen < 0:
            raise BadAmount(text=yuan_text(float_fen), why="negative_count")
        if open_of(by) is not None:
            raise ShiftOpen(operator=by.name)
        shift: Shift = Shift.create(operator=by, opened_at=clock.now(), float_fen=float_fen)
        audit.write(by.name, "shift_open", by.name, {"shift": shift.id, "float_fen": float_fen})
        return shift


def close_shift(
    by: Operator,
    counted: Mapping[PayKind, int],
    explanation: str = "",
    hand_over_to: Operator | None = None,
    *,
    zone: dt.tzinfo,
    of: Operator | None = None,
) -> Shift:
    """End the shift of `of` (whoever closes where None) and give it its number, dated in `zone`.

    `counted` is fen by kind of payment, cash with the float; a kind that is not named was
    counted as 0, which is refused where something should be there. Every command that is not
    decided goes to `hand_over_to`. What was counted more or less is posted, so that the till
    holds what was counted. Raises Forbidden, NoOpenShift, NotHandedOver, NotForHandOver,
    NotCounted, BadAmount, NotExplained; then nothing has changed.
    """
    owner = of or by
    with write_transaction():
        operators.require(by, Right.VIEW if owner.id == by.id else Right.SHIFTS)
        shift = open_of(owner)
        if shift is None:
            raise NoOpenShift(operator=owner.name)
        waiting = to_hand_over(shift)
        _require_taken_over(waiting, hand_over_to, owner)
        figures = _figures(shift, counted)
        why = approving.checked_reason(explanation) if explanation.strip() else ""
        _require_explained(figures, why)
        number = _next_number(zone)
        _store_counts(shift, figures, by)
        for command in waiting:
            HandOver.create(shift=shift, command=command, to=hand_over_to)
        closed = (
            Shift.update(closed_at=clock.now(), number=number, explanation=why, closed_by=by)
            .where(Shift.id == shift.id, Shift.closed_at.is_null())
            .execute()
        )
        assert closed == 1, "the write lock is held since it was found open"
        handed = [command.id for command in waiting]
        detail = {
            "shift": shift.id,
            "operator": owner.name,
            "counted_fen": {pay.value: found for pay, (_, found) in figures.items()},
            "differences_fen": {pay.value: found - due for pay, (due, found) in figures.items()},
            "explanation": why,
            "handed_over": handed,
            "to": hand_over_to.name if handed and hand_over_to else None,
            "ledger_head": chain.head(LedgerEntry),
        }
        audit.write(by.name, "shift_close", number, detail)
        ended: Shift = Shift.get_by_id(shift.id)
        return ended


def open_of(operator: Operator) -> Shift | None:
    """The shift that `operator` has open; None where there is none."""
    found: Shift | None = Shift.get_or_none(
        (Shift.operator == operator) & Shift.closed_at.is_null()
    )
    return found


def expected_fen(shift: Shift, pay: PayKind) -> int:
    """What should be found of `pay` now; cash with the float."""
    float_fen = shift.float_fen if pay is PayKind.CASH else 0
    return float_fen + ledger.balance_at(AccountKind.CASH, f"{shift.id}:{pay.value}")


def to_hand_over(shift: Shift) -> list[Command]:
    """Money commands without an outcome that the shift's operator minds, oldest first.

    He minds what was last handed to him, and what he asked for and handed to nobody: sales,
    but also transfers, which are in no till. Queued, sent, unknown and suspended ones.
    """
    latest = HandOver.select(pw.fn.MAX(HandOver.id)).group_by(HandOver.command)
    handed = HandOver.select(HandOver.command).where(HandOver.id.in_(latest))
    to_him = handed.where(HandOver.to == shift.operator)
    his_own = (Command.operator == shift.operator) & Command.id.not_in(handed)
    query = (
        Command.select()
        .where(Command.counted == True, Command.state.in_(NOT_DECIDED))  # noqa: E712 (SQL)
        .where(his_own | Command.id.in_(to_him))
        .order_by(Command.id)
    )
    return list(query)


def named(name: str) -> Operator:
    """Raises NoSuchOperator."""
    found: Operator | None = Operator.get_or_none(Operator.name == name.strip())
    if found is None:
        raise NoSuchOperator(name=name)
    return found


def may_take_over(owner: Operator) -> list[Operator]:
    """Who can be named when `owner` closes with open commands; by name."""
    living = Operator.select().where(Operator.disabled_at.is_null(), Operator.id != owner.id)
    return [
        each
        for each in living.order_by(Operator.name)
        if Right.SELL in operators.RIGHTS.get(each.role, frozenset())
    ]


def _require_taken_over(waiting: list[Command], to: Operator | None, owner: Operator) -> None:
    if waiting and to is None:
        raise NotHandedOver(commands=", ".join(str(command.id) for command in waiting))
    if to is None:
        return
    if to.id == owner.id:
        raise NotForHandOver(operator=to.name, why="same_person")
    try:
        operators.require(to, Right.SELL)
    except Forbidden:
        raise NotForHandOver(operator=to.name) from None


def _figures(shift: Shift, counted: Mapping[PayKind, int]) -> dict[PayKind, tuple[int, int]]:
    """(expected, counted) fen of every kind of payment."""
    if counted.get(PayKind.CASH, 0) < 0:
        raise BadAmount(text=yuan_text(counted[PayKind.CASH]), why="negative_count")
    due = {pay: expected_fen(shift, pay) for pay in PayKind}
    missing = [pay.value for pay in PayKind if due[pay] and pay not in counted]
    if missing:
        raise NotCounted(kinds=", ".join(missing))
    return {pay: (due[pay], counted.get(pay, 0)) for pay in PayKind}


def _require_explained(figures: Mapping[PayKind, tuple[int, int]], why: str) -> None:
    differing = [
        f"{pay.value} {yuan_text(found - due)}"
        for pay, (due, found) in figures.items()
        if due != found
    ]
    if differing and not why:
        raise NotExplained(differences=", ".join(differing))


def _store_counts(shift: Shift, figures: Mapping[PayKind, tuple[int, int]], by: Operator) -> None:
    account = ledger.account(AccountKind.CASH_DIFFERENCE, str(shift.id))
    for pay, (due, found) in figures.items():
        ShiftCount.create(shift=shift, pay=pay, expected_fen=due, counted_fen=found)
        if found == due:
            continue
        till = ledger.till(shift, pay)
        debit, credit = (till, account) if found > due else (account, till)
        ledger.post(debit, credit, abs(found - due), EntryKind.CASH_DIFFERENCE, by=by, shift=shift)


def _next_number(zone: dt.tzinfo) -> str:
    """`S20261125-001`: the site's next, so no two are alike whatever the clock does."""
    closed = Shift.select().where(Shift.number.is_null(False)).count()
    return f"S{clock.now().astimezone(zone):%Y%m%d}-{closed + 1:03d}"
