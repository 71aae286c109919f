"""Orders for a time: capped, taken back once at their time, and what they cost noted."""

import datetime as dt
import json

import pytest

from engine.config import Config, ControlSection
from engine.domain.errors import (
    BadLimit,
    BadUntil,
    Forbidden,
    MeterHeld,
    MeterLockedOut,
    NotHoldable,
    NotOpened,
    RequestIdReused,
    StaleEngine,
    TemporaryOpen,
    TemporaryOver,
)
from engine.services import (
    closing,
    commands,
    desired,
    downloads,
    locking,
    operators,
    readings,
    switching,
    temporary,
    temporary_keeping,
)
from engine.views import settings
from models import base
from models.accounts import Account
from models.commands import Command
from models.control import Temporary
from models.enums import (
    CommandKind,
    CommandState,
    EventKind,
    Role,
    TemporaryPurpose,
    TemporaryState,
)
from models.metering import MeterEvent
from models.site import Meter

CONFIG = Config(control=ControlSection(emergency_max_h=12))
CLOSED = 1 << 13
FORCED_ON, FORCED_OFF = CLOSED | 1 << 3 | 1, 1 << 3


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def hold(meter, operator, clock):
    """An emergency of 8 hours, asked for by a cashier."""

    def one(request_id="h1", *, hours=8, by=operator, to=meter, config=CONFIG, **given):
        until = clock.at + dt.timedelta(hours=hours)
        purpose = given.pop("purpose", TemporaryPurpose.EMERGENCY)
        return temporary.hold(
            to.serial, until, purpose, "冷柜", by, request_id, config=config, **given
        )

    return one


@pytest.fixture
def limit(meter, engineer, clock):
    def one(limit_w=2000, request_id="l1", *, hours=4, by=engineer):
        until = clock.at + dt.timedelta(hours=hours)
        return temporary.limit(meter.serial, limit_w, until, "限电", by, request_id, config=CONFIG)

    return one


@pytest.fixture
def keep(lease):
    return lambda: temporary_keeping.keep(CONFIG, lease)


@pytest.fixture
def carry(lease, keep):
    """What an engine does with the command that is open, then one look of the agenda."""

    def one(state=CommandState.APPLIED, reason=None):
        command = Command.get(Command.state.in_([CommandState.QUEUED, CommandState.UNKNOWN]))
        if reason != "expired" and command.state is CommandState.QUEUED:
            commands.mark_control_sent(command.id, lease)
        if state is CommandState.UNKNOWN:
            commands.keep_control(command.id, "no_reply", lease)
        else:
            commands.finish_uncounted(command.id, state, reason, lease)
        keep()
        return command

    return one


def row(found):
    return Temporary.get_by_id(found.id)


def of_kind(kind):
    return Command.select().where(Command.kind == kind).count()


def test_a_hold_is_taken_back_once_at_its_time_whatever_restarts_in_between(
    hold, carry, keep, clock
):
    made = hold()
    assert (made.begin.kind, made.begin.why) == (CommandKind.HOLD, "冷柜")
    carry()
    assert row(made).state is TemporaryState.HELD
    clock.advance(hours=7, minutes=59)
    assert not keep()
    assert of_kind(CommandKind.RESUME) == 0

    clock.advance(minutes=1)
    assert keep()
    assert not keep()
    assert not keep()  # by another engine, after a restart
    assert of_kind(CommandKind.RESUME) == 1
    carry()

    assert row(made).state is TemporaryState.ENDED
    assert row(made).ended_at == clock.at
    clock.advance(days=2)
    assert not keep()
    assert of_kind(CommandKind.RESUME) == 1


def test_what_was_used_beyond_the_credit_is_noted_when_it_ends(
    meter, hold, carry, clock, poll, keep
):
    poll(meter, energy_wh=1_000, balance_fen=300)
    made = hold()
    clock.advance(seconds=10)
    poll(meter, energy_wh=1_000, balance_fen=290, status1=FORCED_ON)
    carry()
    clock.advance(hours=8)
    poll(meter, energy_wh=13_000, balance_fen=-910, status1=FORCED_ON)
    keep()
    carry()

    ended = row(made)
    assert (ended.before_balance_fen, ended.after_balance_fen, ended.debt_fen) == (290, -910, 910)
    assert (ended.before_energy_wh, ended.after_energy_wh) == (1_000, 13_000)


