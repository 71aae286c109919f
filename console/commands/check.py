"""check: is everything that a site needs there, and can every line be reached?"""

import argparse
import datetime as dt
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import peewee as pw

from console.commands.site import opened
from console.failures import JSON_LANGUAGE, SUBJECTS, Status, print_json, store_error, text_of
from engine import clock, i18n, printing, security
from engine.bus.errors import MapError
from engine.bus.registers import load_maps
from engine.config import Config, ConfigError
from engine.i18n import t
from engine.site import load_config
from engine.views import receipts
from engine.views import status as status_views
from models import sqlite, store
from models.enums import LineState, LinkKind
from models.metering import Latest, LineHealth
from models.site import Line, Meter
from models.sqlite import StoreError

OK, WARNING, ERROR = "ok", "warning", "error"
CONNECT_S = 3.0
ENGINE_S = 3.0  # an engine tells the health of its lines each second
FREE_WARNING, FREE_ERROR = 1 << 30, 100 << 20  # bytes
CLOCK_SLACK = dt.timedelta(minutes=5)
PAPER_KEPT = dt.timedelta(days=1)  # an older receipt that did not come out is history


@dataclass(frozen=True)
class Item:
    """One thing looked at. `subject.code` is its text, `<code>_remedy` what to do about it."""

    item: str
    state: str
    code: str
    subject: str = "check"
    params: Mapping[str, object] = field(default_factory=dict)

    def shown(self, language: str) -> dict[str, object]:
        texts = i18n.catalog(language)
        why = str(self.params.get("why", ""))  # a code of these texts, or what the system said
        code, _, detail = why.partition(" ")
        for key in (f"line.{why}", f"print.error.{code}"):
            why = texts[key].format(detail=detail) if key in texts else why
        params = {**self.params, "why": why}
        message = text_of(self.subject, self.code, params, language)
        remedy = ""
        if self.state != OK and self.subject == "check":
            remedy = texts[f"check.{self.code}_remedy"].format(**params)
        elif self.state != OK:  # those texts end in their remedy
            message, _, remedy = message.partition(" -> ")
        return {"item": self.item, "state": self.state, "message": message, "remedy": remedy}


def check(args: argparse.Namespace) -> int:
    """Exit 5 where anything is an error; warnings alone are 0."""
    items = [_sqlite(), *_site(args)]
    if args.json:
        print_json({"items": [item.shown(JSON_LANGUAGE) for item in items]})
    else:
        for item in items:
            print(t(f"check.line_{item.state}", **item.shown(i18n.current())))
    return Status.ENVIRONMENT if any(item.state == ERROR for item in items) else Status.DONE


def _sqlite() -> Item:
    version = sqlite.library_version()
    found = ".".join(map(str, version))
    fixed = sqlite.is_fixed(version)
    return Item("sqlite", OK if fixed else ERROR, "sqlite", params={"found": found})


def _site(args: argparse.Namespace) -> Iterator[Item]:
    try:
        config = load_config(args.site)
    except ConfigError as error:
        yield _failed("config", error)
        return
    yield Item("config", OK, "config", params={"path": str(args.site)})
    yield _maps(args.site)
    yield _key(args.site)
    yield _disk(args.site)
    try:
        with opened(args):
            yield Item("database", OK, "database", params={"version": store.CORE_VERSION})
            yield _writable(args.site)
            yield _clock(config)
            yield _engine()
            yield _printer(config)
            yield from _lines()
    except (StoreError, pw.DatabaseError) as error:
        yield _failed(
            "database", store_error(error) if isinstance(error, pw.DatabaseError) else error
        )


def _failed(item: str, error: Exception) -> Item:
    for kind, (subject, _) in SUBJECTS.items():
        if isinstance(error, kind):
            return Item(item, ERROR, error.code, subject, dict(error.params))  # type: ignore[attr-defined]  # all of SUBJECTS have them
    raise error


def _maps(site: Path) -> Item:
    try:
        models = load_maps(site / "maps")
    except MapError as error:
        return _failed("maps", error)
    return Item("maps", OK, "maps", params={"models": ", ".join(sorted(models))})


