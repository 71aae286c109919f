"""Project conversion: amounts of old meters from a file, each into its new meter once.

The old meters were another system's: what they held is believed to the file, whose total is
declared apart. All or nothing is written down; the engine then carries each amount to its meter
like the second leg of any transfer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine import clock
from engine.config import MoneySection
from engine.domain.errors import DomainError, TotalDiffers
from engine.domain.units import yuan_text
from engine.services import audit, ledger, operators, transferring
from engine.services.approving import require_second
from engine.services.conversion_file import Amount, read_amounts
from engine.tables import Problem, Tables
from models.accounts import Installation
from models.base import write_transaction
from models.commands import Transfer
from models.enums import CommandState, EntryKind, MeterKind, Right, TransferPurpose
from models.people import Operator
from models.site import Meter

FAILED = (CommandState.REFUSED, CommandState.VOIDED)


@dataclass
class Report:
    """What a file came to; with errors it did nothing."""

    total_fen: int = 0
    rows: int = 0
    converted: int = 0  # written down now
    new_fen: int = 0  # of these
    known: int = 0  # of an earlier run: not transferred again
    empty: int = 0  # rows of 0 yuan
    transfers: list[int] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far the transfers of a conversion are."""

    total: int
    done: int
    waiting: int
    unknown: int
    refused: int
    done_fen: int


def convert(
    tables: Tables,
    total_fen: int,
    by: Operator,
    *,
    money: MoneySection,
    source: str = "",
    approver: Operator | None = None,
    dry_run: bool = False,
) -> Report:
    """Write down one transfer a row and queue it; the same rows again transfer nothing twice.

    What an earlier run left refused is tried again. Raises Forbidden, TotalDiffers,
    ApprovalNeeded, NotApprovable; with an error in any row, too, nothing has changed.
    """
    operators.require(by, Right.TRANSFER)
    report = Report()
    amounts = read_amounts(tables, report.errors, report.warnings)
    with write_transaction():
        _check(amounts, report.errors, money.ceiling_fen)
        if report.errors:
            return report
        report.rows, report.total_fen = len(amounts), sum(each.amount_fen for each in amounts)
        _require_total(report.total_fen, total_fen)
        operators.require(by, Right.TRANSFER)
        for amount in amounts:
            _write_down(amount, by, approver, report, dry_run=dry_run)
        if dry_run:
            return report
        if report.converted:
            limit_fen = money.approve_adjustment_fen
            require_second(by, approver, report.new_fen, limit_fen, what="adjustment")
            detail = {
                "converted": report.converted,
                "amount_fen": report.new_fen,
                "approver": approver.name if approver else None,
            }
            audit.write(by.name, "conversion", Path(source).name, detail)
    transferring.go_on()
    _try_again(report.transfers, by, money)
    return report


def progress(transfer_ids: Iterable[int]) -> Progress:
    """Of these transfers: finished, under way, in doubt, refused."""
    transfers = list(Transfer.select().where(Transfer.id.in_(list(transfer_ids))))
    states = {transfer.id: _state_of(transfer) for transfer in transfers}
    count = list(states.values()).count
    return Progress(
        total=len(transfers),
        done=count("done"),
        waiting=count("waiting"),
        unknown=count("unknown"),
        refused=count("refused"),
        done_fen=sum(each.amount_fen or 0 for each in transfers if states[each.id] == "done"),
    )


def _state_of(transfer: Transfer) -> str:
    if transfer.finished_at is not None:
        return "done"
    leg = transferring.second_of(transfer)
    if leg is None:
        return "waiting"
    if leg.state in FAILED:
        return "refused"
    in_doubt = (CommandState.UNKNOWN, CommandState.SUSPENSE)
    return "unknown" if leg.state in in_doubt else "waiting"


def _check(amounts: list[Amount], errors: list[Problem], ceiling_fen: int) -> None:
    """Each meter once, there, prepaid, opened, and not converted before with another amount."""
    first: dict[tuple[str, str], int] = {}
    for amount in amounts:
        for column, key in (("serial", amount.serial), ("old_serial", amount.old_serial)):
            row = first.setdefault((column, key), amount.row)
            if key and row != amount.row:
                errors.append(amount.problem("double_key", column, found=key, first=row))
        if amount.amount_fen > ceiling_fen:
            texts = {"found": yuan_text(amount.amount_fen), "ceiling": yuan_text(ceiling_fen)}
            errors.append(amount.problem("over_ceiling", "amount_yuan", **texts))
        meter = Meter.get_or_none(Meter.serial == amount.serial)
        if (problem := _problem_of(amount, meter)) is not None:
            errors.append(problem)


def _problem_of(amount: Amount, meter: Meter | None) -> Problem | None:
    found = {"found": amount.serial}
    if meter is None:
        return amount.problem("unknown_meter", "serial", **found)
    if meter.retired_at is not None:
        return amount.problem("meter_retired", "serial", **found)
    if meter.kind is not MeterKind.PREPAID:
        return amount.problem("meter_ordinary", "serial", **found)
    opened = Installation.select().where(
        Installation.meter == meter, Installation.closed_at.is_null()
    )
    if not opened.exists():
        return amount.problem("meter_not_opened", "serial", **found)
    before = Transfer.get_or_none(
        Transfer.target == meter, Transfer.purpose == TransferPurpose.CONVERSION
    )
    if before is not None and before.request_id != amount.request_id:
        was = yuan_text(before.amount_fen or 0)
        return amount.problem("meter_converted", "serial", was=was, **found)
    return None


def _require_total(found_fen: int, declared_fen: int) -> None:
    if found_fen != declared_fen:
        raise TotalDiffers(
            found=yuan_text(found_fen),
            declared=yuan_text(declared_fen),
            difference=yuan_text(found_fen - declared_fen),
        )


def _write_down(
    amount: Amount, by: Operator, approver: Operator | None, report: Report, *, dry_run: bool
) -> None:
    """The transfer, its credit in clearing: taken over from a meter that is in no book of ours."""
    if amount.amount_fen == 0:
        report.empty += 1
        return
    earlier = Transfer.get_or_none(Transfer.request_id == amount.request_id)
    if earlier is not None:
        report.known += 1
        report.transfers.append(earlier.id)
        return
    report.converted += 1
    report.new_fen += amount.amount_fen
    if dry_run:
        return
    meter = Meter.get(Meter.serial == amount.serial)
    transfer: Transfer = Transfer.create(
        request_id=amount.request_id,
        purpose=TransferPurpose.CONVERSION,
        target=meter,
        amount_fen=amount.amount_fen,
        why=amount.why,
        operator=by,
        approver=approver,
        created_at=clock.now(),
    )
    ledger.post(
        ledger.take_over(),
        ledger.clearing(transfer),
        amount.amount_fen,
        EntryKind.TAKE_OVER,
        by=by,
    )
    report.transfers.append(transfer.id)


def _try_again(transfer_ids: list[int], by: Operator, money: MoneySection) -> None:
    unfinished = Transfer.select().where(
        Transfer.id.in_(transfer_ids), Transfer.finished_at.is_null()
    )
    for transfer in list(unfinished):  # read to its end: an open read refuses the write lock
        leg = transferring.second_of(transfer)
        if not transferring.goes_to_whom_it_was_for(transfer):
            continue
        if leg is not None and leg.state in FAILED and transfer.target is not None:
            try:
                transferring.aim(transfer.id, transfer.target.serial, by, money=money)
            except DomainError:  # frozen, say: it stays in clearing, in sight
                continue
