"""What a meter is to hold, from the most particular to the most general that says so.

Prices: its tariff's version in force, else the site's. Settings: its own row, its model's
default, its building's, the site's. By the names of engine.domain.wanted.
"""

from collections.abc import Mapping
from decimal import Decimal

from engine import clock
from engine.config import Config
from engine.domain.measurement import RATES
from models.base import tuples
from models.enums import DefaultScope
from models.settings import SettingDefault
from models.site import Meter
from models.tariffs import Tariff, TariffVersion

Values = dict[str, str | int]
OWN = (  # a meter's columns, by the names they have as settings too
    "alarm1_fen", "alarm2_fen", "overdraft_fen", "overload_w", "overload_trips_max",
    "overload_recovery_min", "time_control",
)  # fmt: skip


def of(meter: Meter, config: Config) -> Values:
    """All of it, prepayment on. Names that nobody says anything of are not in it."""
    return {"money_control": 1, **prices(meter, config), **settings(meter, config)}


def prices(meter: Meter, config: Config) -> Values:
    wanted = prices_of(meter, config)
    return {f"price_{rate}": str(price) for rate, price in zip(RATES, wanted, strict=True)}


def prices_of(meter: Meter, config: Config) -> tuple[Decimal, ...]:
    """The version of its tariff in force today, by RATES; without one the site's prices."""
    today = clock.now().astimezone(config.site.zone).date().isoformat()
    version = (
        TariffVersion.select()
        .join(Tariff)
        .where(
            Tariff.name == meter.tariff,
            TariffVersion.valid_from <= today,
            TariffVersion.withdrawn_at.is_null(),
        )
        .order_by(TariffVersion.valid_from.desc())
        .first()
        if meter.tariff
        else None
    )
    if version is not None:
        found: tuple[Decimal, ...] = version.prices
        return found
    return tuple(getattr(config.defaults, f"price_{rate}") for rate in RATES)


def settings(meter: Meter, config: Config) -> Values:
    """Thresholds, overdraft, load and time control; what is left alone is not named."""
    own = {name: value for name in OWN if (value := getattr(meter, name)) is not None}
    return {**site_defaults(config), **scope_defaults(meter), **own}


def site_defaults(config: Config) -> Values:
    """An overload of 0 in config.toml means: nobody looks after it, so it is not named."""
    defaults = config.defaults
    found: Values = {
        "alarm1_fen": defaults.alarm1_fen,
        "alarm2_fen": defaults.alarm2_fen,
        "overdraft_fen": defaults.overdraft_fen,
    }
    if defaults.overload_w:
        found["overload_w"] = defaults.overload_w
    return found


def scope_defaults(meter: Meter) -> Values:
    """Of its building, and over them of its model."""
    keys = ((DefaultScope.BUILDING, meter.building.code), (DefaultScope.MODEL, meter.model))
    found: Values = {}
    for scope, key in keys:
        query = SettingDefault.select(SettingDefault.name, SettingDefault.value).where(
            SettingDefault.scope == scope, SettingDefault.key == key
        )
        found |= typed(dict(tuples(query)))
    return found


def typed(texts: Mapping[str, str]) -> Values:
    """Stored texts as the values they stand for."""
    return {name: value if name == "time_control" else int(value) for name, value in texts.items()}
