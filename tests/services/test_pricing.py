"""Boundaries of tariffs on a standing clock: what the engine writes down, once, and its cost."""

import dataclasses
import datetime as dt
import json
import time
from decimal import Decimal

import pytest

from engine.config import Config, SiteSection
from engine.domain.errors import (
    ChangeSettled,
    Forbidden,
    NoSuchChange,
    NothingToSettle,
    StaleEngine,
)
from engine.services import (
    calendars,
    downloads,
    exchange_install,
    operators,
    price_changes,
    price_watch,
    pricing,
    stepping,
    tariffs,
)
from models import base
from models.accounts import Installation
from models.base import tuples
from models.cases import Exchange
from models.commands import Command
from models.enums import (
    ChangeCause,
    CommandKind,
    CommandState,
    ExchangeStep,
    Role,
    SpecialDayKind,
)
from models.metering import Latest
from models.people import Operator
from models.tariffs import PriceChange, StepCycle

from .conftest import EPOCH

CONFIG = Config()
FLAT = [Decimal("0.7")] * 4
DEARER = [Decimal("0.9")] * 4
STEPS = "0-240: +0; 240-400: +0.05; 400-: +0.30"
TOU = [Decimal("1.2"), Decimal("1.0"), Decimal("0.7"), Decimal("0.4")]
DAYS = "00:00 flat, 08:00 peak; holidays 00:00 valley"


@pytest.fixture
def chief(db, clock) -> Operator:
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def publish(chief):
    def one(day: str, prices=FLAT, schedule="", steps="", cycle="", name="商铺", asked=()):
        return tariffs.publish(
            name, dt.date.fromisoformat(day), prices, schedule, steps, cycle, "", chief,
            config=CONFIG, asked=asked,
        )  # fmt: skip

    return one


@pytest.fixture
def look(lease):
    """One look of the agenda, or as many as a second has."""

    def one(times: int = 2) -> bool:
        return sum(price_watch.keep_up(CONFIG, EPOCH) for _ in range(times)) > 0

    return one


@pytest.fixture
def has(chief, look):
    """The meters have the tariff, and were told its prices."""

    def one(*meters, name: str = "商铺", told: bool = True) -> None:
        tariffs.assign([meter.serial for meter in meters], name, chief)
        if told:
            for meter in meters:
                tell(meter, chief)
        look()

    return one


def tell(meter, by, state=CommandState.APPLIED) -> Command:
    """A price download by hand that has ended."""
    number = Command.select().count()
    command = downloads.request(meter.serial, by, f"hand-{number}", config=CONFIG)
    Command.update(state=state, finished_at=command.created_at).where(
        Command.id == command.id
    ).execute()
    return command


def apply(clock, change: PriceChange | None = None) -> None:
    """The meter takes what is under way."""
    open_ = Command.select().where(
        Command.kind == CommandKind.DOWNLOAD, Command.state == CommandState.QUEUED
    )
    for command in open_:
        Command.update(
            state=CommandState.APPLIED, writes=1, sent_at=clock.at, finished_at=clock.at,
            rev=base.next_rev(Command),
        ).where(Command.id == command.id).execute()  # fmt: skip


def changes() -> list[PriceChange]:
    return list(PriceChange.select().order_by(PriceChange.id))


def price(change: PriceChange) -> str:
    return json.loads(change.wanted)["price_flat"]


def test_a_future_version_is_sent_at_its_midnight_and_once(publish, has, look, meter, clock):
    publish("2026-11-23")
    publish("2026-11-25", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 24, 15, 59, 59, tzinfo=dt.UTC)

    assert look() is False
    clock.advance(seconds=1)
    assert look() is True
    assert look(10) is False

    (change,) = changes()
    assert change.cause is ChangeCause.VERSION
    assert change.due_at == dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
    assert price(change) == "0.9000"
    assert json.loads(change.former)["price_flat"] == "0.7000"
    assert change.command.kind is CommandKind.DOWNLOAD
    assert json.loads(change.command.desired) == json.loads(change.wanted)
    assert change.command.operator is None


