"""What a receipt says, block by block: labels and values, from the rows it names."""

from collections.abc import Sequence

from engine.services import receipts
from engine.services.receipt_page import Page
from models.accounts import Account, Installation
from models.commands import Command, Payment, Receipt
from models.enums import CommandKind, CommandState, EntryKind
from models.ledger import LedgerEntry

Pairs = list[tuple[str, str]]  # label and value, a line each
OUTCOMES = {  # of a sale that is a part of a payment, in the words of the payer
    CommandState.APPLIED: "applied",
    CommandState.REFUSED: "returned",
    CommandState.VOIDED: "returned",
    CommandState.SUSPENSE: "suspense",
}


def blocks(receipt: Receipt, commands: Sequence[Command], page: Page) -> list[Pairs]:
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
