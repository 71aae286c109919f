"""Money: rows that are only ever added."""

import peewee as pw

from models.accounts import Installation
from models.base import CoreModel, EnumField, UtcField
from models.commands import Command
from models.enums import AccountKind, EntryKind
from models.people import Operator, Shift
from models.site import Meter
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
        indexes = (
            (("command", "kind"), True),  # a stage of a command is posted once
            (("debit", "kind"), False),  # years of daily revenue aside
        )

    @classmethod
    def protect(cls) -> None:
        make_append_only(cls._meta.database.obj, cls._meta.table_name)


class DayFreeze(CoreModel):
    """日冻结: a meter's reading at the end of a local day, and what the fall of its balance was.

    `at` is the moment of the first accepted reading after that day, or of the last one under a
    tenant: a day on which a meter changes hands is closed once for each. `revenue_fen` is the
    mirror (meter credit) less the balance then; the entry that posts it, null where it was 0.
    Where a meter was not read for days the next freeze covers them all.
    """

    day = pw.TextField()  # local date, ISO
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    installation = pw.ForeignKeyField(Installation, on_delete="RESTRICT")
    at = UtcField()
    energy_wh = pw.IntegerField()
    balance_fen = pw.IntegerField()
    revenue_fen = pw.IntegerField(default=0)
    entry = pw.ForeignKeyField(LedgerEntry, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = (
            (("installation", "day"), True),
            (("meter", "day"), False),
            (("day",), False),
        )
