"""Simulator, engine and commands as processes of their own, as they run on site."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
OPENED, SPARE = "202611230001", "202611230002"


@contextlib.contextmanager
def started(*words, **environment):
    """`voltill words…`, ended at the latest with the context; its output is a pipe of lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "console", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"LANG": "C.UTF-8"} | environment,
    )
    rescue = threading.Timer(PATIENCE_S, process.kill)
    rescue.start()
    try:
        yield process
    finally:
        rescue.cancel()
        process.kill()
        process.communicate()


def until(process, wanted):
    """Read lines until one holds `wanted`."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if wanted in line:
            return line
    raise AssertionError("".join([*seen, process.stderr.read()]))


def ended(process, number):
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)
    return process.returncode


@pytest.fixture
def ports(write_tables, tmp_path):
    """A simulator of the small site; {"lines": {name: port}, "control": port}."""
    state = tmp_path / "meters.json"
    words = ["simulate", write_tables(), "--base-port", "0", "--no-pacing", "--state", state]
    with started(*words) as process:
        yield json.loads(process.stdout.readline())


@pytest.fixture
def served(site, ports, run, write_tables):
    """The small site, its line where the simulator serves it, its engine running."""
    assert run("--site", site, "import", write_tables(port=ports["lines"]["L01"])).status == 0
    with started("--site", site, "engine") as process:
        until(process, "sweep: 2 read, 0 failed")
        yield process


@pytest.fixture
def add_second(on, as_boss, password_file):
    """A supervisor who approves; the options that say so."""
    words = (
        "operator",
        "add",
        "周敏",
        "--role",
        "supervisor",
        "--new-password-file",
        password_file,
    )
    assert on(*words, *as_boss).status == 0
    return ["--approve", "周敏", "--approve-password-file", password_file]


def test_a_sale_is_proved_and_everything_says_so(served, on, as_boss):
    before = on("read", OPENED, "--json")
    sold = on("sell", OPENED, "100", "--pay", "cash", "--json", *as_boss)
    after = on("read", OPENED, "--json")

    assert (before.status, sold.status, after.status) == (0, 0, 0)
    assert sold.json["outcome"] == "applied"
    assert sold.json["count_after"] == sold.json["count_before"] + 1
    assert sold.json["receipt"]
    assert after.json["purchase_count"] == before.json["purchase_count"] + 1
    assert after.json["age_s"] < PATIENCE_S
    books = on("verify", "--json").json
    assert (books["ok"], books["faults"], books["warnings"]) == (True, [], [])


def test_a_meter_is_exchanged_by_one_command(served, on, as_boss):
    before = on("read", OPENED, "--json").json
    spare = on("read", SPARE, "--json").json

    said = on("exchange", OPENED, SPARE, "--reason", "损坏", "--json", *as_boss)

    assert (said.status, said.json["outcome"]) == (0, "applied"), said.json
    assert said.json["serial"] == SPARE
    assert said.json["receipt"] == said.json["exchange"]["receipt"] is not None
    assert said.json["exchange"]["step"] == "done"
    assert said.json["count_after"] == spare["purchase_count"] + 1
    assert said.json["amount_fen"] <= before["balance_fen"]
    assert on("exchange", "--json").json == []
    assert [row["serial"] for row in on("meters", "--json").json] == [SPARE]
    assert on("verify", "--json").json["faults"] == []


def test_an_exchange_begun_without_an_engine_is_gone_on_with_when_there_is_one(
    site, ports, run, write_tables, on, as_boss
):
    assert run("--site", site, "import", write_tables(port=ports["lines"]["L01"])).status == 0
    words = ("exchange", OPENED, SPARE, "--reason", "x", "--wait", "0", "--json", *as_boss)

    begun = on(*words)
    again = on(*words)

    assert (begun.status, begun.json["exchange"]["step"]) == (4, "final_read")
    assert (again.status, again.json["error"]["code"]) == (1, "meter_in_exchange")
    number = begun.json["exchange"]["id"]
    with started("--site", site, "engine") as engine:
        until(engine, "sweep: 2 read, 0 failed")
        done = on("exchange", "--resume", number, "--json", *as_boss)
    assert (done.status, done.json["exchange"]["step"]) == (0, "done"), done.json
    assert on("verify", "--json").json["faults"] == []


def test_an_exchange_survives_an_engine_killed_again_and_again(
    site, ports, run, write_tables, on, as_boss
):
    assert run("--site", site, "import", write_tables(port=ports["lines"]["L01"])).status == 0
    asked = (SPARE, "--reason", "x", "--wait", "0", "--json", *as_boss)
    number = on("exchange", OPENED, *asked).json["exchange"]["id"]
    resume = ("exchange", "--resume", number, "--json", *as_boss)
    for wait_s in (0.2, 0.3, 0.4, 0.5):
        with started("--site", site, "engine") as engine:  # and killed at the end of the block
            until(engine, "sweep: ")
            on(*resume, "--wait", wait_s)
    with started("--site", site, "engine") as engine:
        until(engine, "sweep: ")
        done = on(*resume)

    assert (done.status, done.json["exchange"]["step"]) == (0, "done"), done.json
    assert done.json["outcome"] == "applied"
    assert on("verify", "--json").json["faults"] == []


def test_a_file_of_amounts_is_converted_once(served, on, as_boss, tmp_path, add_second):
    file = tmp_path / "amounts.csv"
    file.write_text(f"serial,amount_yuan\n{OPENED},33.30\n", encoding="utf-8")
    words = ("convert", file, "--total", "33.30", "--json", *as_boss, *add_second)

    first, second = on(*words), on(*words)

    assert (first.status, first.json["progress"]["done_fen"]) == (0, 3_330), first.json
    assert (second.json["converted"], second.json["known"]) == (0, 1)
    refused = on("convert", file, "--total", "33", "--json", *as_boss)
    assert (refused.status, refused.json["error"]["code"]) == (1, "total_differs")
    assert on("verify", "--json").json["faults"] == []


def test_check_and_status_ask_the_engine_that_owns_the_line(served, on):
    items = {item["item"]: item["state"] for item in on("check", "--json").json["items"]}
    found = on("status", "--json").json

    assert (items["engine"], items["line L01"]) == ("ok", "ok")
    assert (found["engine"]["state"], found["lines"][0]["state"]) == ("running", "up")
    assert (found["last_sweep"]["read"], found["last_sweep"]["failed"]) == (2, 0)


def test_a_meter_that_does_not_answer_is_not_read_and_said_so(served, on, run, ports):
    asked = run("fault", "--control", ports["control"], f"meter:{OPENED}", "no_reply", "count=0")
    assert asked.status == 0, asked.err

    said = on("read", OPENED, "--json")

    assert (said.status, said.json["outcome"], said.json["reason"]) == (5, "refused", "no_reply")


def test_a_second_engine_stands_by_and_takes_over(served, site):
    with started("--site", site, "engine") as second:
        until(second, "stand-by")
        assert ended(served, signal.SIGTERM) == 0
        until(second, "running")
        assert ended(second, signal.SIGINT) == 0


def test_an_engine_ends_by_itself_when_told_how_long(site):
    with started("--site", site, "engine", "--for", "1") as process:
        out, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "Engine: stopped."


def test_a_fault_that_cannot_be_is_misuse(ports, run):
    unknown = run("fault", "--control", ports["control"], "site", "no_such_fault")
    nobody = run("fault", "--control", free_port(), "site", "no_reply")

    assert (unknown.status, nobody.status) == (2, 5)


def free_port():
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        return finder.getsockname()[1]


def test_tables_that_make_no_site_are_not_served(run, tmp_path):
    assert run("simulate", tmp_path).status == 5


@contextlib.contextmanager
def watched_simulator(folder):
    """Its process, as something that becomes readable when it ends."""
    found = [
        int(entry.parent.name)
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if f"simulate\0{folder}/tables\0".encode() in read_or_nothing(entry)
    ]
    assert len(found) == 1
    watch = os.pidfd_open(found[0])
    try:
        yield watch
    finally:
        os.close(watch)


def read_or_nothing(entry):
    try:
        return entry.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def test_the_practice_site_leaves_nothing_behind_on_hang_up(tmp_path):
    with started("demo", TMPDIR=str(tmp_path)) as process:
        place = re.search(r"Practice site in (\S+)/site,", until(process, "Practice site in"))[1]
        until(process, "sweep: 334 read, 0 failed")
        with watched_simulator(place) as simulator:
            assert ended(process, signal.SIGHUP) == 0
            assert select.select([simulator], [], [], 0)[0]

    assert list(tmp_path.iterdir()) == []


def test_the_practice_meters_end_even_when_the_demo_is_killed(tmp_path):
    with started("demo", "--headless", "--dir", tmp_path) as process:
        until(process, "running")
        with watched_simulator(tmp_path) as simulator:
            process.kill()
            assert select.select([simulator], [], [], PATIENCE_S)[0]

    assert (tmp_path / "site" / "config.toml").exists()
