"""Moving on: a tenant to another shop, a shop to another tenant, both with all their history."""

import datetime as dt

from engine.config import Config, MoneySection
from engine.domain.errors import AlreadyOpen, NotClosable, NotOpened
from engine.services import accounts, closing, meters, opening, operators
from engine.services.closing_steps import MeterPlan, Terms
from models.accounts import Installation
from models.enums import InstallationEnd, PayKind, Right
from models.people import Operator

REASON = "move"


def move(
    old: str,
    new: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    why: str = "",
    write_off: bool = False,
    approver: Operator | None = None,
) -> MeterPlan:
    """The tenant of meter `old` goes on with `new` (shop to shop): its credit goes along.

    `new` is opened, the balance transferred, `old` tripped and released: one step each call, again
    until it is `done`. Raises Forbidden, NotOpened, AlreadyOpen, and what opening, transfers and
    closing raise.
    """
    operators.require(by, Right.ACCOUNTS)
    operators.require(by, Right.TRANSFER)
    installation = _installation(old)
    account = installation.account
    closing.require_quiet(installation)
    taken = meters.installation_of(meters.living(new))
    if taken is not None and taken.account.id != account.id:
        whose = taken.account
        raise AlreadyOpen(serial=new, number=whose.number, name=whose.name)
    if old == new:
        raise NotClosable(number=account.number, serial=new, why="target")
    terms = Terms(
        config.money,
        why=why or REASON,
        transfer_to=new,
        write_off=write_off,
        approver=approver,
        end=InstallationEnd.MOVED,
        zone=config.site.zone,
    )
    if taken is None:
        opening.open_account(account.number, [new], by, request_id, config=config)
    return closing.step_on(installation, by, terms)


def hand_over(
    serial: str,
    to: str,
    by: Operator,
    *,
    money: MoneySection,
    zone: dt.tzinfo,
    keep: bool = False,
    transfer_to: str | None = None,
    pay: PayKind = PayKind.CASH,
    why: str = "",
    write_off: bool = False,
    approver: Operator | None = None,
) -> MeterPlan:
    """Meter `serial` goes from its tenant to tenant `to` at one reading, without a trip.

    What it holds is refunded to who leaves; or transferred to another of its meters; or stays in
    it (`keep`), where the two agreed so between them. One step each call, again until it is
    `done`. Credit that stays needs a second person like a refund of as much. Raises Forbidden,
    NotOpened, NoSuchTenant, TenantClosed, NotClosable(why `heir`), MeterPlanned, and what refunds
    and transfers raise.
    """
    operators.require(by, Right.ACCOUNTS)
    installation = _installation(serial)
    heir = accounts.open_one(to)
    if heir.id == installation.account.id:
        raise NotClosable(number=to, serial=serial, why="heir")
    accounts.require_unplanned(installation.meter, heir)
    closing.require_quiet(installation)
    terms = Terms(
        money,
        pay,
        why or REASON,
        transfer_to,
        keep=keep,
        write_off=write_off,
        approver=approver,
        end=InstallationEnd.MOVED,
        heir=heir,
        zone=zone,
    )
    return closing.step_on(installation, by, terms)


def _installation(serial: str) -> Installation:
    installation = meters.installation_of(meters.living(serial))
    if installation is None:
        raise NotOpened(serial=serial)
    return installation
