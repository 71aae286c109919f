"""What a counted command asks of its meter within one turn on the line."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from engine import clock
from engine.bus.errors import BadReading, Refused
from engine.bus.link import Bus
from engine.domain.counted import PurchaseState
from engine.domain.measurement import MeterReading, MeterSettings
from engine.duty import Duty
from engine.lines import MeterAt
from engine.services import readings
from models.metering import Latest


class Unfit(Exception):
    """The purchase must not go to this meter: `reason` is the command's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading that decides something, and when it was taken."""

    reading: MeterReading
    state: PurchaseState
    at: dt.datetime


class MeterTurn:
    """One meter, one turn. What is read is as good as the fence that `recognise` began with."""

    def __init__(self, at: MeterAt, duty: Duty, bus: Bus) -> None:
        self.driver = at.driver
        self.bus = bus
        self._meter = at.meter
        self._duty = duty

    async def recognise(self) -> bool:
        """Fence the meter and have it say its number; True where it wants ciphered commands.

        Raises Unfit where it is another.
        """
        ciphered = await self.driver.read_ciphered(self.bus)
        identity = await self.driver.read_identity(self.bus)
        if not await self._duty.writer.run(
            readings.store_identity,
            self._meter,
            identity.number,
            at=clock.now(),
            epoch=self._duty.epoch,
        ):
            raise Unfit("other_meter")
        return ciphered

    async def see(self, *, step: str) -> Seen:
        """Count, balance and energy, from one read. Raises Unfit where the meter keeps none."""
        reading = await self.driver.read_main(self.bus, step=step)
        if reading.purchase_count is None or reading.balance_fen is None:
            raise Unfit("no_purchase")
        state = PurchaseState(reading.purchase_count, reading.balance_fen, reading.energy_wh)
        return Seen(reading, state, clock.now())

    async def price_max(self) -> Decimal:
        """The highest price read back from this meter; read now where that was never done."""
        settings = await self._duty.writer.run(_known_settings, self._meter.id)
        if settings is None:
            settings = await self._read_settings()
        return settings.price_max

    async def _read_settings(self) -> MeterSettings:
        try:
            settings = await self.driver.read_settings(self.bus)
        except (Refused, BadReading):
            raise Unfit("no_price") from None
        await self._duty.writer.run(
            readings.store_settings,
            self._meter.id,
            settings,
            at=clock.now(),
            epoch=self._duty.epoch,
        )
        return settings


def _known_settings(meter_id: int) -> MeterSettings | None:
    latest = Latest.get_or_none(Latest.meter_id == meter_id)
    return MeterSettings.from_json(latest.settings) if latest and latest.settings else None
