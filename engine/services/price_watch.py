"""Agenda: tariffs kept in the meters. At each look, whatever boundary has passed is written down.

Nearly every look finds nothing: what could make one due is remembered, and looked at again only
when it may have moved (a rule, a midnight, a reading, a command).
"""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import clock
from engine.config import Config
from engine.services import (
    commands,
    meters,
    price_changes,
    price_due,
    price_rules,
    pricing,
    stepping,
    transitions,
)
from engine.services.price_rules import Rule
from models import base
from models.accounts import Installation
from models.base import highest_rev, tuples, write_transaction
from models.commands import Command
from models.enums import MeterKind
from models.metering import Latest
from models.site import Meter

log = logging.getLogger(__name__)

AT_ONCE = 5  # meters a transaction
LOOK_MS = 50  # for those of one look: money waits no longer
SURVEY_S = 600  # between two looks at every meter with a tariff, though nothing has moved
FOLLOW_S = 5  # and at changes under way
READ_LEAST_S = 20  # between two fresh reads of a meter that nears a step
READ_AHEAD = 0.8  # of the time to the crossing, at the power it draws now
READS_AT_ONCE = 20
READ_WAITS_S = 120

SIGNS = """
SELECT (SELECT MAX(rev) FROM meter), (SELECT MAX(id) FROM installation),
    (SELECT MAX(id) FROM tariffversion),
    (SELECT COUNT(*) FROM tariffversion WHERE withdrawn_at IS NOT NULL),
    (SELECT COUNT(*) FROM specialday), (SELECT MAX(set_at) FROM specialday)
"""


@dataclass(slots=True)
class Nearing:
    """A meter whose tariff has steps: where the next begins, and when to read it again."""

    serial: str
    whose: tuple[int, int]  # installation and version: another's steps are not its own
    unknown: bool = True  # its cycle has no reading yet
    register_wh: int | None = None  # None: it is on the last step
    read_at: dt.datetime | None = None
    energy_wh: int = 0
    power_w: int = 0
    ask_at: dt.datetime | None = None

    def foresee(self) -> None:
        """At the power it draws now, when is it time to look?"""
        self.ask_at = None
        if self.unknown or self.register_wh is None or self.read_at is None:
            return
        left_wh = self.register_wh - self.energy_wh
        if self.power_w > 0 and left_wh > 0:
            until_s = left_wh * 3600 / self.power_w * READ_AHEAD
            self.ask_at = self.read_at + dt.timedelta(seconds=max(READ_LEAST_S, until_s))


@dataclass(slots=True)
class Watch:
    """What the last look saw; of one database and one lease."""

    owner: tuple[str, int]
    signs: tuple[object, ...] | None = None
    surveyed_at: dt.datetime | None = None
    midnight: dt.datetime | None = None  # the next one
    readings_rev: int = -1
    command_rev: int = -1
    followed_at: dt.datetime | None = None
    following: bool = True
    pending: list[int] = field(default_factory=list)  # meters to look at one by one
    served: dict[int, dt.datetime] = field(default_factory=dict)  # meter -> boundary looked at
    nearing: dict[int, Nearing] = field(default_factory=dict)


_watches: dict[str, Watch] = {}  # of the one engine in this process


def keep_up(config: Config, epoch: int) -> bool:
    """Write down what is due, ask for reads before a step is crossed; True: commands were written.

    Raises StaleEngine.
    """
    watch, now = _watch(epoch), clock.now()
    written = _follow(watch, config, now)
    _survey_if_moved(watch, config, now)
    if watch.nearing:
        _look_at_readings(watch)
    if watch.pending:
        written |= _write_due(watch, config, now)
    return _ask(watch, now) or written


def _watch(epoch: int) -> Watch:
    place = str(base.core.database)
    if place not in _watches or _watches[place].owner != (place, epoch):
        _watches.clear()
        _watches[place] = Watch((place, epoch))
    return _watches[place]


def _follow(watch: Watch, config: Config, now: dt.datetime) -> bool:
    """Changes under way, when a command has moved or a while has passed."""
    if not watch.following:
        return False
    rev = highest_rev(Command)
    gone_s = abs((now - watch.followed_at).total_seconds()) if watch.followed_at else FOLLOW_S
    if rev == watch.command_rev and gone_s < FOLLOW_S:
        return False
    written, watch.following = price_changes.follow(config, watch.owner[1])
    watch.command_rev, watch.followed_at = rev, now
    return written


