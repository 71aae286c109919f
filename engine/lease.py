"""One engine a site: an flock that the system frees with the process, and a row with an epoch.

The lock gives the site on within milliseconds of a crash; the row, by the boot clock, where the
holder is stopped but not dead. Whoever takes the row raises its epoch, and every transition of a
command and every reading checks that epoch in its own transaction: an engine that slept through
its lease cannot write.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import peewee as pw

from engine import clock
from engine.domain.errors import StaleEngine
from engine.pace import Pace
from engine.senders import Sender, is_running
from engine.services import readings, restored
from engine.services.transitions import SITE
from engine.store import Writer
from models.base import write_transaction
from models.commands import Lease
from models.metering import Owner

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
LOCK_FILE = "engine.lock"


class SiteLease:
    """The hold of one engine on the site. `epoch` is None while another engine has it."""

    def __init__(self, site: Path, writer: Writer, pace: Pace) -> None:
        self.epoch: int | None = None
        self._writer = writer
        self._pace = pace
        self._expires_boot_ms = 0
        self._locked = False
        self._file = os.open(site / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def acquire(self, stop: asyncio.Event) -> int | None:
        """Wait as stand-by until the site is free; the new epoch, or None where `stop` is set."""
        while not stop.is_set():
            locked = self._locked or self._try_lock()
            expires = self._next_expiry()
            epoch = await self._try(_take, expires, locked=locked, noted=self._noted())
            if epoch is not None:
                self._note(epoch)
            if epoch is not None and await self._try(_own_readings, epoch):
                self._expires_boot_ms = expires
                self.epoch = epoch
                log.info("lease taken epoch=%d locked=%s", epoch, locked)
                return epoch
            if epoch is not None:
                self.lost()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.stand_by_s):
                    await stop.wait()
        return None

    async def keep(self) -> None:
        """Renew until cancelled. Raises StaleEngine when the site is another's, or out of time."""
        while True:
            await asyncio.sleep(self._pace.renew_s)
            self._locked = self._locked or self._try_lock()
            expires = self._next_expiry()
            renewed = await self._try(_renew, self._held(), expires)
            if renewed is False or (renewed is None and clock.boot_ms() >= self._expires_boot_ms):
                raise StaleEngine(f"epoch {self.epoch} is over")
            if renewed:
                self._expires_boot_ms = expires

    async def _try(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """None where the database cannot be written now: a full disk, somebody's long lock."""
        try:
            return await self._writer.run(work, *args, **kwargs)
        except pw.OperationalError:
            log.exception("lease not written")
            return None

    async def check(self) -> None:
        """Directly before a counted write. Raises StaleEngine unless the lease is still ours."""
        held = await self._writer.run(_is_held, self._held())
        if not held or clock.boot_ms() >= self._expires_boot_ms:
            raise StaleEngine(f"epoch {self.epoch} is over")

    async def release(self) -> None:
        """Give the site up at once, and close the lock file."""
        try:
            if self.epoch is not None:
                await self._writer.run(_give_up, self.epoch)
        finally:
            self.epoch = None
            os.close(self._file)

    def lost(self) -> None:
        """Another has the site: let go of the lock too, so that it can have both."""
        self.epoch = None
        if self._locked:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._locked = False

    def _held(self) -> int:
        if self.epoch is None:
            raise StaleEngine("no lease is held")
        return self.epoch

    def _next_expiry(self) -> int:
        return clock.boot_ms() + int(1000 * self._pace.lease_s)

    def _noted(self) -> int:
        """The last epoch, beside both databases: a backup that brings back both knows less."""
        text = os.pread(self._file, 32, 0).strip()
        return int(text) if text.isdigit() else 0

    def _note(self, epoch: int) -> None:
        os.pwrite(self._file, f"{epoch:020d}\n".encode(), 0)
        os.fsync(self._file)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._locked = True
        return True


def _take(expires_boot_ms: int, *, locked: bool, noted: int = 0) -> int | None:
    """The new epoch, or None while another engine has the site.

    It is higher than any that either database knows, or the lock file (`noted`). Where one of
    these knows a higher one, core.db was restored: what was queued in it may be done already.
    """
    me = Sender.me()
    host = socket.gethostname()
    owner = Owner.get_or_none(Owner.resource == SITE)
    with write_transaction():
        row = Lease.get_or_none(Lease.resource == SITE)
        if row is not None and not _is_free(row, locked=locked):
            return None
        known = row.epoch if row else 0
        seen = max(owner.epoch if owner else 0, noted)
        epoch = 1 + max(known, seen)
        changes = {
            "holder": f"{host}:{me.pid}",
            "epoch": epoch,
            "expires_boot_ms": expires_boot_ms,
            "host": host,
            "boot_id": clock.boot_id(),
            "pid": me.pid,
            "since": clock.now(),
        }
        if row is None:
            row = Lease.create(resource=SITE, **changes)
        else:
            Lease.update(changes).where(Lease.resource == SITE).execute()
        if known < seen:
            restored.hold_queued(epoch)
        return epoch


def _own_readings(epoch: int) -> bool:
    """False where a later engine has them: we slept since the lease was taken."""
    try:
        readings.own(epoch)
    except StaleEngine:
        return False
    return True


def _is_free(row: Lease, *, locked: bool) -> bool:
    """Past its time, of another boot, or its holder is gone and with it the lock.

    The lock alone is no proof: the holder may have come by the site while a stopped engine
    still had it.
    """
    return (
        row.boot_id != clock.boot_id()
        or row.expires_boot_ms <= clock.boot_ms()
        or (locked and not is_running(row.pid))
    )


def _renew(epoch: int, expires_boot_ms: int) -> bool:
    with write_transaction():
        renewed = Lease.update(expires_boot_ms=expires_boot_ms).where(
            Lease.resource == SITE, Lease.epoch == epoch
        )
        return bool(renewed.execute())


def _is_held(epoch: int) -> bool:
    return bool(
        Lease.select()
        .where(
            Lease.resource == SITE,
            Lease.epoch == epoch,
            Lease.expires_boot_ms > clock.boot_ms(),
        )
        .exists()
    )


def _give_up(epoch: int) -> None:
    with write_transaction():
        Lease.update(expires_boot_ms=0).where(
            Lease.resource == SITE, Lease.epoch == epoch
        ).execute()
