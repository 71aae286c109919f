"""Printers that hang, fail, read nothing or are not there; files on a full disk; no sale waits."""

import asyncio
import dataclasses
import errno
import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from engine import printing
from engine.config import ReceiptsSection
from engine.printing import Unprinted, print_by, write_file
from engine.services import printing as outbox
from engine.services import receipts
from models.cases import PrintJob
from models.enums import CommandState, PrintState
from tests.engine.conftest import CHECKED, FAR, OTHER

TEXT = "售电收据\n".encode() * 10


def program(path, body: str) -> str:
    """A printer command that is a small Python program."""
    path.write_text(body, encoding="utf-8")
    return shlex.join([sys.executable, str(path)])


@pytest.fixture
async def send():
    async def one(command: str, text: bytes = TEXT, limit_s: float = 5.0) -> None:
        await print_by(command, text, over=asyncio.Event(), limit_s=limit_s)

    return one


async def why(printed) -> str:
    with pytest.raises(Unprinted) as caught:
        await printed
    return str(caught.value)


async def test_a_printer_gets_the_whole_text_and_its_status_is_its_word(send, tmp_path):
    await send(f"tee '{tmp_path / 'a b'}'")

    assert (tmp_path / "a b").read_bytes() == TEXT


async def test_no_shell_reads_the_command(send, tmp_path):
    await send(f"true ; touch {tmp_path / 'made'} > $HOME `id`")

    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("command", ["/no/such/printer", "", "   ", "lp 'unclosed", "\0"])
async def test_a_printer_that_is_not_there_is_said_so(send, command):
    assert (await why(send(command))).startswith("absent ")


async def test_a_printer_that_fails_is_quoted_in_one_line_that_prints(send, tmp_path):
    command = program(
        tmp_path / "p.py", "import sys; sys.stderr.write('no\\x1b[2J\\npaper\\n'); sys.exit(1)"
    )

    assert await why(send(command)) == "exit 1 no?[2J paper"


async def test_a_printer_that_hangs_is_ended_with_all_it_started(send, tmp_path):
    child = tmp_path / "child"
    command = f"sh -c 'sleep 60 & echo $! > {child}; wait'"
    began = time.monotonic()

    assert await why(send(command, limit_s=0.5)) == "timeout 0.5"

    assert time.monotonic() - began < 3
    await asyncio.sleep(0.1)
    assert not is_alive(int(child.read_text()))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_printer_that_reads_nothing_blocks_nobody(send):
    much = b"x" * 10_000_000
    began = time.monotonic()

    await send("true", much)
    assert await why(send("sleep 60", much, limit_s=0.5)) == "timeout 0.5"

    assert time.monotonic() - began < 4


async def test_a_printer_that_talks_without_end_fills_nothing(send, tmp_path):
    command = program(
        tmp_path / "p.py",
        "import sys\nfor _ in range(20000): sys.stderr.write('x' * 1000)\nsys.exit(3)",
    )

    assert len(await why(send(command))) < 3000


async def test_a_child_that_stays_behind_does_not_keep_the_job(send):
    began = time.monotonic()

    await send("sh -c 'sleep 30 >/dev/null & exit 0'")

    assert time.monotonic() - began < 3


async def test_an_engine_that_stops_does_not_wait_for_the_printer(monkeypatch):
    monkeypatch.setattr(printing, "LEAVE_S", 0.2)
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, over.set)
    began = time.monotonic()

    assert (await why(print_by("sleep 60", TEXT, over=over))).startswith("timeout")

    assert time.monotonic() - began < 3


