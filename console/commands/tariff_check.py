"""tariff check: reads a notation and shows a day of it, without any site."""

import argparse
import datetime as dt

from console import tariff_words
from console.commands.tariff import typed_day, typed_prices
from console.failures import Status, print_json
from engine import clock
from engine.domain.measurement import RATES
from engine.domain.tariff_calendar import Calendar, DayKind
from engine.domain.tariff_meter import Capacity, runs
from engine.domain.tariffs import Plan, parse_plan, questions
from engine.i18n import t


def check(args: argparse.Namespace) -> int:
    """Exit 1 with what is wrong, else the day's 24 hours, the prices by step, and who does what."""
    plan = parse_plan(typed_prices(args.prices), args.schedule, args.steps, args.cycle)
    day = typed_day(args.day) if args.day else clock.now().date()
    calendar = Calendar({day: DayKind(args.kind)} if args.kind else {})
    if args.json:
        print_json(_document(plan, day, calendar))
        return Status.DONE
    schedule = plan.day_schedule(day, calendar)
    if plan.parts:
        kind = t(f"tariff.kind.{calendar.day_kind(day)}")
        print(t("tariff.day", day=day.isoformat(), kind=kind))
        print("  0     6     12    18   23")
        print(f"  {tariff_words.strip(schedule)}   {t('tariff.letters')}")
        print(f"  {tariff_words.spans(schedule)}")
    else:
        print(t("tariff.no_schedule"))
    for used, prices in tariff_words.step_lines(plan):
        print(f"  {used}: {prices}")
    for text in (*map(tariff_words.question, questions(plan)), *_who_does(plan)):
        print(text)
    return Status.DONE


def _who_does(plan: Plan) -> list[str]:
    return tariff_words.who_does(runs(plan, Capacity()))


def _document(plan: Plan, day: dt.date, calendar: Calendar) -> dict[str, object]:
    who = runs(plan, Capacity())
    return {
        "schedule": plan.schedule,
        "steps": plan.steps_text,
        "cycle": plan.cycle_text,
        "day": day.isoformat(),
        "day_kind": calendar.day_kind(day).value,
        "day_schedule": str(plan.day_schedule(day, calendar)),
        "prices": [
            {
                "from_kwh": used,
                "prices": dict(zip(RATES, map(str, prices), strict=True)),
            }
            for used, prices in _priced(plan)
        ],
        "questions": [
            {"code": each.code, "rate": each.rate, "step": each.step, "found": each.found}
            for each in questions(plan)
        ],
        "seasons_by_meter": who.seasons_by_meter,
        "days_by_engine": who.days_by_engine,
        "steps_by_engine": who.steps_by_engine,
    }


def _priced(plan: Plan) -> list[tuple[str, tuple[object, ...]]]:
    if not plan.steps:
        return [("0", plan.prices)]
    return [(f"{step.start_wh / 1000:g}", step.of(plan.prices)) for step in plan.steps]
