"""Tariffs in an import: notation, and that what is published is never edited."""

import datetime as dt
from itertools import groupby

from engine.domain.errors import BadTariff
from engine.domain.measurement import RATES
from engine.domain.tariffs import Plan as TariffPlan
from engine.domain.tariffs import parse_plan
from engine.services import pricing, tariffs
from engine.services.import_plan import Plan, Record
from models.tariffs import Tariff


def check(plan: Plan, today: dt.date) -> None:
    """Add to `plan` what is wrong with its tariffs.

    A version of a past day is taken with a tariff that is new to the site; later on what has
    been used is not priced anew.
    """
    rows = sorted(plan.records["tariffs"], key=lambda row: str(row["tariff"]))
    for name, versions in groupby(rows, key=lambda row: str(row["tariff"])):
        is_new = not Tariff.select().where(Tariff.name == name).exists()
        for row in versions:
            _check(row, plan, today, is_new=is_new)


def _check(row: Record, plan: Plan, today: dt.date, *, is_new: bool) -> None:
    try:
        wanted = plan_of(row)
    except BadTariff as error:
        column = str(error.params["where"])
        plan.errors.append(row.problem("bad_tariff", column, **error.params))
        return
    day = dt.date.fromisoformat(row["valid_from"])
    known = tariffs.of_day(row["tariff"], day)
    if known is not None and pricing.plan_from(known) != wanted:
        found = f"{row['tariff']} {row['valid_from']}"
        plan.errors.append(row.problem("version_published", "valid_from", found=found))
    elif known is None and day < today and not is_new:
        plan.errors.append(row.problem("version_backdated", "valid_from", found=row["valid_from"]))


def plan_of(row: Record) -> TariffPlan:
    """What the row says. Raises BadTariff."""
    prices = [row[f"price_{rate}"] for rate in RATES]
    return parse_plan(prices, row["schedule"], row["steps"], row["cycle"])
