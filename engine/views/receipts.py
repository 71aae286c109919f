"""Receipts as lists show them: for what, for whom, and what became of the paper."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from models.accounts import Account, Installation
from models.base import tuples
from models.cases import PrintJob
from models.commands import Command, Receipt
from models.enums import CommandState, PrintState


@dataclass(frozen=True, slots=True)
class Paper:
    """How the last print job of a receipt stands."""

    state: PrintState
    tries: int
    error: str
    reprints: int

    @property
    def under_way(self) -> bool:
        return self.state in (PrintState.QUEUED, PrintState.PRINTING)

    @property
    def failed(self) -> bool:
        return self.state is PrintState.FAILED


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    number: str
    issued_at: dt.datetime
    kind: str  # of the command, or payment
    commands: tuple[int, ...]
    serials: tuple[str, ...]
    tenant: str | None
    amount_fen: int  # credit that is proved
    fee_fen: int
    paper: Paper | None


def latest(limit: int = 100) -> list[ReceiptRow]:
    """Newest first."""
    found = list(Receipt.select().order_by(Receipt.id.desc()).limit(limit))
    papers = _papers([receipt.id for receipt in found])
    return [_row(receipt, papers.get(receipt.id)) for receipt in found]


def paper_of(command_id: int) -> Paper | None:
    """Of the receipt of a command, or of its payment."""
    command = Command.get_by_id(command_id)
    mine = Receipt.command == command
    if command.payment is not None:
        mine = Receipt.payment == command.payment
    receipt = Receipt.get_or_none(mine)
    return _papers([receipt.id]).get(receipt.id) if receipt else None


def unprinted(since: dt.datetime) -> tuple[int, str]:
    """How many papers asked for since then failed or are tried again, and why the last did."""
    jobs = (
        PrintJob.select()
        .where(PrintJob.created_at >= since, PrintJob.error != "")
        .where(PrintJob.state.in_([PrintState.QUEUED, PrintState.PRINTING, PrintState.FAILED]))
        .order_by(PrintJob.id.desc())
    )
    last = jobs.first()
    return jobs.count(), last.error if last else ""


def _papers(receipts: Iterable[int]) -> dict[int, Paper]:
    jobs = (
        PrintJob.select(
            PrintJob.receipt, PrintJob.state, PrintJob.tries, PrintJob.error, PrintJob.reprint
        )
        .where(PrintJob.receipt.in_(list(receipts)))
        .order_by(PrintJob.id)
    )
    papers: dict[int, Paper] = {}
    for receipt, state, tries, error, again in tuples(jobs):
        before = papers.get(receipt)
        papers[receipt] = Paper(state, tries, error, (before.reprints if before else 0) + again)
    return papers


def _row(receipt: Receipt, paper: Paper | None) -> ReceiptRow:
    split = receipt.payment is not None
    mine = Command.payment == receipt.payment if split else Command.id == receipt.command
    commands = list(Command.select().where(mine).order_by(Command.id))
    proved = [each for each in commands if each.state is CommandState.APPLIED]
    return ReceiptRow(
        number=receipt.number,
        issued_at=receipt.issued_at,
        kind="payment" if split else str(commands[0].kind),
        commands=tuple(each.id for each in commands),
        serials=tuple(each.serial for each in commands),
        tenant=_tenant_of(commands[0]),
        amount_fen=sum(each.amount_fen for each in proved),
        fee_fen=sum(each.fee_fen for each in proved),
        paper=paper,
    )


def _tenant_of(command: Command) -> str | None:
    names = tuples(
        Account.select(Account.name)
        .join(Installation)
        .where(Installation.meter == command.meter)
        .where(Installation.opened_at <= command.created_at)
        .where(Installation.closed_at.is_null() | (Installation.closed_at > command.created_at))
        .limit(1)
    )
    return names[0][0] if names else None
