"""What must hold whatever happened: the promises of docs/money.md, against what the meters did."""

from engine.services import ledger, meters, transferring, verify
from engine.services.receipts import WITH_RECEIPT
from models.commands import Command, Receipt, Transfer
from models.enums import AccountKind, CommandState, EntryKind
from models.ledger import LedgerEntry
from models.site import Meter
from tests.properties.office import HELD_FEN, Office

DONE_NOTHING = (CommandState.QUEUED, CommandState.REFUSED, CommandState.VOIDED)


def check(office: Office) -> None:
    assert verify.faults() == []
    for serial, meter in office.meters.meters.items():
        moved = sum(
            fen
            for request_id, fen in office.moved.items()
            if office.serial_of[request_id] == serial
        )
        put_in = HELD_FEN + moved + office.foreign[serial] - office.used[serial]
        assert meter.balance_fen == put_in, "the test itself has lost count"
    for command in Command.select():
        if command.counted:
            _check_command(office, command)
    for meter in Meter.select():
        _check_meter(office, meter)
    for transfer in Transfer.select():
        _check_transfer(transfer)
    _check_receipts()


def _check_command(office: Office, command: Command) -> None:
    """What its frames did is what the books say of it, to the fen."""
    moved = office.moved[command.request_id]
    slack = office.slack[command.request_id]
    name = (command.id, command.kind, command.state, command.reason)
    whole = command.amount_fen if command.kind.raises else -command.amount_fen
    if command.kind == "clear" and (command.base_balance_fen or 0) < 0:
        whole = command.amount_fen
    match command.state:
        case CommandState.APPLIED:
            decided = command.reason == "decided_applied" and _excused(office, command)
            assert whole <= moved <= whole + slack or decided, name
        case CommandState.SENT | CommandState.UNKNOWN:
            assert moved == 0 or whole <= moved <= whole + slack or _excused(office, command), name
        case CommandState.SUSPENSE:
            assert _excused(office, command) or slack or command.reason == "restored", name
            assert Meter.get_by_id(command.meter.id).frozen, name
        case _:
            assert moved == 0 or _excused(office, command), name
    paid = LedgerEntry.select().where(
        LedgerEntry.command == command, LedgerEntry.kind == EntryKind.PAYOUT
    )
    if command.kind.lowers and paid.exists():
        assert command.state is CommandState.APPLIED, name


def _excused(office: Office, command: Command) -> bool:
    """Another hand was at the meter, a gateway repeated a frame, or the books are of yesterday."""
    return command.serial in office.disturbed or command.request_id in office.reverted


def _check_meter(office: Office, meter: Meter) -> None:
    """The mirror is the meter, where nothing is under way and nobody else was there."""
    serial = meter.serial
    if meters.installation_of(meter) is None or office.is_decided(serial):
        return
    if meter.mirror_count is None or serial in office.disturbed or serial in office.behind():
        return
    if any(command.state.open for command in Command.select().where(Command.serial == serial)):
        return
    there = office.meters.meters[serial]
    assert meter.mirror_count == there.count, serial
    credit = ledger.balance_of(ledger.meter_credit(serial))
    slack = sum(
        fen for request_id, fen in office.slack.items() if office.serial_of[request_id] == serial
    )
    used = office.used[serial] - office.used_before[serial]
    more = there.balance_fen + used - credit - _revenue_fen(serial)
    assert 0 <= more <= slack, (serial, credit, there.balance_fen)
    suspense = Command.select().where(Command.state == CommandState.SUSPENSE)
    assert not meter.frozen or suspense.where(Command.serial == serial).exists(), serial


def _revenue_fen(serial: str) -> int:
    """What daily freezes have moved from the meter's credit to revenue."""
    account = ledger.meter_credit(serial)
    entries = LedgerEntry.select().where(LedgerEntry.kind == EntryKind.REVENUE)
    went = sum(entry.amount_fen for entry in entries.where(LedgerEntry.debit == account))
    return went - sum(entry.amount_fen for entry in entries.where(LedgerEntry.credit == account))


def _check_transfer(transfer: Transfer) -> None:
    left = ledger.balance_at(AccountKind.CLEARING, str(transfer.id))
    assert left >= 0
    legs = transferring.legs_of(transfer)
    if transfer.finished_at is not None:
        assert left == 0, transfer.id
        assert not any(leg.state.open for leg in legs), transfer.id
        out = sum(leg.amount_fen for leg in legs if leg.kind.lowers and leg.state == "applied")
        there = sum(leg.amount_fen for leg in legs if leg.kind.raises and leg.state == "applied")
        assert out == there, transfer.id


def _check_receipts() -> None:
    """Each proved command that changes hands has a number, its own or its payment's."""
    proved = {
        (command.__data__["payment"] and f"p{command.__data__['payment']}") or command.id
        for command in Command.select()
        if command.state is CommandState.APPLIED and command.kind in WITH_RECEIPT
    }
    numbered = {
        f"p{receipt.__data__['payment']}"
        if receipt.__data__["payment"]
        else receipt.__data__["command"]
        for receipt in Receipt.select()
    }
    assert proved == numbered
