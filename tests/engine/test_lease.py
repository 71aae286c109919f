import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine import clock
from engine.domain.errors import StaleEngine
from engine.lease import SiteLease
from engine.pace import Pace
from engine.senders import Sender
from engine.services import readings, restored
from engine.store import Writer
from models import store
from models.commands import Lease
from models.metering import Owner

ROOT = Path(__file__).parents[2]
PACE = Pace(lease_s=600, renew_s=0.05, stand_by_s=0.02)
SHORT = Pace(lease_s=0.4, renew_s=60, stand_by_s=0.02)
HOLD_ELSEWHERE = """
import asyncio, pathlib, sys
from engine.lease import SiteLease
from engine.pace import Pace
from engine.store import Writer
from models import store
site = pathlib.Path(sys.argv[1])
store.bind(site)
async def main():
    writer = Writer()
    await writer.start()
    lease = SiteLease(site, writer, Pace(lease_s=float(sys.argv[2])))
    print(await lease.acquire(asyncio.Event()), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
async def writer(site_dir):
    store.bind(site_dir)
    writer = Writer()
    await writer.start()
    yield writer
    await writer.stop()


@contextlib.contextmanager
def another_engine(site_dir, lease_s):
    """Another process that holds the site; the text is its epoch."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_ELSEWHERE, str(site_dir), str(lease_s)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def row():
    return Lease.get()


async def test_the_first_engine_takes_the_site_and_may_write(site_dir, writer):
    lease = SiteLease(site_dir, writer, PACE)

    assert await lease.acquire(asyncio.Event()) == 1
    await lease.check()

    held = await writer.run(row)
    assert (held.pid, held.boot_id) == (os.getpid(), clock.boot_id())
    assert held.expires_boot_ms > clock.boot_ms()
    await lease.release()


async def test_a_second_engine_waits_until_the_first_gives_the_site_up(site_dir, writer):
    first, second = (SiteLease(site_dir, writer, PACE) for _ in range(2))
    await first.acquire(asyncio.Event())
    waiting = asyncio.create_task(second.acquire(asyncio.Event()))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done

    await first.release()

    assert await asyncio.wait_for(waiting, 10) == 2
    await second.release()


async def test_a_killed_engine_frees_the_site_long_before_its_lease_expires(site_dir, writer):
    lease = SiteLease(site_dir, writer, PACE)
    with another_engine(site_dir, lease_s=600) as (process, epoch):
        waiting = asyncio.create_task(lease.acquire(asyncio.Event()))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done

        process.kill()

        assert await asyncio.wait_for(waiting, 10) == epoch + 1
    await lease.release()


async def test_a_stopped_engine_loses_the_site_when_its_lease_expires(site_dir, writer):
    lease = SiteLease(site_dir, writer, PACE)
    with another_engine(site_dir, lease_s=1) as (process, epoch):
        process.send_signal(signal.SIGSTOP)
        try:
            assert await asyncio.wait_for(lease.acquire(asyncio.Event()), 10) == epoch + 1
        finally:
            process.send_signal(signal.SIGCONT)
    await lease.release()


async def test_an_engine_that_slept_through_its_lease_may_not_write(site_dir, writer):
    sleeper = SiteLease(site_dir, writer, SHORT)
    old_epoch = await sleeper.acquire(asyncio.Event())
    waking = SiteLease(site_dir, writer, PACE)
    await asyncio.wait_for(waking.acquire(asyncio.Event()), 10)

    with pytest.raises(StaleEngine):
        await sleeper.check()
    with pytest.raises(StaleEngine):
        await writer.run(readings.fail, 1, clock.now(), old_epoch)

    await sleeper.release()
    await waking.check()
    await waking.release()


async def test_an_expired_lease_that_nobody_took_allows_no_write_either(site_dir, writer):
    lease = SiteLease(site_dir, writer, Pace(lease_s=0))
    await lease.acquire(asyncio.Event())

    with pytest.raises(StaleEngine):
        await lease.check()

    await lease.release()