def test_a_version_from_today_is_sent_when_it_is_published(publish, has, look, meter, clock):
    publish("2026-11-23")
    has(meter)
    clock.advance(days=1, hours=3)
    publish("2026-11-24", DEARER)

    assert look() is True
    (change,) = changes()
    assert (change.cause, change.due_at) == (ChangeCause.VERSION, clock.at)


def test_a_kind_of_day_that_is_set_today_is_sent_at_once_and_not_twice(
    publish, has, look, meter, clock, chief
):
    publish("2026-11-23", TOU, DAYS)
    has(meter)
    clock.advance(hours=1)
    today = dt.date(2026, 11, 23)
    calendars.set_days([(today, SpecialDayKind.HOLIDAY, "")], chief)

    assert look() is True
    assert look(5) is False
    (change,) = changes()
    assert (change.cause, change.due_at) == (ChangeCause.DAY, clock.at)
    clock.advance(hours=1)
    calendars.set_days([(today, SpecialDayKind.WORKDAY, "")], chief)
    assert look() is True
    assert look(5) is False


def test_a_second_version_of_a_day_changes_nothing(publish, has, look, meter, clock):
    publish("2026-11-23", name="旧")
    has(meter, name="旧")
    clock.advance(hours=2)
    tariffs_before = pricing.wanted(meter, CONFIG)
    with pytest.raises(Exception, match="tariff_published"):
        publish("2026-11-23", DEARER, name="旧")

    assert pricing.wanted(meter, CONFIG) == tariffs_before
    assert changes() == []


def test_nobody_sends_what_only_was_assigned(publish, has, look, meter, clock):
    publish("2026-11-23")
    clock.advance(minutes=5)
    has(meter, told=False)

    assert look() is False
    assert changes() == []


def test_a_meter_without_a_tariff_is_left_to_people(publish, look, meter, clock):
    publish("2026-11-25", DEARER)
    clock.advance(days=3)

    assert look() is False


@pytest.mark.parametrize("what", ["ordinary", "no tenant"])
def test_only_opened_prepaid_meters_are_told(publish, has, look, add_meter, clock, what):
    fields = {"kind": "ordinary"} if what == "ordinary" else {"tenant": ""}
    meter = add_meter("202611230007", **fields)
    publish("2026-11-25", DEARER)
    has(meter, told=False)
    clock.advance(days=3)

    assert look() is False