@pytest.mark.parametrize(
    "fen",
    [
        pytest.param((5_000, 1_200, 0), id="the credit lasted"),
        pytest.param((300, -900, 900), id="from credit into debt"),
        pytest.param((-500, -1_700, 1_200), id="only what was used while it held"),
    ],
)
def test_the_debt_is_what_is_still_owed_of_what_was_used(
    meter, hold, carry, clock, poll, keep, fen
):
    before_fen, after_fen, debt_fen = fen
    poll(meter, balance_fen=before_fen)
    made = hold()
    carry()
    clock.advance(hours=8)
    poll(meter, energy_wh=9_000, balance_fen=after_fen)
    keep()
    carry()

    assert row(made).debt_fen == debt_fen


def test_who_may_not_sell_may_hold_in_an_emergency_and_a_viewer_may_not(
    hold, engineer, db, clock, picture
):
    assert hold(by=engineer).purpose is TemporaryPurpose.EMERGENCY
    viewer = operators.create("看看", "correct horse", Role.VIEWER, at=clock.at)
    before = picture()

    with pytest.raises(Forbidden):
        hold("h2", by=viewer)
    assert picture() == before


def test_an_emergency_is_capped_in_one_go_and_in_any_24_hours(hold, carry, keep, clock, picture):
    before = picture()
    for hours in (0, -1, 12.1):
        with pytest.raises(BadUntil):
            hold(hours=hours)
    assert picture() == before

    hold(hours=8)
    carry()
    clock.advance(hours=8)
    keep()
    carry()
    with pytest.raises(BadUntil) as refused:
        hold("h2", hours=5)
    assert refused.value.params["used"] == "8.0"
    hold("h3", hours=4)
    carry()
    clock.advance(hours=4)
    keep()
    carry()
    with pytest.raises(BadUntil):
        hold("h4", hours=1)
    clock.advance(hours=12)  # the first began 24 hours ago
    with pytest.raises(BadUntil):
        hold("h5", hours=2)
    clock.advance(hours=2)
    assert hold("h6", hours=2).state is TemporaryState.BEGINNING


def test_a_second_hold_on_a_meter_waits_for_the_first_to_end(hold, picture):
    made = hold()
    before = picture()

    with pytest.raises(TemporaryOpen) as refused:
        hold("h2")
    assert refused.value.params["temporary"] == made.id
    assert picture() == before


def test_the_same_request_is_the_same_hold(hold, engineer):
    first = hold()

    assert hold() == first
    assert of_kind(CommandKind.HOLD) == 1
    with pytest.raises(RequestIdReused):
        hold(by=engineer)


def test_a_meter_that_is_held_for_a_time_takes_no_other_switch_and_every_sale(
    meter, hold, engineer, carry, sell, picture
):
    hold()
    carry()
    before = picture()
    for kind in (CommandKind.TRIP, CommandKind.HOLD, CommandKind.RECONNECT):
        with pytest.raises(MeterHeld):
            switching.request(meter.serial, kind, "试", engineer, f"x-{kind}")
    assert picture() == before

    assert sell().state is CommandState.QUEUED


def test_a_persons_resume_ends_a_hold(meter, hold, engineer, carry, keep, clock):
    made = hold()
    carry()
    switching.request(meter.serial, CommandKind.RESUME, "到此为止", engineer, "x")
    resumed = carry()

    assert (row(made).state, row(made).end) == (TemporaryState.ENDED, resumed)
    clock.advance(hours=9)
    assert not keep()


@pytest.mark.parametrize(("status1", "why"), [(FORCED_ON, "held"), (FORCED_OFF, "tripped")])
def test_what_a_hand_has_switched_is_not_held_for_a_time(meter, hold, poll, picture, status1, why):
    poll(meter, status1=status1)
    before = picture()

    with pytest.raises(NotHoldable) as refused:
        hold()
    assert (refused.value.params["why"], picture()) == (why, before)


def test_neither_a_locked_meter_nor_one_without_a_tenant_is_held(
    meter, add_meter, hold, engineer, picture
):
    empty = add_meter("202611230002", tenant="")
    locking.place(meter.serial, "换断路器", engineer)
    before = picture()

    with pytest.raises(MeterLockedOut):
        hold()
    with pytest.raises(NotOpened):
        hold(to=empty)
    assert picture() == before


