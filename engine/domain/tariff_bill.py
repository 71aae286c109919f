"""What energy costs by a tariff, exactly, as a meter deducts it; and what a late change cost.

Nothing is rounded on the way: energy is counted in fractions of a Wh and cost in fractions of a
fen. Of a period's cost the meter has deducted the whole fen and carries the rest on, so
`Bill.cost_fen` is cut, once, at the end; the costs of two periods are added before they are cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction

from engine.domain.errors import BadTariff
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_schedule import DAY_MIN, RATES, DaySchedule, Part, Rate
from engine.domain.tariff_steps import Prices
from engine.domain.tariffs import Plan
from engine.domain.units import nearest_fen, whole_fen

HOUR_S = 3600
SECOND = timedelta(seconds=1)
Versions = Sequence[tuple[date, Plan]]  # each from its local day on, ascending


@dataclass(frozen=True, slots=True)
class Use:
    """Energy drawn evenly in `[start, end)`, both aware."""

    start: datetime
    end: datetime
    power_w: int | Fraction

    @classmethod
    def of_wh(cls, start: datetime, end: datetime, wh: int) -> "Use":
        return cls(start, end, Fraction(wh) / _hours(start, end))


@dataclass(frozen=True, slots=True)
class BillLine:
    """The energy of one rate in one step of one cycle, and its cost in fractions of a fen."""

    cycle_on: date | None  # the cycle's first day; None without steps
    step: int  # 1 for the first
    rate: Rate
    price: Decimal
    wh: Fraction
    cost: Fraction


@dataclass(frozen=True, slots=True)
class Bill:
    lines: tuple[BillLine, ...]
    used_wh: Fraction  # in the cycle, at the end

    @property
    def cost(self) -> Fraction:
        return sum((line.cost for line in self.lines), Fraction(0))

    @property
    def cost_fen(self) -> int:
        return whole_fen(self.cost)

    @property
    def wh(self) -> Fraction:
        return sum((line.wh for line in self.lines), Fraction(0))

    def rate_wh(self, rate: Rate) -> Fraction:
        return sum((line.wh for line in self.lines if line.rate is rate), Fraction(0))

    def step_wh(self, step: int) -> Fraction:
        return sum((line.wh for line in self.lines if line.step == step), Fraction(0))


def bill(
    plan: Plan, calendar: Calendar, zone: tzinfo, uses: Iterable[Use], used_wh: int = 0
) -> Bill:
    """Of one version. `uses` in order of time; `used_wh` in the cycle when the first begins.

    Raises BadTariff(why=`no_schedule`) where only the meter's own schedule could say the rate.
    """
    return bill_of_versions(((date.min, plan),), calendar, zone, uses, used_wh)


def bill_of_versions(
    versions: Versions, calendar: Calendar, zone: tzinfo, uses: Iterable[Use], used_wh: int = 0
) -> Bill:
    """The same over several versions: each day by the last that is valid from it or before.

    A version with the same cycle goes on with the energy used in it; one with another cycle
    begins to count on its own day.
    """
    used, cycle_now = Fraction(used_wh), None
    sums: dict[tuple[date | None, int, Rate, Decimal], Fraction] = {}
    for start, end, power_w in _moments(uses, zone):
        day = start.date()
        plan = max(((since, each) for since, each in versions if since <= day), key=_since)[1]
        if not plan.parts and not plan.clockless:
            raise BadTariff(where="schedule", why="no_schedule", number=1, found="")
        cycle = (plan.cycle, plan.cycle.start(day)) if plan.cycle else None
        if cycle_now not in (None, cycle):
            used = Fraction(0)
        cycle_now = cycle
        for slice_start, slice_end, rate in _slices(plan.day_schedule(day, calendar), start, end):
            energy = power_w * _hours(slice_start, slice_end)
            for step, price, wh in _by_step(plan, rate, used, energy):
                key = (cycle[1] if cycle else None, step, rate, price)
                sums[key] = sums.get(key, Fraction(0)) + wh
            used += energy
    lines = (BillLine(*key, wh, wh * Fraction(key[3]) / 10) for key, wh in sums.items())
    return Bill(tuple(lines), used)


def difference_fen(
    plan: Plan,
    used_from_wh: int,
    used_to_wh: int,
    rate_wh: Sequence[int],
    charged: Sequence[Decimal],
) -> int:
    """What a span should have cost by `plan` less what it did cost at the prices `charged`.

    Above 0: too little was deducted. The span is the cycle's energy from `used_from_wh` to
    `used_to_wh`; `rate_wh` says how it lies in the four rates (only the proportion counts, as
    the meters' rate counters are coarse). Where steps begin within the span, each rate's energy
    is taken to be spread evenly over it: exact wherever a step adds the same to all four prices.
    """
    total_wh, known_wh = used_to_wh - used_from_wh, sum(rate_wh)
    if total_wh <= 0:
        return 0
    assert known_wh > 0, "energy without a rate"
    difference = Fraction(0)
    for rate, of_rate_wh in zip(RATES, rate_wh, strict=True):
        share = Fraction(of_rate_wh, known_wh)
        for _, price, wh in _by_step(plan, rate, Fraction(used_from_wh), Fraction(total_wh)):
            difference += share * wh * Fraction(price - charged[rate.place]) / 10
    return nearest_fen(difference)


def late_fen(
    plan: Plan,
    calendar: Calendar,
    zone: tzinfo,
    span: Use,
    *,
    used_from_wh: int,
    charged: Sequence[Decimal],
    schedule: DaySchedule,
) -> int:
    """The same where the meter also stood on another `schedule` than the plan's, or may have.

    Taken evenly over the span's time. A plan without a schedule of its own keeps the meter's.
    """
    sharp, peak, flat, valley = charged
    stood = Plan((sharp, peak, flat, valley), (Part(schedule),))
    due = plan if plan.parts else replace(plan, parts=stood.parts)
    should = bill(due, calendar, zone, [span], used_from_wh)
    return nearest_fen(should.cost - bill(stood, calendar, zone, [span]).cost)


def prices_of(values: Sequence[str]) -> Prices:
    """Four prices from what a meter holds as text, in the order of RATES."""
    sharp, peak, flat, valley = (Decimal(value) for value in values)
    return sharp, peak, flat, valley


def _since(version: tuple[date, Plan]) -> date:
    return version[0]


def _hours(start: datetime, end: datetime) -> Fraction:
    """True hours between two aware instants, also over a night in which the clock changes."""
    gone = end.astimezone(UTC) - start.astimezone(UTC)
    return Fraction(gone // timedelta(microseconds=1), HOUR_S * 1_000_000)


def _moments(
    uses: Iterable[Use], zone: tzinfo
) -> Iterator[tuple[datetime, datetime, int | Fraction]]:
    """Each use cut where a local day ends, and where the clock is put forward or back."""
    for use in uses:
        start, last = use.start.astimezone(UTC), use.end.astimezone(UTC)
        while start < last:
            local = start.astimezone(zone)
            midnight = local.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
            left = midnight + timedelta(days=1) - local.replace(tzinfo=None)
            end = min(last, _before_clock_change(start, start + left, zone))
            yield local, end.astimezone(zone), use.power_w
            start = end


def _before_clock_change(start: datetime, end: datetime, zone: tzinfo) -> datetime:
    """`end`, or the instant before it at which the zone's offset changes (found to the second)."""
    offset = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return end
    same, other = start.replace(microsecond=0), end
    while other - same > SECOND:
        middle = (same + (other - same) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            same = middle
        else:
            other = middle
    return other


def _slices(
    schedule: DaySchedule, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, Rate]]:
    """`[start, end)` of one local day and one offset, by rate."""
    offset = start.utcoffset()
    began, ends = start.astimezone(UTC), end.astimezone(UTC)
    assert offset is not None
    wall = start.replace(tzinfo=None)
    midnight = began - (wall - wall.replace(hour=0, minute=0, second=0, microsecond=0))
    for first_min, last_min, rate in schedule.spans():
        first = max(began, midnight + timedelta(minutes=first_min))
        last = min(ends, midnight + timedelta(minutes=last_min or DAY_MIN))
        if first < last:
            yield first, last, rate


def _by_step(
    plan: Plan, rate: Rate, used: Fraction, energy: Fraction
) -> Iterator[tuple[int, Decimal, Fraction]]:
    """(step, price, Wh) of `energy` that is used after `used` in the cycle."""
    steps = plan.steps
    number = plan.step_number(int(used)) if steps else 0
    while energy > 0:
        price = (steps[number].of(plan.prices) if steps else plan.prices)[rate.place]
        room = energy
        if number + 1 < len(steps):
            room = min(energy, steps[number + 1].start_wh - used)
        yield number + 1, price, room
        used, energy, number = used + room, energy - room, number + 1
