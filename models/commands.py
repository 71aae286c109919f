"""What operators asked of meters, and every time a frame of it was on the wire."""

import peewee as pw

from models.accounts import Account
from models.base import CoreModel, EnumField, UtcField
from models.enums import CommandKind, CommandState, PayKind, TransferPurpose
from models.people import Operator, Shift
from models.site import Meter

OPEN_STATES = tuple(state.value for state in CommandState if state.open)


class Payment(CoreModel):
    """One payment of a tenant split over several meters: a sale each, one receipt for all."""

    request_id = pw.TextField(unique=True)
    account = pw.ForeignKeyField(Account, on_delete="RESTRICT")
    paid_fen = pw.IntegerField()
    pay = EnumField(PayKind)
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    shift = pw.ForeignKeyField(Shift, on_delete="RESTRICT")
    created_at = UtcField()


class Transfer(CoreModel):
    """Credit from one meter to another, through clearing: two commands, the second after the first.

    `source` null: an old meter of another system (conversion). `target` null: not known yet. The
    second leg is queued by whoever settles the first, or by `transferring.go_on`.
    """

    request_id = pw.TextField(unique=True)
    purpose = EnumField(TransferPurpose)
    source = pw.ForeignKeyField(Meter, null=True, on_delete="RESTRICT")
    target = pw.ForeignKeyField(Meter, null=True, on_delete="RESTRICT", backref="+")
    amount_fen = pw.IntegerField(null=True)  # null: all that the old meter holds, until proved
    why = pw.TextField(default="")
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    created_at = UtcField()
    finished_at = UtcField(null=True)  # clearing is empty again


class Command(CoreModel):
    """One wish. Every transition is one UPDATE with id, state and epoch in its WHERE.

    `base_*` is what the meter said before the first write, `after_*` at the last read-back.
    """

    request_id = pw.TextField(unique=True)
    kind = EnumField(CommandKind)
    counted = pw.BooleanField()
    state = EnumField(CommandState, default=CommandState.QUEUED)
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    meter_epoch = pw.IntegerField()
    serial = pw.TextField()
    amount_fen = pw.IntegerField(default=0)  # credit for the meter
    fee_fen = pw.IntegerField(default=0)  # kept by the office
    pay = EnumField(PayKind, null=True)
    operator = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    shift = pw.ForeignKeyField(Shift, null=True, on_delete="RESTRICT")
    why = pw.TextField(default="")  # what the operator gave as the reason
    whole = pw.BooleanField(default=False)  # all that the meter holds; known when it is sent
    reverses = pw.ForeignKeyField("self", null=True, on_delete="RESTRICT")  # the sale it undoes
    payment = pw.ForeignKeyField(Payment, null=True, on_delete="RESTRICT")
    transfer = pw.ForeignKeyField(Transfer, null=True, on_delete="RESTRICT")
    desired = pw.TextField(default="")  # of a download: JSON of the values, by point
    found = pw.TextField(default="")  # JSON: what the meter held before, by the same names
    left = pw.TextField(default="")  # JSON: what it holds afterwards where that is not as wanted
    created_at = UtcField()
    expires_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)  # rises with every change: what a screen polls

    seq = pw.IntegerField(null=True)  # the purchase count this command is to make; lowering: null
    target_fen = pw.IntegerField(null=True)  # the balance a lowering command writes
    lease_epoch = pw.IntegerField(null=True)  # who sent it
    sender_boot = pw.TextField(null=True)  # boot id and pid of the sender: is it provably dead?
    sender_pid = pw.IntegerField(null=True)
    writes = pw.IntegerField(default=0)  # frames that may have left
    sent_at = UtcField(null=True)
    base_count = pw.IntegerField(null=True)
    base_balance_fen = pw.IntegerField(null=True)
    base_energy_wh = pw.IntegerField(null=True)
    after_count = pw.IntegerField(null=True)
    after_balance_fen = pw.IntegerField(null=True)
    after_energy_wh = pw.IntegerField(null=True)
    reason = pw.TextField(null=True)  # a code of the catalogs
    checks = pw.IntegerField(default=0)  # read-backs without an answer
    next_check_at = UtcField(null=True)
    finished_at = UtcField(null=True)

    class Meta:
        indexes = ((("state", "id"), False),)


Command.add_index(  # at most one open counted command a meter
    Command.index(
        Command.meter,
        unique=True,
        where=(Command.counted == True) & Command.state.in_(OPEN_STATES),  # noqa: E712 (SQL)
        name="command_open",
    )
)
Command.add_index(  # a purchase count is used once
    Command.index(
        Command.serial,
        Command.meter_epoch,
        Command.seq,
        unique=True,
        where=Command.state.in_([CommandState.SENT, CommandState.UNKNOWN, CommandState.APPLIED]),
        name="command_seq",
    )
)


Command.add_index(  # a sale is reversed once
    Command.index(
        Command.reverses,
        unique=True,
        where=Command.state.not_in([CommandState.REFUSED, CommandState.VOIDED]),
        name="command_reverses",
    )
)


class Attempt(CoreModel):
    """One exchange on the wire for a command: the evidence."""

    command = pw.ForeignKeyField(Command, on_delete="RESTRICT", index=True)
    at = UtcField()
    step = pw.TextField()  # fence, identity, before, write, read_back
    request = pw.BlobField()
    reply = pw.BlobField(null=True)
    error = pw.TextField(null=True)


class Receipt(CoreModel):
    """A number for what a meter has proved; its text is drawn from the rows it names.

    Of one command, or of a payment with all its sales; never both.
    """

    number = pw.TextField(unique=True)
    command = pw.ForeignKeyField(Command, null=True, unique=True, on_delete="RESTRICT")
    payment = pw.ForeignKeyField(Payment, null=True, unique=True, on_delete="RESTRICT")
    issued_at = UtcField()


class Lease(CoreModel):
    """Which engine owns what. Its epoch fences every write of an older owner.

    Times are of the host's boot clock (CLOCK_BOOTTIME, ms): no wall clock step can free it.
    """

    resource = pw.TextField(unique=True)
    holder = pw.TextField()
    epoch = pw.IntegerField()
    expires_boot_ms = pw.IntegerField()
    host = pw.TextField()
    boot_id = pw.TextField()
    pid = pw.IntegerField()
    since = UtcField()
