"""What stands on site: buildings, gateways (serial servers), lines (RS485), meters."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.enums import LinkKind, MeterKind, Security


class Building(CoreModel):
    code = pw.TextField(unique=True)
    name = pw.TextField()


class Gateway(CoreModel):
    """A serial server (通讯管理机), in an electric well or a distribution room."""

    name = pw.TextField(unique=True)
    building = pw.ForeignKeyField(Building, on_delete="RESTRICT")
    location = pw.TextField(default="")


class Line(CoreModel):
    """One RS485 bus: a port of a gateway (host:port), or a local serial device."""

    name = pw.TextField(unique=True)
    gateway = pw.ForeignKeyField(Gateway, on_delete="RESTRICT")
    location = pw.TextField(default="")
    link = EnumField(LinkKind)
    host = pw.TextField(default="")
    port = pw.IntegerField(null=True)
    device = pw.TextField(default="")
    baud = pw.IntegerField(default=9600)
    parity = pw.TextField(default="N")
    stop_bits = pw.IntegerField(default=1)
    security = EnumField(Security, default=Security.NONE)
    interval_s = pw.IntegerField(null=True)  # null: the site's
    timeout_ms = pw.IntegerField(null=True)  # null: from baud, see engine.bus.timing
    gap_ms = pw.IntegerField(null=True)  # null: 3.5 characters
    retries = pw.IntegerField(default=0)
    retired_at = UtcField(null=True)


class Meter(CoreModel):
    """A device. What it holds is its own; here is what we were told and what we desire of it."""

    serial = pw.TextField(unique=True)  # 表号, 12 digits, as the meter itself says
    model = pw.TextField()
    line = pw.ForeignKeyField(Line, on_delete="RESTRICT")
    address = pw.IntegerField(constraints=[pw.Check("address BETWEEN 1 AND 247")])
    building = pw.ForeignKeyField(Building, on_delete="RESTRICT")
    floor = pw.TextField(default="")
    location = pw.TextField(default="")
    shop = pw.TextField(default="")
    ct_ratio = pw.IntegerField(default=1)
    kind = EnumField(MeterKind, default=MeterKind.PREPAID)
    tariff = pw.TextField(null=True)
    tariff_at = UtcField(null=True)  # since when it is this one; null: since it is here
    alarm1_fen = pw.IntegerField(null=True)
    alarm2_fen = pw.IntegerField(null=True)
    overload_w = pw.IntegerField(null=True)
    overload_trips_max = pw.IntegerField(null=True)
    overload_recovery_min = pw.IntegerField(null=True)
    overdraft_fen = pw.IntegerField(null=True)
    time_control = pw.TextField(null=True)  # 时控, in the words of engine.domain.wanted
    interval_s = pw.IntegerField(null=True)  # null: the line's, else the site's
    parent = pw.TextField(null=True)  # serial of the meter above it
    protected = pw.BooleanField(default=False)
    epoch = pw.IntegerField(default=1)  # rises when installed, exchanged or cleared
    mirror_count = pw.IntegerField(null=True)  # purchase count expected; null: not seen
    frozen = pw.BooleanField(default=False)  # in suspense or a foreign purchase: no sales
    retired_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)  # rises with every change a screen shows


Meter.add_index(  # one living meter an address
    Meter.index(
        Meter.line, Meter.address, unique=True, where=Meter.retired_at.is_null(), name="meter_at"
    )
)
