"""A tariff's version as rules: what a kWh costs at an instant, and what changes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from engine.domain.errors import BadTariff
from engine.domain.tariff_calendar import Calendar, MonthDay
from engine.domain.tariff_schedule import (
    RATES,
    SWITCHES_MAX,
    DaySchedule,
    Part,
    parse_schedule,
    schedule_for,
    schedule_text,
)
from engine.domain.tariff_steps import (
    Cycle,
    Prices,
    Step,
    parse_cycle,
    parse_steps,
    plain,
    steps_text,
)

PRICE_SCALE = Decimal("0.0001")  # yuan/kWh that one step of the meters' price register is worth
REGISTER_MAX = 0xFFFF_FFFF
PRICE_ASKED_ABOVE = Decimal(5)  # yuan/kWh: no supplier's price, so a person is asked
BOUNDARY_DAYS_MAX = 800  # a cycle begins at least once a year


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a tariff. Without parts the meter's own schedule is left alone."""

    prices: Prices  # yuan/kWh in the order of RATES, of the first step
    parts: tuple[Part, ...] = ()
    steps: tuple[Step, ...] = ()
    cycle: Cycle | None = None

    @property
    def schedule(self) -> str:
        """Canonical text, as is stored in `tariffs.schedule`."""
        return schedule_text(self.parts)

    @property
    def steps_text(self) -> str:
        return steps_text(self.steps)

    @property
    def cycle_text(self) -> str:
        return str(self.cycle or "")

    @property
    def clockless(self) -> bool:
        """What a kWh costs needs no schedule: at each step the four prices are one."""
        every = [step.of(self.prices) for step in self.steps] or [self.prices]
        return all(len(set(prices)) == 1 for prices in every)

    def day_schedule(self, day: date, calendar: Calendar) -> DaySchedule:
        """The most specific part's of that day; flat all day where the plan has no parts."""
        return schedule_for(self.parts, MonthDay.of(day), calendar.day_kind(day))

    def step_number(self, used_wh: int) -> int:
        """0 for the first. What is used up to a boundary belongs below it, the next Wh above."""
        return max((n for n, step in enumerate(self.steps) if step.start_wh <= used_wh), default=0)

    def prices_at(self, used_wh: int) -> Prices:
        """Of the next Wh, when `used_wh` were used in the cycle so far."""
        if not self.steps:
            return self.prices
        return self.steps[self.step_number(used_wh)].of(self.prices)


def parse_plan(
    prices: Sequence[Decimal],
    schedule: str,
    steps: str = "",
    cycle: str = "",
    *,
    price_scale: Decimal = PRICE_SCALE,
    switches_max: int = SWITCHES_MAX,
) -> Plan:
    """A version from its prices (in the order of RATES) and its three texts (docs/tariffs.md).

    Raises BadTariff(where, why, number, found): where is the column, number the part or step.
    """
    sharp, peak, flat, valley = prices
    plan = Plan(
        (sharp, peak, flat, valley),
        parse_schedule(schedule, switches_max=switches_max),
        parse_steps(steps),
        parse_cycle(cycle),
    )
    if plan.steps and plan.cycle is None:
        raise BadTariff(where="cycle", why="no_cycle", number=1, found="")
    if plan.cycle is not None and not plan.steps:
        raise BadTariff(where="steps", why="no_steps", number=1, found=str(plan.cycle))
    for rate, price in zip(RATES, plan.prices, strict=True):
        _check_price(price, price_scale, where=f"price_{rate}", number=1)
    for number, step in enumerate(plan.steps, start=1):
        for price in step.of(plan.prices):
            _check_price(price, price_scale, where="steps", number=number)
    return plan


def _check_price(price: Decimal, scale: Decimal, *, where: str, number: int) -> None:
    of_step = "step_" if where == "steps" else ""
    if not price.is_finite():
        raise BadTariff(where=where, why="not_a_price", number=number, found=str(price))
    if price < 0:
        raise BadTariff(where=where, why=f"{of_step}negative", number=number, found=plain(price))
    if price % scale:
        why = f"{of_step}too_many_decimals"
        raise BadTariff(where=where, why=why, number=number, found=plain(price), scale=plain(scale))
    if price / scale > REGISTER_MAX:
        raise BadTariff(where=where, why=f"{of_step}too_large", number=number, found=plain(price))


@dataclass(frozen=True, slots=True)
class Question:
    """What is allowed and unlikely: text `tariff.question_<code>`, with rate, step and found."""

    code: str  # high, free, order
    rate: str
    step: int  # 1 for the first, also where there are no steps
    found: str


def questions(plan: Plan) -> list[Question]:
    """To be asked of a person before the version is published."""
    asked = []
    for number, step in enumerate(plan.steps or (Step(0),), start=1):
        prices = step.of(plan.prices)
        for rate, price in zip(RATES, prices, strict=True):
            if price > PRICE_ASKED_ABOVE:
                asked.append(Question("high", rate, number, plain(price)))
            if price == 0:
                asked.append(Question("free", rate, number, "0"))
        for dearer, cheaper in ((0, 1), (1, 2), (2, 3)):
            if prices[dearer] < prices[cheaper]:
                asked.append(Question("order", RATES[dearer], number, plain(prices[dearer])))
    return asked


def cycle_start(plan: Plan, day: date) -> date:
    """The local day on which the step cycle of `day` began; without steps `day` itself."""
    return day if plan.cycle is None else plan.cycle.start(day)


def next_step_wh(plan: Plan, used_wh: int) -> int | None:
    """Used energy at which the next step begins; None on the last, or without steps."""
    return next((step.start_wh for step in plan.steps if step.start_wh > used_wh), None)


def next_boundary(plan: Plan, calendar: Calendar, day: date) -> date | None:
    """The next local day, after `day`, at whose midnight schedule or cycle changes; None: never."""
    now = plan.day_schedule(day, calendar)
    for ahead in range(1, BOUNDARY_DAYS_MAX):
        later = day + timedelta(days=ahead)
        if plan.cycle is not None and plan.cycle.start(later) == later:
            return later
        if plan.day_schedule(later, calendar) != now:
            return later
    return None
