"""销户: what each meter of a tenant needs next until the account is closed; run again to go on.

The next step is derived from what is stored: nothing remembers how far a closing has come.
"""

import datetime as dt
from dataclasses import dataclass
from functools import reduce
from operator import or_

from engine import clock
from engine.config import MoneySection
from engine.domain.errors import CommandOpen, NotClosable, NotOpened
from engine.services import (
    accounts,
    audit,
    clearing,
    closing_steps,
    commands,
    deposits,
    exchange_rows,
    meters,
    opening,
    operators,
    refunding,
    releasing,
    switching,
    temporary_rows,
    transferring,
)
from engine.services.approving import require_second
from engine.services.closing_steps import MeterPlan, Step, Terms, look
from models.accounts import Account, Installation, PlannedMeter
from models.base import begins_with, next_rev, write_transaction
from models.commands import Command
from models.enums import CommandKind, PayKind, Right
from models.people import Operator

REASON = "close"  # in the rows of commands, where nobody gave another


@dataclass(frozen=True)
class Plan:
    account: Account
    meters: tuple[MeterPlan, ...]  # those still on the account
    deposit_fen: int  # still held
    payable: tuple[Command, ...]  # refunds that were proved and wait to be paid out
    closed: bool


def plan(number: str, *, keep: bool = False) -> Plan:
    """Each meter's next step. Raises NoSuchTenant."""
    account = accounts.get(number)
    steps = [look(each, Terms(keep=keep)) for each in accounts.installations_of(account)]
    deposit_fen = deposits.held_fen(number)
    closed = account.closed_at is not None
    return Plan(account, tuple(steps), deposit_fen, tuple(payable_of(account)), closed)


def advance(
    number: str,
    by: Operator,
    *,
    money: MoneySection,
    zone: dt.tzinfo,
    pay: PayKind = PayKind.CASH,
    why: str = "",
    transfer_to: str | None = None,
    write_off: bool = False,
    return_deposit: bool = False,
    approver: Operator | None = None,
) -> Plan:
    """Do what can be done now, and say what is next; call again until it is `closed`.

    What was refunded is paid out by `pay`, last of all, and with `return_deposit` the deposit;
    else it is still held, and may be returned later. Raises Forbidden, NoSuchTenant,
    TenantClosed, CommandOpen (one that is none of the closing's own), MeterInExchange,
    NotClosable(why `target`: it is itself closed), ApprovalNeeded, and what refunds, transfers and
    write-offs raise.
    """
    terms = Terms(
        money,
        pay,
        why or REASON,
        transfer_to,
        write_off=write_off,
        return_deposit=return_deposit,
        approver=approver,
        zone=zone,
    )
    operators.require(by, Right.ACCOUNTS)
    account = accounts.open_one(number)
    found = accounts.installations_of(account)
    if transfer_to in {each.meter.serial for each in found}:
        raise NotClosable(number=number, serial=transfer_to, why="target")
    for installation in found:
        require_quiet(installation)
    for installation in found:
        step_on(installation, by, terms)
    if not accounts.installations_of(account):
        _finish(account, by, terms)
    return plan(number)


def release(
    serial: str,
    by: Operator,
    *,
    money: MoneySection,
    zone: dt.tzinfo,
    pay: PayKind = PayKind.CASH,
    why: str = "",
    transfer_to: str | None = None,
    write_off: bool = False,
    approver: Operator | None = None,
) -> MeterPlan:
    """One meter of a tenant who keeps others: as `advance`, for that meter alone.

    What was refunded is not paid out here: it waits with the other refunds.
    """
    terms = Terms(
        money, pay, why or REASON, transfer_to, write_off=write_off, approver=approver, zone=zone
    )
    operators.require(by, Right.ACCOUNTS)
    installation = _open(serial)
    require_quiet(installation)
    return step_on(installation, by, terms)


def step_on(installation: Installation, by: Operator, terms: Terms) -> MeterPlan:
    """What can be done now with one meter; its plan afterwards."""
    now = look(installation, terms)
    serial = now.serial
    id_ = closing_steps.next_id(installation, now.step)
    match now.step:
        case Step.WAIT:
            transferring.go_on()
            _aim(installation, by, terms)
        case Step.READ:
            commands.request_read(serial, id_, by)
        case Step.TAKE_OUT if terms.transfer_to:
            transferring.begin(
                serial, terms.transfer_to, None, terms.why, by, id_,
                money=terms.money, approver=terms.approver,
            )  # fmt: skip
        case Step.TAKE_OUT:
            refunding.refund(
                serial, None, terms.pay, terms.why, by, id_,
                money=terms.money, approver=terms.approver,
            )  # fmt: skip
        case Step.CLEAR:
            _clear(serial, by, id_, terms)
        case Step.PAY_ARREARS if terms.write_off:
            _clear(serial, by, id_, terms)
        case Step.TRIP:
            with write_transaction():
                switching.request_within(serial, CommandKind.TRIP, terms.why, by, id_)
        case Step.RELEASE:
            return _release(installation, by, terms)
    return look(installation, terms)


