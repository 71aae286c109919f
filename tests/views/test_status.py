"""The site at a glance: the document that scripts read."""

import pytest

from engine import clock as real_clock
from engine.views import status
from models import base
from models.commands import Command, Lease
from models.enums import CommandKind, LineState, LinkKind
from models.metering import LineHealth, Sweep
from models.site import Line


@pytest.fixture
def lease(db, clock):
    """Make the lease of an engine that runs, changed as asked."""

    def lease(**fields):
        row = {
            "resource": "site",
            "holder": "desk:1",
            "epoch": 4,
            "expires_boot_ms": real_clock.boot_ms() + 60_000,
            "host": "desk",
            "boot_id": real_clock.boot_id(),
            "pid": 1,
            "since": clock.at,
        }
        with base.write_transaction():
            Lease.create(**row | fields)

    return lease


def test_an_empty_site_has_the_whole_document_with_nothing_known(db, noon):
    assert status.status(noon) == {
        "engine": {"state": "stopped", "holder": None, "since": None, "epoch": None},
        "meters": {
            "total": 0,
            "normal": 0,
            "alarm1": 0,
            "alarm2": 0,
            "arrears": 0,
            "not_opened": 0,
            "lost": 0,
        },
        "oldest_reading_s": None,
        "oldest_assertion_s": None,
        "commands": {"queued": 0, "sent": 0, "unknown": 0},
        "last_sweep": dict.fromkeys(
            ("started_at", "finished_at", "duration_s", "wire_s", "read", "failed")
        ),
        "gateways": [],
        "lines": [],
    }


def test_a_renewed_lease_means_the_engine_runs(lease, noon):
    lease()

    assert status.engine(noon) == {
        "state": "running", "holder": "desk:1", "since": "2026-11-23T09:00:00+08:00", "epoch": 4
    }  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"expires_boot_ms": 0}, {"boot_id": "another"}], ids=["run out", "of another boot"]
)
def test_a_lease_that_ran_out_means_it_stopped(lease, change):
    lease(**change)

    assert status.engine_state() == "stopped"


def test_meters_are_counted_by_state_and_the_oldest_reading_is_named(add_meter, learn, noon):
    learn(add_meter("000000000001"), seconds_ago=60)
    learn(add_meter("000000000002"), seconds_ago=600, status1=1 << 5)
    add_meter("000000000003", tenant="")

    found = status.status(noon)

    assert found["meters"] == {
        "total": 3, "normal": 1, "alarm1": 0, "alarm2": 0, "arrears": 1, "not_opened": 1, "lost": 0
    }  # fmt: skip
    assert found["oldest_reading_s"] == 600


def test_open_commands_are_counted_by_state(meter, clock, noon):
    with base.write_transaction():
        for number, state in enumerate(("queued", "queued", "applied")):
            Command.create(
                request_id=str(number), kind=CommandKind.READ, counted=False, state=state,
                meter=meter, meter_epoch=1, serial=meter.serial, created_at=clock.at,
            )  # fmt: skip

    assert status.status(noon)["commands"] == {"queued": 2, "sent": 0, "unknown": 0}


def test_the_last_finished_sweep_is_told_with_its_wire_time(db, clock, noon):
    with base.readings_transaction():
        for read in (1, 334):
            Sweep.create(
                started_at=clock.at, finished_at=clock.advance(seconds=30), wire_ms=28_500,
                read=read, failed=2,
            )  # fmt: skip

    assert status.status(noon)["last_sweep"] == {
        "started_at": "2026-11-23T09:00:30+08:00",
        "finished_at": "2026-11-23T09:01:00+08:00",
        "duration_s": 30.0,
        "wire_s": 28.5,
        "read": 334,
        "failed": 2,
    }


def test_lines_tell_their_counters_and_a_gateway_sums_up_its_lines(line, clock, noon):
    with base.write_transaction():
        second = Line.create(name="L02", gateway=line.gateway, link=LinkKind.RTU_TCP)
    with base.readings_transaction():
        for each, state in ((line, LineState.UP), (second, LineState.DOWN)):
            LineHealth.create(
                line_id=each.id, rev=1, state=state, requests=10, timeouts=2, crc_errors=1,
                foreign_frames=3, load_pct=40, last_good_at=clock.at, force_insert=True,
            )  # fmt: skip

    found = status.status(noon)

    assert found["lines"][0] == {
        "line": "L01", "state": "up", "load_pct": 40, "requests": 10, "timeouts": 2,
        "crc_errors": 1, "foreign": 3, "last_good_at": "2026-11-23T09:00:00+08:00",
    }  # fmt: skip
    assert found["gateways"] == [
        {
            "gateway": "W1", "state": "partial", "lines": ["L01", "L02"],
            "last_good_at": "2026-11-23T09:00:00+08:00",
        }
    ]  # fmt: skip


def test_a_line_the_engine_has_not_met_is_unknown(line, noon):
    assert status.status(noon)["gateways"][0]["state"] == "unknown"
