"""What is kept of a reading, what is not, and what it says about the books."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import StaleEngine
from engine.domain.measurement import MeterReading, MeterSettings
from engine.services import commands, ledger, readings
from engine.services.readings import Acceptance
from models import base
from models.enums import EventKind, MeterKind
from models.ledger import LedgerEntry
from models.metering import DayUse, Latest, MeterEvent, Reading
from models.people import AuditEntry
from models.site import Meter


def latest(meter) -> Latest:
    return Latest.get_by_id(meter.id)


def known(meter) -> MeterReading:
    return MeterReading.from_json(latest(meter).reading)


def events() -> list[EventKind]:
    return [event.kind for event in MeterEvent.select().order_by(MeterEvent.id)]


def test_the_first_reading_is_kept_as_row_newest_and_day(poll, meter, clock):
    assert poll(meter, 1000, balance_fen=500, count=4) is Acceptance.ACCEPTED

    row = Reading.get()
    assert row.slot == int(clock.at.timestamp())  # 01:00 UTC begins a half hour
    assert (row.meter_id, row.read_at, row.energy_wh, row.valley_wh) == (
        meter.id, clock.at, 1000, 1000,
    )  # fmt: skip
    assert known(meter).energy_wh == 1000
    assert (latest(meter).day, latest(meter).day_first_wh) == ("2026-11-23", 1000)


def test_the_first_reading_of_a_slot_is_its_row_and_the_last_is_the_newest(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=10)

    poll(meter, 1100)

    assert [row.energy_wh for row in Reading.select()] == [1000]
    assert known(meter).energy_wh == 1100


def test_the_next_slot_has_a_row_of_its_own(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)

    poll(meter, 1500)

    assert [row.energy_wh for row in Reading.select().order_by(Reading.slot)] == [1000, 1500]


def test_a_register_the_model_does_not_have_is_null_never_0(lease, meter, clock):
    readings.store(
        meter, MeterReading(energy_wh=1000), at=clock.at, slot_s=1800, raw_frame=b"",
        epoch=lease, zone=dt.UTC,
    )  # fmt: skip

    row = Reading.get()
    assert (row.sharp_wh, row.balance_fen, row.power_w, row.status1) == (None, None, None, None)


def test_every_change_raises_the_revision(poll, meter, add_meter, lease, clock):
    other = add_meter("202611230002")

    poll(meter)
    poll(other)
    readings.fail(meter.id, clock.at, lease)

    assert latest(other).rev < latest(meter).rev


def test_a_day_is_the_sites_own_not_utc(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(hours=14, minutes=59)  # 23:59
    poll(meter, 3000)
    clock.advance(minutes=1)  # 00:00

    poll(meter, 3005)

    days = DayUse.select(DayUse.day, DayUse.first_energy_wh, DayUse.last_energy_wh)
    assert list(days.order_by(DayUse.day).tuples()) == [
        ("2026-11-23", 1000, 3000),
        ("2026-11-24", 3005, 3005),
    ]
    assert (latest(meter).day, latest(meter).day_first_wh) == ("2026-11-24", 3005)


def test_a_failed_read_counts_and_touches_no_value(poll, meter, lease, clock):
    poll(meter, 1000)
    first_failed_at = clock.advance(minutes=30)
    readings.fail(meter.id, clock.at, lease)
    clock.advance(seconds=30)

    readings.fail(meter.id, clock.at, lease)

    row = latest(meter)
    assert (row.failed_attempts, row.first_failed_at, row.attempted_at) == (
        2, first_failed_at, clock.at,
    )  # fmt: skip
    assert known(meter).energy_wh == 1000
    assert Reading.select().count() == 1


def test_a_meter_that_never_answered_has_no_value(meter, lease, clock):
    readings.fail(meter.id, clock.at, lease)

    assert (latest(meter).reading, latest(meter).read_at) == (None, None)
    assert DayUse.select().count() == 0


def test_an_answer_ends_the_failures(poll, meter, lease, clock):
    readings.fail(meter.id, clock.at, lease)

    poll(meter)

    assert (latest(meter).failed_attempts, latest(meter).first_failed_at) == (0, None)


def test_a_register_that_fell_is_quarantined_with_its_frame(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)

    assert poll(meter, 990) is Acceptance.QUARANTINED

    assert known(meter).energy_wh == 1000
    assert Reading.select().count() == 1
    assert latest(meter).quarantined is not None
    event = MeterEvent.get()
    assert event.kind is EventKind.QUARANTINE
    assert json.loads(event.detail) == {"why": "fell", "energy_wh": 990, "frame": "0103"}


def test_a_quarantined_meter_is_not_lost(poll, meter, lease, clock):
    poll(meter, 1000)
    readings.fail(meter.id, clock.at, lease)

    poll(meter, 990)

    assert latest(meter).failed_attempts == 0


def test_a_jump_beyond_the_rating_is_quarantined(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)  # 264 V x 100 A for half an hour: 13.2 kWh

    assert poll(meter, 1000 + 13_300) is Acceptance.QUARANTINED
    assert known(meter).energy_wh == 1000


def test_a_second_read_that_agrees_accepts_the_jump(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)
    poll(meter, 90_000)
    clock.advance(minutes=1)

    assert poll(meter, 90_010) is Acceptance.ACCEPTED

    assert known(meter).energy_wh == 90_010
    assert latest(meter).quarantined is None
    assert events() == [EventKind.QUARANTINE]


def test_a_second_read_that_agrees_with_the_past_drops_the_jump(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)
    poll(meter, 90_000)
    clock.advance(minutes=1)

    assert poll(meter, 1_200) is Acceptance.ACCEPTED

    assert known(meter).energy_wh == 1_200
    assert latest(meter).quarantined is None


def test_two_jumps_that_do_not_agree_are_both_refused(poll, meter, clock):
    poll(meter, 1000)
    clock.advance(minutes=30)
    poll(meter, 90_000)
    clock.advance(minutes=1)

    assert poll(meter, 500_000) is Acceptance.QUARANTINED
    assert known(meter).energy_wh == 1000


def test_a_fall_that_a_second_read_confirms_is_accepted_and_noted(poll, meter, clock):
    poll(meter, 5_000)
    clock.advance(minutes=30)
    poll(meter, 20)
    clock.advance(minutes=1)

    assert poll(meter, 30) is Acceptance.ACCEPTED

    assert events() == [EventKind.QUARANTINE, EventKind.REGISTER_FELL]
    detail = json.loads(MeterEvent.get(MeterEvent.kind == EventKind.REGISTER_FELL).detail)
    assert (detail["before_wh"], detail["after_wh"]) == (5_000, 30)


def test_a_day_goes_on_after_a_fall_without_losing_or_inventing_energy(poll, meter, clock):
    poll(meter, 5_000)
    clock.advance(minutes=30)
    poll(meter, 5_400)  # 400 Wh used
    clock.advance(minutes=30)
    poll(meter, 20)
    clock.advance(minutes=1)
    poll(meter, 30)
    clock.advance(minutes=30)

    poll(meter, 130)  # 100 more

    day = DayUse.get()
    assert day.last_energy_wh - day.first_energy_wh == 500
    assert 130 - latest(meter).day_first_wh == 500


def test_a_quarantined_reading_says_nothing_about_the_books(poll, meter, clock):
    poll(meter, 1000, count=4)
    clock.advance(minutes=30)

    poll(meter, 990, count=9)

    assert not Meter.get_by_id(meter.id).frozen
    assert EventKind.FOREIGN_PURCHASE not in events()


def test_credit_found_at_the_first_reading_is_taken_over_once(poll, meter, clock):
    poll(meter, balance_fen=1_234, count=4)
    clock.advance(minutes=30)

    poll(meter, balance_fen=1_100, count=4)

    assert ledger.balance_of(ledger.meter_credit(meter.serial)) == 1_234
    assert LedgerEntry.select().count() == 1
    assert Meter.get_by_id(meter.id).mirror_count == 4
    assert events() == []


def test_an_overdraft_found_is_taken_over_as_one(poll, meter):
    poll(meter, balance_fen=-250)

    assert ledger.balance_of(ledger.meter_credit(meter.serial)) == -250


def test_an_empty_meter_is_taken_over_without_an_entry(poll, meter):
    poll(meter, balance_fen=0, count=4)

    assert LedgerEntry.select().count() == 0
    assert Meter.get_by_id(meter.id).mirror_count == 4


def test_what_a_meter_without_tenant_holds_stays_out_of_the_books(poll, add_meter):
    free = add_meter("202611230002", tenant="")

    poll(free)

    assert LedgerEntry.select().count() == 0


@pytest.mark.parametrize("told", [{"balance_fen": None}, {"count": None}])
def test_a_meter_that_tells_no_balance_or_count_is_not_taken_over(poll, meter, told):
    poll(meter, **told)

    assert LedgerEntry.select().count() == 0
    assert Meter.get_by_id(meter.id).mirror_count is None


def test_an_ordinary_meter_has_no_credit_to_take_over(poll, add_meter):
    poll(add_meter("202611230002", kind=MeterKind.ORDINARY))

    assert LedgerEntry.select().count() == 0


def test_a_crash_before_the_take_over_is_repaired_by_the_next_poll(poll, meter, clock, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("engine.services.reconciling.compare", crash)
        with pytest.raises(KeyboardInterrupt):
            poll(meter, balance_fen=500)
    clock.advance(minutes=30)

    poll(meter, balance_fen=500)

    assert ledger.balance_of(ledger.meter_credit(meter.serial)) == 500


def test_a_purchase_made_elsewhere_freezes_the_meter_and_is_told_once(poll, meter, clock):
    poll(meter, count=4)
    for _ in range(3):
        clock.advance(minutes=30)
        poll(meter, balance_fen=900, count=5)

    assert Meter.get_by_id(meter.id).frozen
    assert events() == [EventKind.FOREIGN_PURCHASE]
    assert json.loads(MeterEvent.get().detail) == {
        "expected": 4, "found": 5, "amount_fen": 400, "since": "2026-11-23T01:00:00+00:00",
    }  # fmt: skip
    assert AuditEntry.select().where(AuditEntry.action == "foreign_purchase").count() == 1


def test_a_second_purchase_made_elsewhere_is_told_too(poll, meter, clock):
    for count in (4, 5, 6):
        poll(meter, count=count)
        clock.advance(minutes=30)

    assert events() == [EventKind.FOREIGN_PURCHASE, EventKind.FOREIGN_PURCHASE]


def test_a_counter_that_was_reset_is_told_as_well(poll, meter, clock):
    poll(meter, count=4)
    clock.advance(minutes=30)

    poll(meter, count=0)

    assert Meter.get_by_id(meter.id).frozen


def test_a_crash_between_event_and_freeze_ends_in_one_event_and_the_freeze(
    poll, meter, clock, monkeypatch
):
    poll(meter, count=4)
    clock.advance(minutes=30)

    def crash() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("engine.services.reconciling.write_transaction", crash)
        with pytest.raises(KeyboardInterrupt):
            poll(meter, count=5)
    clock.advance(minutes=30)
    poll(meter, count=5)

    assert Meter.get_by_id(meter.id).frozen
    assert events() == [EventKind.FOREIGN_PURCHASE]


def test_our_own_sale_is_no_foreign_purchase(poll, sell, prove, meter, clock):
    poll(meter, count=4)
    prove(sell())
    clock.advance(minutes=30)

    poll(meter, balance_fen=10_400, count=5)

    assert not Meter.get_by_id(meter.id).frozen
    assert events() == []


def test_while_a_sale_is_unknown_a_moved_count_is_the_executors_matter(
    poll, sell, send, settle, meter, clock
):
    poll(meter, count=4)
    settle(send(sell()), Step.KEEP)
    clock.advance(minutes=30)

    poll(meter, balance_fen=10_500, count=5)

    assert not Meter.get_by_id(meter.id).frozen
    assert events() == []


def test_a_reading_from_before_the_proof_that_is_stored_after_it_raises_no_alarm(
    sell, send, settle, meter, lease, poll, clock
):
    poll(meter, count=4)
    command = send(sell())
    read_at = clock.advance(seconds=1)  # and proved within the same millisecond
    settle(command, Step.CONFIRM, PurchaseState(5, 10_500, 1000))

    readings.store(
        meter, MeterReading(energy_wh=1000, balance_fen=500, purchase_count=4), at=read_at,
        slot_s=1800, raw_frame=b"", epoch=lease, zone=dt.UTC,
    )  # fmt: skip

    assert not Meter.get_by_id(meter.id).frozen


def test_a_first_reading_while_a_sale_is_on_the_wire_takes_nothing_over_twice(
    poll, sell, send, settle, meter, clock
):
    command = send(sell())  # takes over 5.00
    poll(meter, balance_fen=10_500, count=5)
    settle(command, Step.CONFIRM, PurchaseState(5, 10_500, 1000))
    clock.advance(minutes=30)

    poll(meter, balance_fen=10_500, count=5)

    assert ledger.balance_of(ledger.meter_credit(meter.serial)) == 10_500


def test_a_sale_made_between_the_first_look_and_the_lock_stops_the_alarm(
    poll, sell, meter, clock, monkeypatch
):
    poll(meter, count=4)
    clock.advance(minutes=30)
    monkeypatch.setattr(commands, "counted_since", lambda *_: True)  # when the lock is taken

    poll(meter, count=5)

    assert not Meter.get_by_id(meter.id).frozen


def test_a_sale_sent_between_the_first_look_and_the_lock_takes_the_credit_over_itself(
    poll, meter, monkeypatch
):
    monkeypatch.setattr(commands, "counted_since", lambda *_: True)  # when the lock is taken

    poll(meter)

    assert LedgerEntry.select().count() == 0


def test_an_alarm_that_was_dealt_with_before_the_lock_freezes_nothing(
    poll, meter, clock, monkeypatch
):
    """A person who read the meter has set the count the poll is about to complain of."""
    poll(meter, count=4)
    clock.advance(minutes=30)
    asked = iter([False, False])

    def released(*_: object) -> bool:
        with_lock = base.core.in_transaction()
        if with_lock:
            Meter.update(mirror_count=5).where(Meter.id == meter.id).execute()
        return next(asked)

    monkeypatch.setattr(commands, "counted_since", released)
    poll(meter, count=5)

    assert not Meter.get_by_id(meter.id).frozen
    assert AuditEntry.select().where(AuditEntry.action == "foreign_purchase").count() == 0


@pytest.mark.parametrize("later", [8, 6])
def test_an_engine_that_is_not_the_owner_stores_nothing(poll, meter, picture, later):
    before = picture()

    with pytest.raises(StaleEngine):
        poll(meter, epoch=later)

    assert picture() == before


def test_a_later_engine_takes_the_readings_over_for_good(lease):
    readings.own(8)

    with pytest.raises(StaleEngine):
        readings.own(7)


def test_owning_twice_is_one_ownership(lease, poll, meter):
    readings.own(lease)

    assert poll(meter) is Acceptance.ACCEPTED


def test_a_stale_engine_takes_no_credit_over(poll, meter, lease):
    from models.commands import Lease  # noqa: PLC0415 (the name would hide the fixture)

    with base.write_transaction():
        Lease.update(epoch=lease + 1).execute()  # core is ahead, readings not yet

    with pytest.raises(StaleEngine):
        poll(meter)
    assert LedgerEntry.select().count() == 0


def test_failures_and_settings_of_a_stale_engine_are_not_written(meter, lease, clock, picture):
    before = picture()

    with pytest.raises(StaleEngine):
        readings.fail(meter.id, clock.at, lease - 1)
    with pytest.raises(StaleEngine):
        readings.note(meter.id, EventKind.OTHER_MODEL, clock.at, lease - 1)

    assert picture() == before


def test_settings_are_kept_exactly(meter, lease, clock):
    settings = MeterSettings(
        money_control=True,
        prices=(Decimal("1.2000"), Decimal("1.0"), Decimal("0.7"), Decimal("0.4")),
        alarm1_fen=2000,
        alarm2_fen=500,
        overdraft_fen=0,
        purchase_count=4,
        balance_fen=500,
    )

    readings.store_settings(meter.id, settings, at=clock.at, epoch=lease)

    assert MeterSettings.from_json(latest(meter).settings) == settings
    assert latest(meter).settings_at == clock.at


def test_another_number_at_the_address_is_told_once_and_shown(meter, lease, clock):
    for _ in range(2):
        ours = readings.store_identity(meter, "999999999999", at=clock.at, epoch=lease)

    assert not ours
    assert latest(meter).seen_serial == "999999999999"
    assert events() == [EventKind.OTHER_METER]


def test_our_own_number_clears_the_other_one(meter, lease, clock):
    readings.store_identity(meter, "999999999999", at=clock.at, epoch=lease)

    assert readings.store_identity(meter, meter.serial, at=clock.at, epoch=lease)

    assert latest(meter).seen_serial is None


def test_the_same_thing_noted_again_is_one_event(meter, lease, clock):
    for code in (7, 7, 5):
        readings.note(meter.id, EventKind.OTHER_MODEL, clock.at, lease, found=code)

    assert events() == [EventKind.OTHER_MODEL, EventKind.OTHER_MODEL]
