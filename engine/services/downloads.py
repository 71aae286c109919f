"""电价下发 and 设置下发: what is desired of a meter, written down for the engine to write."""

import json
from decimal import Decimal

from engine import clock
from engine.config import Config
from engine.domain.measurement import RATES, MeterSettings
from engine.services import audit, meters, operators, queueing
from models.base import next_rev, write_transaction
from models.commands import Command
from models.enums import CommandKind, CommandState, Right
from models.people import Operator
from models.site import Meter
from models.tariffs import Tariff, TariffVersion

SUPERSEDED = "superseded"


def request(serial: str, by: Operator, request_id: str, *, config: Config) -> Command:
    """Have `serial` hold the price and thresholds desired of it, prepayment on.

    A newer one supersedes an older that is still queued. Raises Forbidden, NoSuchMeter,
    MeterRetired, RequestIdReused.
    """
    with write_transaction():
        operators.require(by, Right.ACCOUNTS)
        return request_within(serial, by, request_id, config=config)


def request_within(serial: str, by: Operator, request_id: str, *, config: Config) -> Command:
    """The same as part of another verb, whose right and transaction hold."""
    if first := queueing.earlier(request_id, CommandKind.DOWNLOAD, serial, by):
        return first
    meter = meters.living(serial)
    Command.update(
        state=CommandState.REFUSED,
        reason=SUPERSEDED,
        finished_at=clock.now(),
        rev=next_rev(Command),
    ).where(
        Command.meter == meter,
        Command.kind == CommandKind.DOWNLOAD,
        Command.state == CommandState.QUEUED,
    ).execute()
    wanted = desired(meter, config)
    command = queueing.queue(
        meter, CommandKind.DOWNLOAD, by, request_id, desired=json.dumps(wanted, sort_keys=True)
    )
    audit.write(by.name, "download", serial, {"command": command.id, **wanted})
    return command


def desired(meter: Meter, config: Config) -> dict[str, str | int]:
    """By point of the map: prices (text, yuan/kWh), thresholds (fen), money control on.

    The meter's own tariff and thresholds, else the site's defaults.
    """
    prices = prices_of(meter, config)
    defaults = config.defaults
    return {
        "money_control": 1,
        **{f"price_{rate}": str(price) for rate, price in zip(RATES, prices, strict=True)},
        "alarm1_fen": defaults.alarm1_fen if meter.alarm1_fen is None else meter.alarm1_fen,
        "alarm2_fen": defaults.alarm2_fen if meter.alarm2_fen is None else meter.alarm2_fen,
    }


def prices_of(meter: Meter, config: Config) -> tuple[Decimal, ...]:
    """The version of its tariff in force today, by RATES; without one the site's prices."""
    today = clock.now().astimezone(config.site.zone).date().isoformat()
    version = (
        TariffVersion.select()
        .join(Tariff)
        .where(Tariff.name == meter.tariff, TariffVersion.valid_from <= today)
        .order_by(TariffVersion.valid_from.desc())
        .first()
        if meter.tariff
        else None
    )
    if version is not None:
        prices: tuple[Decimal, ...] = version.prices
        return prices
    return tuple(getattr(config.defaults, f"price_{rate}") for rate in RATES)


def holds(settings: MeterSettings, wanted: dict[str, str | int]) -> bool:
    """Is what was read back what is desired?"""
    return (
        settings.money_control == bool(wanted["money_control"])
        and settings.prices == tuple(Decimal(wanted[f"price_{rate}"]) for rate in RATES)
        and (settings.alarm1_fen, settings.alarm2_fen)
        == (wanted["alarm1_fen"], wanted["alarm2_fen"])
    )
