"""One engine's life: stopped and started in mid-sale, standing by, taking over, losing the site."""

import asyncio
import dataclasses
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.bus.link import Link
from engine.domain import counted
from engine.engine import Engine
from engine.senders import Sender
from engine.services import verify
from models.base import write_transaction
from models.commands import Command, Lease
from models.enums import CommandState
from models.metering import Latest, Owner, Sweep
from models.sqlite import StoreError
from tests.engine.conftest import BLIND, CHECKED, COUNT, FAR, HURRY, PATIENCE_S

ROOT = Path(__file__).parents[2]
PURCHASE = 0x20  # function code
NEVER_AGAIN = dataclasses.replace(HURRY, settle_s=600.0)  # the second look never comes
BARE = """
import asyncio, pathlib, signal, sys
from engine.config import CollectionSection, Config
from engine.engine import Engine
from engine.pace import Pace
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = Config(collection=CollectionSection(frame_life_s=0, interval_s=86400))
    pace = Pace(settle_s=600.0, tick_s=0.2, lease_s=float(sys.argv[2]), renew_s=0.1)
    await Engine(pathlib.Path(sys.argv[1]), config, pace=pace).serve(stop)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def impatient_tray(monkeypatch):
    """An unknown command is read back at once instead of after 2, 5, 15, 60 s."""
    monkeypatch.setattr(counted, "CHECK_AFTER_S", (0,))


@pytest.fixture
async def elsewhere(practice):
    """Starts engines in processes of their own; none outlives the test."""
    started = []

    def start(lease_s=600.0):
        command = [sys.executable, "-c", BARE, str(practice.directory), str(lease_s)]
        started.append(subprocess.Popen(command, cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def epoch():
    lease = Lease.get_or_none()
    return lease.epoch if lease else 0


async def test_an_engine_stopped_between_two_looks_finishes_the_sale_when_it_is_back(practice):
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", function=PURCHASE)
    command_id = practice.sell()
    async with practice.engine(NEVER_AGAIN):
        await practice.until(lambda: practice.command(command_id).state is CommandState.SENT)
    assert practice.command(command_id).state is CommandState.SENT

    async with practice.engine():
        command = await practice.ended(command_id)

    assert (command.state, command.writes) == (CommandState.APPLIED, 2)
    assert practice.bought() == [(COUNT + 1, 10_000)]


@pytest.mark.parametrize("serial", [CHECKED, BLIND], ids=["checked", "blind"])
@pytest.mark.parametrize("fault", ["lost_request", "no_reply"])
async def test_after_a_kill_the_next_engine_brings_the_sale_to_its_right_end(
    practice, elsewhere, serial, fault
):
    practice.meters.inject(f"meter:{serial}", fault, function=PURCHASE)
    command_id = practice.sell(serial)
    killed = elsewhere()
    await practice.until(lambda: practice.command(command_id).writes)
    killed.kill()
    killed.wait()

    async with practice.engine():
        command = await practice.ended(command_id)

    assert command.state is CommandState.APPLIED
    assert practice.bought(serial) == [(COUNT + 1, 10_000)]
    assert verify.faults() == []


async def test_what_a_living_engine_may_still_send_is_not_written_again(practice, elsewhere):
    """Its lease ran out while it was stopped: only when it is dead may another write."""
    practice.meters.inject(f"meter:{BLIND}", "lost_request", function=PURCHASE)
    command_id = practice.sell(BLIND)
    asleep = elsewhere(lease_s=0.5)
    await practice.until(lambda: practice.command(command_id).writes)
    await asyncio.sleep(0.3)  # until its frame has left
    asleep.send_signal(signal.SIGSTOP)

    async with practice.engine():
        await practice.until(lambda: practice.command(command_id).reason == "other_sender")
        kept = practice.command(command_id)
        asleep.kill()
        asleep.wait()
        command = await practice.ended(command_id)

    assert (kept.state, kept.writes) == (CommandState.UNKNOWN, 1)
    assert (command.state, command.writes) == (CommandState.APPLIED, 2)
    assert practice.bought(BLIND) == [(COUNT + 1, 10_000)]


async def test_of_a_sender_on_another_boot_nothing_is_written_again(practice):
    practice.meters.inject(f"meter:{CHECKED}", "lost_request", function=PURCHASE)
    command_id = practice.sell()
    async with practice.engine(NEVER_AGAIN):
        await practice.until(lambda: practice.command(command_id).writes)
    with write_transaction():
        Command.update(sender_boot="another/pid:[1]/1").execute()

    async with practice.engine():
        await practice.until(lambda: practice.command(command_id).checks >= 3)

    command = practice.command(command_id)
    assert (command.state, command.reason) == (CommandState.UNKNOWN, "other_sender")
    assert practice.bought() == []


async def test_a_second_engine_stands_by_and_takes_over_from_a_killed_one(practice, elsewhere):
    first = elsewhere()
    await practice.until(lambda: Sweep.select().count())

    async with practice.engine() as second:
        await practice.until(lambda: second.state == "standby")
        command_id = practice.sell(FAR)
        await practice.ended(command_id)
        assert second.state == "standby"
        first.kill()
        await practice.until(lambda: second.state == "running")
        await practice.until(lambda: Sweep.select().count() == 2)

    assert epoch() == 2
    assert Owner.get().epoch == 2


async def test_an_engine_that_wakes_after_losing_the_site_stands_by(practice):
    sleepy = dataclasses.replace(HURRY, lease_s=0.3, renew_s=0.6)

    async with practice.engine(sleepy) as first:
        await practice.until(lambda: first.state == "running")
        async with practice.engine() as second:
            await practice.until(lambda: second.state == "running")
            await practice.until(lambda: first.state == "standby")
        await practice.until(lambda: first.state == "running" and epoch() > 2)


async def test_sigterm_ends_an_engine_cleanly_and_frees_the_site(practice, elsewhere):
    process = elsewhere()
    await practice.until(lambda: Sweep.select().count())

    process.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
    assert Lease.get().expires_boot_ms == 0


async def test_an_engine_in_a_thread_of_its_own_is_started_woken_and_stopped(practice):
    engine = Engine(practice.directory, practice.config, pace=HURRY)
    assert engine.state == "stopped"
    engine.wake()

    engine.start()
    await practice.until(lambda: engine.state == "running")
    command_id = practice.sell()
    engine.wake()
    command = await practice.ended(command_id)
    await asyncio.to_thread(engine.stop)

    assert command.state is CommandState.APPLIED
    assert engine.state == "stopped"
    assert "engine" not in {thread.name for thread in threading.enumerate()}


def test_an_engine_without_a_site_fails_and_says_why(tmp_path):
    engine = Engine(tmp_path, None)

    engine.start()
    engine._thread.join(PATIENCE_S)

    assert engine.state == "failed"
    assert isinstance(engine.error, StoreError)
    assert engine.error.code == "no_database"


async def test_a_line_whose_task_breaks_is_built_anew_and_the_other_goes_on(practice, monkeypatch):
    run, broken = Link.run, []

    async def break_once(link):
        if link.settings.name == "L1" and not broken:
            broken.append(link)
            raise RuntimeError("a mistake of ours")
        await run(link)

    monkeypatch.setattr(Link, "run", break_once)

    async with practice.engine():
        await practice.until(
            lambda: Latest.select().where(Latest.read_at.is_null(False)).count() == 4
        )

    log = (practice.directory / "log" / "engine.log").read_text()
    assert "line rebuilt line=L1" in log
    assert "a mistake of ours" in log


async def test_a_line_that_is_stuck_is_built_anew(practice, monkeypatch):
    run, stuck = Link.run, []

    async def hang_once(link):
        if link.settings.name == "L1" and not stuck:
            stuck.append(link)
            await asyncio.Event().wait()
        await run(link)

    monkeypatch.setattr(Link, "run", hang_once)
    pace = dataclasses.replace(HURRY, stuck_s=0.3)

    async with practice.engine(pace):
        await practice.until(
            lambda: Latest.select().where(Latest.read_at.is_null(False)).count() == 4
        )


async def test_the_log_has_one_event_a_line_and_neither_phone_nor_key(practice):
    command_id = practice.sell()

    async with practice.engine():
        await practice.ended(command_id)

    text = (practice.directory / "log" / "engine.log").read_text()
    assert f"settled command={command_id} serial={CHECKED} state=applied" in text
    assert all(line.startswith("20") for line in text.splitlines())
    assert practice.config.meters.cipher_key not in text
    assert Sender.me().is_me()
