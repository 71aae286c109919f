"""The books are recomputed, and the first wrong row is named. Forgery bypasses the triggers."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.domain.counted import PurchaseState, Step
from engine.services import audit, chain, ledger, selling, verify
from models import base
from models.commands import Command
from models.enums import AccountKind, EntryKind
from models.ledger import LedgerAccount, LedgerEntry
from models.people import AuditEntry


@pytest.fixture
def forge(db) -> Callable[[str], None]:
    """Somebody with the file and another program: no triggers, no foreign keys."""

    def run(sql: str) -> None:
        base.core.execute_sql("PRAGMA foreign_keys = 0")
        for table in ("ledgerentry", "auditentry"):
            for verb in ("update", "delete"):
                base.core.execute_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        base.core.execute_sql(sql)

    return run


@pytest.fixture
def busy_day(sell, send, settle, prove, poll, add_meter, operator, clock) -> list[Command]:
    """One command in each state: applied with a fee, refused, voided, suspense, unknown, queued."""
    shops = [add_meter(f"20261123100{number}") for number in range(6)]
    for shop in shops[:3]:
        poll(shop)
    clock.advance(seconds=10)
    applied = prove(sell("r0", to=shops[0], fee_pct=Decimal(2)))
    base_state = PurchaseState(4, 500, 1000)
    refused = settle(send(sell("r1", to=shops[1])), Step.REFUSE, base_state, "not_applied")
    voided = selling.void(sell("r2", to=shops[2]).id, operator, undo_s=60)
    suspended = settle(send(sell("r3", to=shops[3])), Step.SUSPEND, PurchaseState(9, 1, 1000))
    unknown = settle(send(sell("r4", to=shops[4])), Step.KEEP)
    return [applied, refused, voided, suspended, unknown, sell("r5", to=shops[5])]


def found() -> list[tuple[str, dict[str, object]]]:
    return [(fault.code, fault.params) for fault in verify.faults()]


def codes() -> list[str]:
    return [fault.code for fault in verify.faults()]


def test_a_new_site_has_no_faults(db):
    assert verify.faults() == []


def test_a_day_with_every_kind_of_ending_has_no_faults(busy_day):
    assert verify.faults() == []


def test_a_sale_without_a_fee_has_no_faults(sell, prove):
    prove(sell())

    assert verify.faults() == []


def test_an_altered_amount_is_found_in_its_row(busy_day, forge):
    forge("UPDATE ledgerentry SET amount_fen = amount_fen + 1 WHERE id = 5")

    assert ("chain_broken", {"table": "ledgerentry", "row": 5}) in found()


def test_an_entry_taken_out_is_found_at_the_next_one(busy_day, forge):
    forge("DELETE FROM ledgerentry WHERE id = 3")

    assert ("chain_broken", {"table": "ledgerentry", "row": 4}) in found()


def test_two_entries_that_changed_places_are_found(busy_day, forge):
    for change in ("-1 WHERE id = 2", "2 WHERE id = 3", "3 WHERE id = -1"):
        forge(f"UPDATE ledgerentry SET id = {change}")

    assert ("chain_broken", {"table": "ledgerentry", "row": 2}) in found()


def test_an_entry_slipped_in_with_a_copied_link_is_found(busy_day, forge):
    forge(
        "INSERT INTO ledgerentry SELECT 900, debit_id, credit_id, amount_fen, 'suspense', "
        "command_id, NULL, operator_id, shift_id, posted_at, chain FROM ledgerentry WHERE id = 4"
    )

    assert ("chain_broken", {"table": "ledgerentry", "row": 900}) in found()


def test_a_row_from_another_history_of_the_same_site_is_found(db, forge):
    """As from an older backup: its link was right once, after another row."""
    for action in ("opened", "sold"):
        with base.write_transaction():
            audit.write("system", action)
    forge("CREATE TEMP TABLE kept AS SELECT * FROM auditentry WHERE id = 2")
    forge("DELETE FROM auditentry")
    with base.write_transaction():
        audit.write("system", "closed")

    forge("INSERT INTO auditentry SELECT * FROM kept")

    assert found() == [("chain_broken", {"table": "auditentry", "row": 2})]


def test_an_altered_log_is_found_in_its_row(busy_day, forge):
    forge("UPDATE auditentry SET operator = '王强' WHERE id = 2")

    assert found() == [("chain_broken", {"table": "auditentry", "row": 2})]


def test_a_code_no_program_knows_is_found_not_stumbled_over(busy_day, forge):
    forge("UPDATE ledgerentry SET kind = 'gift' WHERE id = 2")

    assert ("chain_broken", {"table": "ledgerentry", "row": 2}) in found()


def test_without_the_right_key_no_link_fits(busy_day, monkeypatch):
    monkeypatch.setattr("engine.security.chain_key", lambda: bytes(32))

    assert ("chain_broken", {"table": "ledgerentry", "row": 1}) in found()


def test_an_entry_that_leads_to_no_account_breaks_the_equation(busy_day, forge):
    forge("UPDATE ledgerentry SET debit_id = 999 WHERE id = 4")

    assert "not_balanced" in codes()


def test_a_state_that_its_entries_do_not_tell_is_found(busy_day, forge):
    applied = busy_day[0]
    forge(f"UPDATE command SET state = 'refused' WHERE id = {applied.id}")

    assert ("entries_differ", {"command": applied.id, "state": "refused"}) in found()


@pytest.mark.parametrize("column", ["amount_fen = amount_fen + 1", "pay = 'card'", "serial = 'x'"])
def test_terms_that_its_entries_do_not_tell_are_found(busy_day, forge, column):
    forge(f"UPDATE command SET {column} WHERE id = {busy_day[5].id}")

    assert ("entries_differ", {"command": busy_day[5].id, "state": "queued"}) in found()


def test_a_command_without_entries_is_found(busy_day, forge):
    forge("DELETE FROM ledgerentry")

    assert codes().count("entries_differ") == len(busy_day)


def test_money_in_flight_that_no_command_explains_is_found(busy_day, forge, meter):
    serial = busy_day[5].serial
    forge(f"DELETE FROM command WHERE id = {busy_day[5].id}")

    assert (
        "balance_differs",
        {"account": "in_flight", "serial": serial, "expected_fen": 0, "found_fen": 10_000},
    ) in found()


def test_credit_that_no_sale_explains_is_found(busy_day, meter):
    with base.write_transaction():
        ledger.post(ledger.in_flight("x"), ledger.meter_credit("y"), 1, EntryKind.CREDIT)

    assert "stray_entry" in codes()
    assert (
        "balance_differs",
        {"account": "meter_credit", "serial": "y", "expected_fen": 0, "found_fen": 1},
    ) in found()


def test_credit_taken_over_twice_is_found(busy_day):
    serial = busy_day[0].serial
    with base.write_transaction():
        ledger.post(ledger.take_over(), ledger.meter_credit(serial), 500, EntryKind.TAKE_OVER)

    assert found() == [("taken_over_twice", {"serial": serial})]


def test_an_overdraft_taken_over_is_no_fault(poll, meter):
    poll(meter, balance_fen=-250)

    assert verify.faults() == []


def test_a_proof_without_receipt_is_found(busy_day, forge):
    forge("DELETE FROM receipt")

    assert found() == [("receipt_differs", {"command": busy_day[0].id})]


def test_a_receipt_without_proof_is_found(busy_day, forge):
    forge(f"UPDATE receipt SET command_id = {busy_day[1].id}")

    assert found() == [
        ("receipt_differs", {"command": busy_day[0].id}),
        ("receipt_differs", {"command": busy_day[1].id}),
    ]


def test_a_meter_that_shows_another_count_is_a_warning_not_a_fault(busy_day, poll, clock):
    clock.advance(minutes=30)
    sold_to = busy_day[0].meter
    poll(sold_to, balance_fen=10_300, count=5)
    with base.write_transaction():
        type(sold_to).update(mirror_count=6).where(type(sold_to).id == sold_to.id).execute()

    assert verify.faults() == []
    assert [(warning.code, warning.params) for warning in verify.warnings()] == [
        ("count_differs", {"serial": sold_to.serial, "expected": 6, "found": 5})
    ]


def test_a_meter_that_holds_more_than_was_ever_put_in_is_a_warning(poll, meter, clock):
    poll(meter, balance_fen=500)
    clock.advance(minutes=30)

    poll(meter, balance_fen=501)

    assert [(warning.code, warning.params) for warning in verify.warnings()] == [
        ("more_than_sold", {"serial": meter.serial, "credit_fen": 500, "balance_fen": 501})
    ]


def test_meters_that_only_used_what_they_have_are_no_warning(poll, meter, add_meter, clock):
    add_meter("202611230002")
    poll(meter, balance_fen=500)
    clock.advance(minutes=30)

    poll(meter, balance_fen=480)

    assert verify.warnings() == []


def test_the_head_of_a_chain_moves_with_every_row_and_is_zero_before_the_first(db):
    heads = [chain.head(AuditEntry)]
    for action in ("one", "one"):
        with base.write_transaction():
            audit.write("system", action)
        heads.append(chain.head(AuditEntry))

    assert heads[0] == "00" * 32
    assert len(set(heads)) == 3


def test_a_tail_that_was_cut_off_shows_in_the_head(busy_day, forge):
    printed = chain.head(LedgerEntry)
    forge("DELETE FROM ledgerentry WHERE id = (SELECT MAX(id) FROM ledgerentry)")

    assert chain.first_broken(LedgerEntry) is None
    assert chain.head(LedgerEntry) != printed


def test_an_account_is_made_once(db):
    with base.write_transaction():
        first = ledger.account(AccountKind.SUSPENSE, "x")
        second = ledger.account(AccountKind.SUSPENSE, "x")

    assert first == second
    assert LedgerAccount.select().count() == 1


def test_outside_a_transaction_nothing_is_posted(db):
    with pytest.raises(AssertionError):
        audit.write("system", "nothing")
    assert AuditEntry.select().count() == 0
