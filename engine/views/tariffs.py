"""Tariffs and their versions, who has which, and a meter's step cycle."""

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import peewee as pw

from engine.domain.measurement import RATES, MeterReading
from engine.domain.tariffs import Plan, next_step_wh, parse_plan
from models.accounts import Installation
from models.base import tuples
from models.enums import MeterKind
from models.metering import Latest
from models.people import Operator
from models.site import Meter
from models.tariffs import StepCycle, Tariff, TariffVersion


@dataclass(frozen=True, slots=True)
class TariffRow:
    name: str
    valid_from: str  # local date, ISO
    prices: tuple[Decimal, ...]  # sharp, peak, flat, valley; yuan/kWh


class VersionState(StrEnum):
    """Texts: `tariff.state.<value>`."""

    FUTURE = "future"
    IN_FORCE = "in_force"
    PAST = "past"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class VersionRow:
    tariff: str
    valid_from: str
    state: VersionState
    prices: tuple[Decimal, ...]
    schedule: str
    steps: str
    cycle: str
    note: str
    published_at: dt.datetime | None
    published_by: str  # empty: an import
    withdrawn_at: dt.datetime | None
    withdrawn_by: str

    @property
    def plan(self) -> Plan:
        return parse_plan(self.prices, self.schedule, self.steps, self.cycle)

    def as_json(self) -> dict[str, object]:
        prices = zip(RATES, self.prices, strict=True)
        return {
            **asdict(self),
            "prices": {rate: str(price) for rate, price in prices},
            "published_at": _iso(self.published_at),
            "withdrawn_at": _iso(self.withdrawn_at),
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """One tariff: what holds today, what comes next, how many meters have it."""

    name: str
    in_force: VersionRow | None
    next: VersionRow | None
    meters: int

    def as_json(self) -> dict[str, object]:
        return {
            "tariff": self.name,
            "in_force": self.in_force.as_json() if self.in_force else None,
            "next": self.next.as_json() if self.next else None,
            "meters": self.meters,
        }


@dataclass(frozen=True, slots=True)
class Steps:
    """A meter's step cycle as of its newest reading."""

    tariff: str
    starts_on: str  # local date, ISO
    start_wh: int
    start_at: dt.datetime  # of the reading it is counted from
    carried_wh: int
    used_wh: int
    step: int  # 1 for the first
    next_wh: int | None  # used energy at which the next begins
    prices: tuple[Decimal, ...]  # of the present step

    @property
    def left_wh(self) -> int | None:
        return None if self.next_wh is None else self.next_wh - self.used_wh


def in_force(today: dt.date) -> list[TariffRow]:
    """The version of each tariff that holds on `today` (a local date), by name."""
    return [
        TariffRow(each.name, each.in_force.valid_from, each.in_force.prices)
        for each in overviews(today)
        if each.in_force
    ]


def overviews(today: dt.date) -> list[Overview]:
    """Every tariff, by name."""
    having = dict(
        tuples(
            Meter.select(Meter.tariff, pw.fn.COUNT(Meter.id))
            .where(Meter.tariff.is_null(False), Meter.retired_at.is_null())
            .group_by(Meter.tariff)
        )
    )
    names = [name for (name,) in tuples(Tariff.select(Tariff.name).order_by(Tariff.name))]
    of_all = {name: [row for row in versions(today) if row.tariff == name] for name in names}
    return [
        Overview(
            name,
            next((each for each in rows if each.state is VersionState.IN_FORCE), None),
            min(
                (each for each in rows if each.state is VersionState.FUTURE),
                key=lambda each: each.valid_from,
                default=None,
            ),
            having.get(name, 0),
        )
        for name, rows in of_all.items()
    ]


def versions(today: dt.date, tariff: str | None = None) -> list[VersionRow]:
    """Of one tariff or of all, by name, the newest first."""
    by, withdrew = Operator.alias(), Operator.alias()
    query = (
        TariffVersion.select(TariffVersion, Tariff.name, by.name, withdrew.name)
        .join(Tariff)
        .join_from(TariffVersion, by, pw.JOIN.LEFT_OUTER, on=TariffVersion.published_by == by.id)
        .join_from(
            TariffVersion, withdrew, pw.JOIN.LEFT_OUTER,
            on=TariffVersion.withdrawn_by == withdrew.id,
        )
        .order_by(Tariff.name, TariffVersion.valid_from.desc(), TariffVersion.id.desc())
    )  # fmt: skip
    if tariff is not None:
        query = query.where(Tariff.name == tariff)
    newest: dict[str, str] = {}
    for row in query.clone():
        living = row.withdrawn_at is None and row.valid_from <= today.isoformat()
        if living:
            newest.setdefault(row.tariff.name, row.valid_from)
    return [_version(row, today, newest.get(row.tariff.name)) for row in query]


def _version(row: Any, today: dt.date, newest: str | None) -> VersionRow:
    if row.withdrawn_at is not None:
        state = VersionState.WITHDRAWN
    elif row.valid_from > today.isoformat():
        state = VersionState.FUTURE
    else:
        state = VersionState.IN_FORCE if row.valid_from == newest else VersionState.PAST
    return VersionRow(
        row.tariff.name, row.valid_from, state, row.prices, row.schedule, row.steps, row.cycle,
        row.note, row.published_at, row.published_by.name if row.published_by else "",
        row.withdrawn_at, row.withdrawn_by.name if row.withdrawn_by else "",
    )  # fmt: skip


def meters_of(tariff: str) -> list[str]:
    """Serials of the meters that have it."""
    query = Meter.select(Meter.serial).where(Meter.tariff == tariff, Meter.retired_at.is_null())
    return [serial for (serial,) in tuples(query.order_by(Meter.serial))]


def steps_of(meter_id: int, today: dt.date) -> Steps | None:
    """The cycle of the tenant it has now; None: no steps, or no reading in this cycle yet."""
    meter = Meter.get_by_id(meter_id)
    if not meter.tariff or meter.kind is not MeterKind.PREPAID:
        return None
    living = [each for each in versions(today, meter.tariff) if each.state is VersionState.IN_FORCE]
    if not living or not living[0].steps:
        return None
    cycle = (
        StepCycle.select()
        .join(Installation)
        .where(
            StepCycle.meter == meter,
            Installation.closed_at.is_null(),
            StepCycle.starts_on <= today.isoformat(),
        )
        .order_by(StepCycle.starts_on.desc())
        .first()
    )
    text = Latest.select(Latest.reading).where(Latest.meter_id == meter_id).scalar()
    if cycle is None or text is None:
        return None
    plan = living[0].plan
    used_wh = max(0, MeterReading.from_json(text).energy_wh - cycle.start_wh) + cycle.carried_wh
    return Steps(
        meter.tariff, cycle.starts_on, cycle.start_wh, cycle.start_at, cycle.carried_wh, used_wh,
        plan.step_number(used_wh) + 1, next_step_wh(plan, used_wh), plan.prices_at(used_wh),
    )  # fmt: skip


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


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
