"""A month of one meter: lived at once or minute by minute it is the same, to the fen and Wh."""

import random
from time import process_time

import pytest

from engine.bus.simulator.time_control import PhaseTimes
from engine.bus.simulator.wall_clock import WallClock
from tests.lone_meter import DAY_MS, HOUR_MS, MINUTE_MS, LoneMeter

CPU_S_MAX = 1.0  # a month takes 0.002 s at a set load, 0.15 s at a shop's; slow machines included
WORK_SLOTS = "010008000014" + "00" * 18  # on 08:00, off 20:00


@pytest.mark.parametrize("load_w", [pytest.param(1000, id="set"), pytest.param(None, id="shop")])
def test_a_month_is_lived_in_no_time(load_w: int | None) -> None:
    bench = LoneMeter(load_w=load_w, balance_fen=10_000_000)
    started = process_time()

    bench.live(31 * DAY_MS)

    assert process_time() - started < CPU_S_MAX
    assert bench.meter.energy_wh > 700_000


def test_a_month_at_one_kilowatt_costs_31_days() -> None:
    bench = LoneMeter()

    bench.live(31 * DAY_MS)

    assert bench.meter.energy_wh == 744_000
    assert bench.meter.rate_wh == [62_000, 248_000, 186_000, 248_000]
    assert bench.meter.balance_fen == 100_000 - 31 * 1780


def bench_of(seed: int) -> LoneMeter:
    """A meter with some of everything: schedules, zones, controls, a clock that is wrong."""
    dice = random.Random(seed)
    bench = LoneMeter(
        dice.choice(["DDSY1352-NK", "DTSY1352-NK"]),
        load_w=dice.choice([None, 0, 1, 777, 6543]),
        balance_fen=dice.choice([200, 5000, 40_000]),
        overdraft_fen=dice.choice([0, 0, 1000]),
        money_control=dice.random() < 0.9,
        run_state=dice.choice([0x40, 0x41, 0x41]),
        schedule2=((0, 0), (3, dice.randrange(1, 1440))),
        zones=dice.choice([(), ((1, 1, 1),), ((2, 7, 17),), ((1, 7, 16), (2, 7, 18))]),
        clock=WallClock(
            offset_ms=8 * HOUR_MS + dice.randrange(-90_000, 90_000),
            gain_s=dice.choice([0, 0, 40, -300]),
            set_ms=1_784_000_000_000,
        ),
        times=[
            PhaseTimes(
                enabled=dice.random() < 0.6,
                free_days=dice.randrange(256),
                free_slots=dice.choice([WORK_SLOTS, "00" * 24]),
                work_slots=dice.choice([WORK_SLOTS, "000000010116" + "00" * 18]),
            )
        ],
    )
    if dice.random() < 0.6:
        bench.meter.overload.enabled = True
        bench.meter.overload.limit_w = dice.choice([500, 4000, 7000])
        bench.meter.overload.trips_max = dice.choice([0, 3, 1000])
    return bench


@pytest.mark.parametrize("seed", range(40))
def test_coarse_steps_and_minutes_come_to_the_same(seed: int) -> None:
    coarse, fine = bench_of(seed), bench_of(seed)
    dice = random.Random(seed)

    for _ in range(6):
        hours = dice.randint(1, 30)
        coarse.live(hours * HOUR_MS)
        end_ms = fine.now_ms + hours * HOUR_MS
        while fine.now_ms < end_ms:
            fine.live(min(dice.choice([1, MINUTE_MS, 97_013]), end_ms - fine.now_ms))
        assert coarse.meter.memory() == fine.meter.memory()
        for each in (coarse, fine):
            each.meter.purchase(300, each.meter.count + 1)
            if hours % 5 == 0 and each.meter.load_w is not None:
                each.meter.load_w += 400
