"""May this reading follow the last accepted one? Energy never falls, nor outruns its fuse."""

import datetime as dt
from enum import StrEnum

from engine.domain.measurement import MeterReading

VOLTAGE_MAX_V = 264  # 220 V nominal + 20 %
DIRECT_CURRENT_MAX_A = 100  # the largest direct-connected meter of the family
SECONDARY_CURRENT_MAX_A = 6  # 1.2 times the 5 A of a current transformer's secondary side
SLACK_STEPS = 2  # counter steps that rounding alone may show


class Doubt(StrEnum):
    FELL = "fell"  # a cumulative register is smaller than before
    JUMPED = "jumped"  # it rose by more than the meter's rating allows in the time


def doubt(last: MeterReading, seen: MeterReading, *, elapsed_s: float) -> Doubt | None:
    """What speaks against `seen`, read `elapsed_s` after the accepted `last`; None: nothing.

    Total and each rate are compared, one by one. The ratios that scale the limit are those of
    `last`: a corrupt ratio must not raise its own limit.
    """
    pairs = list(zip(_counters(last), _counters(seen), strict=False))
    if any(now_wh < before_wh for before_wh, now_wh in pairs):
        return Doubt.FELL
    limit_wh = rise_max_wh(last, _elapsed_s(last, seen, elapsed_s))
    if any(now_wh - before_wh > limit_wh for before_wh, now_wh in pairs):
        return Doubt.JUMPED
    return None


def rise_max_wh(last: MeterReading, elapsed_s: float) -> int:
    """The most energy (Wh, primary side) the meter of `last` can count in `elapsed_s`."""
    current_a = (
        DIRECT_CURRENT_MAX_A if last.ct_ratio == 1 else SECONDARY_CURRENT_MAX_A * last.ct_ratio
    )
    phases = len(last.voltage_mv) or 3
    power_w = VOLTAGE_MAX_V * last.pt_ratio * current_a * phases
    return int(power_w * elapsed_s / 3600) + SLACK_STEPS * last.energy_step_wh


def _counters(reading: MeterReading) -> tuple[int, ...]:
    return (reading.energy_wh, *reading.energy_by_rate_wh)


def _elapsed_s(last: MeterReading, seen: MeterReading, wall_s: float) -> float:
    """The longer of what our clock and the meter's own say: either may have been set meanwhile."""
    if last.clock is None or seen.clock is None:
        return max(0.0, wall_s)
    meter = dt.datetime.fromisoformat(seen.clock) - dt.datetime.fromisoformat(last.clock)
    return max(0.0, wall_s, meter.total_seconds())
