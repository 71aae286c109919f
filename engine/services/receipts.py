"""A number for every proved sale, and the text that is printed under it."""

import datetime as dt
import unicodedata
from collections.abc import Callable

import peewee as pw

from engine import clock, i18n
from engine.config import SiteSection
from engine.domain.errors import NoReceipt
from engine.domain.units import yuan_text
from models.accounts import Account, Installation
from models.commands import Command, Receipt
from models.enums import CommandKind

WITH_RECEIPT = (
    CommandKind.SELL, CommandKind.REFUND, CommandKind.REVERSE, CommandKind.TRANSFER_IN,
)  # fmt: skip


def issue(command: Command, zone: dt.tzinfo) -> Receipt | None:
    """The next number of the site, `20261123-000123`, inside the transaction that confirms.

    A part of a payment gets the payment's own, which its first proved part brings about. None
    where nothing changes hands: the first leg of a transfer, a balance that was cleared.
    """
    if command.kind not in WITH_RECEIPT:
        return None
    of_it: dict[str, object] = {"command": command}
    if command.payment is not None:
        if found := Receipt.get_or_none(Receipt.payment == command.payment):
            assert isinstance(found, Receipt)
            return found
        of_it = {"payment": command.payment}
    now = clock.now()
    last = int(Receipt.select(pw.fn.MAX(Receipt.id)).scalar() or 0)
    receipt: Receipt = Receipt.create(
        number=f"{now.astimezone(zone):%Y%m%d}-{last + 1:06d}", issued_at=now, **of_it
    )
    return receipt


def text(
    command: Command, language: str, width: int, *, site: SiteSection, reprint: bool = False
) -> str:
    """The receipt of a proved sale in lines of `width` columns (32: a 58 mm printer).

    The balances are the meter's own words before and after. Raises NoReceipt.
    """
    receipt = Receipt.get_or_none(Receipt.command == command)
    if receipt is None:
        raise NoReceipt(command=command.id)

    def say(key: str) -> str:
        return i18n.catalog(language)[f"receipt.{key}"]

    lines = [_centred(site.name, width), _centred(say("title"), width)]
    if reprint:
        lines.append(_centred(say("reprint"), width))
    for block in _blocks(command, receipt, site, say):
        lines.append("-" * width)
        for label, value in block:
            lines += _pair(label, value, width)
    return "\n".join(lines) + "\n"


def _blocks(
    command: Command, receipt: Receipt, site: SiteSection, say: Callable[[str], str]
) -> list[list[tuple[str, str]]]:
    tenant = _tenant_of(command)
    unit = say("unit")
    assert command.pay is not None, command.id
    assert command.base_balance_fen is not None, command.id
    assert command.after_balance_fen is not None, command.id
    return [
        [
            (say("number"), receipt.number),
            (say("time"), f"{receipt.issued_at.astimezone(site.zone):%Y-%m-%d %H:%M:%S}"),
            (say("shop"), command.meter.shop),
            (say("tenant"), f"{tenant.number} {tenant.name}" if tenant else ""),
            (say("meter"), command.serial),
        ],
        [
            (say("paid"), f"{yuan_text(command.amount_fen + command.fee_fen)} {unit}"),
            (say("pay"), say(f"by_{command.pay.value}")),
            (say("fee"), f"{yuan_text(command.fee_fen)} {unit}"),
            (say("credit"), f"{yuan_text(command.amount_fen)} {unit}"),
        ],
        [
            (say("count"), f"{command.base_count} -> {command.after_count}"),
            (say("before"), f"{yuan_text(command.base_balance_fen)} {unit}"),
            (say("after"), f"{yuan_text(command.after_balance_fen)} {unit}"),
        ],
        [(say("operator"), command.operator.name if command.operator else "")],
    ]


def _tenant_of(command: Command) -> Account | None:
    """Whose meter it was when it was sold to."""
    found: Account | None = (
        Account.select()
        .join(Installation)
        .where(Installation.meter == command.meter)
        .where(Installation.opened_at <= command.created_at)
        .where(Installation.closed_at.is_null() | (Installation.closed_at > command.created_at))
        .first()
    )
    return found


def columns(line: str) -> int:
    """Terminal or printer columns of `line`: wide (Chinese) characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def _centred(line: str, width: int) -> str:
    return " " * max(0, (width - columns(line)) // 2) + line


def _pair(label: str, value: str, width: int) -> list[str]:
    """Label to the left, value to the right; on a line of its own where both do not fit."""
    gap = width - columns(label) - columns(value)
    if gap >= 1:
        return [label + " " * gap + value]
    return [label, *(" " * (width - columns(part)) + part for part in _cut(value, width))]


def _cut(value: str, width: int) -> list[str]:
    """`value` in pieces of at most `width` columns."""
    pieces, piece = [], ""
    for char in value:
        if columns(piece + char) > width:
            pieces.append(piece)
            piece = ""
        piece += char
    return [*pieces, piece]
