"""销户: what each meter of a tenant needs next until the account is closed; run again to go on."""

from dataclasses import dataclass
from enum import StrEnum

from engine.config import MoneySection
from models.accounts import Account
from models.enums import PayKind
from models.people import Operator


class Step(StrEnum):
    """Of one meter at the end of an account: the first that is not done."""

    WAIT = "wait"  # a command is under way
    READ = "read"  # no reading younger than FRESH_S
    TAKE_OUT = "take_out"  # credit is left: refund or transfer
    PAY_ARREARS = "pay_arrears"  # it owes: sell, or write off with a second person
    CLEAR = "clear"  # a few fen are left
    TRIP = "trip"
    RELEASE = "release"
    DONE = "done"


@dataclass(frozen=True)
class MeterPlan:
    serial: str
    shop: str
    step: Step
    balance_fen: int | None
    energy_wh: int | None
    command: int | None  # the command it waits for
    reason: str | None  # why the latest command of this closing failed, a code of the catalogs


@dataclass(frozen=True)
class Plan:
    account: Account
    meters: tuple[MeterPlan, ...]
    deposit_fen: int  # still held
    closed: bool


def plan(number: str) -> Plan:
    """Each meter's next step. Raises NoSuchTenant."""
    raise NotImplementedError


def advance(
    number: str,
    by: Operator,
    *,
    money: MoneySection,
    pay: PayKind = PayKind.CASH,
    why: str = "",
    transfer_to: str | None = None,
    write_off: bool = False,
    only: str | None = None,
    approver: Operator | None = None,
) -> Plan:
    """Do what can be done now, and say what is next; call again until `closed`.

    Raises Forbidden, NoSuchTenant, TenantClosed, CommandOpen (a sale under way that is none of
    the closing's own), ApprovalNeeded, NotTransferable.
    """
    raise NotImplementedError


def release(
    serial: str,
    by: Operator,
    *,
    money: MoneySection,
    pay: PayKind = PayKind.CASH,
    why: str = "",
    transfer_to: str | None = None,
    write_off: bool = False,
    approver: Operator | None = None,
) -> MeterPlan:
    """One meter of a tenant who keeps others: as `advance`, for that meter alone."""
    raise NotImplementedError


def statement(number: str, language: str, width: int) -> str:
    """The closing statement (销户单): 32, 48 or 80 columns."""
    raise NotImplementedError
