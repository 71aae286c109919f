"""What operators asked of meters, and every time a frame of it was on the wire."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.enums import CommandKind, CommandState, PayKind
from models.people import Operator, Shift
from models.site import Meter

OPEN_STATES = tuple(state.value for state in CommandState if state.open)


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
    shift = pw.ForeignKeyField(Shift, null=True, on_delete="RESTRICT")
    created_at = UtcField()
    expires_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)  # rises with every change: what a screen polls

    seq = pw.IntegerField(null=True)  # the purchase count this command is to make
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


class Attempt(CoreModel):
    """One exchange on the wire for a command: the evidence."""

    command = pw.ForeignKeyField(Command, on_delete="RESTRICT", index=True)
    at = UtcField()
    step = pw.TextField()  # fence, identity, before, write, read_back
    request = pw.BlobField()
    reply = pw.BlobField(null=True)
    error = pw.TextField(null=True)


class Receipt(CoreModel):
    """A number a proved sale; its text is drawn from the command's row."""

    number = pw.TextField(unique=True)
    command = pw.ForeignKeyField(Command, unique=True, on_delete="RESTRICT")
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
