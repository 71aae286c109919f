"""Who is due when; moments are minutes and seconds after 12:00 UTC."""

import datetime as dt

from engine.domain.polling import Polled, ProbeBudget, due, due_at, slot_start

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
STARTED = NOON - dt.timedelta(days=1)
PROBE_MAX_S = 600


def at(minutes, seconds=0):
    return NOON + dt.timedelta(minutes=minutes, seconds=seconds)


def ids(meters, now):
    found = due(meters, now=now, started_at=STARTED, probe_max_s=PROBE_MAX_S)
    return [meter.meter_id for meter in found]


def next_read(meter):
    return due_at(meter, started_at=STARTED, probe_max_s=PROBE_MAX_S)


def test_a_slot_begins_at_a_multiple_of_the_interval():
    assert slot_start(at(47, 12), 1800) == at(30)
    assert slot_start(at(30), 1800) == at(30)


def test_a_healthy_meter_is_due_with_its_next_slot_however_late_it_was_read():
    assert next_read(Polled(1, 1800, attempted_at=at(0, 3))) == at(30)
    assert next_read(Polled(1, 1800, attempted_at=at(29, 59))) == at(30)
    assert next_read(Polled(1, 60, attempted_at=at(5, 20))) == at(6)


def test_a_slot_that_was_slept_through_is_read_once_when_the_engine_is_back():
    late = Polled(1, 1800, attempted_at=at(0, 3))

    assert ids([late], at(29, 59)) == []
    assert ids([late], at(95)) == [1]
    assert ids([Polled(1, 1800, attempted_at=at(95))], at(96)) == []


def test_an_engine_reads_every_meter_at_its_start():
    fresh = Polled(1, 1800, attempted_at=at(1))
    lost = Polled(2, 1800, attempted_at=at(1), failed_attempts=9, first_failed_at=at(0))

    found = due([lost, fresh], now=at(2), started_at=at(2), probe_max_s=PROBE_MAX_S)

    assert [meter.meter_id for meter in found] == [1, 2]


def test_second_and_third_attempt_come_30_and_60_s_after_the_first_whatever_the_interval():
    first = Polled(1, 1800, attempted_at=at(0), failed_attempts=1, first_failed_at=at(0))
    second = Polled(1, 1800, attempted_at=at(0, 34), failed_attempts=2, first_failed_at=at(0))

    assert next_read(first) == at(0, 30)
    assert next_read(second) == at(1)


def test_a_failing_meter_with_a_short_interval_is_not_read_sooner():
    failing = Polled(1, 60, attempted_at=at(0, 59), failed_attempts=1, first_failed_at=at(0, 59))

    assert ids([failing], at(1)) == []


def test_probes_of_a_lost_meter_double_from_30_s_to_the_longest_pause():
    pauses = []
    for failed in range(3, 10):
        lost = Polled(1, 1800, attempted_at=at(0), failed_attempts=failed, first_failed_at=at(-5))
        pauses.append((next_read(lost) - at(0)).total_seconds())

    assert pauses == [30, 60, 120, 240, 480, 600, 600]


def test_a_meter_lost_for_years_is_still_probed():
    lost = Polled(1, 1800, attempted_at=at(0), failed_attempts=200_000, first_failed_at=at(-5))

    assert next_read(lost) == at(10)


def test_order_is_never_read_then_healthy_then_failing_then_lost():
    meters = [
        Polled(1, 60, attempted_at=at(-50), failed_attempts=7, first_failed_at=at(-90)),
        Polled(2, 60, attempted_at=at(-5), failed_attempts=1, first_failed_at=at(-5)),
        Polled(3, 60, attempted_at=at(-2)),
        Polled(4, 60, attempted_at=at(-3)),
        Polled(5, 60),
    ]

    assert ids(meters, at(0)) == [5, 4, 3, 2, 1]


def test_after_the_clock_was_set_back_nobody_is_left_alone_until_it_has_caught_up():
    ahead = Polled(1, 1800, attempted_at=at(300))
    again = Polled(1, 1800, attempted_at=at(0), failed_attempts=1, first_failed_at=at(300))

    assert ids([ahead], at(0)) == [1]
    assert next_read(again) == at(0, 30)


def test_probes_take_a_tenth_of_the_time_that_goes_by():
    budget = ProbeBudget(saved_s=0.0)
    sent = 0
    for _ in range(60):
        budget.earn(10)
        while budget.spend(0.35):
            sent += 1

    assert sent == 171  # 600 s * 10 % / 0.35 s


def test_a_long_quiet_time_does_not_save_up_for_a_flood_of_probes():
    budget = ProbeBudget()
    budget.earn(86_400)
    sent = 0
    while budget.spend(2.0):
        sent += 1

    assert sent == 3
