"""Receipts from the outbox to the printer's command or into files, beside everything else.

A printer that hangs, fails or is not there costs its own jobs time, and nobody else's.
"""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine import i18n
from engine.config import Config
from engine.domain.errors import StaleEngine
from engine.duty import Duty
from engine.services import paper, printing, receipt_page, receipt_text
from engine.services.receipt_page import Mark, Page
from models.cases import PrintJob

log = logging.getLogger(__name__)
LIMIT_S = 20.0  # a printer command that takes longer is ended
LEAVE_S = 3.0  # and this long where the engine is stopping
SAID_BYTES_MAX = 2000  # of what a printer command says on its standard error
FOLDER = Path("exports") / "receipts"


class Unprinted(Exception):
    """It did not come out. `code` is a text of the catalogs (`print.error.<code>`)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".rstrip())


class Printing:
    """One job after the other, as long as the duty lasts."""

    def __init__(self, duty: Duty, site: Path) -> None:
        self._duty = duty
        self._site = site
        self._settings = duty.config.receipts
        self._recovered = False

    async def run(self) -> None:
        """Until the duty is over; the paper under way is finished, or ended soon after it."""
        while not self._duty.over.is_set():
            more = False
            try:
                more = await self._look()
            except StaleEngine:
                raise
            except Exception:
                log.exception("receipts could not be printed")
                await self._duty.pause(1.0)
            if not more:
                await self._duty.pause(self._duty.pace.print_s)

    async def _look(self) -> bool:
        """Print the next job; False where there is none."""
        epoch, write = self._duty.epoch, self._duty.writer.run
        if not self._recovered:
            await write(printing.recover, epoch, harmless=not self._settings.printer)
            self._recovered = True
        job = await write(printing.claim, epoch, copies=self._settings.copies)
        if job is None:
            return False
        try:
            await self._print(job)
        except Unprinted as error:
            log.warning("receipt not printed job=%d try=%d why=%s", job.id, job.tries, error)
            await write(printing.failed, job.id, epoch, str(error))
        except StaleEngine:
            raise
        except Exception:
            log.exception("receipt not drawn job=%d", job.id)
            await write(printing.failed, job.id, epoch, "drawing")
        else:
            await write(printing.done, job.id, epoch)
        return True

    async def _print(self, job: PrintJob) -> None:
        name, text = await self._duty.writer.run(_drawn, job, self._duty.config)
        written = text.encode(self._settings.encoding, errors="replace")
        await self._duty.lease.check()  # another engine may have taken over since we claimed it
        if self._settings.printer:
            await print_by(self._settings.printer, written, over=self._duty.over)
        else:
            await asyncio.to_thread(write_file, self._site / FOLDER / name, written)


def page(config: Config, mark: Mark | None = None) -> Page:
    """How the site's settings want a receipt drawn."""
    settings = config.receipts
    spoken = [each for each in (settings.language, config.console.language) if each != "auto"]
    return Page(
        site=config.site,
        language=spoken[0] if spoken else i18n.language_of_environment(),
        width=receipt_page.WIDTHS[settings.paper],
        mark=mark,
        qr=settings.qr,
    )


def _drawn(job: PrintJob, config: Config) -> tuple[str, str]:
    """Name of the file and text of a job."""
    receipt = job.receipt
    if not job.reprint:
        return f"{receipt.number}.txt", receipt_text.draw(receipt, page(config))
    number = printing.reprint_number(job)
    by = job.operator.name if job.operator else ""
    mark = Mark("reprint", job.created_at, number, by)
    return f"{receipt.number}-reprint-{number}.txt", receipt_text.draw(receipt, page(config, mark))


def words_of(command: str) -> list[str]:
    """A command's words, split as a shell would; none where a quote is left open."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


async def print_by(
    command: str, text: bytes, *, over: asyncio.Event, limit_s: float = LIMIT_S
) -> None:
    """Run `command` (its words split as a shell would, no shell) with `text` on standard input.

    Its exit status is its word. Raises Unprinted: absent, timeout, exit, file (no room for the
    text on its way).
    """
    with _sheet(text) as sheet, _listening() as said:
        try:
            process = await asyncio.create_subprocess_exec(
                *words_of(command),
                stdin=sheet,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=said.pipe,
                start_new_session=True,
            )
        except (OSError, ValueError, TypeError) as error:  # no words: no program to name
            why = getattr(error, "strerror", None) or str(error)
            raise Unprinted("absent", _line(why)) from None
        await _exit_of(process, over, limit_s)
        said.listen()
        if process.returncode != 0:
            complaint = said.heard.decode(errors="replace")
            raise Unprinted("exit", _line(f"{process.returncode} {complaint}"))


def _sheet(text: bytes) -> IO[bytes]:
    """The text as a file without a name: a printer that reads nothing of it blocks nobody."""
    try:
        sheet = tempfile.TemporaryFile()  # noqa: SIM115 (its caller closes it)
        sheet.write(text)
        sheet.seek(0)
    except OSError as error:
        raise Unprinted("file", error.strerror or str(error)) from None
    return sheet


async def _exit_of(
    process: asyncio.subprocess.Process, over: asyncio.Event, limit_s: float
) -> None:
    """Wait for it; end it and all it started when the time is up, or soon after the duty is."""
    ended = asyncio.create_task(process.wait())
    leaving = asyncio.create_task(over.wait())
    try:
        await asyncio.wait({ended, leaving}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done() and leaving.done():
            await asyncio.wait({ended}, timeout=min(LEAVE_S, limit_s))
        if not ended.done():
            raise Unprinted("timeout", f"{limit_s:g}")
    finally:
        leaving.cancel()
        if not ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await ended


@dataclass
class _Said:
    """What a program complains of: its beginning is kept, the rest is read so that it never waits.

    A pipe of our own, because asyncio's would keep the exit back until every child has closed it.
    """

    pipe: int
    ear: int
    heard: bytearray = field(default_factory=bytearray)

    def listen(self) -> None:
        """Take what the pipe holds; once, for there may be no end of it."""
        with contextlib.suppress(BlockingIOError):
            part = os.read(self.ear, 65_536)
            self.heard.extend(part[: max(0, SAID_BYTES_MAX - len(self.heard))])


@contextlib.contextmanager
def _listening() -> Iterator[_Said]:
    ear, pipe = os.pipe()
    os.set_blocking(ear, False)
    said = _Said(pipe, ear)
    loop = asyncio.get_running_loop()
    loop.add_reader(ear, said.listen)
    try:
        yield said
    finally:
        loop.remove_reader(ear)
        os.close(ear)
        os.close(pipe)


def _line(text: str) -> str:
    """One line that prints, of what a program said."""
    return paper.printable(" ".join(text.split()))


def write_file(path: Path, text: bytes) -> None:
    """The whole file or none of it, on the disk when this returns. Raises Unprinted."""
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise Unprinted("file", error.strerror or str(error)) from None
