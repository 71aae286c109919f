"""The site at a glance: engine, meters by state, commands under way, the last sweep, the lines."""

import datetime as dt
from collections import Counter
from itertools import groupby
from operator import attrgetter

import peewee as pw

from engine import clock
from engine.views import drift, meters, topology
from engine.views.topology import LineRow
from models.base import tuples
from models.commands import OPEN_STATES, Command, Lease
from models.enums import LineState, MeterState
from models.metering import Sweep

SITE = "site"  # the lease's resource: one engine owns the whole site
PARTIAL = "partial"  # of a gateway: some of its lines are up, not all
RUNNING, STOPPED = "running", "stopped"


def status(now: dt.datetime) -> dict[str, object]:
    """The contract's `status --json`; `now` is aware and in the site's own zone."""
    _, rows = meters.rows(now=now)
    states = Counter(row.state for row in rows)
    ages = [age for row in rows if (age := row.age_s(now)) is not None]
    lines = topology.lines()
    return {
        "engine": engine(now),
        "meters": {"total": len(rows), **{state.value: states[state] for state in STATE_ORDER}},
        "oldest_reading_s": max(ages, default=None),
        "oldest_assertion_s": drift.oldest_assertion_s(now),
        "commands": _open_commands(),
        "last_sweep": _last_sweep(now),
        "gateways": [
            _gateway(name, list(group), now)
            for name, group in groupby(lines, attrgetter("gateway"))
        ],
        "lines": [_line(line, now) for line in lines],
    }


STATE_ORDER = (
    MeterState.NORMAL,
    MeterState.ALARM1,
    MeterState.ALARM2,
    MeterState.ARREARS,
    MeterState.NOT_OPENED,
    MeterState.LOST,
)


def engine_state() -> str:
    """`running` while the engine that owns the site renews its lease, else `stopped`."""
    lease = Lease.get_or_none(Lease.resource == SITE)
    alive = (
        lease is not None
        and lease.boot_id == clock.boot_id()
        and lease.expires_boot_ms > clock.boot_ms()
    )
    return RUNNING if alive else STOPPED


def engine(now: dt.datetime) -> dict[str, object]:
    """Who owns the site, or owned it last."""
    lease = Lease.get_or_none(Lease.resource == SITE)
    if lease is None:
        return {"state": STOPPED, "holder": None, "since": None, "epoch": None}
    since = _at(lease.since, now)
    return {"state": engine_state(), "holder": lease.holder, "since": since, "epoch": lease.epoch}


def _open_commands() -> dict[str, int]:
    query = (
        Command.select(Command.state, pw.fn.COUNT(Command.id))
        .where(Command.state.in_(OPEN_STATES))
        .group_by(Command.state)
    )
    return dict.fromkeys(OPEN_STATES, 0) | {state.value: count for state, count in tuples(query)}


def _last_sweep(now: dt.datetime) -> dict[str, object]:
    """All null before the first sweep has finished."""
    sweep = Sweep.select().order_by(Sweep.id.desc()).first()
    if sweep is None:
        names = ("started_at", "finished_at", "duration_s", "wire_s", "read", "failed")
        return dict.fromkeys(names)
    return {
        "started_at": _at(sweep.started_at, now),
        "finished_at": _at(sweep.finished_at, now),
        "duration_s": (sweep.finished_at - sweep.started_at).total_seconds(),
        "wire_s": sweep.wire_ms / 1000,
        "read": sweep.read,
        "failed": sweep.failed,
    }


def _gateway(name: str, lines: list[LineRow], now: dt.datetime) -> dict[str, object]:
    states = {line.state for line in lines}
    seen = [line.last_good_at for line in lines if line.last_good_at is not None]
    return {
        "gateway": name,
        "state": states.pop() if len(states) == 1 else _mixed(states),
        "lines": [line.line for line in lines],
        "last_good_at": _at(max(seen, default=None), now),
    }


def _mixed(states: set[LineState]) -> str:
    return PARTIAL if LineState.UP in states else LineState.UNKNOWN


def _line(line: LineRow, now: dt.datetime) -> dict[str, object]:
    return {
        "line": line.line,
        "state": line.state,
        "load_pct": line.load_pct,
        "requests": line.requests,
        "timeouts": line.timeouts,
        "crc_errors": line.crc_errors,
        "foreign": line.foreign_frames,
        "last_good_at": _at(line.last_good_at, now),
    }


def _at(moment: dt.datetime | None, now: dt.datetime) -> str | None:
    return None if moment is None else moment.astimezone(now.tzinfo).isoformat()
