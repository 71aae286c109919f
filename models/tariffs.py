"""What energy costs: tariffs and their dated versions."""

from decimal import Decimal

import peewee as pw

from models.base import CoreModel


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
    """The whole tariff from a local day on, until the next version's."""

    tariff = pw.ForeignKeyField(Tariff, on_delete="RESTRICT")
    valid_from = pw.TextField()  # local date, ISO
    price_sharp = PriceField()
    price_peak = PriceField()
    price_flat = PriceField()
    price_valley = PriceField()
    schedule = pw.TextField(default="")  # which rate from which minute, as imported
    steps = pw.TextField(default="")  # 阶梯, as imported
    cycle = pw.TextField(default="")  # when steps begin anew, as imported

    class Meta:
        indexes = ((("tariff", "valid_from"), True),)

    @property
    def prices(self) -> tuple[Decimal, ...]:
        return self.price_sharp, self.price_peak, self.price_flat, self.price_valley
