"""What meters are to hold, what was read back of them, and where the two differ."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine import clock
from engine.config import Config
from engine.domain import settings_drift as rules
from engine.domain.errors import NoSuchMeter
from engine.domain.measurement import RATES
from engine.domain.resolving import (
    LIMIT,
    SITE,
    TARIFF,
    Defaults,
    Sourced,
    Value,
    Values,
    own,
)
from engine.domain.wanted import OVERLOAD_STEP, same
from engine.views import meter_tariff, tariffs
from engine.views import settings_store as store
from engine.views.settings_store import NAMES, PREPAID, PRICES, Known, Place
from models.accounts import Installation
from models.base import tuples
from models.control import limits_at
from models.enums import MeterKind
from models.settings import AcceptedSetting
from models.site import Meter


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One name of one meter. None: nothing is desired of it; never read back, or it has none."""

    name: str
    desired: Value | None
    source: str  # meter, model, building, site, tariff, limit; empty: nothing is desired
    held: Value | None
    held_at: dt.datetime | None
    accepted: bool
    differs: bool
    why: str = ""  # of who accepted it
    asked: bool = True  # False: nothing is asked of this meter now, so nothing differs

    def as_json(self, zone: dt.tzinfo) -> dict[str, object]:
        return {
            "name": self.name,
            "desired": self.desired,
            "source": self.source or None,
            "held": self.held,
            "held_at": self.held_at and self.held_at.astimezone(zone).isoformat(),
            "differs": self.differs,
            "accepted": self.accepted,
            "why": self.why or None,
        }


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One name in which one meter differs."""

    meter_id: int
    serial: str
    shop: str
    tenant: str
    line: str
    name: str
    wanted: Value
    held: Value
    since: dt.datetime
    held_at: dt.datetime
    accepted: bool

    def as_json(self, zone: dt.tzinfo) -> dict[str, object]:
        names = ("serial", "shop", "tenant", "line", "name", "wanted", "held", "accepted")
        return {
            **{name: getattr(self, name) for name in names},
            "since": self.since.astimezone(zone).isoformat(),
            "held_at": self.held_at.astimezone(zone).isoformat(),
        }


class Night(NamedTuple):
    """How far the last nightly read-back came."""

    due_at: dt.datetime  # when it began
    last_at: dt.datetime | None  # the newest look at all that a meter holds
    read: int
    unread: int  # prepaid meters that were not read back since


def of_meter(serial: str, config: Config) -> list[SettingRow]:
    """Every name that is desired of a meter or was read back of it. Raises NoSuchMeter."""
    meter = _living(serial)
    known = store.known({meter.id}).get(meter.id)
    held = known.held if known else {}
    wanted = _wanted(meter, config, known)
    accepted = store.accepted({meter.id}).get(meter.id, {})
    whys = dict(
        tuples(
            AcceptedSetting.select(AcceptedSetting.name, AcceptedSetting.why).where(
                AcceptedSetting.meter == meter
            )
        )
    )
    asked = _is_asked(meter)
    rows = []
    for name in (*NAMES, *sorted(held.keys() - {*NAMES, OVERLOAD_STEP})):
        if name not in wanted and name not in held:
            continue
        value, source = wanted.get(name, (None, ""))
        found = held.get(name)
        compared = asked and value is not None and found is not None
        differs = compared and value is not None and not same(name, value, held)
        taken = differs and accepted.get(name) == str(found)
        why = whys.get(name, "") if taken else ""
        at = known.held_at if known else None
        rows.append(SettingRow(name, value, source, found, at, taken, differs, why, asked))
    return rows


def _is_asked(meter: Meter) -> bool:
    """Of who is not sold to nothing is: ordinary meters, and those that no tenant has."""
    opened = Installation.select().where(
        Installation.meter == meter, Installation.closed_at.is_null()
    )
    return meter.kind is MeterKind.PREPAID and opened.exists()


def _wanted(meter: Meter, config: Config, known: Known | None) -> dict[str, Sourced]:
    limit_w = limits_at(clock.now()).get(meter.id)
    return {
        "money_control": Sourced(PREPAID, SITE),
        **store.defaults(config).resolved(
            own(meter), model=meter.model, building=meter.building.code
        ),
        **({} if limit_w is None else {"overload_w": Sourced(limit_w, LIMIT)}),
        **_prices(meter, config, known),
    }


def wishes(serial: str, config: Config) -> tuple[Values, Values]:
    """What a meter's own row says, and what it would be without. Raises NoSuchMeter."""
    meter = _living(serial)
    without = store.defaults(config).values({}, model=meter.model, building=meter.building.code)
    return own(meter), without