def _key(site: Path) -> Item:
    try:
        security.load_chain_key(site)
    except StoreError as error:
        return _failed("key", error)
    open_to_others = security.chain_key_path(site).stat().st_mode & 0o077
    return Item("key", WARNING if open_to_others else OK, "key_open" if open_to_others else "key")


def _disk(site: Path) -> Item:
    free = shutil.disk_usage(site).free
    state = ERROR if free < FREE_ERROR else WARNING if free < FREE_WARNING else OK
    return Item("disk", state, "disk", params={"free_mb": free >> 20})


def _writable(site: Path) -> Item:
    for name in ("core.db", "readings.db", "."):
        if not os.access(site / name, os.W_OK):
            return Item("write", ERROR, "not_writable", params={"path": str(site / name)})
    return Item("write", OK, "writable")


def _clock(config: Config) -> Item:
    """A clock that stands before what was already stored has been set back."""
    now = clock.now()
    shown = f"{now.astimezone(config.site.zone):%Y-%m-%d %H:%M:%S %z}"
    newest = Latest.select(pw.fn.MAX(Latest.read_at)).scalar()
    last = Latest.read_at.python_value(newest) if isinstance(newest, int) else newest
    back = last is not None and now < last - CLOCK_SLACK
    return Item(
        "clock", ERROR if back else OK, "clock_back" if back else "clock", params={"now": shown}
    )


def _engine() -> Item:
    state = status_views.engine_state()
    running = state == status_views.RUNNING
    return Item("engine", OK if running else WARNING, f"engine_{state}")


def _printer(config: Config) -> Item:
    """Its command, and whether receipts come out of it."""
    command = config.receipts.printer
    number, error = receipts.unprinted(clock.now() - PAPER_KEPT)
    if number:
        params = {"number": number, "why": error}
        return Item("printer", WARNING, "printer_failing", params=params)
    if not command:
        return Item("printer", OK, "printer_files")
    words = printing.words_of(command)
    if not words or shutil.which(words[0]) is None:
        return Item("printer", WARNING, "printer_absent", params={"command": command})
    return Item("printer", OK, "printer", params={"command": command})


def _lines() -> Iterator[Item]:
    """Each line that has meters; where an engine runs it owns them, and it is asked instead."""
    used = Meter.select(Meter.line).where(Meter.retired_at.is_null())
    lines = list(Line.select().where(Line.id.in_(used)).order_by(Line.name))
    if status_views.engine_state() == status_views.RUNNING:
        health = _health_of({line.id for line in lines})
        yield from (_by_engine(line, health.get(line.id)) for line in lines)
    else:
        yield from _by_trying(lines)


def _health_of(lines: set[int]) -> dict[int, LineHealth]:
    """What the engine says of each; one that has just begun gets a moment to say it."""
    deadline = time.monotonic() + ENGINE_S
    while True:
        health = {row.line_id: row for row in LineHealth.select()}
        met = {key for key, row in health.items() if row.state is not LineState.UNKNOWN}
        if lines <= met or time.monotonic() > deadline:
            return health
        time.sleep(0.2)


def _by_engine(line: Line, health: LineHealth | None) -> Item:
    state = health.state if health else LineState.UNKNOWN
    params = {"end": _end(line), "why": health.message if health else ""}
    codes = {
        LineState.UP: (OK, "line_up"),
        LineState.DOWN: (ERROR, "line_down"),
        LineState.UNKNOWN: (WARNING, "line_unknown"),
    }
    result, code = codes[state]
    return Item(f"line {line.name}", result, code, params=params)


def _by_trying(lines: Sequence[Line]) -> Iterator[Item]:
    if not lines:
        return
    with ThreadPoolExecutor(max_workers=min(32, len(lines))) as pool:
        yield from pool.map(_try, lines)


def _try(line: Line) -> Item:
    try:
        if line.link is LinkKind.SERIAL:
            os.close(os.open(line.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
        else:
            socket.create_connection((line.host, line.port), timeout=CONNECT_S).close()
    except OSError as error:
        params = {"end": _end(line), "why": error.strerror or str(error)}
        return Item(f"line {line.name}", ERROR, "line_down", params=params)
    return Item(f"line {line.name}", OK, "line_reachable", params={"end": _end(line)})


def _end(line: Line) -> str:
    return line.device if line.link is LinkKind.SERIAL else f"{line.host}:{line.port}"
