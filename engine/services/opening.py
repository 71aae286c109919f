"""开户: meters opened for a tenant, in one step or later, with prices and an opening amount."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.config import MoneySection
from models.accounts import Account
from models.commands import Command
from models.enums import PayKind
from models.people import Operator


@dataclass(frozen=True)
class Opened:
    account: Account
    serials: tuple[str, ...]
    commands: tuple[Command, ...]  # downloads, switching, the opening sale: as queued


def open_account(
    number: str,
    serials: Sequence[str],
    by: Operator,
    request_id: str,
    *,
    money: MoneySection,
    tariff: str | None = None,
    alarm1_fen: int | None = None,
    alarm2_fen: int | None = None,
    overload_w: int | None = None,
    amount_fen: int = 0,
    pay: PayKind | None = None,
    amount_to: str | None = None,
) -> Opened:
    """Open meters for a registered tenant; no `serials`: those that are planned for it.

    None leaves tariff, thresholds and overload as the meter's row has them. `amount_fen` is what
    the tenant pays now, by `pay`, for the meter `amount_to` (the first where none is named).
    Raises Forbidden, NoSuchTenant, TenantClosed, NothingPlanned, NoSuchMeter, MeterRetired,
    NotPrepaid, AlreadyOpen (whose), MeterPlanned (for whom), MeterInExchange, NoSuchTariff,
    BadAmount, PayKindOff, CreditCeilingExceeded; then nothing has changed. A repeated
    `request_id` returns the first opening.
    """
    raise NotImplementedError
