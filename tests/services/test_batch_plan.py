"""What a plan says of each meter, and that a plan writes nothing."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from engine.config import Config, ControlSection, DefaultsSection
from engine.domain.errors import BadBatch, BadSelection
from engine.domain.selection import Selection, parse
from engine.services import batches, desired
from models.base import readings_transaction, write_transaction
from models.cases import Exchange
from models.control import LockOut, Temporary
from models.enums import (
    BatchVerb,
    DefaultScope,
    LineState,
    MeterKind,
    Planned,
    TemporaryPurpose,
)
from models.metering import Latest, LineHealth
from models.settings import AcceptedSetting, SettingDefault
from models.site import Meter
from models.tariffs import Tariff, TariffVersion

CONFIG = Config(defaults=DefaultsSection(), control=ControlSection(second_from=3))
CLOSED, HELD, TRIPPED, ARREARS = 1 << 13, 1 << 13 | 1 << 3 | 1, 1 << 3, 1 << 5
PREPAYING = 1 << 3
ALL = Selection(everything=True)
PRICES = {
    "price_sharp": "1.2000", "price_peak": "1.0000", "price_flat": "0.7000",
    "price_valley": "0.4000",
}  # fmt: skip


@pytest.fixture
def add(add_meter, poll):
    """A meter that has been read: its relay closed, 5.00 yuan, as `status1` says."""

    def one(number=1, *, status1=CLOSED, read=True, balance_fen=500, power_w=0, **fields):
        meter = add_meter(f"20261123{number:04d}", **fields)
        if read:
            poll(
                meter, balance_fen=balance_fen, status1=status1, status2=PREPAYING, power_w=power_w
            )
        return meter

    return one


def plan(verb, selection=ALL, now=None, **options):
    at = now or dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
    return batches.plan(verb, selection, options, config=CONFIG, now=at)


def only(made):
    (row,) = made.rows
    return row


def hold_back(meter, held, at):
    with readings_transaction():
        Latest.update(held=json.dumps(held), held_at=at).where(
            Latest.meter_id == meter.id
        ).execute()


def test_a_meter_that_holds_other_prices_is_to_be_changed_from_these_to_those(add, clock):
    hold_back(add(), PRICES | {"price_flat": "0.6500"}, clock.at)

    row = only(plan(BatchVerb.PRICE))

    assert row.planned is Planned.CHANGE
    assert row.changes == {"price_flat": ("0.6500", "0.7000")}
    assert row.wanted == PRICES


def test_the_same_price_with_other_zeros_is_the_same(add, clock):
    hold_back(add(), PRICES | {"price_flat": "0.7"}, clock.at)

    row = only(plan(BatchVerb.PRICE))

    assert (row.planned, row.seen_at) == (Planned.SAME, clock.at)


def test_what_was_never_read_back_is_to_be_changed(add):
    add()

    assert only(plan(BatchVerb.PRICE)).was == {}
    assert only(plan(BatchVerb.PRICE)).planned is Planned.CHANGE


def test_settings_are_compared_without_the_prices(add, clock):
    settings = {
        "money_control": 1, "alarm1_fen": 2000, "alarm2_fen": 500, "overdraft_fen": 0,
    }  # fmt: skip
    hold_back(add(), settings, clock.at)

    assert only(plan(BatchVerb.SETTINGS)).planned is Planned.SAME
    assert only(plan(BatchVerb.PRICE)).planned is Planned.CHANGE


def test_a_download_may_be_of_some_names_only(add):
    add()

    row = only(plan(BatchVerb.SETTINGS, names="alarm1_fen, alarm2_fen"))

    assert row.wanted == {"alarm1_fen": 2000, "alarm2_fen": 500}


@pytest.mark.parametrize(
    ("verb", "options", "why"),
    [
        (BatchVerb.SETTINGS, {"names": "price_flat"}, "name"),
        (BatchVerb.TRIP, {"names": "alarm1_fen"}, "option"),
        (BatchVerb.TRIP, {"fresh": 1}, "option"),
        (BatchVerb.TRIP, {"loudly": 1}, "option"),
    ],
)
def test_an_option_that_means_nothing_to_the_verb_is_refused(add, verb, options, why):
    add()

    with pytest.raises(BadBatch) as refused:
        plan(verb, **options)

    assert refused.value.params["why"] == why


@pytest.mark.parametrize(
    ("verb", "status1", "planned", "reason", "dark"),
    [
        (BatchVerb.TRIP, CLOSED, Planned.CHANGE, None, True),
        (BatchVerb.TRIP, TRIPPED, Planned.SAME, None, False),
        (BatchVerb.TRIP, ARREARS, Planned.CHANGE, None, False),
        (BatchVerb.TRIP, HELD, Planned.REFUSED, "held_on", False),
        (BatchVerb.HOLD, CLOSED, Planned.CHANGE, None, False),
        (BatchVerb.HOLD, HELD, Planned.SAME, None, False),
        (BatchVerb.RESUME, HELD, Planned.CHANGE, None, False),
        (BatchVerb.RESUME, HELD | ARREARS, Planned.CHANGE, None, True),
        (BatchVerb.RESUME, CLOSED, Planned.SAME, None, False),
        (BatchVerb.RESUME, TRIPPED, Planned.CHANGE, None, False),
        (BatchVerb.RECONNECT, CLOSED, Planned.SAME, None, False),
        (BatchVerb.RECONNECT, TRIPPED, Planned.CHANGE, None, False),
        (BatchVerb.RECONNECT, ARREARS, Planned.REFUSED, "arrears", False),
    ],
)
def test_a_switch_is_planned_by_what_the_meter_said_last(add, verb, status1, planned, reason, dark):
    add(status1=status1)

    row = only(plan(verb))

    assert (row.planned, row.reason, row.loses_power) == (planned, reason, dark)


def test_who_says_so_trips_what_is_held_on(add):
    add(status1=HELD)

    made = plan(BatchVerb.TRIP, override=1)

    assert [row.serial for row in made.loses_power] == ["202611230001"]
    assert only(made).was == {"force": "on", "relay": "closed"}
    assert only(made).wanted == {"force": "off", "relay": "open"}


def test_a_meter_that_was_lost_or_never_read_is_out_of_reach(add, clock):
    lost = add(1)
    add(2, read=False)
    with readings_transaction():
        Latest.update(failed_attempts=3).where(Latest.meter_id == lost.id).execute()

    made = plan(BatchVerb.READ)

    assert [(row.serial, row.reason) for row in made.unreachable] == [
        ("202611230001", "lost"),
        ("202611230002", "never_read"),
    ]


def test_a_line_that_is_down_is_out_of_reach(add, line):
    add()
    with readings_transaction():
        LineHealth.create(line_id=line.id, rev=1, state=LineState.DOWN)

    assert only(plan(BatchVerb.PRICE)).reason == "line_down"


@pytest.mark.parametrize("verb", [BatchVerb.PRICE, BatchVerb.HOLD, BatchVerb.TRIP])
def test_an_ordinary_meter_is_left_alone(add, verb):
    add(kind=MeterKind.ORDINARY)

    assert (only(plan(verb)).planned, only(plan(verb)).reason) == (Planned.REFUSED, "ordinary")


def test_a_meter_on_nobody_s_account_is_only_told_when_that_is_asked_for(add):
    add(tenant="")

    assert only(plan(BatchVerb.PRICE)).reason == "not_opened"
    assert only(plan(BatchVerb.PRICE, unopened=1)).planned is Planned.CHANGE
    assert only(plan(BatchVerb.TRIP)).planned is Planned.CHANGE
    assert only(plan(BatchVerb.CLOCK)).planned is Planned.CHANGE


def test_a_protected_meter_is_never_cut(add):
    add(1, protected=True)
    add(2, protected=True, status1=HELD | ARREARS)

    assert [row.reason for row in plan(BatchVerb.TRIP).refused] == ["protected", "protected"]
    assert plan(BatchVerb.RESUME).refused[0].serial == "202611230002"


def test_an_open_sale_locks_a_meter_against_what_writes(meter, poll, sell):
    poll(meter, status1=CLOSED, status2=PREPAYING)
    sell()

    reasons = {verb: only(plan(verb)).reason for verb in BatchVerb}

    assert {verb for verb, reason in reasons.items() if reason == "open_sale"} == {
        BatchVerb.PRICE, BatchVerb.SETTINGS, BatchVerb.HOLD, BatchVerb.TRIP,
    }  # fmt: skip


def test_a_lock_out_stands_against_all_that_may_close(add, operator, clock):
    meter = add(status1=TRIPPED)
    with write_transaction():
        LockOut.create(meter=meter, holder=operator, why="换开关", placed_at=clock.at)

    reasons = {verb: only(plan(verb)).reason for verb in BatchVerb}

    assert {verb for verb, reason in reasons.items() if reason == "locked_out"} == {
        BatchVerb.HOLD, BatchVerb.RESUME, BatchVerb.RECONNECT, BatchVerb.SETTINGS,
        BatchVerb.CLOCK,
    }  # fmt: skip


def test_a_meter_in_exchange_is_locked(add, operator, clock):
    meter = add()
    with write_transaction():
        Exchange.create(request_id="e1", old=meter, operator=operator, started_at=clock.at)

    assert only(plan(BatchVerb.PRICE)).reason == "exchange"
    assert only(plan(BatchVerb.READ)).planned is Planned.CHANGE


def test_what_is_held_for_a_time_is_not_ended_by_a_batch(add, operator, clock):
    meter = add(status1=HELD)
    with write_transaction():
        Temporary.create(
            request_id="t1", meter=meter, serial=meter.serial, why="夜间", operator=operator,
            purpose=TemporaryPurpose.NO_CUT, created_at=clock.at, until=clock.at,
        )  # fmt: skip

    assert only(plan(BatchVerb.RESUME)).reason == "temporary"
    assert only(plan(BatchVerb.RESUME, override=1)).planned is Planned.CHANGE


def test_settings_that_cut_at_once_are_said_to(add, clock):
    held = {"money_control": 1, "alarm1_fen": 2000, "alarm2_fen": 500, "overdraft_fen": 10_000}
    deep = add(1, balance_fen=-300)
    rich = add(2, balance_fen=500)
    strong = add(3, overload_w=2000, power_w=3000)
    for meter in (deep, rich, strong):
        hold_back(meter, held, clock.at)

    made = plan(BatchVerb.SETTINGS)

    assert [row.serial for row in made.loses_power] == [deep.serial, strong.serial]


@pytest.mark.parametrize(
    ("off_s", "hours_ago", "planned"),
    [(5, 1, Planned.SAME), (6, 1, Planned.CHANGE), (-40, 1, Planned.CHANGE),
     (0, 25, Planned.CHANGE), (None, 1, Planned.CHANGE)],
)  # fmt: skip
def test_a_clock_is_set_where_it_is_off_or_was_not_looked_at_for_a_day(
    add, clock, off_s, hours_ago, planned
):
    at = clock.at - dt.timedelta(hours=hours_ago)
    hold_back(add(), {} if off_s is None else {"clock_off_s": off_s}, at)

    assert only(plan(BatchVerb.CLOCK)).planned is planned


def test_an_export_takes_lost_meters_along_and_a_fresh_one_reads_first(add):
    add(1)
    add(2, read=False)

    known, fresh = plan(BatchVerb.EXPORT), plan(BatchVerb.EXPORT, fresh=1)

    assert (len(known.change), known.line_s) == (2, 0)
    assert (len(fresh.change), len(fresh.unreachable), fresh.line_s) == (1, 1, 1)


def test_the_time_is_that_of_the_busiest_line(add):
    for number in range(1, 11):
        add(number)

    made = plan(BatchVerb.TRIP)

    assert made.line_s == made.by_line_s["L01"] == 6
    assert plan(BatchVerb.READ).line_s == 2


def test_a_plan_writes_nothing(add, picture):
    add()
    before = picture()

    for verb in BatchVerb:
        plan(verb)

    assert picture() == before


def test_what_is_planned_for_many_meters_is_what_is_desired_of_each(add, line):
    with write_transaction():
        tariff = Tariff.create(name="商铺")
        for day, price in (("2026-01-01", "0.9000"), ("2027-01-01", "0.1000")):
            prices = dict.fromkeys(PRICES, Decimal(price))
            TariffVersion.create(tariff=tariff, valid_from=day, **prices)
        for scope, key in ((DefaultScope.BUILDING, "A"), (DefaultScope.MODEL, "DDSY1352-NK")):
            SettingDefault.create(
                scope=scope, key=key, name="overload_w", value=str(len(key)),
                set_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            )  # fmt: skip
    add(1)
    add(2, tariff="商铺", alarm1_fen=9)
    add(3, tariff="没有", time_control="off", overload_w=5)
    meters = list(Meter.select())

    made = {row.meter_id: row for row in plan(BatchVerb.PRICE).rows}
    told = {row.meter_id: row for row in plan(BatchVerb.SETTINGS).rows}

    assert {meter.id: desired.of(meter, CONFIG) for meter in meters} == {
        meter_id: {**made[meter_id].wanted, **told[meter_id].wanted} for meter_id in made
    }
    assert made[meters[1].id].wanted["price_peak"] == "0.9000"


def test_what_a_person_accepted_is_only_downloaded_where_it_is_named(add, operator, clock):
    meter = add()
    with write_transaction():
        AcceptedSetting.create(
            meter=meter, name="alarm1_fen", value="1", why="约定", accepted_by=operator,
            accepted_at=clock.at,
        )  # fmt: skip

    assert "alarm1_fen" not in only(plan(BatchVerb.SETTINGS)).wanted
    assert only(plan(BatchVerb.SETTINGS, names="alarm1_fen")).wanted == {"alarm1_fen": 2000}


def test_a_selection_is_told_what_there_is_where_it_names_what_is_not(add):
    add(floor="1F")

    with pytest.raises(BadSelection) as refused:
        plan(BatchVerb.READ, parse("floor=9F"))

    assert refused.value.params == {"why": "no_such_floor", "value": "9F", "known": "1F"}
