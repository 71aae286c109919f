"""The outbox of paper: queued with the receipt, one engine's at a time, tried again, given up."""

import pytest

from engine.domain.counted import Step
from engine.domain.errors import Forbidden, StaleEngine
from engine.services import operators, printing, receipts, selling
from engine.views import receipts as receipt_views
from models.accounts import Account, Installation
from models.base import write_transaction
from models.cases import PrintJob
from models.commands import Command, Lease
from models.enums import PayKind, PrintState, Role
from models.people import AuditEntry

EPOCH = 7


@pytest.fixture
def receipt(sell, prove):
    return receipts.of(prove(sell()))


@pytest.fixture
def next_engine(lease):
    """Another engine takes the site."""

    def take() -> int:
        with write_transaction():
            Lease.update(epoch=EPOCH + 1).execute()
        return EPOCH + 1

    return take


def states() -> list[str]:
    return [str(job.state) for job in PrintJob.select().order_by(PrintJob.id)]


def test_the_first_paper_is_queued_in_the_transaction_that_issues_the_receipt(receipt):
    job = PrintJob.get()

    assert (job.receipt, job.reprint, job.state) == (receipt, False, PrintState.QUEUED)


def test_a_confirmation_repeated_after_a_crash_queues_no_second_paper(receipt, settle):
    settle(receipt.command, Step.CONFIRM)

    assert states() == ["queued"]


def test_a_job_is_claimed_once_and_done_once(receipt):
    job = printing.claim(EPOCH, copies=True)

    assert (job.state, job.tries, job.lease_epoch) == (PrintState.PRINTING, 1, EPOCH)
    assert printing.claim(EPOCH, copies=True) is None
    printing.done(job.id, EPOCH)
    assert states() == ["done"]
    assert printing.claim(EPOCH, copies=True) is None


def test_an_engine_that_lost_the_site_claims_nothing(receipt, next_engine, picture):
    next_engine()
    before = picture()

    with pytest.raises(StaleEngine):
        printing.claim(EPOCH, copies=True)

    assert picture() == before


def test_what_an_older_engine_had_in_hand_is_not_printed_a_second_time(receipt, next_engine):
    job = printing.claim(EPOCH, copies=True)
    epoch = next_engine()

    assert printing.claim(epoch, copies=True) is None
    assert printing.recover(epoch, harmless=False) == 1
    assert printing.claim(epoch, copies=True) is None
    assert (printing.get(job.id).state, printing.get(job.id).error) == ("failed", "interrupted")
    with pytest.raises(StaleEngine):
        printing.done(job.id, EPOCH)


def test_a_file_is_simply_written_again(receipt, next_engine):
    printing.claim(EPOCH, copies=True)
    epoch = next_engine()

    printing.recover(epoch, harmless=True)

    assert printing.claim(epoch, copies=True).tries == 2


def test_recovery_leaves_alone_what_this_engine_has_in_hand(receipt):
    printing.claim(EPOCH, copies=True)

    assert printing.recover(EPOCH, harmless=False) == 0
    assert states() == ["printing"]


def test_a_failed_job_waits_longer_each_time_and_is_given_up(receipt, clock):
    waits = []
    while (job := printing.claim(EPOCH, copies=True)) is not None:
        printing.failed(job.id, EPOCH, "exit 1 no paper")
        job = printing.get(job.id)
        if job.state is PrintState.QUEUED:
            waits.append((job.next_try_at - clock.at).total_seconds())
            assert printing.claim(EPOCH, copies=True) is None
            clock.at = job.next_try_at

    assert waits == [5, 15, 60, 300, 600, 600, 600, 600, 600]
    assert (job, states()) == (None, ["failed"])
    assert PrintJob.get().error == "exit 1 no paper"


def test_a_job_that_fails_lets_others_pass(receipt, sell, prove, add_meter):
    job = printing.claim(EPOCH, copies=True)
    prove(sell("r2", to=add_meter("202611230002")))
    printing.failed(job.id, EPOCH, "exit 1")

    assert printing.claim(EPOCH, copies=True).receipt != receipt


def test_without_copies_first_papers_are_skipped_and_reprints_go(receipt, operator):
    assert printing.claim(EPOCH, copies=False) is None
    assert states() == ["skipped"]

    printing.reprint(receipt, operator)
    assert printing.claim(EPOCH, copies=False).reprint


def test_reprints_are_counted_named_and_audited(receipt, operator):
    first, second = printing.reprint(receipt, operator), printing.reprint(receipt, operator)

    assert [printing.reprint_number(job) for job in (first, second)] == [1, 2]
    entry = AuditEntry.select().where(AuditEntry.action == "reprint").order_by(-AuditEntry.id).get()
    assert (entry.operator, entry.subject, entry.detail) == (
        "李娜", "20261123-000001", '{"number":2}',
    )  # fmt: skip


def test_who_may_not_sell_prints_nothing(receipt, clock, picture):
    viewer = operators.create("看客", "correct horse", Role.VIEWER, at=clock.at)
    before = picture()

    with pytest.raises(Forbidden):
        printing.reprint(receipt, viewer)

    assert picture() == before


@pytest.fixture
def halves(meter, add_meter, operator, clock, lease):
    """One payment over two meters."""
    more = add_meter("202611230002", tenant="")
    account = Account.get()
    with write_transaction():
        Installation.create(meter=more, account=account, opened_at=clock.at)
    payment = selling.sell_to_tenant(
        account.number, {meter.serial: 1000, more.serial: 2000}, PayKind.CASH, operator, "p1",
        money=selling.MoneySection(),
    )  # fmt: skip
    return selling.legs_of(payment)


def test_the_paper_of_a_payment_waits_for_its_other_sales(halves, prove):
    prove(halves[0])
    assert printing.claim(EPOCH, copies=True) is None

    prove(halves[1])
    assert printing.claim(EPOCH, copies=True) is not None


def test_but_not_for_long(halves, prove, clock):
    prove(halves[0])

    clock.advance(seconds=30)

    assert printing.claim(EPOCH, copies=True) is not None


def test_the_list_says_what_became_of_the_paper(receipt, operator):
    job = printing.claim(EPOCH, copies=True)
    printing.failed(job.id, EPOCH, "absent No such file or directory")
    printing.reprint(receipt, operator)

    (row,) = receipt_views.latest()
    assert (row.number, row.kind, row.commands) == ("20261123-000001", "sell", (1,))
    assert (row.tenant, row.amount_fen, row.paper.reprints) == ("张三丰茶馆", 10_000, 1)
    assert row.paper.state is PrintState.QUEUED
    assert receipt_views.paper_of(1) == row.paper


def test_a_payments_row_sums_what_is_proved(halves, prove):
    prove(halves[1])

    (row,) = receipt_views.latest()

    assert (row.kind, row.amount_fen) == ("payment", 2000)
    assert row.serials == ("202611230001", "202611230002")
    assert {receipt_views.paper_of(leg.id).state for leg in halves} == {PrintState.QUEUED}


def test_a_command_without_a_receipt_has_no_paper(sell):
    sell()

    assert receipt_views.paper_of(Command.get().id) is None
