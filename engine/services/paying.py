"""Kinds of payment that the office takes, and the fee that it keeps of one."""

from decimal import Decimal

from engine.config import MoneySection
from engine.domain.errors import BadAmount, PayKindOff
from engine.domain.units import fee_split, yuan_text
from models.accounts import Account
from models.enums import PayKind


def require_taken(pay: PayKind, money: MoneySection) -> None:
    """Raises PayKindOff where the office does not take that kind (money.pay_kinds)."""
    if pay not in money.pays:
        known = ", ".join(kind.value for kind in money.pays)
        raise PayKindOff(pay=pay.value, known=known)


def fee_pct_of(account: Account, money: MoneySection) -> Decimal:
    """Per cent of a payment: the tenant's own, else the site's."""
    return money.fee_pct if account.fee_pct is None else Decimal(account.fee_pct)


def split(paid_fen: int, fee_pct: Decimal) -> tuple[int, int]:
    """(credit, fee) of a payment. Raises BadAmount where nothing would be left to sell."""
    if paid_fen <= 0:
        raise BadAmount(text=yuan_text(paid_fen), why="not_positive")
    amount_fen, fee_fen = fee_split(paid_fen, fee_pct)
    if amount_fen <= 0:
        raise BadAmount(text=yuan_text(paid_fen), why="all_fee")
    return amount_fen, fee_fen