def test_the_return_waits_while_somebody_works_behind_the_meter(
    meter, hold, engineer, carry, keep, clock
):
    made = hold()
    carry()
    locking.place(meter.serial, "换断路器", engineer)
    clock.advance(hours=9)
    assert not keep()
    assert row(made).state is TemporaryState.HELD

    locking.release(meter.serial, engineer)
    assert keep()
    assert row(made).state is TemporaryState.ENDING


def test_a_hold_that_was_never_sent_failed_and_nothing_is_taken_back(hold, carry, keep, clock):
    made = hold()
    clock.advance(minutes=6)
    carry(CommandState.REFUSED, "expired")

    assert row(made).state is TemporaryState.FAILED
    clock.advance(hours=9)
    assert not keep()
    assert of_kind(CommandKind.RESUME) == 0


def test_a_hold_of_unknown_outcome_is_taken_back_at_its_time_all_the_same(hold, carry, keep, clock):
    made = hold()
    carry(CommandState.UNKNOWN)
    clock.advance(hours=8)

    assert keep()
    assert row(made).state is TemporaryState.ENDING
    assert of_kind(CommandKind.RESUME) == 1


def test_a_return_is_asked_for_again_only_when_the_one_before_has_ended_and_then_it_is_stuck(
    meter, hold, carry, keep, clock, poll
):
    made = hold()
    carry()
    clock.advance(hours=8)
    keep()
    for tries in range(1, 6):
        assert of_kind(CommandKind.RESUME) == tries
        assert not keep()
        carry(CommandState.REFUSED, "not_held")
        assert not keep(), "not at once"
        clock.advance(minutes=11)
        keep()

    assert row(made).state is TemporaryState.STUCK
    assert of_kind(CommandKind.RESUME) == 5
    events = MeterEvent.select().where(MeterEvent.kind == EventKind.TEMPORARY_STUCK)
    assert [json.loads(each.detail) for each in events] == [{"temporary": made.id}]
    clock.advance(hours=1)
    assert not keep()
    poll(meter)  # it answers again
    assert keep()
    carry()
    assert row(made).state is TemporaryState.ENDED


def test_a_person_ends_a_hold_before_its_time_and_once(hold, operator, carry, keep):
    made = hold()
    carry()
    temporary.end_now(made.id, operator)

    assert keep()
    with pytest.raises(TemporaryOver):
        temporary.end_now(made.id, operator)
    carry()
    assert row(made).state is TemporaryState.ENDED
    with pytest.raises(TemporaryOver):
        temporary.end_now(made.id, operator)


def test_a_clock_set_back_and_forth_ends_nothing_twice(hold, carry, keep, clock):
    made = hold()
    carry()
    clock.advance(hours=8)
    keep()
    clock.advance(hours=-3)
    assert not keep()
    carry()
    clock.advance(hours=3)
    assert not keep()

    assert (row(made).state, of_kind(CommandKind.RESUME)) == (TemporaryState.ENDED, 1)


def test_an_engine_that_lost_the_site_takes_nothing_back(hold, carry, clock, lease):
    hold()
    carry()
    clock.advance(hours=8)

    with pytest.raises(StaleEngine):
        temporary_keeping.keep(CONFIG, lease - 1)
    assert of_kind(CommandKind.RESUME) == 0


def test_a_limit_is_what_is_desired_while_it_stands_and_goes_back_to_what_is_desired_then(
    meter, limit, carry, keep, clock
):
    Meter.update(overload_w=6_000).execute()
    made = limit(2_000)
    assert json.loads(made.begin.desired) == {"overload_w": 2_000}
    assert desired.settings(Meter.get(), CONFIG)["overload_w"] == 2_000
    carry()
    Meter.update(overload_w=5_000).execute()  # meanwhile
    assert desired.settings(Meter.get(), CONFIG)["overload_w"] == 2_000
    clock.advance(hours=4)
    assert desired.settings(Meter.get(), CONFIG)["overload_w"] == 5_000

    assert keep()
    assert not keep()
    assert json.loads(row(made).end.desired) == {"overload_w": 5_000}
    carry()
    assert (row(made).state, row(made).debt_fen) == (TemporaryState.ENDED, None)


