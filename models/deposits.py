"""押金: every time a tenant's deposit was taken or given back."""

import peewee as pw

from models.accounts import Account
from models.base import CoreModel, EnumField, UtcField
from models.enums import EntryKind, PayKind
from models.ledger import LedgerEntry
from models.people import Operator, Shift


class Deposit(CoreModel):
    """One request and the one ledger entry it made; `kind` is DEPOSIT or DEPOSIT_RETURNED."""

    request_id = pw.TextField(unique=True)
    kind = EnumField(EntryKind)
    account = pw.ForeignKeyField(Account, on_delete="RESTRICT")
    amount_fen = pw.IntegerField()
    pay = EnumField(PayKind)
    why = pw.TextField(default="")
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    shift = pw.ForeignKeyField(Shift, on_delete="RESTRICT")
    entry = pw.ForeignKeyField(LedgerEntry, unique=True, on_delete="RESTRICT")
    created_at = UtcField()
