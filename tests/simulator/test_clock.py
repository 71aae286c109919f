"""The pretend site's own time."""

import pytest

from engine.bus.simulator import clock as clock_module
from engine.bus.simulator.clock import SiteClock


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of the host since it booted, as the test says."""
    seconds = [100.0]
    monkeypatch.setattr(clock_module, "monotonic", lambda: seconds[0])
    return seconds


@pytest.mark.parametrize(("speed", "now_ms"), [(1.0, 11_000), (60.0, 601_000), (0.0, 1_000)])
def test_site_time_runs_at_its_speed(elapsed: list[float], speed: float, now_ms: int) -> None:
    clock = SiteClock(speed=speed, start_ms=1_000)

    elapsed[0] += 10

    assert clock.now_ms() == now_ms


def test_site_time_never_runs_back_over_a_restart(elapsed: list[float]) -> None:
    clock = SiteClock(start_ms=1_000)

    clock.not_before(50_000)
    clock.not_before(20_000)

    assert clock.now_ms() == 50_000
