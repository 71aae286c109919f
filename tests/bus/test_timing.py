"""How long is waited, from the line's settings alone."""

import pytest

from engine.bus.health import ReplyTimes
from engine.bus.timing import LineTiming


@pytest.mark.parametrize(
    ("baud", "timeout_ms"), [(2400, 900), (4800, 550), (9600, 350), (19_200, 300), (115_200, 300)]
)
def test_the_main_block_has_its_time_out_from_the_baud_rate(baud: int, timeout_ms: int) -> None:
    timeout_s = LineTiming.of(baud=baud).timeout_s(8, 101)

    assert timeout_s * 1000 == pytest.approx(timeout_ms, abs=15)


def test_a_short_read_waits_as_long_for_a_gateway_is_as_slow_with_it() -> None:
    timing = LineTiming.of(baud=9600)

    assert timing.timeout_s(8, 7) == timing.timeout_s(8, 101)


def test_a_longer_reply_is_given_its_time() -> None:
    timing = LineTiming.of(baud=9600)

    assert timing.timeout_s(8, 163) > timing.timeout_s(8, 101)


@pytest.mark.parametrize(
    ("slowest_s", "timeout_s"), [(0.1, 0.3), (0.4, 0.8), (0.99, 1.98), (1.5, 2.0), (60.0, 2.0)]
)
def test_a_slow_gateway_is_given_twice_what_it_needed_and_2_s_at_most(
    slowest_s: float, timeout_s: float
) -> None:
    timing = LineTiming.of(baud=19_200)

    assert timing.timeout_s(8, 101, slowest_s=slowest_s) == pytest.approx(timeout_s, abs=0.01)


def test_a_lines_own_time_out_is_obeyed() -> None:
    timing = LineTiming.of(baud=9600, timeout_ms=700, gap_ms=20)

    assert (timing.timeout_s(8, 101, slowest_s=1.5), timing.gap_s) == (0.7, 0.02)


def test_a_write_waits_3_s() -> None:
    assert LineTiming.of(baud=9600).write_timeout_s == 3.0


@pytest.mark.parametrize(
    ("baud", "parity", "stop_bits", "gap_ms"),
    [(9600, "N", 1, 3.646), (9600, "E", 1, 4.010), (2400, "N", 2, 16.042), (38_400, "N", 1, 1.75)],
)
def test_the_gap_is_three_and_a_half_characters(
    baud: int, parity: str, stop_bits: int, gap_ms: float
) -> None:
    timing = LineTiming.of(baud=baud, parity=parity, stop_bits=stop_bits)

    assert timing.gap_s * 1000 == pytest.approx(gap_ms, abs=0.001)


def test_the_main_block_takes_its_wire_time() -> None:
    assert LineTiming.of(baud=9600).wire_s(8, 101) == pytest.approx(0.1135 + 0.0073, abs=0.0001)


@pytest.mark.parametrize(
    ("took_s", "slowest_s"),
    [
        pytest.param([], 0.0, id="none seen"),
        pytest.param([0.2], 0.2, id="one"),
        pytest.param([0.1] * 50 + [0.9], 0.9, id="few: the slowest"),
        pytest.param([0.1] * 198 + [0.9, 0.9], 0.1, id="two in two hundred are left out"),
        pytest.param([0.1] * 197 + [0.9] * 3, 0.9, id="three are not"),
        pytest.param([9.0] + [0.1] * 200, 0.1, id="what is long ago is forgotten"),
    ],
)
def test_the_slowest_is_what_99_of_100_stayed_under(took_s: list[float], slowest_s: float) -> None:
    times = ReplyTimes()
    for each in took_s:
        times.add(each)

    assert times.slowest_s == slowest_s