def require_quiet(installation: Installation) -> None:
    """Raises CommandOpen for a counted command that is none of the closing's own, MeterInExchange,
    MeterHeld.

    A sale under way would put credit into a meter that nobody owns; what is held on for a time
    would go on being used, and owed by nobody.
    """
    meter = installation.meter
    temporary_rows.require_not_held(meter)
    number = commands.open_counted(meter)
    if number is not None and not closing_steps.is_own(installation, commands.get(number)):
        raise CommandOpen(serial=meter.serial, command=number)
    exchange_rows.require_none(meter)


def commands_of(account: Account) -> list[Command]:
    """What the closing asked of the tenant's meters, reads apart, oldest first."""
    begun = [
        closing_steps.prefix(each)
        for each in Installation.select().where(Installation.account == account)
    ]
    if not begun:
        return []
    own = reduce(or_, (begins_with(Command.request_id, prefix) for prefix in begun))
    query = Command.select().where(own, Command.kind != CommandKind.READ)
    return list(query.order_by(Command.id))


def payable_of(account: Account) -> list[Command]:
    """Refunds of the tenant's meters, while they were its own, that wait to be paid out."""
    spans: dict[int, list[Installation]] = {}
    for each in Installation.select().where(Installation.account == account):
        spans.setdefault(each.__data__["meter"], []).append(each)
    return [
        command
        for command in refunding.payable()
        if any(
            span.opened_at <= command.created_at
            and (span.closed_at is None or command.created_at <= span.closed_at)
            for span in spans.get(command.__data__["meter"], [])
        )
    ]


def _open(serial: str) -> Installation:
    installation = meters.installation_of(meters.living(serial))
    if installation is None:
        raise NotOpened(serial=serial)
    return installation


def _clear(serial: str, by: Operator, id_: str, terms: Terms) -> None:
    clearing.clear(serial, terms.why, by, id_, money=terms.money, approver=terms.approver)


def _aim(installation: Installation, by: Operator, terms: Terms) -> None:
    """A second leg that came to nothing goes to the meter that is named now."""
    transfer = closing_steps.stranded(installation)
    if transfer is not None and terms.transfer_to:
        transferring.aim(
            transfer.id, terms.transfer_to, by, money=terms.money, approver=terms.approver
        )


def _release(installation: Installation, by: Operator, terms: Terms) -> MeterPlan:
    """The last step, if nothing has come between since it was looked at."""
    with write_transaction():
        now = look(installation, terms)
        if now.step is not Step.RELEASE:
            return now
        reading, _ = releasing.newest(installation.meter)
        if terms.heir is not None and terms.keep:  # as good as a transfer to the heir
            left_fen = (reading.balance_fen or 0) if reading else 0
            require_second(by, terms.approver, left_fen, terms.money.approve_refund_fen)
        releasing.end(installation, reading, by, terms.end, terms.why, zone=terms.zone)
        if terms.heir is not None:
            opening.install(installation.meter, terms.heir, reading, taken_over=True)
            accounts.touch(terms.heir)
        return look(closing_steps.again(installation), terms)


def _finish(account: Account, by: Operator, terms: Terms) -> None:
    """The money last, then the account is closed."""
    for command in payable_of(account):
        refunding.pay_out(command.id, terms.pay, by, money=terms.money)
    if terms.return_deposit and (held_fen := deposits.held_fen(account.number)):
        deposits.return_deposit(
            account.number, held_fen, terms.pay, terms.why, by, f"close-{account.number}-deposit",
            money=terms.money, approver=terms.approver,
        )  # fmt: skip
    with write_transaction():
        if accounts.installations_of(account):
            return
        closed = Account.update(closed_at=clock.now(), rev=next_rev(Account)).where(
            Account.id == account.id, Account.closed_at.is_null()
        )
        PlannedMeter.delete().where(PlannedMeter.account == account).execute()
        if closed.execute():
            deposit_fen = deposits.held_fen(account.number)
            detail: dict[str, object] = {"why": terms.why, "deposit_fen": deposit_fen}
            audit.write(by.name, "account_close", account.number, detail)
