"""Where views of settings look: wishes, read-backs, what was accepted, whose meters they are."""

import datetime as dt
import json
from typing import NamedTuple

from engine.config import Config
from engine.domain import resolving
from engine.domain import settings_drift as rules
from engine.domain.measurement import RATES
from engine.domain.resolving import OWN, Defaults, Value, Values
from models.accounts import Account, Installation
from models.base import core, tuples
from models.enums import MeterKind
from models.metering import Latest
from models.settings import AcceptedSetting, SettingDefault
from models.site import Building, Line, Meter

SETTINGS = ("money_control", *OWN)
PRICES = (*(f"price_{rate}" for rate in RATES), "multi_rate", "schedule1", "schedule2", "zones")
NAMES = (*SETTINGS, *PRICES)  # in the order in which they are shown
PREPAID = 1  # money_control of every meter that is sold to


class Place(NamedTuple):
    meter_id: int
    serial: str
    shop: str
    tenant: str
    line: str
    model: str
    building: str
    own: Values


class Known(NamedTuple):
    held: Values
    held_at: dt.datetime
    before: rules.Drift


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


def places() -> list[Place]:
    """Prepaid meters that a tenant has: nothing is desired of others."""
    own = [getattr(Meter, name) for name in OWN]
    query = (
        Meter.select(
            Meter.id, Meter.serial, Meter.shop, Account.name, Line.name, Meter.model,
            Building.code, *own,
        )
        .join(Line)
        .join_from(Meter, Building, on=Meter.building == Building.id)
        .join_from(Meter, Installation)
        .join(Account)
        .where(
            Meter.retired_at.is_null(),
            Meter.kind == MeterKind.PREPAID,
            Installation.closed_at.is_null(),
        )
    )  # fmt: skip
    plain = len(Place._fields) - 1
    return [Place._make((*row[:plain], _said(row[plain:]))) for row in core.execute(query)]


def _said(own: tuple[Value | None, ...]) -> Values:
    return {name: value for name, value in zip(OWN, own, strict=True) if value is not None}


def known(ids: set[int] | None) -> dict[int, Known]:
    query = Latest.select(
        Latest.meter_id, Latest.held, Latest.held_at, Latest.settings_drift
    ).where(Latest.held.is_null(False))
    if ids is not None:
        query = query.where(Latest.meter_id.in_(list(ids)))
    return {
        meter_id: Known(json.loads(held), held_at, rules.from_json(drift))
        for meter_id, held, held_at, drift in tuples(query)
    }


def whole_looks() -> dict[int, dt.datetime]:
    """When each meter was last asked for all that it holds."""
    query = Latest.select(Latest.meter_id, Latest.settings_at)
    return dict(tuples(query.where(Latest.settings_at.is_null(False))))


def accepted(ids: set[int] | None) -> dict[int, dict[str, str]]:
    query = AcceptedSetting.select(
        AcceptedSetting.meter, AcceptedSetting.name, AcceptedSetting.value
    )
    if ids is not None:
        query = query.where(AcceptedSetting.meter.in_(list(ids)))
    found: dict[int, dict[str, str]] = {}
    for meter_id, name, value in tuples(query):
        found.setdefault(meter_id, {})[name] = value
    return found
