"""Holds what was read back of meters to what is desired of them, whenever either has changed.

A read-back is judged by its time (`held_at`), a meter whose wishes changed by its row's `rev`,
and all of them once by every engine: config.toml may desire something else since. What hangs on
the hour alone (a price at a boundary) is judged with the read-back that follows its download.
"""

import datetime as dt
import json
from collections.abc import Collection

from engine import clock
from engine.config import Config
from engine.domain import settings_drift as rules
from engine.domain.resolving import Values
from engine.domain.settings_drift import Drift
from engine.services import audit, desired, events, newest
from models.accounts import Installation
from models.base import next_rev, readings_transaction, tuples, write_transaction
from models.enums import EventKind, MeterKind
from models.metering import Latest
from models.settings import AcceptedSetting
from models.site import Meter

AT_ONCE = 200  # meters a look: money waits for the writer too
IDS = Latest.meter_id


def keep_up(config: Config, epoch: int) -> bool:
    """A step of the agenda. It writes no command, whatever it finds."""
    _judge_each(config, epoch, _read_back())
    _judge_each(config, epoch, _of_earlier_engines(epoch))
    if changed := _changed():
        _judge_each(config, epoch, list(changed))
        _remember(changed)
    return False


def _judge_each(config: Config, epoch: int, ids: list[int]) -> None:
    if ids:
        judge(ids, config, epoch)


def _read_back() -> list[int]:
    query = Latest.select(IDS).where(Latest.judged_at < Latest.held_at)
    return [row[0] for row in tuples(query.limit(AT_ONCE))]


def _of_earlier_engines(epoch: int) -> list[int]:
    query = Latest.select(IDS).where(Latest.judged_epoch < epoch)
    return [row[0] for row in tuples(query.limit(AT_ONCE))]


def _changed() -> dict[int, int]:
    """Meters whose row moved on since it was judged, with its rev: the lowest revs first.

    In that order, so that whatever lies below the highest judged one is done with.
    """
    newest_first = Latest.select(Latest.judged_rev).order_by(Latest.judged_rev.desc())
    top = newest_first.limit(1).scalar() or 0
    same, done = Meter.rev == top, Latest.judged_rev == top
    if Meter.select().where(same).count() > Latest.select().where(done).count():
        judged = {row[0] for row in tuples(Latest.select(IDS).where(done))}
        rows = [row[0] for row in tuples(Meter.select(Meter.id).where(same))]
        if left := [meter_id for meter_id in rows if meter_id not in judged]:
            return dict.fromkeys(left[:AT_ONCE], top)
    ahead = Meter.select(Meter.id, Meter.rev).where(Meter.rev > top).order_by(Meter.rev)
    return dict(tuples(ahead.limit(AT_ONCE)))


def _remember(changed: dict[int, int]) -> None:
    with readings_transaction():
        for meter_id, rev in changed.items():
            Latest.update(judged_rev=rev).where(meter_id == IDS).execute()


def judge(ids: Collection[int], config: Config, epoch: int) -> None:
    """Write down what differs in these meters, and tell once what a read-back showed.

    Of meters that nobody has opened, and of ordinary ones, nothing is desired. Raises StaleEngine.
    """
    wanted = _wanted(ids, config)
    accepted = _accepted(ids)
    ended = []
    with readings_transaction():
        newest.require_owner(epoch)
        for meter_id in ids:
            latest = Latest.get_or_none(Latest.meter_id == meter_id)
            if latest is None:
                continue  # never asked: nothing can differ
            held: Values = json.loads(latest.held or "{}")
            taken = accepted.get(meter_id, {})
            _compare(latest, wanted.get(meter_id, {}), held, taken)
            ended += [
                (meter_id, name)
                for name, value in taken.items()
                if name in held and str(held[name]) != value
            ]
            latest.judged_at, latest.judged_epoch = latest.held_at or latest.judged_at, epoch
            latest.save(only=latest.dirty_fields)
    if ended:
        _end(ended)


def _compare(latest: Latest, wanted: Values, held: Values, accepted: dict[str, str]) -> None:
    read_back = latest.held_at is not None and latest.held_at > latest.judged_at
    at = latest.held_at if read_back else clock.now()
    before = rules.from_json(latest.settings_drift)
    now = rules.compared(wanted, held, accepted, before, at=at, read_back=read_back)
    if now != before:
        latest.settings_drift = rules.to_json(now)
        latest.settings_differ = bool(rules.minded(now))
        latest.rev = next_rev(Latest)
    if told := rules.news(before, now):
        _tell(latest.meter_id, at, now, told)


def _tell(meter_id: int, at: dt.datetime, drift: Drift, names: list[str]) -> None:
    said = {name: f"{drift[name].wanted} / {drift[name].held}" for name in sorted(names)}
    events.add(meter_id, EventKind.SETTINGS_DRIFT, at, **said)


def _wanted(ids: Collection[int], config: Config) -> dict[int, Values]:
    opened = Installation.select(Installation.meter).where(Installation.closed_at.is_null())
    query = Meter.select().where(
        Meter.id.in_(list(ids)),
        Meter.kind == MeterKind.PREPAID,
        Meter.retired_at.is_null(),
        Meter.id.in_(opened),
    )
    return desired.of_all(query, config)


def _accepted(ids: Collection[int]) -> dict[int, dict[str, str]]:
    query = AcceptedSetting.select(
        AcceptedSetting.meter, AcceptedSetting.name, AcceptedSetting.value
    ).where(AcceptedSetting.meter.in_(list(ids)))
    found: dict[int, dict[str, str]] = {}
    for meter_id, name, value in tuples(query):
        found.setdefault(meter_id, {})[name] = value
    return found


def _end(ended: list[tuple[int, str]]) -> None:
    """The meter holds something else now: what was accepted is no more."""
    with write_transaction():
        for meter_id, name in ended:
            gone = AcceptedSetting.delete().where(
                AcceptedSetting.meter == meter_id, AcceptedSetting.name == name
            )
            if gone.execute():
                serial = Meter.get_by_id(meter_id).serial
                audit.write(audit.SYSTEM, "settings_accept_ended", serial, {"name": name})
