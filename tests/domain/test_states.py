"""The one state an operator sees, its flags and its relay, from the meter's own words."""

import pytest

from engine.domain.states import LOST_AFTER, StatusBits, meter_state, status_flags
from models.enums import Flag, MeterState, Relay

ARREARS, ALARM1, ALARM2 = 0x20, 0x40, 0x80
QUIET = StatusBits(word1=0x2000, word2=0x0008, phases=1)  # relay closed, money control on


def bits(word1: int, word2: int = 0x0008, phases: int = 1) -> StatusBits:
    return StatusBits(word1=word1, word2=word2, phases=phases)


@pytest.mark.parametrize(
    ("word1", "state"),
    [
        (0, MeterState.NORMAL),
        (ALARM1, MeterState.ALARM1),
        (ALARM2, MeterState.ALARM2),
        (ALARM1 | ALARM2, MeterState.ALARM2),
        (ARREARS, MeterState.ARREARS),
        (ARREARS | ALARM1 | ALARM2, MeterState.ARREARS),
        (0x011F, MeterState.NORMAL),  # force, overload and fault bits are flags, not states
    ],
)
def test_the_gravest_of_the_meters_own_bits_is_the_state(word1, state):
    assert meter_state(opened=True, failed_attempts=0, status=bits(word1)) is state


def test_a_meter_without_a_tenant_is_not_opened_whatever_it_says():
    found = meter_state(opened=False, failed_attempts=LOST_AFTER, status=bits(ARREARS))

    assert found is MeterState.NOT_OPENED


@pytest.mark.parametrize(
    ("attempts", "state"), [(2, MeterState.ARREARS), (3, MeterState.LOST), (9, MeterState.LOST)]
)
def test_the_third_failed_attempt_loses_a_meter(attempts, state):
    assert meter_state(opened=True, failed_attempts=attempts, status=bits(ARREARS)) is state


def test_a_meter_never_read_is_lost():
    assert meter_state(opened=True, failed_attempts=0, status=None) is MeterState.LOST


@pytest.mark.parametrize(
    ("word1", "phases", "relay"),
    [
        (0x2000, 1, Relay.CLOSED),
        (0x0000, 1, Relay.OPEN),
        (0xC000, 1, Relay.OPEN),  # a single phase meter has L1 only
        (0xE000, 3, Relay.CLOSED),
        (0x6000, 3, Relay.OPEN),  # half open is open
    ],
)
def test_the_relay_is_closed_where_every_phase_is(word1, phases, relay):
    assert bits(word1, phases=phases).relay is relay


def flags(status: StatusBits, trips: int | None = None, trips_max: int | None = None) -> set[Flag]:
    return set(status_flags(status, overload_trips=trips, overload_trips_max=trips_max))


@pytest.mark.parametrize(
    ("word1", "word2", "phases", "expected"),
    [
        (0x2000, 0x0008, 1, set()),
        (0x2010, 0x0008, 1, {Flag.OVERLOAD}),  # over limit
        (0x0000, 0x0808, 1, {Flag.OVERLOAD}),  # load control active, its output open
        (0x2000, 0x0908, 1, set()),  # load control active, its output closed
        (0x2009, 0x0008, 1, {Flag.FORCED_ON}),
        (0x0008, 0x0008, 1, {Flag.FORCED_OFF}),
        (0x2001, 0x0008, 1, set()),  # a force output means nothing unless force is active
        (0x2100, 0x0008, 1, {Flag.FAULT}),
        (0x2000, 0x0000, 1, {Flag.PREPAY_OFF}),
        (0xE10F, 0x0000, 3, {Flag.FORCED_ON, Flag.FAULT, Flag.PREPAY_OFF}),
    ],
)
def test_flags_are_what_the_status_words_say(word1, word2, phases, expected):
    assert flags(bits(word1, word2, phases)) == expected


@pytest.mark.parametrize(
    ("trips", "trips_max", "locked"),
    [(3, 3, True), (4, 3, True), (2, 3, False), (0, 0, False), (3, 0, False), (None, 3, False)],
)
def test_as_many_overload_trips_as_allowed_lock_a_meter_out(trips, trips_max, locked):
    assert (Flag.OVERLOAD_LOCKED in flags(QUIET, trips, trips_max)) is locked
