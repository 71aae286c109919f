"""The practice site: simulator, engine and console in a scratch directory."""

import argparse
import contextlib
import dataclasses
import json
import multiprocessing
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.commands.headless import run_headless, stop_signals
from console.commands.screens import is_terminal, show
from console.failures import Status
from engine import i18n, tables
from engine.bus.registers import load_maps
from engine.bus.simulator.reference import write_reference_site
from engine.config import Config
from engine.engine import Engine
from engine.i18n import t
from engine.services import site_import
from engine.site import CONFIG, init_site, load_config
from engine.tables import Tables
from models import store
from models.sqlite import StoreError

OPERATOR = "demo"
PASSWORD_FILE = "password.txt"  # noqa: S105 (the practice operator's, shown on its log-in)
INTERVAL_S = 60  # a practice site is for looking at: fresh every minute
END_S = 5  # for the simulator to save its state and go


def demo(args: argparse.Namespace) -> int:
    """Everything from nothing, and nothing left running, however it ends."""
    headless = args.headless or not is_terminal()
    with _directory(args.dir) as folder, _simulator(folder, args.speed) as ports:
        site = folder / "site"
        _prepare_apart(site, ports)
        offer = (OPERATOR, (folder / PASSWORD_FILE).read_text(encoding="utf-8"))
        config = load_config(site)
        if headless:
            return _watch(site, config, args.for_s)
        return show(site, config, language=args.lang or i18n.current(), practice=True, offer=offer)


def _watch(site: Path, config: Config, for_s: float | None) -> int:
    print(t("cli.demo_site", path=site, name=OPERATOR), flush=True)
    with stop_signals() as stop, store.opened(site):
        run_headless(Engine(site, config), config, stop=stop, for_s=for_s)
    return Status.DONE


@contextlib.contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    """The given directory, kept; or a scratch one, gone afterwards."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
        return
    scratch = Path(tempfile.mkdtemp(prefix="voltill-demo-"))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _prepare_apart(site: Path, ports: Mapping[str, int]) -> None:
    """In a process of its own: what an import loads (all of pinyin) would stay for good."""
    made = multiprocessing.get_context("fork").Process(target=_prepare, args=(site, ports))
    made.start()
    made.join()
    if made.exitcode:
        raise StoreError("no_practice", why=f"exit {made.exitcode}")
    store.bind(site)


def _prepare(site: Path, ports: Mapping[str, int]) -> None:
    """Make `site` if it is not there, its lines where the simulator serves them."""
    folder = site.parent
    if not (site / CONFIG).exists():
        password = secrets.token_urlsafe(9)
        init_site(site, OPERATOR, password)
        (folder / PASSWORD_FILE).write_text(password, encoding="utf-8")
        _quicken(site / CONFIG)
    with store.opened(site):
        found = _moved(tables.read(folder / "tables"), ports)
        report = site_import.import_tables(found, models=load_maps().keys(), source="demo")
    assert not report.errors, report.errors


def _quicken(path: Path) -> None:
    text, count = re.subn(
        r"(?m)^interval_s = \d+", f"interval_s = {INTERVAL_S}", path.read_text(encoding="utf-8")
    )
    assert count == 1, path
    path.write_text(text, encoding="utf-8")


def _moved(found: Tables, ports: Mapping[str, int]) -> Tables:
    """The tables with each line at the port that was free for it."""
    lines = found.by_name["lines"]
    rows = tuple(
        dataclasses.replace(row, cells={**row.cells, "port": str(ports[row.cells["line"]])})
        for row in lines.rows
    )
    found.by_name["lines"] = dataclasses.replace(lines, rows=rows)
    return found


@contextlib.contextmanager
def _simulator(folder: Path, speed: float) -> Iterator[Mapping[str, int]]:
    """The reference site served by a process of its own, which ends when we do, even killed."""
    if not (folder / "tables").exists():
        write_reference_site(folder / "tables")
    command = [sys.executable, "-m", "console", "simulate", str(folder / "tables")]
    command += ["--base-port", "0", "--speed", str(speed), "--while-stdin"]
    command += ["--state", str(folder / "simulator.json")]
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own program)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[2],  # where `-m console` is found, installed or not
            start_new_session=True,  # Ctrl-C is for us: the meters stay until the engine is done
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said:
            why = (folder / "simulator.log").read_text(encoding="utf-8", errors="replace")
            raise StoreError("no_practice", why=why.strip()[-500:])
        yield json.loads(said)["lines"]
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
