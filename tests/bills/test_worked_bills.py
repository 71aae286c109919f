"""Worked bills: by hand, by the rules, by a practice meter that deducts: one figure, to the fen.

Each case is a file beside this one. Its `working` is arithmetic that a reader can follow; what is
an equation there is checked too.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.domain.tariff_bill import Bill, Use, bill_of_versions
from engine.domain.tariff_calendar import Calendar
from engine.domain.tariff_meter import runs
from engine.domain.tariff_schedule import RATES
from engine.domain.tariffs import Plan, parse_plan
from tests.bills.practice import CAPACITY, CREDIT_FEN, drive, new_meter

FILES = sorted(Path(__file__).parent.glob("*.toml"))
EQUATION = re.compile(r"^([\d.x+\-/() ]+) = ([\d.]+)", re.MULTILINE)
MIDNIGHT = time()


@dataclass(frozen=True)
class Case:
    told: dict[str, Any]
    zone: ZoneInfo
    versions: tuple[tuple[date, Plan], ...]
    calendar: Calendar
    uses: list[Use]  # by the meter's own (primary) power, cut at midnights and clock changes
    used_wh: int

    @property
    def expected(self) -> dict[str, Any]:
        return self.told["expected"]

    def plan_on(self, day: date) -> Plan:
        return [plan for since, plan in self.versions if since <= day][-1]

    @property
    def runs_alone(self) -> bool:
        """One version, and the meter holds all of it."""
        (_, plan), *later = self.versions
        done = runs(plan, CAPACITY)
        return not (later or done.days_by_engine or done.steps_by_engine)

    def bill(self) -> Bill:
        return bill_of_versions(self.versions, self.calendar, self.zone, self.uses, self.used_wh)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    return load(request.param)


def load(path: Path) -> Case:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    versions = tuple(
        (
            each.get("from", told["from"]),
            parse_plan(
                [Decimal(price) for price in each["prices"]],
                each.get("schedule", ""),
                each.get("steps", ""),
                each.get("cycle", ""),
            ),
        )
        for each in told["version"]
    )
    days = {date.fromisoformat(day): kind for day, kind in told.get("calendar", {}).items()}
    zone = ZoneInfo(told["zone"])
    return Case(
        told,
        zone,
        versions,
        Calendar.of(days.items()),
        uses_of(told, zone),
        told.get("used_kwh", 0) * 1000,
    )


def uses_of(told: dict[str, Any], zone: ZoneInfo) -> list[Use]:
    """Every instant at which the load, the day or the offset of the clock may change, in order."""
    loads = [
        (*(minute_of(text) for text in each["hours"].split("-")), each["watts"])
        for each in told["load"]
    ]
    edges = {0} | {minute for first, last, _ in loads for minute in (first, last)}
    day, instants = told["from"], set()
    while day < told["to"]:
        midnight = datetime.combine(day, MIDNIGHT)
        for minute in edges:
            wall = midnight + timedelta(minutes=minute)
            instants.add(wall.replace(tzinfo=zone).astimezone(UTC))
        instants |= clock_changes(day, zone)
        day += timedelta(days=1)
    ends = sorted({*instants, datetime.combine(day, MIDNIGHT, zone).astimezone(UTC)})
    uses = []
    for start, end in pairwise(ends):
        wall = start.astimezone(zone)
        now = wall.hour * 60 + wall.minute
        watts = sum(power for first, last, power in loads if first <= now < last)
        uses.append(Use(start, end, watts * told.get("ct_ratio", 1)))
    return uses


def minute_of(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def clock_changes(day: date, zone: ZoneInfo) -> set[datetime]:
    start = datetime.combine(day, MIDNIGHT, zone).astimezone(UTC)
    hours = [start + timedelta(hours=number) for number in range(26)]
    return {
        later
        for sooner, later in pairwise(hours)
        if sooner.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()
    }


def test_there_are_at_least_forty() -> None:
    assert len(FILES) >= 40


def test_the_rules_agree_with_the_hand(case: Case) -> None:
    bill = case.bill()

    assert bill.cost_fen == case.expected["fen"]
    rate_wh = [case.expected[f"{rate}_wh"] for rate in RATES]
    assert [bill.rate_wh(rate) for rate in RATES] == rate_wh
    if steps_wh := case.expected.get("steps_wh"):
        assert [bill.step_wh(number) for number in range(1, len(steps_wh) + 1)] == steps_wh
        assert bill.wh == sum(steps_wh)


def test_a_meter_that_deducts_agrees_with_the_hand(case: Case) -> None:
    meter = new_meter(case.uses[0].start, case.told.get("ct_ratio", 1))

    sent = drive(meter, case.plan_on, case.calendar, case.zone, case.uses, case.used_wh)

    rate_wh = [case.expected[f"{rate}_wh"] for rate in RATES]
    assert meter.energy_wh == sum(rate_wh)
    assert CREDIT_FEN - meter.balance_fen == case.expected["fen"]
    if case.versions[0][1].parts:  # else the rates are counted by the meter's own schedule
        assert meter.rate_wh == rate_wh
    if case.runs_alone:
        assert len(sent) == 1
    if (downloads := case.expected.get("downloads")) is not None:
        assert len(sent) == downloads


def test_the_working_is_right_arithmetic(case: Case) -> None:
    for left, right in EQUATION.findall(case.expected["working"]):
        exact = re.sub(r"[\d.]+", r'Decimal("\g<0>")', left.replace("x", "*"))
        assert eval(exact, {"Decimal": Decimal}) == Decimal(right), left


def test_the_working_ends_at_the_expected_amount(case: Case) -> None:
    """In yuan, of which the fen are cut."""
    _, yuan = EQUATION.findall(case.expected["working"])[-1]

    assert int(Decimal(yuan) * 100) == case.expected["fen"]