async def test_renewing_ends_when_another_engine_has_the_site(site_dir, writer):
    sleeper = SiteLease(site_dir, writer, Pace(lease_s=0.2, renew_s=0.3))
    await sleeper.acquire(asyncio.Event())
    keeping = asyncio.create_task(sleeper.keep())
    waking = SiteLease(site_dir, writer, PACE)
    await asyncio.wait_for(waking.acquire(asyncio.Event()), 10)

    with pytest.raises(StaleEngine):
        await asyncio.wait_for(keeping, 10)

    sleeper.lost()
    await sleeper.release()
    await waking.release()


async def test_an_engine_that_lost_the_site_does_not_snatch_it_back(site_dir, writer):
    sleeper = SiteLease(site_dir, writer, SHORT)
    await sleeper.acquire(asyncio.Event())
    waking = SiteLease(site_dir, writer, PACE)
    await asyncio.wait_for(waking.acquire(asyncio.Event()), 10)
    sleeper.lost()

    again = asyncio.create_task(sleeper.acquire(asyncio.Event()))
    done, _ = await asyncio.wait([again], timeout=0.2)

    assert not done
    await waking.check()
    again.cancel()
    await asyncio.wait([again])
    await sleeper.release()
    await waking.release()


def test_this_process_is_the_sender_and_not_dead():
    me = Sender.me()

    assert me.is_me()
    assert not me.is_dead()


def test_a_process_that_has_ended_is_provably_dead():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        boot = Sender.me().boot.rpartition("/")[0]
        stat = Path(f"/proc/{process.pid}/stat").read_text()
        other = Sender(f"{boot}/{stat.rpartition(')')[2].split()[19]}", process.pid)
        assert not other.is_dead()
        assert not other.is_me()

    assert other.is_dead()


def test_a_pid_that_is_used_again_is_another_process():
    me = Sender.me()

    earlier = Sender(me.boot.rpartition("/")[0] + "/1", me.pid)

    assert earlier.is_dead()


def test_of_another_boot_or_namespace_nothing_is_proved():
    boot, space, started = Sender.me().boot.split("/")

    assert not Sender(f"another/{space}/{started}", 1).is_dead()
    assert not Sender(f"{boot}/pid:[1]/{started}", 1).is_dead()


async def test_after_a_restored_core_database_the_epoch_is_still_higher_than_any(site_dir, writer):
    await writer.run(readings.own, 41)
    lease = SiteLease(site_dir, writer, PACE)

    assert await lease.acquire(asyncio.Event()) == 42

    await lease.release()


async def test_an_engine_that_slept_between_lease_and_readings_stands_by(
    site_dir, writer, monkeypatch
):
    own = readings.own

    def sleeps_first(epoch):
        """Meanwhile the lease ran out and another engine took the site, and gave it up."""
        monkeypatch.setattr(readings, "own", own)
        own(epoch + 1)
        Lease.update(epoch=epoch + 1, expires_boot_ms=0).execute()
        own(epoch)

    monkeypatch.setattr(readings, "own", sleeps_first)

    assert await SiteLease(site_dir, writer, PACE).acquire(asyncio.Event()) == 3


async def test_books_of_which_both_files_were_restored_are_known_by_the_lock_file(
    site_dir, writer, monkeypatch
):
    held = []
    monkeypatch.setattr(restored, "hold_queued", held.append)
    for _ in range(2):
        lease = SiteLease(site_dir, writer, PACE)
        last = await lease.acquire(asyncio.Event())
        await lease.release()
    assert held == []
    await writer.run(Lease.update(epoch=1).execute)
    await writer.run(Owner.update(epoch=1).execute)

    lease = SiteLease(site_dir, writer, PACE)
    assert await lease.acquire(asyncio.Event()) == last + 1
    await lease.release()

    assert held == [last + 1]
