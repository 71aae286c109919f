"""Meter exchanges as a list and the checklist show them."""

import datetime as dt
from dataclasses import dataclass

from engine.domain.errors import NoSuchExchange
from models.accounts import Account, Installation
from models.cases import Exchange
from models.commands import Command, Receipt
from models.enums import CommandKind, CommandState, ExchangeStep
from models.site import Meter

STEPS = tuple(
    step for step in ExchangeStep if step not in (ExchangeStep.DONE, ExchangeStep.CANCELLED)
)


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange with the names a person knows it by."""

    exchange: int
    step: ExchangeStep
    old: str
    new: str | None
    shop: str
    tenant: str | None
    line: str  # of the new meter, else of the old one
    address: int
    why: str
    operator: str
    approver: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    by_hand: bool
    evidence: str
    final_energy_wh: int | None
    final_balance_fen: int | None
    first_energy_wh: int | None
    transfer: int | None
    moved_fen: int | None  # out of the old meter
    receipt: str | None

    @property
    def done(self) -> int:
        """How many of STEPS are done."""
        if self.step is ExchangeStep.DONE:
            return len(STEPS)
        return STEPS.index(self.step) if self.step in STEPS else 0

    def as_json(self) -> dict[str, object]:
        """Instants in UTC."""
        return {
            "id": self.exchange,
            "step": self.step.value,
            "old": self.old,
            "new": self.new,
            "shop": self.shop,
            "tenant": self.tenant,
            "reason": self.why,
            "operator": self.operator,
            "approver": self.approver,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "by_hand": self.by_hand,
            "evidence": self.evidence,
            "final_energy_wh": self.final_energy_wh,
            "final_balance_fen": self.final_balance_fen,
            "first_energy_wh": self.first_energy_wh,
            "transfer": self.transfer,
            "amount_fen": self.moved_fen,
            "receipt": self.receipt,
        }


def open_ones() -> list[ExchangeRow]:
    """Those that can be gone on with, oldest first."""
    query = Exchange.select().where(Exchange.finished_at.is_null()).order_by(Exchange.id)
    return [_row(each) for each in query]


def one(exchange_id: int) -> ExchangeRow:
    """Raises NoSuchExchange."""
    found = Exchange.get_or_none(Exchange.id == exchange_id)
    if found is None:
        raise NoSuchExchange(exchange=exchange_id)
    return _row(found)


def second_leg(exchange_id: int) -> Command | None:
    """The command that credits the new meter, its latest try; None: there was none yet."""
    found: Command | None = (
        Command.select()
        .join(Exchange, on=Exchange.transfer == Command.transfer)
        .where(Exchange.id == exchange_id, Command.kind == CommandKind.TRANSFER_IN)
        .order_by(Command.id.desc())
        .first()
    )
    return found


def _row(exchange: Exchange) -> ExchangeRow:
    old, new = exchange.old, exchange.new
    at: Meter = new or old
    line = at.line
    leg = second_leg(exchange.id)
    receipt = Receipt.get_or_none(Receipt.command == leg) if leg else None
    proved = leg is not None and leg.state is CommandState.APPLIED
    return ExchangeRow(
        exchange=exchange.id,
        step=exchange.step,
        old=old.serial,
        new=new.serial if new else None,
        shop=old.shop,
        tenant=_tenant_of(exchange),
        line=line.name,
        address=at.address,
        why=exchange.why,
        operator=exchange.operator.name,
        approver=exchange.approver.name if exchange.approver else None,
        started_at=exchange.started_at,
        finished_at=exchange.finished_at,
        by_hand=exchange.by_hand,
        evidence=exchange.evidence,
        final_energy_wh=exchange.final_energy_wh,
        final_balance_fen=exchange.final_balance_fen,
        first_energy_wh=exchange.first_energy_wh,
        transfer=exchange.transfer.id if exchange.transfer else None,
        moved_fen=leg.amount_fen if proved and leg else None,
        receipt=receipt.number if receipt else None,
    )


def _tenant_of(exchange: Exchange) -> str | None:
    """Whose meter the old one was when the exchange began."""
    began = exchange.started_at
    found = (
        Account.select(Account.name)
        .join(Installation)
        .where(Installation.meter == exchange.old, Installation.opened_at <= began)
        .order_by(Installation.opened_at.desc())
        .scalar()
    )
    return None if found is None else str(found)
