"""What a meter is to hold, from the most particular to the most general that says so.

Prices: its tariff's version in force, else the site's. Settings: its own row, its model's
default, its building's, the site's (engine.domain.resolving). By the names of
engine.domain.wanted.
"""

from collections.abc import Iterable
from decimal import Decimal

from engine import clock
from engine.config import Config
from engine.domain import resolving
from engine.domain.measurement import RATES
from engine.domain.resolving import OWN, Defaults
from models.base import tuples
from models.control import limits_at
from models.settings import SettingDefault
from models.site import Building, Meter
from models.tariffs import Tariff, TariffVersion

Values = resolving.Values
ALWAYS: Values = {"money_control": 1}  # what is sold to is prepaid


def of(meter: Meter, config: Config) -> Values:
    """All of it, prepayment on. Names that nobody says anything of are not in it."""
    return of_all([meter], config)[meter.id]


def of_all(meters: Iterable[Meter], config: Config) -> dict[int, Values]:
    """The same of many, by their ids, in a few queries whatever their number."""
    meters = list(meters)
    said, priced = settings_of_all(meters, config), prices_of_all(meters, config)
    return {meter.id: {**ALWAYS, **priced[meter.id], **said[meter.id]} for meter in meters}


def prices(meter: Meter, config: Config) -> Values:
    return _named(prices_of(meter, config))


def prices_of_all(meters: Iterable[Meter], config: Config) -> dict[int, Values]:
    site = _named(_site_prices(config))
    in_force = {name: _named(found) for name, found in _in_force(config).items()}
    return {meter.id: in_force.get(meter.tariff or "", site) for meter in meters}


def prices_of(meter: Meter, config: Config) -> tuple[Decimal, ...]:
    """The version of its tariff in force today, by RATES; without one the site's prices."""
    return _in_force(config).get(meter.tariff or "") or _site_prices(config)


def _in_force(config: Config) -> dict[str, tuple[Decimal, ...]]:
    """Prices of today by the tariff's name."""
    today = clock.now().astimezone(config.site.zone).date().isoformat()
    query = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(TariffVersion.valid_from <= today, TariffVersion.withdrawn_at.is_null())
        .order_by(TariffVersion.valid_from)
    )
    return {version.tariff.name: version.prices for version in query}


def _site_prices(config: Config) -> tuple[Decimal, ...]:
    return tuple(getattr(config.defaults, f"price_{rate}") for rate in RATES)


def _named(found: tuple[Decimal, ...]) -> Values:
    return {f"price_{rate}": str(price) for rate, price in zip(RATES, found, strict=True)}


def settings(meter: Meter, config: Config) -> Values:
    """Thresholds, overdraft, load and time control; what is left alone is not named."""
    return settings_of_all([meter], config)[meter.id]


def settings_of_all(meters: Iterable[Meter], config: Config) -> dict[int, Values]:
    """A limit of power that stands for a time is what is desired while it does."""
    found, codes = defaults(config), dict(tuples(Building.select(Building.id, Building.code)))
    limits = limits_at(clock.now())
    return {
        meter.id: found.values(
            own(meter), model=meter.model, building=codes[meter.__data__["building"]]
        )
        | ({"overload_w": limits[meter.id]} if meter.id in limits else {})
        for meter in meters
    }


def unlimited(meter: Meter, config: Config) -> Values:
    """The settings as they are when no limit stands for a time."""
    code = meter.building.code
    return defaults(config).values(own(meter), model=meter.model, building=code)


def defaults(config: Config) -> Defaults:
    """What is said of the site, its buildings and its models."""
    rows = tuples(
        SettingDefault.select(
            SettingDefault.scope, SettingDefault.key, SettingDefault.name, SettingDefault.value
        )
    )
    said = config.defaults
    site = resolving.site_values(
        alarm1_fen=said.alarm1_fen,
        alarm2_fen=said.alarm2_fen,
        overdraft_fen=said.overdraft_fen,
        overload_w=said.overload_w,
    )
    return Defaults(site, resolving.scoped_values(rows))


def own(meter: Meter) -> Values:
    """What its own row says."""
    return {name: value for name in OWN if (value := getattr(meter, name)) is not None}
