"""A receipt as it is printed: text of a fixed width, drawn from the rows it names."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engine import i18n, qr
from engine.config import SiteSection
from engine.domain.receipt_code import GROUP, grouped
from engine.domain.units import yuan_text
from engine.services import paper, receipts
from models.accounts import Account, Installation
from models.commands import Command, Payment, Receipt
from models.enums import CommandKind, CommandState, EntryKind
from models.ledger import LedgerEntry

WIDTHS = {"58": 32, "80": 48, "A4": 80}  # columns of a paper, as [receipts] paper names it
Pairs = list[tuple[str, str]]  # label and value, a line each
OUTCOMES = {  # of a sale that is a part of a payment, in the words of the payer
    CommandState.APPLIED: "applied",
    CommandState.REFUSED: "returned",
    CommandState.VOIDED: "returned",
    CommandState.SUSPENSE: "suspense",
}


@dataclass(frozen=True)
class Mark:
    """Not the first paper: `kind` is reprint or copy (looked at, not printed by the engine)."""

    kind: str
    at: dt.datetime
    number: int = 0  # which reprint it is
    by: str = ""


@dataclass(frozen=True)
class Page:
    """How a receipt is drawn: for whom, how wide, in which language."""

    site: SiteSection
    language: str
    width: int
    mark: Mark | None = None
    qr: str = "blocks"  # blocks, signs (only where they fit), none

    def say(self, key: str, **params: object) -> str:
        return i18n.catalog(self.language)[f"receipt.{key}"].format(**params)

    def yuan(self, amount_fen: int | None) -> str:
        return "-" if amount_fen is None else f"{yuan_text(amount_fen)} {self.say('unit')}"

    def moment(self, at: dt.datetime) -> str:
        return f"{at.astimezone(self.site.zone):%Y-%m-%d %H:%M:%S}"


def draw(receipt: Receipt, page: Page) -> str:
    """The receipt in lines of at most `page.width` columns, its code and QR below.

    Balances and counts are the meter's own words. Nothing in it moves a printer or a terminal.
    """
    lines = text_lines(receipt, page)
    code = receipts.code(receipt)
    if code:
        lines += ["-" * page.width, *_code_lines(code, page), *_qr_lines(code, page)]
    return "\n".join(lines) + "\n"


def adapted(page: Page, paper_name: str | None, language: str | None) -> Page:
    """`page` for another paper or language, where one is named."""
    width = WIDTHS[paper_name] if paper_name else page.width
    return dataclasses.replace(page, width=width, language=language or page.language)


def filled(text: str, width: int) -> list[str]:
    """Its lines, each as wide as the paper."""
    return [line + " " * (width - paper.columns(line)) for line in text.splitlines()]


def text_lines(receipt: Receipt, page: Page) -> list[str]:
    """The receipt without its code."""
    commands = receipts.commands_of(receipt)
    kind = "payment" if receipt.payment else commands[0].kind.value
    lines = [
        *paper.centred(paper.printable(page.site.name), page.width),
        *paper.centred(page.say(f"title_{kind}"), page.width),
        *_mark_lines(page),
    ]
    for block in _blocks(receipt, commands, page):
        lines.append("-" * page.width)
        for label, value in block:
            lines += paper.pair(label, paper.printable(value), page.width)
    return lines


def _mark_lines(page: Page) -> list[str]:
    mark = page.mark
    if mark is None:
        return []
    when = f"{page.moment(mark.at)} {paper.printable(mark.by)}".rstrip()
    lines = (page.say(mark.kind, number=mark.number), when)
    return [part for line in lines for part in paper.centred(line, page.width)]


def _blocks(receipt: Receipt, commands: Sequence[Command], page: Page) -> list[Pairs]:
    first = commands[0]
    if receipt.payment is not None:
        middle = [
            _payment(receipt.payment, commands, page),
            *(_leg(command, page) for command in commands),
        ]
    else:
        middle = [_deed(first, page), _values(first, page)]
    return [_head(receipt, first, page), *middle, _people(first, page)]


def _head(receipt: Receipt, command: Command, page: Page) -> Pairs:
    home = _home_of(command)
    tenant: Account | None = receipt.payment.account if receipt.payment else None
    if tenant is None and home is not None:
        tenant = home.account
    pairs = [
        (page.say("number"), receipt.number),
        (page.say("time"), page.moment(receipt.issued_at)),
    ]
    if receipt.payment is None:
        pairs.append((page.say("shop"), _shop_of(command, home)))
    pairs.append((page.say("tenant"), f"{tenant.number} {tenant.name}" if tenant else "-"))
    if receipt.payment is None:
        pairs.append((page.say("meter"), command.serial))
    return pairs


def _deed(command: Command, page: Page) -> Pairs:
    """What was asked of the meter, and the money on the other side of it."""
    if command.kind is CommandKind.REFUND:
        return _refund(command, page)
    if command.kind is CommandKind.REVERSE:
        return _reversal(command, page)
    if command.kind is CommandKind.TRANSFER_IN:
        return _transfer(command, page)
    return [
        (page.say("paid"), page.yuan(command.amount_fen + command.fee_fen)),
        *_pay(command, page),
        (page.say("fee"), page.yuan(command.fee_fen)),
        (page.say("credit"), page.yuan(command.amount_fen)),
    ]


def _refund(command: Command, page: Page) -> Pairs:
    return [
        (page.say("taken_back"), page.yuan(command.amount_fen)),
        (page.say(_payout(command)), page.yuan(command.amount_fen + command.fee_fen)),
        *_pay(command, page),
        (page.say("why"), command.why),
    ]


def _payout(command: Command) -> str:
    """Has the money left the till? It does so last, perhaps after this paper was printed."""
    paid = LedgerEntry.select().where(
        LedgerEntry.command == command, LedgerEntry.kind == EntryKind.PAYOUT
    )
    return "paid_out" if paid.exists() else "to_pay_out"


def _reversal(command: Command, page: Page) -> Pairs:
    sale: Command | None = command.reverses
    reversed_receipt = receipts.of(sale) if sale else None
    named = reversed_receipt.number if reversed_receipt else "-"
    return [(page.say("reverses"), named), *_refund(command, page)]


def _transfer(command: Command, page: Page) -> Pairs:
    transfer = command.transfer
    source = transfer.source if transfer else None
    return [
        (page.say("from_meter"), source.serial if source else page.say("other_system")),
        (page.say("from_shop"), source.shop if source else "-"),
        (page.say("moved"), page.yuan(command.amount_fen)),
        (page.say("why"), (transfer.why if transfer else "") or command.why or "-"),
    ]


def _pay(command: Command, page: Page) -> Pairs:
    return [(page.say("pay"), page.say(f"by_{command.pay}"))] if command.pay else []


def _values(command: Command, page: Page) -> Pairs:
    """The meter's own, before and after."""
    return [
        (page.say("count"), _count(command)),
        (page.say("before"), page.yuan(command.base_balance_fen)),
        (page.say("after"), page.yuan(command.after_balance_fen)),
    ]


