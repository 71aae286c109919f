"""The outbox of paper: receipts queued, claimed by one engine, printed, tried again, given up."""

import datetime as dt

import peewee as pw

from engine import clock
from engine.domain.errors import StaleEngine
from engine.services import audit, operators, transitions
from models.base import write_transaction
from models.cases import PrintJob
from models.commands import OPEN_STATES, Command, Receipt
from models.enums import PrintState, Right
from models.people import Operator

DELAYS_S = (5, 15, 60, 300, 600)  # before the next try of a job that failed; the last repeats
TRIES_MAX = 10  # about an hour of a printer that is off; then a person prints it again
PAYMENT_WAIT_S = 30  # the paper of a split payment waits so long for sales still under way
ERROR_LENGTH_MAX = 300


def queue(receipt: Receipt) -> PrintJob:
    """The first paper of a receipt, inside the transaction that issues it."""
    job: PrintJob = PrintJob.create(receipt=receipt, created_at=clock.now())
    return job


def reprint(receipt: Receipt, by: Operator) -> PrintJob:
    """One more paper, marked, counted and audited. Raises Forbidden."""
    with write_transaction():
        operators.require(by, Right.SELL)
        job: PrintJob = PrintJob.create(
            receipt=receipt, reprint=True, operator=by, created_at=clock.now()
        )
        audit.write(by.name, "reprint", receipt.number, {"number": reprint_number(job)})
    return job


def reprint_number(job: PrintJob) -> int:
    """1 for a receipt's first reprint."""
    earlier = (PrintJob.receipt == job.receipt) & PrintJob.reprint & (PrintJob.id <= job.id)
    return int(PrintJob.select().where(earlier).count())


def get(job_id: int) -> PrintJob:
    job: PrintJob = PrintJob.get_by_id(job_id)
    return job


def claim(epoch: int, *, copies: bool) -> PrintJob | None:
    """The next job that is due, now *printing* under `epoch`; None where nothing is to be done.

    Without `copies` first papers are not wanted and end *skipped*; reprints always go.
    Raises StaleEngine.
    """
    if _due(copies=True) is None:
        return None
    with write_transaction():
        transitions.require_lease(epoch)
        if not copies:
            PrintJob.update(state=PrintState.SKIPPED, finished_at=clock.now()).where(
                PrintJob.state == PrintState.QUEUED,
                PrintJob.reprint == False,  # noqa: E712 (SQL)
            ).execute()
        job = _due(copies=copies)
        if job is not None:
            job.state, job.lease_epoch, job.tries = PrintState.PRINTING, epoch, job.tries + 1
            job.save(only=(PrintJob.state, PrintJob.lease_epoch, PrintJob.tries))
        return job


def _due(*, copies: bool) -> PrintJob | None:
    now = clock.now()
    under_way = Command.select(Command.id).where(
        Command.payment == Receipt.payment, Command.state.in_(OPEN_STATES)
    )
    late = Receipt.issued_at <= now - dt.timedelta(seconds=PAYMENT_WAIT_S)
    due = (
        PrintJob.select()
        .join(Receipt)
        .where(PrintJob.state == PrintState.QUEUED)
        .where(PrintJob.next_try_at.is_null() | (PrintJob.next_try_at <= now))
        .where(PrintJob.reprint | late | ~pw.fn.EXISTS(under_way))
        .order_by(PrintJob.tries, PrintJob.id)
    )
    found: PrintJob | None = (due if copies else due.where(PrintJob.reprint)).first()
    return found


def done(job_id: int, epoch: int) -> None:
    """It came out. Raises StaleEngine where another engine has judged the job meanwhile."""
    _end(job_id, epoch, state=PrintState.DONE, error="", finished_at=clock.now())


def failed(job_id: int, epoch: int, error: str) -> None:
    """Try again later, or give up after `TRIES_MAX` tries. Raises StaleEngine."""
    job = get(job_id)
    error = error[:ERROR_LENGTH_MAX]
    if job.tries >= TRIES_MAX:
        _end(job_id, epoch, state=PrintState.FAILED, error=error, finished_at=clock.now())
        return
    delay_s = DELAYS_S[min(job.tries, len(DELAYS_S)) - 1]
    next_try_at = clock.now() + dt.timedelta(seconds=delay_s)
    _end(job_id, epoch, state=PrintState.QUEUED, error=error, next_try_at=next_try_at)


def _end(job_id: int, epoch: int, **changes: object) -> None:
    with write_transaction():
        mine = (
            (PrintJob.id == job_id)
            & (PrintJob.state == PrintState.PRINTING)
            & (PrintJob.lease_epoch == epoch)
        )
        if PrintJob.update(**changes).where(mine).execute() != 1:
            raise StaleEngine(f"print job {job_id} is no longer of epoch {epoch}")


def recover(epoch: int, *, harmless: bool) -> int:
    """What an engine before us had in hand when it died; how many jobs that were.

    Nobody knows whether that paper came out, so it is not printed a second time unmarked: it ends
    *failed*, for a person to print again. Writing a file again is `harmless`. Raises StaleEngine.
    """
    with write_transaction():
        transitions.require_lease(epoch)
        left = (PrintJob.state == PrintState.PRINTING) & (PrintJob.lease_epoch != epoch)
        if harmless:
            changed = PrintJob.update(state=PrintState.QUEUED, next_try_at=None).where(left)
        else:
            changed = PrintJob.update(
                state=PrintState.FAILED, error="interrupted", finished_at=clock.now()
            ).where(left)
        return int(changed.execute())
