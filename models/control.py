"""What is done to a meter besides money: locks, orders for a time, batches of one verb."""

import datetime as dt

import peewee as pw

from models.base import CoreModel, EnumField, UtcField, tuples
from models.commands import Command
from models.enums import (
    BatchState,
    BatchVerb,
    ItemState,
    Planned,
    TemporaryPurpose,
    TemporaryState,
)
from models.people import Operator
from models.site import Meter


class LockOut(CoreModel):
    """检修挂牌: somebody works on the installation behind this meter; nothing may close it."""

    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    holder = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    why = pw.TextField()
    placed_at = UtcField()
    released_at = UtcField(null=True)
    released_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    second = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")


LockOut.add_index(  # one lock a meter at a time
    LockOut.index(
        LockOut.meter, unique=True, where=LockOut.released_at.is_null(), name="lockout_open"
    )
)


class Batch(CoreModel):
    """One verb over many meters, as its plan said and was approved; the engine feeds it.

    `selection` and `options` are JSON: what was asked for, so that a plan can be made anew.
    """

    request_id = pw.TextField(unique=True)
    verb = EnumField(BatchVerb)
    selection = pw.TextField()
    options = pw.TextField(default="{}")
    state = EnumField(BatchState, default=BatchState.RUNNING, index=True)
    stopped = pw.TextField(default="")  # why it is paused: a catalog code
    why = pw.TextField(default="")
    line_s = pw.IntegerField(default=0)  # time on the busiest line, as planned
    epoch = pw.IntegerField(null=True)  # lease of the engine that feeds it: another asks first
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    retries = pw.ForeignKeyField("self", null=True, on_delete="RESTRICT")  # whose failed it is
    created_at = UtcField()
    expires_at = UtcField(null=True)  # of switches: what was not sent by then never is
    finished_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)


class BatchItem(CoreModel):
    """A meter of a batch. What was planned to be left alone is kept too: the result says why."""

    batch = pw.ForeignKeyField(Batch, on_delete="RESTRICT", backref="items")
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    serial = pw.TextField()
    line = pw.TextField()
    planned = EnumField(Planned)
    was = pw.TextField(default="{}")  # JSON, by name: what the plan saw in the meter
    wanted = pw.TextField(default="{}")  # JSON, by name
    loses_power = pw.BooleanField(default=False)
    state = EnumField(ItemState, default=ItemState.WAITING)
    reason = pw.TextField(null=True)  # a code of the catalogs
    command = pw.ForeignKeyField(Command, null=True, unique=True, on_delete="RESTRICT")
    taken_back = pw.IntegerField(default=0)  # commands of it that were taken back unsent
    finished_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("batch", "meter"), True),
            (("batch", "state", "line"), False),
            (("state",), False),
        )


class Temporary(CoreModel):
    """Something that a meter is told for a time: the engine takes it back at `until`, once.

    A hold in an emergency or over closing hours, with the debt that grew under it; a limit of
    power (选择性限电). `begin` is the command that began it, `end` the one that takes it back.
    """

    request_id = pw.TextField(unique=True)
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    serial = pw.TextField()
    purpose = EnumField(TemporaryPurpose)
    state = EnumField(TemporaryState, default=TemporaryState.BEGINNING)
    limit_w = pw.IntegerField(null=True)
    former = pw.TextField(default="{}")  # JSON: what a limit goes back to, by name
    why = pw.TextField()
    operator = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    approver = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")
    batch = pw.ForeignKeyField(Batch, null=True, on_delete="RESTRICT")
    created_at = UtcField()
    until = UtcField()
    begin = pw.ForeignKeyField(Command, null=True, unique=True, on_delete="RESTRICT")
    end = pw.ForeignKeyField(Command, null=True, unique=True, on_delete="RESTRICT", backref="+")
    tries = pw.IntegerField(default=0)  # commands that were to take it back and did not
    before_balance_fen = pw.IntegerField(null=True)
    before_energy_wh = pw.IntegerField(null=True)
    after_balance_fen = pw.IntegerField(null=True)
    after_energy_wh = pw.IntegerField(null=True)
    debt_fen = pw.IntegerField(null=True)  # what was used beyond the credit while it held
    ended_at = UtcField(null=True, index=True)  # those that have not are sought twice a second
    rev = pw.IntegerField(default=0, index=True)


Temporary.add_index(  # one of a purpose's kind a meter: a hold and a limit may stand together
    Temporary.index(
        Temporary.meter,
        Temporary.limit_w.is_null(),
        unique=True,
        where=Temporary.ended_at.is_null(),
        name="temporary_open",
    )
)


def limits_at(now: dt.datetime) -> dict[int, int]:
    """By meter the power in W that it is limited to at `now`: it stands above what else is said."""
    query = Temporary.select(Temporary.meter, Temporary.limit_w).where(
        Temporary.limit_w.is_null(False),
        Temporary.state.in_([TemporaryState.BEGINNING, TemporaryState.HELD]),
        Temporary.until > now,
    )
    return dict(tuples(query))
