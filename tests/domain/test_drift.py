"""Drift: what a meter's balance shows that purchases, use and prices do not explain."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import drift
from engine.domain.drift import Point, Track

NINE = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
PRICES = tuple(map(Decimal, ("1.2000", "1.0000", "0.7000", "0.4000")))
START = Point(NINE, 10_000, 5, (0, 0, 0, 0), 10, PRICES, 10_000, 1)
HALF_HOUR = dt.timedelta(minutes=30)


def later(point=START, **changed):
    return dataclasses.replace(point, at=point.at + HALF_HOUR, **changed)


def after(*points):
    track = None
    for point in (START, *points):
        track = drift.follow(track, point)
    return track


def test_a_meter_begins_without_drift():
    track = after()

    assert (track.drift_fen, track.whole_fen, track.since) == (Decimal(0), 0, NINE)


def test_use_by_rate_at_the_prices_read_back_explains_a_fall():
    seen = later(balance_fen=10_000 - 1200 - 1000 - 700 - 400, rates_wh=(10_000,) * 4)

    assert after(seen).drift_fen == 0


def test_credits_of_the_books_explain_a_rise():
    seen = later(balance_fen=15_000, explained_fen=15_000, count=6)

    assert after(seen).drift_fen == 0


@pytest.mark.parametrize(
    ("changed", "drift_fen"),
    [
        pytest.param({"balance_fen": 15_000}, 5_000, id="more than the books"),
        pytest.param({"balance_fen": 4_000}, -6_000, id="less than the books"),
        pytest.param({"explained_fen": 12_000}, -2_000, id="a credit that did not arrive"),
        pytest.param({"rates_wh": (0, 0, 0, 15)}, Decimal("0.6"), id="a fraction of a fen"),
    ],
)
def test_the_rest_is_drift(changed, drift_fen):
    assert after(later(**changed)).drift_fen == drift_fen


def test_fractions_are_carried_and_do_not_add_up_to_drift():
    """15 Wh at 0.4 yuan are 0.6 fen: the meter deducts 0, 1, 0, 1, 1 fen, and is right."""
    points, point, owed = [], START, Decimal(0)
    for number in range(1, 101):
        owed += Decimal("0.6")
        point = later(point, rates_wh=(0, 0, 0, 15 * number), balance_fen=10_000 - int(owed))
        points.append(point)

    assert 0 <= after(*points).drift_fen < 1


def test_prices_not_known_are_no_drift_of_0():
    unknown = dataclasses.replace(START, prices=())
    track = drift.follow(drift.follow(None, unknown), later(prices=()))

    assert (track.drift_fen, track.whole_fen, track.since) == (None, None, None)
    assert drift.alarming(track, limit_fen=1, already=True) is False


def test_it_is_reckoned_from_where_prices_become_known():
    unknown = dataclasses.replace(START, prices=())
    known = later(balance_fen=9_000)

    track = drift.follow(drift.follow(None, unknown), known)

    assert (track.drift_fen, track.since) == (0, known.at)


@pytest.mark.parametrize(
    ("balance_fen", "drift_fen"),
    [(9_000, 0), (9_500, 0), (8_500, 0), (9_600, 100), (8_400, -100)],
)
def test_where_a_price_changed_any_mixture_of_old_and_new_explains(balance_fen, drift_fen):
    half, double = (tuple(price * n for price in PRICES) for n in (Decimal("0.5"), Decimal("1.5")))
    before = dataclasses.replace(START, prices=half)
    seen = later(before, prices=double, balance_fen=balance_fen, rates_wh=(0, 10_000, 0, 0))

    assert drift.follow(drift.follow(None, before), seen).drift_fen == drift_fen


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"prices": tuple(price * 2 for price in PRICES)}, id="another price"),
        pytest.param({"rates_wh": (0, 0, 0, -10)}, id="a register fell"),
        pytest.param({"step_wh": 100}, id="another ratio"),
        pytest.param({"rates_wh": (0,), "prices": PRICES[:1]}, id="other rates"),
    ],
)
def test_beginning_anew_hides_no_drift(step):
    seen = later(balance_fen=15_000)

    assert after(seen, later(seen, **step)).drift_fen == 5_000


def test_a_new_tenant_begins_with_what_was_taken_over():
    seen = later(balance_fen=15_000)

    track = after(seen, later(seen, installation=2))

    assert (track.drift_fen, track.since) == (0, NINE + 2 * HALF_HOUR)


def test_a_purchase_by_others_is_told_net_of_use_and_since_which_reading():
    seen = later(balance_fen=14_000, count=6, rates_wh=(0, 10_000, 0, 0))

    track = after(seen, later(seen))

    assert (track.moved_fen, track.moved_from) == (5_000, NINE)


def test_an_alarm_holds_until_half_of_the_limit():
    def alarms(drift_fen, *, already):
        return drift.alarming(
            Track(START, Decimal(drift_fen), NINE), limit_fen=500, already=already
        )

    unsure = drift.uncertainty_fen(START)
    assert unsure == 2 + 1 + 1 + 1 + 1  # 10 Wh of each rate, rounded up, and 1
    assert not alarms(500 + unsure, already=False)
    assert alarms(501 + unsure, already=False)
    assert alarms(-501 - unsure, already=False)
    assert alarms(251 + unsure, already=True)
    assert not alarms(250 + unsure, already=True)


def test_a_track_is_kept_exactly():
    track = after(later(balance_fen=9_999, count=6, rates_wh=(0, 0, 0, 15)))

    assert Track.from_json(track.to_json()) == track
    assert Track.from_json(drift.follow(None, later(prices=())).to_json()).drift_fen is None


uses = st.lists(st.lists(st.integers(0, 50_000), min_size=4, max_size=4), max_size=30)


@given(uses, st.lists(st.integers(1, 100_000), max_size=30))
def test_a_meter_that_deducts_exactly_never_drifts_by_a_fen_and_a_step(use, sales):
    """Registers count in steps of 10 Wh and whole fen; what is under way shows in neither."""
    wms, owed, balance_fen, explained_fen = [0, 0, 0, 0], Decimal(0), 10_000, 10_000
    point, track = START, drift.follow(None, START)
    for number, step in enumerate(use):
        wms = [total + used for total, used in zip(wms, step, strict=True)]
        owed += sum((wh * p / 10 for wh, p in zip(step, PRICES, strict=True)), Decimal(0))
        whole, owed = int(owed), owed - int(owed)
        sold = sales[number] if number < len(sales) else 0
        balance_fen += sold - whole
        explained_fen += sold
        rates = tuple(total // 10 * 10 for total in wms)
        point = later(point, balance_fen=balance_fen, explained_fen=explained_fen, rates_wh=rates)
        track = drift.follow(track, point)
    assert track.drift_fen is not None
    assert abs(track.drift_fen) <= drift.uncertainty_fen(point)


@given(uses, st.integers(-100_000, 100_000), st.integers(0, 29))
def test_what_is_stolen_stays_drift_to_the_fen(use, stolen_fen, when):
    rates, track, point = [0, 0, 0, 0], drift.follow(None, START), START
    balance_fen = Decimal(10_000)
    for number, step in enumerate(use):
        rates = [total + used * 10 for total, used in zip(rates, step, strict=True)]
        balance_fen -= sum((wh * p for wh, p in zip(step, PRICES, strict=True)), Decimal(0))
        if number == when:
            balance_fen += stolen_fen
        point = later(point, balance_fen=round(balance_fen), rates_wh=tuple(rates))
        track = drift.follow(track, point)

    assert track.drift_fen is not None
    expected = stolen_fen if when < len(use) else 0
    assert abs(track.drift_fen - expected) <= 1