def test_what_was_sent_by_hand_in_time_is_not_sent_again(publish, has, look, meter, clock, chief):
    publish("2026-11-23")
    publish("2026-11-25", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
    tell(meter, chief)

    assert look() is False
    assert changes() == []


def test_an_engine_that_begins_after_the_midnight_sends_it_then(publish, has, look, meter, clock):
    publish("2026-11-23")
    publish("2026-11-25", DEARER)
    has(meter)
    price_watch._watches.clear()
    clock.at = dt.datetime(2026, 11, 27, 3, 0, tzinfo=dt.UTC)

    assert look() is True
    price_watch._watches.clear()
    assert look() is False
    assert len(changes()) == 1


def test_a_clock_set_back_over_the_midnight_changes_nothing_twice(publish, has, look, meter, clock):
    publish("2026-11-23")
    publish("2026-11-25", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 24, 16, 0, 10, tzinfo=dt.UTC)
    look()
    apply(clock)
    for minutes in (-30, 0, 29, 1, 5):
        clock.advance(minutes=minutes)
        assert look() is False
    price_watch._watches.clear()
    clock.advance(hours=-5)
    assert look() is False
    clock.advance(hours=10)
    assert look() is False
    assert len(changes()) == 1


def test_what_was_sent_by_hand_and_failed_is_sent_by_the_engine(
    publish, has, look, meter, clock, chief
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    by_hand = tell(meter, chief, CommandState.QUEUED)
    assert look() is False
    Command.update(
        state=CommandState.REFUSED, reason="no_reply", finished_at=clock.at,
        rev=base.next_rev(Command),
    ).where(Command.id == by_hand.id).execute()  # fmt: skip
    clock.advance(minutes=11)

    assert look() is True
    assert price(changes()[0]) == "0.9000"


def test_a_clock_that_was_years_ahead_does_not_use_up_a_boundary(publish, has, look, meter, clock):
    publish("2026-11-23")
    publish("2027-01-01", DEARER)
    has(meter)
    now = clock.at
    clock.at = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    assert look() is True
    clock.at = now
    look()
    clock.at = dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)

    assert look() is True
    assert [price(each) for each in changes()] == ["0.9000", "0.9000"]


@pytest.mark.parametrize(
    ("day", "midnight"),
    [
        ("2026-03-29", dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC)),
        ("2026-10-26", dt.datetime(2026, 10, 25, 23, 0, tzinfo=dt.UTC)),
    ],
    ids=["spring", "the day after autumn's"],
)
def test_a_midnight_is_the_sites_own_where_clocks_change(
    publish, has, lease, meter, clock, day, midnight, chief
):
    berlin = dataclasses.replace(CONFIG, site=SiteSection(timezone="Europe/Berlin"))
    clock.at = midnight - dt.timedelta(days=1, hours=3)
    Installation.update(opened_at=clock.at).execute()
    tariffs.publish("商铺", clock.at.date(), FLAT, "", "", "", "", chief, config=berlin)
    tariffs.publish(
        "商铺", dt.date.fromisoformat(day), DEARER, "", "", "", "", chief, config=berlin
    )
    tariffs.assign([meter.serial], "商铺", chief)
    tell(meter, chief)
    moment, made = midnight - dt.timedelta(hours=2), []
    while moment < midnight + dt.timedelta(hours=26):
        clock.at = moment
        if price_watch.keep_up(berlin, EPOCH):
            made.append(moment)
        moment += dt.timedelta(minutes=10)

    assert made == [midnight]
    assert len(changes()) == 1


def test_a_holiday_has_its_schedule_from_midnight_and_the_next_day_its_own(
    publish, has, look, meter, clock, chief
):
    publish("2026-11-23", TOU, DAYS)
    calendars.set_days([(dt.date(2026, 11, 25), SpecialDayKind.HOLIDAY, "节")], chief)
    has(meter)
    for _ in range(96):
        clock.advance(hours=1)
        look()

    first, second = changes()
    assert {first.cause, second.cause} == {ChangeCause.DAY}
    assert first.due_at == dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
    assert json.loads(first.wanted)["schedule1"] == "00:00 valley"
    assert second.due_at == dt.datetime(2026, 11, 25, 16, 0, tzinfo=dt.UTC)
    assert json.loads(second.wanted)["schedule1"] == "00:00 flat, 08:00 peak"
    assert first.command.reason == "superseded"


