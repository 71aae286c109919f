"""Operators as a list shows them."""

import datetime as dt
from dataclasses import dataclass

import peewee as pw

from models.base import tuples
from models.enums import Role
from models.people import Operator, Shift


@dataclass(frozen=True, slots=True)
class OperatorRow:
    name: str
    role: Role
    disabled: bool
    created_at: dt.datetime
    shift_since: dt.datetime | None  # None: no shift is open


def operators() -> list[OperatorRow]:
    """By name."""
    open_shift = (Shift.operator == Operator.id) & Shift.closed_at.is_null()
    query = (
        Operator.select(
            Operator.name, Operator.role, Operator.disabled_at, Operator.created_at, Shift.opened_at
        )
        .join(Shift, pw.JOIN.LEFT_OUTER, on=open_shift)
        .order_by(Operator.name)
    )
    return [
        OperatorRow(name, role, disabled_at is not None, created_at, shift_since)
        for name, role, disabled_at, created_at, shift_since in tuples(query)
    ]