def test_a_file_is_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "exports" / "receipts" / "1.txt"

    write_file(path, TEXT)
    write_file(path, TEXT + b"more")

    assert path.read_bytes() == TEXT + b"more"
    assert [each.name for each in path.parent.iterdir()] == ["1.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_no_half_a_receipt(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place = os if step == "fsync" else printing.Path
    monkeypatch.setattr(place, step, full)

    with pytest.raises(Unprinted, match=r"^file No space left on device$"):
        write_file(tmp_path / "1.txt", TEXT)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_said_so(tmp_path):
    (tmp_path / "exports").write_text("")

    with pytest.raises(Unprinted, match=r"^file "):
        write_file(tmp_path / "exports" / "receipts" / "1.txt", TEXT)


def with_printer(practice, command: str, **more: object) -> None:
    settings = ReceiptsSection(printer=command, language="zh_CN", **more)
    practice.config = dataclasses.replace(practice.config, receipts=settings)


async def test_a_proved_sale_leaves_its_receipt_in_a_file(practice):
    async with practice.engine():
        command = await practice.ended(practice.sell(CHECKED))
        await practice.until(lambda: PrintJob.get().state is PrintState.DONE)

    number = receipts.of(command).number
    text = (practice.directory / "exports" / "receipts" / f"{number}.txt").read_text("utf-8")
    assert number in text
    assert "5 -> 6" in text


async def test_a_reprint_is_a_paper_of_its_own(practice, tmp_path):
    async with practice.engine():
        command = await practice.ended(practice.sell(CHECKED))
        await practice.until(lambda: PrintJob.get().state is PrintState.DONE)
        outbox.reprint(receipts.of(command), command.operator)
        await practice.until(lambda: all(j.state is PrintState.DONE for j in PrintJob.select()))

    folder = practice.directory / "exports" / "receipts"
    texts = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    number = receipts.of(command).number
    assert sorted(texts) == [f"{number}-reprint-1.txt", f"{number}.txt"]
    marked = {name for name, text in texts.items() if "补打 第 1 次" in text or "no. 1" in text}
    assert marked == {f"{number}-reprint-1.txt"}


async def test_the_printer_gets_the_bytes_it_reads(practice, tmp_path):
    with_printer(practice, f"tee {tmp_path / 'paper'}", encoding="gb18030", qr="none", paper="58")
    async with practice.engine():
        await practice.ended(practice.sell(CHECKED))
        await practice.until(lambda: PrintJob.get().state is PrintState.DONE)

    assert "写入电表" in (tmp_path / "paper").read_bytes().decode("gb18030")


@pytest.mark.parametrize("command", ["sleep 60", "/no/such/printer", "false"])
async def test_no_printer_delays_a_sale(practice, command):
    with_printer(practice, command)
    async with practice.engine():
        for serial in (CHECKED, OTHER, FAR):
            began = time.monotonic()
            sale = await practice.ended(practice.sell(serial))
            assert sale.state is CommandState.APPLIED
            assert time.monotonic() - began < 5
        await practice.until(lambda: any(job.tries for job in PrintJob.select()))
    assert PrintState.DONE not in {job.state for job in PrintJob.select()}


async def test_a_failure_stands_on_the_job_and_is_tried_again(practice, tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "DELAYS_S", (0,))
    once = tmp_path / "once"
    body = f"import pathlib, sys\np = pathlib.Path({str(once)!r})\n"
    body += "if p.exists(): sys.exit(0)\np.touch(); sys.exit('no paper')"
    with_printer(practice, program(tmp_path / "p.py", body))
    seen = set()
    async with practice.engine():
        await practice.ended(practice.sell(CHECKED))

        def is_done() -> bool:
            job = PrintJob.get()
            seen.add(job.error)
            return job.state is PrintState.DONE

        await practice.until(is_done)
    assert PrintJob.get().tries == 2
    assert seen >= {"exit 1 no paper"}


async def test_a_receipt_that_cannot_be_drawn_stops_no_other(practice, monkeypatch):
    drawn, calls = printing.receipt_text.draw, []

    def once(receipt, page):
        calls.append(receipt)
        if len(calls) == 1:
            raise ZeroDivisionError
        return drawn(receipt, page)

    monkeypatch.setattr(printing.receipt_text, "draw", once)
    async with practice.engine():
        await practice.ended(practice.sell(CHECKED))
        await practice.ended(practice.sell(FAR))
        await practice.until(lambda: {j.state for j in PrintJob.select()} >= {PrintState.DONE})
    assert {job.error for job in PrintJob.select()} == {"drawing", ""}