def test_a_step_is_crossed_once_and_what_was_late_is_exact(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    assert StepCycle.get().start_wh == 1000

    clock.advance(hours=12)
    poll(meter, 240_900)
    assert look() is False
    clock.advance(minutes=30)
    poll(meter, 242_000, balance_fen=400)
    assert look() is True
    assert look(5) is False
    (change,) = changes()
    assert change.cause is ChangeCause.STEP
    assert change.due_energy_wh == 241_000
    assert price(change) == "0.7500"

    clock.advance(minutes=1)
    apply(clock)
    poll(meter, 242_200, balance_fen=330)
    look()
    (change,) = changes()
    assert change.applied_at == clock.at
    assert (change.energy_wh, change.balance_fen) == (242_200, 330)
    assert change.late_wh == 1200
    assert change.late_fen == 6  # 1.2 kWh x 0.05 yuan
    assert change.estimated is False


def test_the_next_cycle_begins_with_the_first_step(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=14)
    poll(meter, 300_000)
    look()
    apply(clock)
    clock.at = dt.datetime(2026, 11, 30, 15, 50, tzinfo=dt.UTC)
    poll(meter, 350_000)
    look()
    clock.at = dt.datetime(2026, 11, 30, 16, 0, tzinfo=dt.UTC)
    assert look() is True
    clock.advance(minutes=30)
    poll(meter, 351_000)
    assert look() is False

    step, cycle = changes()
    assert (step.cause, price(step)) == (ChangeCause.STEP, "0.7500")
    assert (cycle.cause, price(cycle)) == (ChangeCause.CYCLE, "0.7000")
    row = StepCycle.select().order_by(StepCycle.id.desc()).get()
    assert (row.starts_on, row.start_wh) == ("2026-12-01", 350_000)  # ten minutes before, nearest
    assert row.start_at == dt.datetime(2026, 11, 30, 15, 50, tzinfo=dt.UTC)


def test_two_steps_at_once_are_late_by_what_each_would_have_cost(
    publish, has, look, meter, clock, poll
):
    """410 kWh at the first step's price: 160 x 0.05 + 10 x 0.30 yuan are missing."""
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 0)
    has(meter)
    price_watch._watches.clear()
    clock.advance(hours=20)
    poll(meter, 410_000)
    look()
    apply(clock)
    poll(meter, 410_000)
    clock.advance(seconds=5)
    look()

    (change,) = changes()
    assert (price(change), change.due_energy_wh) == ("1.0000", 240_000)
    assert (change.late_wh, change.late_fen, change.estimated) == (170_000, 1100, False)


def test_a_step_that_is_found_after_a_midnight_is_still_made(
    publish, has, look, meter, clock, poll
):
    publish("2026-11-23", TOU, "00:00 flat, 08:00 peak; weekends 00:00 valley", STEPS, "monthly")
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 27, 15, 50, tzinfo=dt.UTC)
    poll(meter, 239_900)
    clock.advance(minutes=10)
    look()
    clock.advance(minutes=10)
    poll(meter, 240_900)
    assert look() is True

    day, step = changes()
    assert (day.cause, price(day)) == (ChangeCause.DAY, "0.7000")
    assert (step.cause, price(step)) == (ChangeCause.STEP, "0.7500")
    assert step.due_at < day.due_at


def test_a_register_that_fell_does_not_cross_a_step_again(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    for energy in (241_500, 240_000, 240_000, 242_000, 242_500):
        clock.advance(hours=12)
        poll(meter, energy)
        look()
        apply(clock)

    assert [each.cause for each in changes()].count(ChangeCause.STEP) == 1


def test_before_a_step_the_meter_is_read_again_in_time(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=12)
    poll(meter, 240_000, power_w=6000)  # 1 kWh left: ten minutes, looked at after eight

    def reads() -> int:
        return Command.select().where(Command.kind == CommandKind.READ).count()

    before = reads()
    clock.advance(minutes=7, seconds=59)
    look()
    assert reads() == before
    clock.advance(seconds=1)
    assert look() is True
    look(10)
    assert reads() == before + 1
    clock.advance(seconds=2)
    poll(meter, 240_800, power_w=6000)  # 0.2 kWh left: two minutes
    look()
    clock.advance(seconds=96)
    look()
    assert reads() == before + 2


def test_a_step_between_two_looks_of_a_download_by_hand_is_still_made(
    publish, has, look, meter, clock, poll, chief
):
    """By hand the old step's prices were sent: nobody knew yet that it was crossed."""
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=12)
    poll(meter, 240_000)
    look()
    clock.advance(minutes=29)
    tell(meter, chief)
    clock.advance(minutes=1)
    poll(meter, 245_000)

    assert look() is True
    assert changes()[0].cause is ChangeCause.STEP