def _survey_if_moved(watch: Watch, config: Config, now: dt.datetime) -> None:
    signs = tuple(base.core.execute_sql(SIGNS).fetchone())
    if (
        signs == watch.signs
        and watch.surveyed_at is not None
        and watch.midnight is not None
        and watch.surveyed_at <= now < watch.midnight
        and (now - watch.surveyed_at).total_seconds() < SURVEY_S
    ):
        return
    stepping.forget_ahead(now, watch.owner[1])
    today = pricing.local_day(now, config)
    if watch.surveyed_at is not None and now < watch.surveyed_at:
        watch.served.clear()  # what was looked at ahead comes again
    watch.signs, watch.surveyed_at = signs, now
    watch.midnight = pricing.midnight(today + price_rules.DAY, config)
    known, watch.nearing = watch.nearing, {}
    rules = price_rules.rules(now, config)
    last_at = {name: rule.last_at(now) for name, rule in rules.items()}
    for meter_id, serial, tariff, installation, *moments in _with_tariff():
        if tariff not in rules:
            continue
        since, last = max(each for each in moments if each is not None), last_at[tariff]
        if last is not None and since < last and watch.served.get(meter_id) != last:
            watch.pending.append(meter_id)
        if rules[tariff].plan.steps:
            whose = installation, rules[tariff].version.id
            kept = known.get(meter_id)
            same = kept is not None and kept.whose == whose
            watch.nearing[meter_id] = kept if kept and same else Nearing(serial, whose)
    watch.readings_rev = -1


def _with_tariff() -> list[tuple[Any, ...]]:
    """Opened prepaid ones: id, serial, tariff, installation, opened at, tariff since."""
    query = (
        Meter.select(
            Meter.id,
            Meter.serial,
            Meter.tariff,
            Installation.id,
            Installation.opened_at,
            Meter.tariff_at,
        )
        .join(Installation)
        .where(
            Installation.closed_at.is_null(),
            Meter.kind == MeterKind.PREPAID,
            Meter.retired_at.is_null(),
            Meter.tariff.is_null(False),
        )
    )
    return tuples(query)


def _look_at_readings(watch: Watch) -> None:
    """New ones of meters with steps: is one crossed, and when will the next be?"""
    rev = highest_rev(Latest)
    if rev == watch.readings_rev:
        return
    rows = Latest.select(Latest.meter_id, Latest.read_at, Latest.reading)
    for meter_id, read_at, text in tuples(rows.where(Latest.rev > watch.readings_rev)):
        nearing = watch.nearing.get(meter_id)
        if nearing is None or not text or nearing.read_at == read_at:
            continue
        reading = pricing.reading_of(text)
        fell = reading.energy_wh < nearing.energy_wh  # its cycle counts on from elsewhere
        nearing.read_at, nearing.energy_wh = read_at, reading.energy_wh
        nearing.power_w = reading.power_w or 0
        passed = nearing.register_wh is not None and reading.energy_wh >= nearing.register_wh
        if nearing.unknown or passed or fell:
            watch.pending.append(meter_id)
        nearing.foresee()
    watch.readings_rev = rev


def _write_due(watch: Watch, config: Config, now: dt.datetime) -> bool:
    """The next meters that are to be looked at; a change for each that has one due."""
    watch.pending = list(dict.fromkeys(watch.pending))
    written, until_ms = False, clock.boot_ms() + LOOK_MS
    rules = price_rules.rules(now, config)
    while watch.pending and clock.boot_ms() < until_ms:
        some = watch.pending[:AT_ONCE]
        with write_transaction():
            transitions.require_lease(watch.owner[1])
            for meter_id in some:
                written |= _write_one(watch, meter_id, rules, now, config)
        del watch.pending[: len(some)]
    watch.following |= written
    return written


def _write_one(
    watch: Watch, meter_id: int, rules: Mapping[str, Rule], now: dt.datetime, config: Config
) -> bool:
    meter = Meter.get_by_id(meter_id)
    installation, rule = meters.installation_of(meter), rules.get(meter.tariff or "")
    if rule is None or installation is None or price_due.left_alone(meter, installation):
        return False
    stands = price_due.standing(meter, installation, rule, config)
    due = price_due.due(meter, installation, stands, now, config)
    if due is not None:
        price_changes.write(due, now)
        log.info("price change serial=%s cause=%s", meter.serial, due.boundary.cause.value)
    if due is not None or not price_due.is_being_told(meter):  # which may come to nothing
        watch.served[meter_id] = rule.last_at(now) or now
    if (nearing := watch.nearing.get(meter_id)) is not None:
        nearing.unknown = stands.cycle is None
        nearing.register_wh = stands.next_register_wh
        nearing.foresee()
    return due is not None


def _ask(watch: Watch, now: dt.datetime) -> bool:
    """Fresh reads of those that are about to cross a step, each reading asked after once."""
    nearest = [each for each in watch.nearing.values() if each.ask_at and each.ask_at <= now]
    for nearing in nearest[:READS_AT_ONCE]:
        assert nearing.read_at is not None, nearing.serial
        mark = f"step-{nearing.serial}-{int(nearing.read_at.timestamp() * 1000)}"
        commands.request_read(nearing.serial, mark, expires_s=READ_WAITS_S)
        nearing.ask_at = None
    return bool(nearest)
