"""What a meter is to hold, from the most particular to the most general that says so.

Prices: its tariff's version in force, else the site's (engine.services.pricing). Settings: its
own row, its model's default, its building's, the site's (engine.domain.resolving). By the names of
engine.domain.wanted.
"""

from collections.abc import Iterable

from engine import clock
from engine.config import Config
from engine.domain import resolving
from engine.domain.resolving import Defaults, own
from engine.services import pricing
from models.base import tuples
from models.control import limits_at
from models.settings import SettingDefault
from models.site import Building, Meter

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
    """The four prices, and the schedule where its tariff has one."""
    return pricing.wanted(meter, config)


def prices_of_all(meters: Iterable[Meter], config: Config) -> dict[int, Values]:
    return pricing.wanted_of_all(meters, config)


def settings(meter: Meter, config: Config) -> Values:
    """Thresholds, overdraft, load and time control; what is left alone is not named."""
    return settings_of_all([meter], config)[meter.id]


def settings_of_all(meters: Iterable[Meter], config: Config) -> dict[int, Values]:
    """A limit of power that stands for a time is what is desired while it does."""
    limits = limits_at(clock.now())
    return {
        meter_id: values | ({"overload_w": limits[meter_id]} if meter_id in limits else {})
        for meter_id, values in resolved(meters, defaults(config)).items()
    }


def resolved(meters: Iterable[Meter], said: Defaults) -> dict[int, Values]:
    """Each meter's own wishes over these defaults."""
    codes = dict(tuples(Building.select(Building.id, Building.code)))
    return {
        meter.id: said.values(own(meter), model=meter.model, building=code)
        for meter in meters
        for code in (codes[meter.__data__["building"]],)  # its id: no look-up a meter
    }


def unlimited(meter: Meter, config: Config) -> Values:
    """The settings as they are when no limit stands for a time."""
    return resolved([meter], defaults(config))[meter.id]


def defaults(config: Config) -> Defaults:
    """What is said of the site, its buildings and its models."""
    said = config.defaults
    site = resolving.site_values(
        alarm1_fen=said.alarm1_fen,
        alarm2_fen=said.alarm2_fen,
        overdraft_fen=said.overdraft_fen,
        overload_w=said.overload_w,
    )
    return Defaults(site, resolving.scoped_values(SettingDefault.rows()))