def test_a_line_that_is_down_over_two_boundaries_costs_what_both_would_have(
    publish, has, look, meter, clock, poll
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    publish("2026-11-25", [Decimal("1.0")] * 4)
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    poll(meter, 10_000)
    look()
    clock.at = dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
    look()
    first, second = changes()
    assert first.command.state is CommandState.REFUSED
    assert first.command.reason == "superseded"

    clock.at = dt.datetime(2026, 11, 25, 16, 0, tzinfo=dt.UTC)
    apply(clock)
    poll(meter, 30_000)
    clock.advance(seconds=6)
    look()
    first, second = changes()
    assert first.applied_at is None
    assert (first.late_wh, first.late_fen, first.estimated) == (10_000, 200, True)
    assert (second.late_wh, second.late_fen, second.estimated) == (10_000, 300, True)


def test_a_meter_that_refused_is_told_again_when_it_answers(publish, has, look, meter, clock, poll):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    look()
    Command.update(
        state=CommandState.REFUSED, reason="no_reply", finished_at=clock.at,
        rev=base.next_rev(Command),
    ).where(Command.state == CommandState.QUEUED).execute()  # fmt: skip
    look()
    assert len(changes()) == 1
    assert changes()[0].command.state is CommandState.REFUSED

    clock.advance(seconds=30)
    poll(meter, 0)
    look()

    (change,) = changes()
    assert change.command.state is CommandState.QUEUED
    assert price(change) == "0.9000"


def test_what_failed_is_not_told_again_over_another_tariff(
    publish, has, look, meter, clock, poll, chief
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    publish("2026-11-23", [Decimal("0.5")] * 4, name="员工")
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    look()
    Command.update(
        state=CommandState.REFUSED, reason="no_reply", finished_at=clock.at,
        rev=base.next_rev(Command),
    ).where(Command.state == CommandState.QUEUED).execute()  # fmt: skip
    clock.advance(seconds=30)
    tariffs.assign([meter.serial], "员工", chief)
    tell(meter, chief)
    clock.advance(seconds=30)
    poll(meter, 0)

    assert look(3) is False
    newest = Command.select().order_by(Command.id.desc()).first()
    assert json.loads(newest.desired)["price_flat"] == "0.5000"


def test_a_meter_that_does_not_hold_it_is_not_told_at_every_reading(
    publish, has, look, meter, clock, poll
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    look()
    Command.update(
        state=CommandState.REFUSED, reason="not_held", finished_at=clock.at,
        rev=base.next_rev(Command),
    ).where(Command.state == CommandState.QUEUED).execute()  # fmt: skip
    for _ in range(5):
        clock.advance(minutes=10)
        poll(meter, 0)
        assert look() is False
    clock.advance(minutes=10)
    assert look() is True


def test_prices_that_somebody_sends_meanwhile_serve_the_boundary(
    publish, has, look, meter, clock, poll, chief
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    poll(meter, 5000)
    look()
    clock.advance(seconds=1)
    by_hand = downloads.request(meter.serial, chief, "by hand", config=CONFIG)
    assert changes()[0].command.reason == "superseded"
    look()
    apply(clock)
    poll(meter, 5000)
    look()

    (change,) = changes()
    assert change.command == by_hand
    assert (change.applied_at, change.late_fen) == (clock.at, 0)


@pytest.mark.parametrize("what", ["exchange", "closing"])
def test_a_meter_on_its_way_out_is_left_alone_until_that_is_over(
    publish, has, look, meter, clock, chief, what
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    has(meter)
    if what == "exchange":
        row = Exchange.create(
            request_id="x", old=meter, step=ExchangeStep.FINAL_READ, why="坏", operator=chief,
            started_at=clock.at,
        )  # fmt: skip
    else:
        number = Installation.get().id
        row = Command.create(
            request_id=f"close-{number}-trip-0", kind=CommandKind.TRIP, counted=False,
            meter=meter, meter_epoch=1, serial=meter.serial, created_at=clock.at,
        )  # fmt: skip
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    assert look() is False

    row.delete_instance()
    clock.advance(minutes=11)
    assert look() is True


def test_late_hours_of_a_holiday_are_an_estimate(publish, has, look, meter, clock, poll, chief):
    """From midnight till 08:00 2 kW went by at 0.70 instead of 0.40: 16 x 0.30 yuan."""
    publish("2026-11-23", TOU, DAYS)
    calendars.set_days([(dt.date(2026, 11, 24), SpecialDayKind.HOLIDAY, "节")], chief)
    poll(meter, 0)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 15, 30, tzinfo=dt.UTC)
    poll(meter, 1000)
    clock.advance(minutes=30)
    look()
    clock.advance(minutes=30)
    poll(meter, 3000)
    clock.at = dt.datetime(2026, 11, 24, 0, 0, tzinfo=dt.UTC)
    apply(clock)
    poll(meter, 18_000)
    clock.advance(seconds=5)
    look()

    (change,) = changes()
    assert (change.late_wh, change.late_fen, change.estimated) == (16_000, -480, True)


def test_no_older_download_brings_the_old_prices_back(publish, has, look, meter, clock, chief):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    has(meter)
    older = downloads.request(meter.serial, chief, "late", config=CONFIG)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    look()

    desired = json.loads(Command.get_by_id(older.id).desired)
    assert desired["price_flat"] == "0.9000"
    assert desired["alarm1_fen"] == 2000


def test_an_engine_whose_lease_is_over_writes_nothing(publish, has, look, meter, clock, picture):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    before = picture()

    with pytest.raises(StaleEngine):
        price_watch.keep_up(CONFIG, EPOCH - 1)

    assert picture() == before
    assert look() is True
    assert len(changes()) == 1


def test_a_cycle_goes_on_with_the_new_meter_of_an_exchange(
    publish, has, look, meter, add_meter, clock, poll
):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=10)
    poll(meter, 201_000)
    look()
    new = add_meter("202611230009", tenant="")
    old_one = Installation.get(Installation.meter == meter)
    with base.write_transaction():
        begun = Installation.create(
            meter=new, account=old_one.account, opened_at=clock.at, first_energy_wh=50
        )
        stepping.carry_over(old_one, begun, 201_000, 50, clock.at)

    row = StepCycle.get(StepCycle.installation == begun)
    assert (row.starts_on, row.start_wh, row.carried_wh) == ("2026-11-01", 50, 200_000)
    assert exchange_install.stepping is stepping


def test_a_cycle_that_a_clock_far_ahead_began_is_begun_anew_in_its_time(
    publish, has, look, meter, clock, poll
):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    now = clock.at
    clock.at = dt.datetime(2026, 12, 20, tzinfo=dt.UTC)
    poll(meter, 1100)
    look()
    clock.at = now
    look()
    assert [row.starts_on for row in StepCycle.select()] == ["2026-11-01"]

    for _ in range(2):  # until two reads agree nothing is believed after the one of December
        clock.advance(minutes=3)
        poll(meter, 1100)
    clock.at = dt.datetime(2026, 11, 30, 16, 0, tzinfo=dt.UTC)
    poll(meter, 150_000)
    clock.advance(minutes=3)
    poll(meter, 150_100)
    look()
    assert StepCycle.get(StepCycle.starts_on == "2026-12-01").start_wh == 150_000


def test_a_register_that_fell_takes_nothing_off_its_cycle(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=14)
    poll(meter, 301_000)
    look()
    apply(clock)
    for energy_wh in (20, 40):  # put back to zero by somebody; two reads must agree
        clock.advance(minutes=3)
        poll(meter, energy_wh)
    assert look() is False
    row = StepCycle.get()
    assert (row.start_wh, row.carried_wh) == (40, 300_000)

    clock.advance(hours=10)
    poll(meter, 100_040)
    assert look() is True
    assert [price(each) for each in changes()] == ["0.7500", "1.0000"]
    assert changes()[-1].due_energy_wh == 100_040


def test_another_ratio_of_the_transformer_is_no_use(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 200_000, ct_ratio=1)
    has(meter)
    clock.advance(hours=1)
    poll(meter, 210_000, ct_ratio=1)
    for energy_wh in (6_300_000, 6_300_300):
        clock.advance(minutes=3)
        poll(meter, energy_wh, ct_ratio=30)

    assert look() is False
    row = StepCycle.get()
    assert (row.start_wh, row.carried_wh) == (6_300_300, 10_000)


def test_a_new_tenant_begins_the_cycle_anew(publish, has, look, meter, clock, poll):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=14)
    poll(meter, 300_000)
    look()
    apply(clock)
    clock.advance(minutes=1)
    old_one = Installation.get(Installation.meter == meter)
    Installation.update(closed_at=clock.at).where(Installation.id == old_one.id).execute()
    Installation.create(
        meter=meter, account=old_one.account, opened_at=clock.at, first_energy_wh=300_000
    )

    assert pricing.wanted(meter, CONFIG)["price_flat"] == "0.7000"
    clock.advance(minutes=30)
    poll(meter, 301_000)
    assert look() is True
    assert look(5) is False
    assert pricing.wanted(meter, CONFIG)["price_flat"] == "0.7000"
    step, anew = changes()
    assert (step.cause, price(step)) == (ChangeCause.STEP, "0.7500")
    assert (anew.cause, price(anew)) == (ChangeCause.CYCLE, "0.7000")
    assert anew.due_at == Installation.get_by_id(anew.installation.id).opened_at


@pytest.fixture
def late(publish, has, look, meter, clock, poll) -> PriceChange:
    """A step that was crossed 1.2 kWh before the meter had its prices."""
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    poll(meter, 1000)
    has(meter)
    clock.advance(hours=12)
    poll(meter, 242_000)
    look()
    clock.advance(minutes=1)
    apply(clock)
    poll(meter, 242_200)
    look()
    return changes()[0]


def test_a_person_settles_a_difference_once(late, chief):
    settled = price_changes.settle(late.id, "下月补收", chief)

    assert (settled.late_fen, settled.settled_by, settled.note) == (6, chief, "下月补收")
    with pytest.raises(ChangeSettled):
        price_changes.settle(late.id, "再一次", chief)


def test_what_is_not_there_or_not_allowed_is_not_settled(
    publish, has, look, meter, clock, operator, chief, picture
):
    publish("2026-11-23")
    publish("2026-11-24", DEARER)
    has(meter)
    clock.at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
    look()
    before = picture()

    with pytest.raises(NoSuchChange):
        price_changes.settle(99, "x", chief)
    with pytest.raises(NothingToSettle):
        price_changes.settle(changes()[0].id, "x", chief)
    with pytest.raises(Forbidden):
        price_changes.settle(changes()[0].id, "x", operator)

    assert picture() == before


def test_a_look_that_finds_nothing_due_costs_little(publish, has, look, add_meter, clock, poll):
    meters = [add_meter(f"2026112300{n:02d}") for n in range(1, 31)]
    publish("2026-11-23", TOU, DAYS, STEPS, "monthly")
    for meter in meters:
        poll(meter, 0)
    has(*meters)
    look(10)

    begun = time.perf_counter()
    for _ in range(100):
        price_watch.keep_up(CONFIG, EPOCH)
    assert (time.perf_counter() - begun) / 100 < 0.01
    assert tuples(Latest.select(Latest.rev))


def test_steps_of_another_tariff_are_watched_from_its_own_reading(
    publish, has, look, meter, clock, poll, chief
):
    publish("2026-11-23", FLAT, "", STEPS, "monthly")
    publish("2026-11-23", FLAT, "", "0-100: +0; 100-: +0.1", "monthly", name="小档")
    poll(meter, 0)
    has(meter)
    clock.advance(hours=4)
    poll(meter, 60_000)
    look()
    clock.advance(minutes=1)
    tariffs.assign([meter.serial], "小档", chief)
    look()
    clock.advance(hours=4)
    poll(meter, 110_000)

    assert look() is True
    (change,) = changes()
    assert (change.cause, change.due_energy_wh) == (ChangeCause.STEP, 100_000)
