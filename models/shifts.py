"""What a shift's close says: counted money by kind of payment, and commands handed over by name."""

import peewee as pw

from models.base import CoreModel, EnumField
from models.commands import Command
from models.enums import PayKind
from models.people import Operator, Shift


class ShiftCount(CoreModel):
    """Expected and counted of one kind of payment (cash: with the float)."""

    shift = pw.ForeignKeyField(Shift, on_delete="RESTRICT")
    pay = EnumField(PayKind)
    expected_fen = pw.IntegerField()
    counted_fen = pw.IntegerField()

    class Meta:
        indexes = ((("shift", "pay"), True),)


class HandOver(CoreModel):
    """A command whose outcome was not known when the shift closed, and who minds it now."""

    shift = pw.ForeignKeyField(Shift, on_delete="RESTRICT")
    command = pw.ForeignKeyField(Command, on_delete="RESTRICT")
    to = pw.ForeignKeyField(Operator, on_delete="RESTRICT")

    class Meta:
        indexes = ((("shift", "command"), True),)
