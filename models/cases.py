"""What takes more than one step or more than one person: exchanges, approvals, decisions, paper."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.commands import Command, Receipt, Transfer
from models.enums import ApprovalState, ExchangeStep, PrintState, Verdict
from models.ledger import LedgerEntry
from models.people import Operator
from models.site import Meter
from models.sqlite import make_append_only


class Exchange(CoreModel):
    """换表 as a checklist that can be left and gone on with; `step` is the first not done.

    `final_*` is the old meter's last reading: its own, or by hand with a second person's name.
    """

    request_id = pw.TextField(unique=True)
    old = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    new = pw.ForeignKeyField(Meter, null=True, on_delete="RESTRICT", backref="+")
    step = EnumField(ExchangeStep, default=ExchangeStep.FINAL_READ)
    by_hand = pw.BooleanField(default=False)
    evidence = pw.TextField(default="")  # of a hand reading: reference of the photo or sheet
    final_energy_wh = pw.IntegerField(null=True)
    final_balance_fen = pw.IntegerField(null=True)
    final_at = UtcField(null=True)
    first_energy_wh = pw.IntegerField(null=True)
    plan = pw.TextField(default="")  # JSON: the new meter as it was said at the beginning
    former = pw.TextField(default="")  # JSON: where the new meter was before it was named here
    transfer = pw.ForeignKeyField(Transfer, null=True, on_delete="RESTRICT")
    command = pw.ForeignKeyField(Command, null=True, on_delete="RESTRICT")  # what it waits for
    why = pw.TextField(default="")
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    started_at = UtcField()
    finished_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)


Exchange.add_index(  # one exchange of a meter at a time
    Exchange.index(
        Exchange.old, unique=True, where=Exchange.finished_at.is_null(), name="exchange_open"
    )
)


class Approval(CoreModel):
    """A request that waits for a second person: the verb and what it was asked with."""

    verb = pw.TextField()
    request_id = pw.TextField(unique=True)  # of the command it will make
    arguments = pw.TextField()  # canonical JSON
    serial = pw.TextField(default="")
    amount_fen = pw.IntegerField(default=0)
    why = pw.TextField(default="")
    state = EnumField(ApprovalState, default=ApprovalState.WAITING)
    asked_by = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    asked_at = UtcField()
    decided_by = pw.ForeignKeyField(  # while it waits: who is approving it at this moment
        Operator, null=True, on_delete="RESTRICT", backref="+"
    )
    decided_at = UtcField(null=True)
    command = pw.ForeignKeyField(Command, null=True, on_delete="RESTRICT")
    refusal = pw.TextField(default="")  # JSON: why the verb refused when it was approved last
    rev = pw.IntegerField(default=0, index=True)


class Decision(CoreModel):
    """What two persons said of a command or a frozen meter, and what they saw. Append-only."""

    request_id = pw.TextField(unique=True)
    command = pw.ForeignKeyField(Command, null=True, on_delete="RESTRICT")
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    verdict = EnumField(Verdict, null=True)  # null: only the meter was looked at and freed
    why = pw.TextField()
    evidence = pw.TextField()  # JSON: the meter's values before and after, frames, the books
    entry = pw.ForeignKeyField(LedgerEntry, null=True, on_delete="RESTRICT")  # the adjustment
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, on_delete="RESTRICT", backref="+")
    at = UtcField()

    @classmethod
    def protect(cls) -> None:
        make_append_only(cls._meta.database.obj, cls._meta.table_name)


class PrintJob(CoreModel):
    """A receipt on its way to the printer: an outbox, so that no sale ever waits for paper."""

    receipt = pw.ForeignKeyField(Receipt, on_delete="RESTRICT", backref="jobs")
    reprint = pw.BooleanField(default=False)
    state = EnumField(PrintState, default=PrintState.QUEUED, index=True)
    tries = pw.IntegerField(default=0)
    error = pw.TextField(default="")  # a code of the catalogs, and after a space what it was told
    lease_epoch = pw.IntegerField(null=True)  # which engine has it in hand, or had it last
    operator = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    created_at = UtcField()
    next_try_at = UtcField(null=True)
    finished_at = UtcField(null=True)
