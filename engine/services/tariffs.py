"""Tariffs: a dated version is published once and never edited; which meters have which tariff."""

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation

from engine import clock
from engine.config import Config
from engine.domain import tariffs as rules
from engine.domain.errors import (
    BadTariff,
    BadTariffName,
    NoSuchTariff,
    NoSuchVersion,
    PriceAsked,
    TariffBackdated,
    TariffBegun,
    TariffPublished,
)
from engine.domain.measurement import RATES
from engine.domain.tariff_steps import plain
from engine.domain.tariffs import Plan, Question
from engine.services import audit, meters, operators, pricing
from models.base import next_rev, write_transaction
from models.enums import Right
from models.people import Operator
from models.site import Meter
from models.tariffs import Tariff, TariffVersion

NAME_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 200
JUMP = 3  # times dearer or cheaper than the version before: a slip of the decimal point


def publish(
    name: str,
    valid_from: dt.date,
    prices: Sequence[Decimal],
    schedule: str,
    steps: str,
    cycle: str,
    note: str,
    by: Operator,
    *,
    config: Config,
    asked: Collection[str] = (),
) -> TariffVersion:
    """A version of tariff `name` from the local day `valid_from` on; today: from now on.

    `prices` yuan/kWh by RATES. `asked`: prices that a person has typed again because they are
    out of the ordinary. Raises Forbidden, BadTariffName, BadTariff (notation, decimals),
    TariffBackdated, TariffPublished (that day already), PriceAsked; then nothing has changed.
    """
    checked_name(name)
    plan = rules.parse_plan(prices, schedule, steps, cycle)
    _require_printable(note)
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        today = pricing.local_day(clock.now(), config)
        if valid_from < today:
            raise TariffBackdated(day=valid_from.isoformat(), today=today.isoformat())
        require_unpublished(name, valid_from)
        require_answered(questions_of(plan, before_of(name, valid_from), config), asked)
        return publish_within(name, valid_from, plan, note, by)


def publish_within(
    name: str, valid_from: dt.date, plan: Plan, note: str, by: Operator | None
) -> TariffVersion:
    """The same as part of another verb, which has checked. `by` None: an import."""
    tariff = Tariff.get_or_none(Tariff.name == name) or Tariff.create(name=name)
    version: TariffVersion = TariffVersion.create(
        tariff=tariff,
        valid_from=valid_from.isoformat(),
        schedule=plan.schedule,
        steps=plan.steps_text,
        cycle=plan.cycle_text,
        note=note.strip(),
        published_at=clock.now(),
        published_by=by,
        **{
            f"price_{rate}": price.quantize(rules.PRICE_SCALE)
            for rate, price in zip(RATES, plan.prices, strict=True)
        },
    )
    audit.write(by.name if by else audit.SYSTEM, "tariff_publish", name, document(version))
    return version


def withdraw(
    name: str, valid_from: dt.date, why: str, by: Operator, *, config: Config
) -> TariffVersion:
    """Before its day: as if it had not been published; the row stays.

    Raises Forbidden, NoSuchVersion, TariffBegun (it is in force, or was).
    """
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        version = of_day(name, valid_from)
        if version is None:
            raise NoSuchVersion(tariff=name, day=valid_from.isoformat())
        if valid_from <= pricing.local_day(clock.now(), config):
            raise TariffBegun(tariff=name, day=valid_from.isoformat())
        TariffVersion.update(withdrawn_at=clock.now(), withdrawn_by=by).where(
            TariffVersion.id == version.id
        ).execute()
        detail = {"valid_from": version.valid_from, "why": why}
        audit.write(by.name, "tariff_withdraw", name, detail)
        found: TariffVersion = TariffVersion.get_by_id(version.id)
        return found