def _count(command: Command) -> str:
    before, after = ("-" if n is None else n for n in (command.base_count, command.after_count))
    return f"{before}" if before == after else f"{before} -> {after}"


def _payment(payment: Payment, commands: Sequence[Command], page: Page) -> Pairs:
    """The whole payment, and where each fen of it is by now."""
    sums = dict.fromkeys(("applied", "returned", "suspense", "open"), 0)
    for command in commands:
        sums[_outcome(command)] += command.amount_fen + command.fee_fen
    where = [(page.say(f"sum_{name}"), page.yuan(fen)) for name, fen in sums.items() if fen]
    return [
        (page.say("paid"), page.yuan(payment.paid_fen)),
        (page.say("pay"), page.say(f"by_{payment.pay}")),
        *where,
    ]


def _outcome(command: Command) -> str:
    return OUTCOMES.get(command.state, "open")


def _leg(command: Command, page: Page) -> Pairs:
    outcome = _outcome(command)
    pairs = [
        (page.say("meter"), command.serial),
        (page.say("shop"), _shop_of(command, _home_of(command))),
        (page.say("share"), page.yuan(command.amount_fen + command.fee_fen)),
        (page.say("outcome"), page.say(f"leg_{outcome}")),
    ]
    if outcome != "applied":
        return pairs
    fee = [(page.say("fee"), page.yuan(command.fee_fen))] if command.fee_fen else []
    return [
        *pairs,
        *fee,
        (page.say("credit"), page.yuan(command.amount_fen)),
        *_values(command, page),
    ]


def _people(command: Command, page: Page) -> Pairs:
    pairs = [(page.say("operator"), command.operator.name if command.operator else "-")]
    if command.approver is not None:
        pairs.append((page.say("approver"), command.approver.name))
    return pairs


def _home_of(command: Command) -> Installation | None:
    """Whose meter it was when the command was given, and where it hung."""
    found: Installation | None = (
        Installation.select(Installation, Account)
        .join(Account)
        .where(Installation.meter == command.meter)
        .where(Installation.opened_at <= command.created_at)
        .where(Installation.closed_at.is_null() | (Installation.closed_at > command.created_at))
        .first()
    )
    return found


def _shop_of(command: Command, home: Installation | None) -> str:
    return (home.shop if home else "") or command.meter.shop or "-"


def _code_lines(code: str, page: Page) -> list[str]:
    """The code in groups, as many a line as there is room for."""
    groups = grouped(code).split("-")
    a_line = max(1, (page.width + 1) // (GROUP + 1))
    lines = -(-len(groups) // a_line)
    a_line = -(-len(groups) // lines)
    written = ["-".join(groups[at : at + a_line]) for at in range(0, len(groups), a_line)]
    drawn = [paper.centred(line, page.width) for line in (page.say("code"), *written)]
    return [part for line in drawn for part in line]


def _qr_lines(code: str, page: Page) -> list[str]:
    if page.qr == "none":
        return []
    dark = qr.modules(code)
    lines = qr.signs(dark) if page.qr == "signs" else qr.half_blocks(dark)
    if len(lines[0]) > page.width:
        return []
    left = " " * ((page.width - len(lines[0])) // 2)
    return [(left + line).rstrip() for line in lines]