def test_a_limit_where_nothing_was_desired_ends_with_no_limit(limit, carry, keep, clock):
    made = limit()
    carry()
    clock.advance(hours=4)
    keep()

    assert json.loads(row(made).end.desired) == {"overload_w": 0}


def test_a_download_that_says_more_does_not_lose_a_limit(meter, limit, chief, carry, keep):
    made = limit(2_000)
    downloads.request(meter.serial, chief, "d1", config=CONFIG)
    assert made.begin.id == Command.get(Command.state == CommandState.REFUSED).id

    assert keep()
    carry()  # the whole download, which names the limit too
    carry()
    assert row(made).state is TemporaryState.HELD


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.mark.parametrize("limit_w", [0, -1, 65_536, 6_000, 7_000])
def test_what_limits_nothing_is_no_limit(limit, limit_w, picture, meter):
    Meter.update(overload_w=6_000).execute()
    before = picture()

    with pytest.raises(BadLimit):
        limit(limit_w)
    assert picture() == before


def test_a_hold_and_a_limit_may_stand_together_and_two_limits_may_not(hold, limit):
    hold()
    limit()
    with pytest.raises(TemporaryOpen):
        limit(1_000, "l2")


def test_a_cashier_limits_nothing(limit, operator):
    with pytest.raises(Forbidden):
        limit(by=operator)


def test_a_meter_that_is_held_is_not_closed_before_that_is_ended(meter, hold, operator, picture):
    hold()
    number = Account.get().number
    before = picture()

    with pytest.raises(MeterHeld):
        closing.advance(number, operator, money=CONFIG.money, zone=CONFIG.site.zone)
    assert picture() == before


def test_a_meter_that_is_taken_out_of_service_ends_its_hold(meter, hold, carry, keep, clock, poll):
    made = hold()
    poll(meter, balance_fen=-300, energy_wh=2_000)
    carry()
    with base.write_transaction():
        Meter.update(retired_at=clock.at).execute()

    keep()

    assert row(made).state is TemporaryState.ENDED
    assert of_kind(CommandKind.RESUME) == 0


def test_a_limit_is_shown_as_what_is_desired_and_is_no_drift_while_it_stands(
    meter, limit, carry, lease, clock
):
    Meter.update(overload_w=6_000).execute()
    limit(2_000)
    carry()
    readings.store_held(
        meter.id, {"overload_w": 2_000}, settings=None, at=clock.at, epoch=lease, whole=False
    )

    shown = next(
        each for each in settings.of_meter(meter.serial, CONFIG) if each.name == "overload_w"
    )

    assert (shown.desired, shown.source, shown.differs) == (2_000, "limit", False)


@pytest.mark.parametrize(("found", "back_w"), [(8000, 8000), (0, 0), ("8000/8000/6000", 0)])
def test_a_limit_goes_back_to_what_the_meter_held_that_nobody_had_desired(
    limit, keep, clock, lease, found, back_w
):
    made = limit(2000)
    said = json.dumps({"overload_w": found})
    commands.mark_control_sent(made.begin.id, lease, found=said)
    commands.finish_uncounted(made.begin.id, CommandState.APPLIED, None, lease, found=said)
    keep()
    clock.advance(hours=5)
    keep()

    end = row(made).end
    assert json.loads(end.desired) == {"overload_w": back_w}


def test_a_limit_of_unknown_outcome_is_not_written_again_after_its_end(limit, carry, keep, clock):
    """A download that nobody knows of is written again when its meter answers: by then it says
    what the return says.
    """
    made = limit(2000)
    carry(CommandState.UNKNOWN, "no_reply")
    clock.advance(hours=5)
    keep()

    begin, end = Command.get_by_id(made.begin.id), row(made).end
    assert begin.state is CommandState.UNKNOWN
    assert json.loads(begin.desired) == json.loads(end.desired)


@pytest.mark.parametrize(
    ("kind", "why"), [(CommandKind.HOLD, "held"), (CommandKind.TRIP, "tripped")]
)
def test_what_a_hand_is_switching_just_now_is_not_held_for_a_time(
    hold, meter, engineer, picture, kind, why
):
    """No reading shows it yet; at the end the return would undo it."""
    switching.request(meter.serial, kind, "长期保电", engineer, "s1")
    before = picture()

    with pytest.raises(NotHoldable) as refused:
        hold()

    assert refused.value.params["why"] == why
    assert picture() == before