def assign(serials: Sequence[str], tariff: str | None, by: Operator) -> int:
    """These meters are to have `tariff` (None: the site's prices); how many had another.

    Nothing is sent: a price download does that, or the tariff's next boundary. Raises Forbidden,
    NoSuchTariff, NoSuchMeter, MeterRetired; then nothing has changed.
    """
    with write_transaction():
        operators.require(by, Right.TARIFFS)
        if tariff is not None:
            require_tariff(tariff)
        found = [meters.living(serial) for serial in dict.fromkeys(serials)]
        other = [meter for meter in found if meter.tariff != tariff]
        rev = next_rev(Meter)
        for meter in other:
            values = {"tariff": tariff, "tariff_at": clock.now(), "rev": rev}
            Meter.update(**values).where(Meter.id == meter.id).execute()
            detail = {"was": meter.tariff, "now": tariff}
            audit.write(by.name, "tariff_assign", meter.serial, detail)
        return len(other)


def require_tariff(name: str) -> Tariff:
    """Raises NoSuchTariff."""
    found = Tariff.get_or_none(Tariff.name == name)
    if found is None:
        known = ", ".join(row.name for row in Tariff.select().order_by(Tariff.name))
        raise NoSuchTariff(tariff=name, known=known or "-")
    assert isinstance(found, Tariff)
    return found


def require_unpublished(name: str, valid_from: dt.date) -> None:
    """Raises TariffPublished: a version is never edited; one that has not begun is withdrawn."""
    if of_day(name, valid_from) is not None:
        raise TariffPublished(tariff=name, day=valid_from.isoformat())


def of_day(name: str, valid_from: dt.date) -> TariffVersion | None:
    """The version of exactly that day, not withdrawn."""
    found: TariffVersion | None = (
        TariffVersion.select(TariffVersion, Tariff)
        .join(Tariff)
        .where(
            Tariff.name == name,
            TariffVersion.valid_from == valid_from.isoformat(),
            TariffVersion.withdrawn_at.is_null(),
        )
        .first()
    )
    return found


def before_of(name: str, valid_from: dt.date) -> Plan | None:
    """What would hold on `valid_from` without a version of that day."""
    version = pricing.version_of(name, valid_from - dt.timedelta(days=1))
    return None if version is None else pricing.plan_from(version)


def questions_of(plan: Plan, before: Plan | None, config: Config) -> list[Question]:
    """Everything out of the ordinary, each once: dear, free, in a wrong order, a jump."""
    limit = config.control.price_ask_from
    asked = [each for each in rules.questions(plan) if each.code != "high"]
    for number, step in enumerate(plan.steps or (None,), start=1):
        prices = step.of(plan.prices) if step else plan.prices
        asked += [
            Question("high", rate, number, plain(price))
            for rate, price in zip(RATES, prices, strict=True)
            if price > limit
        ]
    for rate, now, then in zip(RATES, plan.prices, before.prices if before else (), strict=False):
        if then and now and not then / JUMP <= now <= then * JUMP:
            asked.append(Question("jump", rate, 1, plain(now)))
    return asked


def require_answered(questions: Sequence[Question], asked: Collection[str]) -> None:
    """A price is answered for by being typed again. Raises PriceAsked with those that are not."""
    typed = {_price(text) for text in asked}
    open_ = [each for each in questions if Decimal(each.found) not in typed]
    if open_:
        prices = list(dict.fromkeys(each.found for each in open_))
        details = [[each.code, str(each.rate), each.step, each.found] for each in open_]
        raise PriceAsked(prices=", ".join(prices), questions=details)


def checked_name(name: str) -> str:
    """Raises BadTariffName."""
    if not name.strip() or name != name.strip() or len(name) > NAME_LENGTH_MAX:
        raise BadTariffName(name=name[:40], most=NAME_LENGTH_MAX)
    if not name.isprintable() or name[0] in "=+-@":
        raise BadTariffName(name=name[:40], most=NAME_LENGTH_MAX)
    return name


def document(version: TariffVersion) -> dict[str, object]:
    """All that a version says, for the log."""
    prices = {f"price_{rate}": str(getattr(version, f"price_{rate}")) for rate in RATES}
    texts = {name: getattr(version, name) for name in ("schedule", "steps", "cycle", "note")}
    return {"valid_from": version.valid_from, **prices, **texts}


def _price(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def _require_printable(note: str) -> None:
    if len(note) > TEXT_LENGTH_MAX or not note.isprintable():
        raise BadTariff(where="note", why="bad_note", number=1, found=note[:20])