def _living(serial: str) -> Meter:
    found = Meter.get_or_none(Meter.serial == serial, Meter.retired_at.is_null())
    if found is None:
        raise NoSuchMeter(serial=serial)
    assert isinstance(found, Meter)
    return found


def _prices(meter: Meter, config: Config, known: Known | None) -> dict[str, Sourced]:
    """As the engine judged them with the newest read-back; else by its tariff's version."""
    today = clock.now().astimezone(config.site.zone).date()
    version = next((row for row in tariffs.in_force(today) if row.name == meter.tariff), None)
    source = TARIFF if version else SITE
    prices = version.prices if version else config.defaults.prices
    plain: Values = {
        f"price_{rate}": f"{price:.4f}" for rate, price in zip(RATES, prices, strict=True)
    }
    if known is None:
        return {name: Sourced(value, source) for name, value in plain.items()}
    judged = {name: found.wanted for name, found in known.before.items() if name in PRICES}
    named = plain.keys() | meter_tariff.scheduled(meter.tariff, today)
    same = {name: known.held[name] for name in named if name in known.held and name not in judged}
    return {name: Sourced(value, source) for name, value in {**plain, **same, **judged}.items()}


def drifts(config: Config) -> list[DriftRow]:
    """Every difference of every opened meter, accepted ones too; oldest first.

    Settings are compared here and now; prices as the engine did with the newest read-back.
    """
    said, accepted, known = store.defaults(config), store.accepted(None), store.known(None)
    limits = limits_at(clock.now())
    rows = [
        row
        for place in store.places()
        if (found := known.get(place.meter_id)) is not None
        for row in _differing(
            place, found, _said(place, said, limits), accepted.get(place.meter_id, {})
        )
    ]
    return sorted(rows, key=_age)


def _said(place: Place, said: Defaults, limits: Mapping[int, int]) -> Values:
    """The settings desired; a limit of power that stands for a time is, while it does."""
    wanted = said.values(place.own, model=place.model, building=place.building)
    limit_w = limits.get(place.meter_id)
    return wanted if limit_w is None else {**wanted, "overload_w": limit_w}


def _differing(
    place: Place, known: Known, said: Values, accepted: Mapping[str, str]
) -> Iterator[DriftRow]:
    prices = {name: found.wanted for name, found in known.before.items() if name in PRICES}
    wanted = {"money_control": PREPAID, **said, **prices}
    now = rules.compared(
        wanted, known.held, accepted, known.before, at=known.held_at, read_back=False
    )
    for name, each in now.items():
        yield _row(place, known, name, each)


def _row(place: Place, known: Known, name: str, each: rules.Differing) -> DriftRow:
    return DriftRow(
        place.meter_id, place.serial, place.shop, place.tenant, place.line, name,
        each.wanted, each.held, each.since, known.held_at, each.accepted,
    )  # fmt: skip


def noted() -> list[DriftRow]:
    """Every difference as the engine wrote it down last, accepted ones too; oldest first."""
    known = store.known(None)
    rows = [
        _row(place, found, name, each)
        for place in store.places()
        if (found := known.get(place.meter_id)) is not None
        for name, each in found.before.items()
    ]
    return sorted(rows, key=_age)


def _age(row: DriftRow) -> tuple[dt.datetime, str, int]:
    return row.since, row.serial, NAMES.index(row.name) if row.name in NAMES else len(NAMES)


def differs_by_meter(config: Config) -> dict[int, set[str]]:
    """Names by meter in which it differs and nobody accepted it."""
    found: dict[int, set[str]] = {}
    for row in drifts(config):
        if not row.accepted:
            found.setdefault(row.meter_id, set()).add(row.name)
    return found


def night(config: Config, now: dt.datetime) -> Night:
    """How far the nightly read-back before `now` (local) came; not by the clock: of a day."""
    due_at = _due_at(config, now)
    looks = store.whole_looks()
    ids = [place.meter_id for place in store.places()]
    moments = [looks[meter_id] for meter_id in ids if meter_id in looks]
    read = sum(at >= due_at for at in moments)
    return Night(due_at, max(moments, default=None), read, len(ids) - read)


def _due_at(config: Config, now: dt.datetime) -> dt.datetime:
    at = config.collection.settings_at
    if not at:
        return now - dt.timedelta(seconds=config.collection.settings_interval_s)
    hour, minute = map(int, at.split(":"))
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today <= now else today - dt.timedelta(days=1)
