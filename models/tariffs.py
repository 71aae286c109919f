"""What energy costs: tariffs and their dated versions."""

from decimal import Decimal

import peewee as pw

from models.accounts import Installation
from models.base import CoreModel, EnumField, UtcField
from models.commands import Command
from models.enums import ChangeCause, SpecialDayKind
from models.people import Operator
from models.site import Meter
from models.sqlite import make_write_once


class PriceField(pw.Field):
    """A price in yuan per kWh, kept as exact text."""

    field_type = "TEXT"

    def db_value(self, value: Decimal | None) -> str | None:
        return None if value is None else format(value, "f")

    def python_value(self, value: str | None) -> Decimal | None:
        return None if value is None else Decimal(value)


class Tariff(CoreModel):
    name = pw.TextField(unique=True)


class TariffVersion(CoreModel):
    """The whole tariff from a local day on, until the next version's. Published once.

    A version may be withdrawn before its day; nothing else of it ever changes. The notations of
    `schedule`, `steps` and `cycle`: docs/tariffs.md.
    """

    tariff = pw.ForeignKeyField(Tariff, on_delete="RESTRICT")
    valid_from = pw.TextField()  # local date, ISO
    price_sharp = PriceField()
    price_peak = PriceField()
    price_flat = PriceField()
    price_valley = PriceField()
    schedule = pw.TextField(default="")
    steps = pw.TextField(default="")  # 阶梯
    cycle = pw.TextField(default="")  # when steps begin anew
    note = pw.TextField(default="")
    published_at = UtcField(null=True)
    published_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    withdrawn_at = UtcField(null=True)
    withdrawn_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT", backref="+")

    @classmethod
    def protect(cls) -> None:
        """Published once: of a row nothing but its withdrawal is ever written, and that once."""
        later = [cls.withdrawn_at.column_name, cls.withdrawn_by.column_name]
        make_write_once(cls._meta.database.obj, cls._meta.table_name, later)

    @property
    def prices(self) -> tuple[Decimal, ...]:
        return self.price_sharp, self.price_peak, self.price_flat, self.price_valley


TariffVersion.add_index(
    TariffVersion.index(
        TariffVersion.tariff,
        TariffVersion.valid_from,
        unique=True,
        where=TariffVersion.withdrawn_at.is_null(),
        name="tariffversion_day",
    )
)


class SpecialDay(CoreModel):
    """A holiday, or a weekend day that is worked instead (调休)."""

    day = pw.TextField(unique=True)  # local date, ISO
    kind = EnumField(SpecialDayKind)
    name = pw.TextField(default="")
    set_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    set_at = UtcField()


class StepCycle(CoreModel):
    """Where the energy of an installation's step cycle is counted from.

    Used in the cycle: energy now - `start_wh` + `carried_wh` (of the meter that hung there
    before, in the same cycle). A cycle's row is made when its first reading is known.
    """

    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    installation = pw.ForeignKeyField(Installation, on_delete="RESTRICT")
    starts_on = pw.TextField()  # local date, ISO
    start_wh = pw.IntegerField()
    start_at = UtcField(index=True)  # of the reading it is counted from
    carried_wh = pw.IntegerField(default=0)

    class Meta:
        indexes = ((("installation", "starts_on"), True),)


class PriceChange(CoreModel):
    """The engine changed a meter's prices or schedule at a boundary: when, why, and what it cost.

    `late_fen`: what the meter should have deducted since `due_at` less what it did, at the prices
    that stood: above 0 the tenant paid too little. For a person to settle; nothing is posted.
    """

    once = pw.TextField(unique=True)  # installation, boundary: no second change for it
    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    installation = pw.ForeignKeyField(Installation, on_delete="RESTRICT")
    serial = pw.TextField()
    cause = EnumField(ChangeCause)
    version = pw.ForeignKeyField(TariffVersion, null=True, on_delete="RESTRICT")
    command = pw.ForeignKeyField(Command, null=True, unique=True, on_delete="RESTRICT")
    wanted = pw.TextField(default="{}")  # JSON, by name
    former = pw.TextField(default="{}")  # JSON: what stood before
    due_at = UtcField(index=True)
    due_energy_wh = pw.IntegerField(null=True)  # of a step: the reading at which it was due
    queued_at = UtcField()
    applied_at = UtcField(null=True)
    energy_wh = pw.IntegerField(null=True)  # read in the turn that changed it
    balance_fen = pw.IntegerField(null=True)
    late_wh = pw.IntegerField(null=True)
    late_fen = pw.IntegerField(null=True)
    estimated = pw.BooleanField(default=False)  # late_*: the energy at the boundary was not read
    settled_at = UtcField(null=True)
    settled_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    note = pw.TextField(default="")


PriceChange.add_index(  # those under way
    PriceChange.index(
        PriceChange.installation, where=PriceChange.late_wh.is_null(), name="pricechange_open"
    )
)
