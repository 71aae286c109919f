"""A meter leaves its tenant: last values kept, what was used posted, the books at what it holds."""

import datetime as dt

from engine import clock
from engine.domain.measurement import MeterReading
from engine.services import accounts, audit, freezing, meters
from models.accounts import Installation
from models.enums import InstallationEnd, MeterKind
from models.metering import Latest
from models.people import Operator
from models.site import Meter


def newest(meter: Meter) -> tuple[MeterReading | None, dt.datetime | None]:
    """The last accepted reading and when it was taken."""
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    if latest is None or latest.reading is None:
        return None, None
    return MeterReading.from_json(latest.reading), latest.read_at


def end(
    installation: Installation,
    reading: MeterReading | None,
    by: Operator,
    ended: InstallationEnd,
    why: str,
    *,
    zone: dt.tzinfo,
) -> None:
    """End `installation` at `reading`, inside the caller's write_transaction.

    The final freeze: what the books have more than the meter holds was used, and is revenue. The
    epoch rises, so that no command of this tenant is taken for one of the next.
    """
    meter, account = installation.meter, installation.account
    if meter.kind is MeterKind.PREPAID and reading is not None:
        _settle(installation, reading, zone)
    now = clock.now()
    accounts.touch(account)
    Installation.update(
        closed_at=now,
        ended=ended,
        last_energy_wh=reading.energy_wh if reading else None,
        last_balance_fen=reading.balance_fen if reading else None,
        shop=installation.shop or meter.shop,
    ).where(Installation.id == installation.id).execute()
    Meter.update(epoch=Meter.epoch + 1).where(Meter.id == meter.id).execute()
    detail = {
        "tenant": account.number,
        "ended": ended,
        "why": why,
        "first_energy_wh": installation.first_energy_wh,
        "last_energy_wh": reading.energy_wh if reading else None,
        "balance_fen": reading.balance_fen if reading else None,
    }
    audit.write(by.name, "meter_release", meter.serial, detail)


def _settle(installation: Installation, reading: MeterReading, zone: dt.tzinfo) -> None:
    meter = installation.meter
    balance_fen, count = reading.balance_fen, reading.purchase_count
    assert balance_fen is not None, meter.serial
    assert count is not None, meter.serial
    energy_wh = reading.energy_wh
    meters.take_over(meter, balance_fen=balance_fen, count=count, energy_wh=energy_wh)
    freezing.final(
        installation, energy_wh=energy_wh, balance_fen=balance_fen, at=clock.now(), zone=zone
    )
