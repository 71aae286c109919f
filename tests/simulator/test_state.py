"""What the meters remember survives a restart of the simulator."""

import asyncio
import json
from pathlib import Path

import pytest

from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.errors import BadState
from engine.bus.simulator.site import SimSite

SINGLE = "202106250001"
MIDNIGHT_MS = 1_784_044_800_000


def loaded(tables: Path, state_file: Path, *, at_ms: int = MIDNIGHT_MS) -> SimSite:
    return SimSite.load(tables, clock=SiteClock(speed=0, start_ms=at_ms), state_file=state_file)


def test_money_energy_and_relay_are_there_after_a_restart(tables: Path, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    site = loaded(tables, state_file)
    meter = site.meter(SINGLE)
    meter.load_w, meter.balance_fen, meter.owed = 1234, 50_000, 77
    meter.purchase(10_000, meter.count + 1)
    meter.force_active = True
    site.clock.move_on(7200)
    before = site.meter(SINGLE).memory()
    site.save()

    again = loaded(tables, state_file)

    assert again.meter(SINGLE).memory() == before
    assert again.clock.now_ms() == MIDNIGHT_MS + 7_200_000


def test_time_goes_on_while_the_simulator_is_off(tables: Path, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    site = loaded(tables, state_file)
    meter = site.meter(SINGLE)
    meter.load_w, meter.balance_fen, meter.owed = 1000, 50_000, 0
    meter.prices = [10_000] * 4
    energy_wh = meter.energy_wh
    site.save()

    again = loaded(tables, state_file, at_ms=MIDNIGHT_MS + 3_600_000)

    assert again.meter(SINGLE).energy_wh - energy_wh == 1000
    assert again.meter(SINGLE).balance_fen == 49_900


async def test_a_purchase_is_kept_before_its_reply_leaves(tables: Path, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    site = loaded(tables, state_file)
    meter = site.meter(SINGLE)
    meter.checked = False
    meter.run_state = 0x41
    on_disk = asyncio.get_running_loop().create_future()

    class Witness:
        def write(self, _: bytes) -> None:
            kept = json.loads(state_file.read_text(encoding="utf-8"))
            on_disk.set_result(kept["meters"][SINGLE]["purchases"])

        def abort(self) -> None:
            """Thrown out when the site stops."""

    async with site.serve(base_port=0, pacing=False):
        site.lines["L1"].client = Witness()
        site.lines["L1"].feed(bytes.fromhex("01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE"))
        kept = await on_disk

    assert kept == [[6, 10_000]]


def test_a_file_that_is_not_ours_is_refused_by_name(tables: Path, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    state_file.write_text('{"meters": 3}', encoding="utf-8")

    with pytest.raises(BadState, match=r"state\.json"):
        loaded(tables, state_file)


def test_a_meter_the_file_does_not_know_is_new(tables: Path, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    state_file.write_text(json.dumps({"now_ms": MIDNIGHT_MS, "meters": {}}), encoding="utf-8")

    site = loaded(tables, state_file)

    assert site.meter(SINGLE).money_control
