"""Holds what was read back of meters to what is desired of them, whenever either has changed.

A read-back is judged by its time (`held_at`), a meter whose wishes changed by its row's `rev`,
and all of them once by every engine: config.toml may desire something else since. What hangs on
the hour alone (a price at a boundary) is judged with the read-back that follows its download.
"""

import datetime as dt
import json
from collections.abc import Collection
from itertools import islice
from typing import NamedTuple

import peewee as pw

from engine import clock
from engine.config import Config
from engine.domain import settings_drift as rules
from engine.domain.resolving import Values
from engine.domain.settings_drift import Drift
from engine.services import audit, desired, events, newest
from models.accounts import Installation
from models.base import highest_rev, next_rev, readings_transaction, tuples, write_transaction
from models.enums import EventKind, MeterKind
from models.metering import Latest
from models.settings import AcceptedSetting
from models.site import Meter

AT_ONCE = 50  # meters of a kind a look: money waits for the writer too
IDS = Latest.meter_id


def keep_up(config: Config, epoch: int) -> bool:
    """A step of the agenda. It writes no command, whatever it finds."""
    changed = _changed(epoch)
    ids = dict.fromkeys([*_read_back(), *_of_earlier_engines(epoch), *changed])
    if ids:
        judge(list(ids), config, epoch)
    if changed:
        _remember(changed, epoch)
    return False


def _read_back() -> list[int]:
    query = Latest.select(IDS).where(Latest.judged_at < Latest.held_at)
    return [row[0] for row in tuples(query.limit(AT_ONCE))]


def _of_earlier_engines(epoch: int) -> list[int]:
    query = Latest.select(IDS).where(Latest.judged_epoch < epoch)
    return [row[0] for row in tuples(query.limit(AT_ONCE))]


def _changed(epoch: int) -> dict[int, int]:
    """Meters whose row moved on since it was judged, with its rev; those never read are not."""
    lowest_first = Latest.select(Latest.judged_rev).order_by(Latest.judged_rev)
    floor, highest = lowest_first.limit(1).scalar(), highest_rev(Meter)
    if floor is None or floor >= highest:
        return {}
    judged = dict(tuples(Latest.select(IDS, Latest.judged_rev)))
    moved = tuples(Meter.select(Meter.id, Meter.rev).where(Meter.rev > floor))
    left = {meter_id: rev for meter_id, rev in moved if judged.get(meter_id, rev) < rev}
    if left:
        return dict(islice(left.items(), AT_ONCE))
    with readings_transaction():  # all are judged up to here: the next look need not ask each
        newest.require_owner(epoch)
        Latest.update(judged_rev=highest).where(Latest.judged_rev < highest).execute()
    return {}


def _remember(changed: dict[int, int], epoch: int) -> None:
    by_rev: dict[int, list[int]] = {}
    for meter_id, rev in changed.items():
        by_rev.setdefault(rev, []).append(meter_id)
    with readings_transaction():
        newest.require_owner(epoch)
        for rev, ids in by_rev.items():
            Latest.update(judged_rev=rev).where(IDS.in_(ids)).execute()


def judge(ids: Collection[int], config: Config, epoch: int) -> None:
    """Write down what differs in these meters, and tell once what a read-back showed.

    Of meters that nobody has opened, and of ordinary ones, nothing is desired. Raises StaleEngine.
    """
    wanted, accepted = _wanted(ids, config), _accepted(ids)
    ended = []
    with readings_transaction():
        newest.require_owner(epoch)
        rev = next_rev(Latest)
        for known in _known(ids):
            taken = accepted.get(known.meter_id, {})
            _compare(known, wanted.get(known.meter_id, {}), taken, rev)
            ended += [
                (known.meter_id, name)
                for name, value in taken.items()
                if name in known.held and str(known.held[name]) != value
            ]
        judged_at = pw.fn.COALESCE(Latest.held_at, Latest.judged_at)
        mark = Latest.update(judged_at=judged_at, judged_epoch=epoch)
        mark.where(IDS.in_(list(ids))).execute()
    if ended:
        _end(ended)


class _Known(NamedTuple):
    meter_id: int
    held: Values
    held_at: dt.datetime | None
    judged_at: dt.datetime
    before: Drift


def _known(ids: Collection[int]) -> list[_Known]:
    """What was read of these meters; of those never asked nothing can differ."""
    query = Latest.select(
        IDS, Latest.held, Latest.held_at, Latest.judged_at, Latest.settings_drift
    ).where(IDS.in_(list(ids)))
    return [
        _Known(meter_id, json.loads(held or "{}"), held_at, judged_at, rules.from_json(drift))
        for meter_id, held, held_at, judged_at, drift in tuples(query)
    ]


def _compare(known: _Known, wanted: Values, accepted: dict[str, str], rev: int) -> None:
    read_back = known.held_at is not None and known.held_at > known.judged_at
    at = known.held_at if read_back and known.held_at is not None else clock.now()
    now = rules.compared(wanted, known.held, accepted, known.before, at=at, read_back=read_back)
    if now != known.before:
        Latest.update(
            settings_drift=rules.to_json(now), settings_differ=bool(rules.minded(now)), rev=rev
        ).where(known.meter_id == IDS).execute()
    if told := rules.news(known.before, now):
        _tell(known.meter_id, at, now, told)


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
