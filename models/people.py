"""Operators, their shifts, and the log of who did what."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.enums import Role
from models.sqlite import make_append_only


class Operator(CoreModel):
    name = pw.TextField(unique=True)
    password_hash = pw.TextField()  # argon2id
    role = EnumField(Role)
    disabled_at = UtcField(null=True)
    created_at = UtcField()


class Shift(CoreModel):
    """班次: from a float to counted cash. What was counted and handed over: `models.shifts`."""

    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    opened_at = UtcField()
    float_fen = pw.IntegerField(default=0)
    closed_at = UtcField(null=True)
    number = pw.TextField(null=True, unique=True)  # of its report, given at the close
    explanation = pw.TextField(default="")  # why the count differs
    closed_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")


Shift.add_index(
    Shift.index(Shift.operator, unique=True, where=Shift.closed_at.is_null(), name="shift_open")
)


class AuditEntry(CoreModel):
    """Append-only and hash-chained, like the ledger."""

    at = UtcField(index=True)
    operator = pw.TextField()  # a name, or "system"
    action = pw.TextField()
    subject = pw.TextField(default="")
    detail = pw.TextField(default="{}")  # canonical JSON: before and after
    chain = pw.BlobField()

    @classmethod
    def protect(cls) -> None:
        make_append_only(cls._meta.database.obj, cls._meta.table_name)
