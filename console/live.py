"""What changed in the store, fetched by a thread of its own; the screen takes what lies ready."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import peewee as pw

from engine import clock
from engine.views import approvals as approval_views
from engine.views import batches as batch_views
from engine.views import meters as meter_views
from engine.views import orders as order_views
from engine.views import sales as sale_views
from engine.views import status
from engine.views import tenants as tenant_views
from engine.views.approvals import Request
from engine.views.batches import BatchRow
from engine.views.meters import MeterRow
from engine.views.sales import Sale
from models import base, sqlite

PERIOD_S = 0.3
GUARD_S = 300
STATUS_EVERY = 5  # polls: the engine's lease runs out by the clock, without a row changing


@dataclass(frozen=True)
class News:
    """All that is new since the last `take()`. `rows` are the changed meters only."""

    rows: tuple[MeterRow, ...] = ()
    engine_state: str = ""  # running, standby, stopped …; empty before the first answer
    undecided: tuple[Sale, ...] = ()  # money commands whose outcome is not known yet
    returned: tuple[Sale, ...] = ()  # refused since the console was opened: money to give back
    waiting: tuple[Request, ...] = ()  # for a second person
    stuck: int = 0  # orders for a time that could not be taken back
    at_risk: tuple[int, dt.datetime] | None = None  # the guard: how many run out until then
    batches: tuple[BatchRow, ...] = ()  # that run, or are paused
    gone: frozenset[int] = frozenset()  # meters taken out of service
    commands_rev: int = -1
    tenants_rev: int = -1
    trouble: str = ""  # why the store does not answer
    loaded: bool = False  # the first full answer has come


@dataclass
class _Seen:
    meters_rev: int = -1
    commands_rev: int = -1
    versions: tuple[int, int] | None = None
    polls: int = 0
    guarded_at: float | None = None  # monotonic


class Live:
    """Runs from `start()` to `stop()`. The store is bound by whoever opens the console."""

    def __init__(
        self,
        zone: dt.tzinfo,
        default_prices: tuple[Decimal, ...],
        guard: Callable[[], tuple[int, dt.datetime] | None] = lambda: None,
    ) -> None:
        self._zone, self._default_prices, self._guard = zone, default_prices, guard
        self._opened_at = clock.now()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._rows: dict[int, MeterRow] = {}
        self._news = News()
        self._fresh = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def take(self) -> News | None:
        """What is new, once; None where nothing is."""
        with self._lock:
            if not self._fresh:
                return None
            rows, self._rows, self._fresh = tuple(self._rows.values()), {}, False
            return News(**{**vars(self._news), "rows": rows})

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with base.connection():
                    self._watch()
            except pw.DatabaseError as error:  # locked, full, gone: say so and try again
                self._say(trouble=str(error))
                self._stop.wait(2)

    def _watch(self) -> None:
        seen = _Seen()
        while not self._stop.is_set():
            self._poll(seen)
            self._stop.wait(PERIOD_S)

    def _poll(self, seen: _Seen) -> None:
        versions = (sqlite.data_version(base.core.obj), sqlite.data_version(base.readings.obj))
        if versions != seen.versions:
            seen.versions = versions
            self._fetch(seen)
        if seen.polls % STATUS_EVERY == 0:
            self._say(engine_state=status.engine_state())
            self._mind_guard(seen)
        seen.polls += 1

    def _mind_guard(self, seen: _Seen) -> None:
        """Now and then, and only where it is switched on and the office is about to close."""
        now_s = time.monotonic()
        if seen.guarded_at is None or now_s - seen.guarded_at >= GUARD_S:
            seen.guarded_at = now_s
            self._say(at_risk=self._guard())

    def _fetch(self, seen: _Seen) -> None:
        seen.meters_rev, rows = meter_views.rows(
            seen.meters_rev,
            now=clock.now().astimezone(self._zone),
            default_prices=self._default_prices,
        )
        rev, gone = sale_views.last_rev(), meter_views.gone()
        self._say(
            waiting=tuple(approval_views.waiting(clock.now())),
            tenants_rev=tenant_views.last_rev(),
            stuck=order_views.stuck(),
            batches=tuple(batch_views.open_ones()),
        )
        with self._lock:
            self._rows.update((row.meter_id, row) for row in rows)
        stirred = rows or rev != seen.commands_rev or gone != self._news.gone
        if stirred or not self._news.loaded:
            seen.commands_rev = rev
            self._say(
                undecided=tuple(sale_views.undecided()),
                returned=tuple(sale_views.returned(self._opened_at)),
                gone=gone,
                commands_rev=rev,
                loaded=True,
                trouble="",
                again=True,
            )

    def _say(self, *, again: bool = False, **changed: object) -> None:
        with self._lock:
            now = News(**{**vars(self._news), **changed})
            self._fresh = self._fresh or again or now != self._news
            self._news = now
