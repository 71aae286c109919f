"""Money: rows that are only ever added."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.commands import Command
from models.enums import AccountKind, EntryKind
from models.people import Operator, Shift
from models.sqlite import make_append_only


class LedgerAccount(CoreModel):
    kind = EnumField(AccountKind)
    key = pw.TextField(default="")  # whose: see AccountKind

    class Meta:
        indexes = ((("kind", "key"), True),)


class LedgerEntry(CoreModel):
    """Money moved from one ledger account to another. Rows are added, never edited or deleted.

    Both sides in one row, so the books balance by construction. A mistake is corrected by a
    second entry whose `reverses` names the first.
    """

    debit = pw.ForeignKeyField(LedgerAccount, on_delete="RESTRICT", index=True)
    credit = pw.ForeignKeyField(LedgerAccount, on_delete="RESTRICT", index=True)
    amount_fen = pw.IntegerField(constraints=[pw.Check("amount_fen > 0")])
    kind = EnumField(EntryKind)
    command = pw.ForeignKeyField(Command, null=True, on_delete="RESTRICT")
    reverses = pw.ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")
    operator = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")  # null: the engine
    shift = pw.ForeignKeyField(Shift, null=True, on_delete="RESTRICT")
    posted_at = UtcField(index=True)
    chain = pw.BlobField()  # HMAC over the row before and this one

    class Meta:
        indexes = ((("command", "kind"), True),)  # a stage of a command is posted once

    @classmethod
    def protect(cls) -> None:
        make_append_only(cls._meta.database.obj, cls._meta.table_name)
