"""Whatever tariff is typed: one way to write it, one rate a minute, energy and money add up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.tariff_bill import Use, bill
from engine.domain.tariff_calendar import Calendar, DayKind
from engine.domain.tariff_meter import Capacity, held, whole_year
from engine.domain.tariff_schedule import RATES, parse_day, schedule_for
from engine.domain.tariffs import Plan, next_boundary, parse_plan

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 10, 24, 22, tzinfo=UTC)  # the local day of 25 hours begins
few = settings(max_examples=25, deadline=None)

prices = st.integers(0, 50_000).map(lambda raw: Decimal(raw) / 10_000)
rates = st.sampled_from([str(rate) for rate in RATES])


@st.composite
def days(draw: st.DrawFn) -> str:
    minutes = draw(st.sets(st.integers(1, 1439), max_size=13))
    return ", ".join(f"{at // 60:02d}:{at % 60:02d} {draw(rates)}" for at in (0, *sorted(minutes)))


@st.composite
def schedules(draw: st.DrawFn) -> str:
    """All days, and seasons of whole months that do not meet, for each kind of day or none."""
    parts = [draw(days())]
    for kind in ("", "workdays ", "weekends ", "holidays "):
        months = sorted(draw(st.sets(st.integers(1, 12), max_size=4)))
        for first, last in zip(months[::2], months[1::2], strict=False):
            parts.append(f"{first:02d}-01..{last:02d}-15 {kind}{draw(days())}")
        if kind and draw(st.booleans()):
            parts.append(kind + draw(days()))
    return "; ".join(draw(st.permutations(parts)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    bounds = sorted(draw(st.sets(st.integers(1, 40), max_size=3)))
    ends = [*map(str, bounds), ""]
    steps = "; ".join(
        f"{start}-{end}: +{draw(prices)}" for start, end in zip([0, *bounds], ends, strict=True)
    )
    cycle = draw(st.sampled_from(["monthly", "monthly 25", "monthly 26", "yearly 10-25"]))
    four = draw(st.lists(prices, min_size=4, max_size=4))
    return parse_plan(four, draw(schedules()), steps, cycle)


calendars = st.dictionaries(
    st.integers(0, 60).map(lambda ahead: date(2026, 10, 1) + timedelta(days=ahead)),
    st.sampled_from(DayKind),
).map(Calendar)


@few
@given(plans())
def test_the_canonical_text_says_the_same(plan: Plan) -> None:
    again = parse_plan(plan.prices, plan.schedule, plan.steps_text, plan.cycle_text)

    assert again == plan
    assert again.schedule == plan.schedule


@few
@given(plans(), calendars)
def test_every_minute_of_a_year_has_exactly_one_rate(plan: Plan, calendar: Calendar) -> None:
    for ahead in range(366):
        spans = list(plan.day_schedule(date(2028, 1, 1) + timedelta(days=ahead), calendar).spans())
        assert spans[0][0] == 0
        assert spans[-1][1] == 1440
        assert all(one[1] == two[0] for one, two in pairwise(spans))
        assert all(start < end for start, end, _ in spans)


@few
@given(plans(), calendars, st.lists(st.integers(0, 5000), min_size=1, max_size=80))
def test_hours_add_up_to_the_whole_and_steps_part_the_energy(
    plan: Plan, calendar: Calendar, watts: list[int]
) -> None:
    hour = timedelta(hours=1)
    uses = [Use(START + n * hour, START + (n + 1) * hour, power) for n, power in enumerate(watts)]

    whole = bill(plan, calendar, ZONE, uses)

    assert whole.wh == sum(watts)
    assert sum(whole.step_wh(number + 1) for number in range(len(plan.steps))) == sum(watts)
    assert sum(whole.rate_wh(rate) for rate in RATES) == sum(watts)
    assert whole.used_wh <= sum(watts)


@few
@given(plans(), calendars, st.integers(0, 5000), st.integers(1, 200_000))
def test_where_a_use_is_cut_in_two_changes_nothing(
    plan: Plan, calendar: Calendar, watts: int, cut_s: int
) -> None:
    end, cut = START + timedelta(days=3), START + timedelta(seconds=cut_s)

    whole = bill(plan, calendar, ZONE, [Use(START, end, watts)])
    parts = bill(plan, calendar, ZONE, [Use(START, cut, watts), Use(cut, end, watts)])

    assert parts.cost == whole.cost
    assert parts.used_wh == whole.used_wh


@few
@given(plans(), calendars, st.integers(0, 50_000), st.integers(1, 2), st.integers(0, 4))
def test_what_a_meter_is_to_hold_always_fits_and_gives_the_days_rates(
    plan: Plan, calendar: Calendar, used_wh: int, schedules: int, zones: int
) -> None:
    capacity = Capacity(schedules=schedules, zones=zones)
    for day in (date(2026, 10, 1), date(2026, 12, 31), date(2028, 2, 29)):
        wanted = held(plan, calendar, day, used_wh, capacity)
        entries = str(wanted.get("zones", "")).split(", ") if wanted.get("zones") else []
        assert len(entries) <= zones
        assert ("schedule2" in wanted) == (schedules == 2)
        number = 1
        for entry in entries:
            since, which = entry.split()
            number = int(which) if since <= f"{day:%m-%d}" else number
        in_force = parse_day(str(wanted[f"schedule{number}"]))
        assert in_force == plan.day_schedule(day, calendar)
        assert len(in_force.switches) <= capacity.slots


@few
@given(plans(), calendars)
def test_until_the_next_boundary_nothing_changes(plan: Plan, calendar: Calendar) -> None:
    day = date(2026, 10, 1)
    boundary = next_boundary(plan, calendar, day)
    assert boundary is not None  # a cycle begins some day

    between = (day + timedelta(days=ahead) for ahead in range((boundary - day).days))
    assert {str(plan.day_schedule(each, calendar)) for each in between} == {
        str(plan.day_schedule(day, calendar))
    }


@few
@given(plans())
def test_a_year_that_fits_needs_no_kinds_of_day(plan: Plan) -> None:
    year = whole_year(plan, Capacity())

    if year is not None:
        assert {
            schedule_for(plan.parts, part.season.first, kind)
            for part in plan.parts
            if part.season
            for kind in DayKind
        } <= {*year.schedules}
