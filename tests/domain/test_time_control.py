"""时控: what may be typed, the one way it is kept, what is on when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadTimeControl
from engine.domain.time_control import DAYS, SLOTS_MAX, Slot, TimeControl, canonical, parse


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("off", "off"),
        (" OFF ", "off"),
        ("不用", "off"),
        ("0:00 off, 6:00 on", "00:00 off, 06:00 on"),
        ("00:00 关，06:00 开、23:00 关", "00:00 off, 06:00 on, 23:00 off"),
        ("00:00 on; Sunday saturday 00:00 OFF", "00:00 on; Sat Sun 00:00 off"),
        ("00:00 on；周六，周日 00:00 关", "00:00 on; Sat Sun 00:00 off"),
        ("００：００ ｏｎ", "00:00 on"),
    ],
)
def test_is_kept_in_one_way_however_it_is_typed(typed, kept):
    assert canonical(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "form"),
        ("06:00 on", "first"),
        ("00:00 on, 25:00 off", "time"),
        ("00:00 on, 12:60 off", "time"),
        ("00:00 on, 24:00 off", "time"),
        ("00:00 on, 08:00 off, 08:00 on", "order"),
        ("00:00 on, 09:00 off, 08:00 on", "order"),
        ("00:00 maybe", "form"),
        ("=cmd()", "form"),
        ("00:00 on; Xmas 00:00 off", "days"),
        ("00:00 on; 00:00 off", "days"),
        ("00:00 on; Sat Sat 00:00 off", "days_twice"),
        ("00:00 on; Mon Tue Wed Thu Fri Sat Sun 00:00 off", "days_twice"),
        ("00:00 on; Sat 00:00 off; Sun 00:00 off", "lists"),
        (", ".join(f"{hour:02}:00 on" for hour in range(9)), "too_many"),
    ],
)
def test_what_is_no_time_control_says_why(typed, why):
    with pytest.raises(BadTimeControl) as refused:
        parse(typed)

    assert refused.value.params["why"] == why


def test_each_day_has_its_own_times():
    found = parse("00:00 off, 06:00 on, 23:00 off; Sat Sun 00:00 on")

    assert found is not None
    seen = [(found.on_at("Mon", minute), found.on_at("Sun", minute)) for minute in (0, 360, 1380)]
    assert seen == [(False, True), (True, True), (False, True)]


def _slots(found):
    rest = (Slot(minute, on) for minute, on in sorted(dict(found).items()))
    return (Slot(0, on=True), *rest)


later = st.tuples(st.integers(1, 1439), st.booleans())
slots = st.lists(later, max_size=SLOTS_MAX - 1).map(_slots)


@given(slots, slots, st.sets(st.sampled_from(DAYS), max_size=6))
def test_what_is_written_is_read_back(work, rest, days):
    control = TimeControl(work)
    if days:
        control = TimeControl(work, tuple(day for day in DAYS if day in days), rest)

    assert parse(control.text()) == control
