"""Tariffs with the prices in force, and what single meters are to have."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from models.site import Meter
from models.tariffs import Tariff, TariffVersion


@dataclass(frozen=True, slots=True)
class TariffRow:
    name: str
    valid_from: str  # local date, ISO
    prices: tuple[Decimal, ...]  # sharp, peak, flat, valley; yuan/kWh


def in_force(today: dt.date) -> list[TariffRow]:
    """The version of each tariff that holds on `today` (a local date), by name."""
    query = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(TariffVersion.valid_from <= today.isoformat(), TariffVersion.withdrawn_at.is_null())
        .order_by(TariffVersion.valid_from)
    )
    newest = {
        version.tariff.name: TariffRow(version.tariff.name, version.valid_from, version.prices)
        for version in query
    }
    return [newest[name] for name in sorted(newest)]


@dataclass(frozen=True, slots=True)
class Desired:
    """What a meter's own row says; None: the site's default."""

    serial: str
    tariff: str | None
    alarm1_fen: int | None
    alarm2_fen: int | None


def desired(serials: Collection[str]) -> list[Desired]:
    query = Meter.select().where(Meter.serial.in_(list(serials))).order_by(Meter.serial)
    return [
        Desired(meter.serial, meter.tariff, meter.alarm1_fen, meter.alarm2_fen) for meter in query
    ]
