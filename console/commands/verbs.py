"""refund, reverse, transfer, aim, payout, switch: what else moves credit or a relay."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from uuid import uuid4

from console.commands.approvals import attempted, tell_approval
from console.commands.outcome import settled, settled_all, tell, tell_all
from console.commands.site import opened, person, second
from console.failures import print_json
from engine.config import MoneySection
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.services import commands, downloads, refunding, switching, transferring
from engine.views import clearing
from models.cases import Approval
from models.commands import Command, Transfer
from models.enums import CommandKind, CommandState, PayKind
from models.people import Operator

WHOLE = "all"  # in place of an amount


def refund(args: argparse.Namespace) -> int:
    """Give back unused credit; the money is paid out once the meter has proved it."""
    given = {"serial": args.serial, "amount_fen": _amount(args.yuan), "pay": args.pay}
    return _lowered("refund", given, args)


def reverse(args: argparse.Namespace) -> int:
    """Undo one sale that should not have been; its money is paid out once that is proved."""
    return _lowered("reverse", {"command_id": args.command}, args)


def _lowered(verb: str, given: Mapping[str, str | int | None], args: argparse.Namespace) -> int:
    """Asked of a second person elsewhere it waits; else it is carried out and paid out."""
    with opened(args) as config:
        by = person(args)
        done = attempted(verb, {**given, "why": args.reason}, by, args, config)
        if isinstance(done, Approval):
            return tell_approval(done, args, config)
        assert isinstance(done, Command), verb
        command = settled(done, args.wait)
        return tell(_paid_out(command, by, args, config.money), args)


def _paid_out(
    command: Command, by: Operator, args: argparse.Namespace, money: MoneySection
) -> Command:
    """Whoever waited for the proof pays out now, unless he says that he does not."""
    if command.state is not CommandState.APPLIED or args.no_payout:
        return command
    if not refunding.payable_fen(command):
        return command
    assert command.pay is not None, command.id
    return refunding.pay_out(command.id, command.pay, by, money=money)


def payout(args: argparse.Namespace) -> int:
    """Pay out what a proved refund or reversal left to be paid; without COMMAND: the list."""
    with opened(args) as config:
        if args.command is None:
            return _list_payable(args)
        pay = PayKind(args.pay)
        command = refunding.pay_out(args.command, pay, person(args), money=config.money)
        return tell(command, args)


def _list_payable(args: argparse.Namespace) -> int:
    waiting = [(each, refunding.payable_fen(each)) for each in refunding.payable()]
    if args.json:
        rows = [commands.outcome_of(each) | {"payable_fen": fen} for each, fen in waiting]
        print_json(rows)
    for each, fen in waiting if not args.json else ():
        kind = t(f"state.kind.{each.kind}")
        amount = yuan_text(fen)
        print(t("cli.payable", command=each.id, kind=kind, serial=each.serial, amount=amount))
    return 0


def transfer(args: argparse.Namespace) -> int:
    """Credit from one meter to another, through clearing."""
    given = {
        "source": args.source,
        "target": args.target,
        "amount_fen": _amount(args.yuan),
        "why": args.reason,
    }
    with opened(args) as config:
        first = attempted("transfer", given, person(args), args, config)
        if isinstance(first, Approval):
            return tell_approval(first, args, config)
        assert isinstance(first, Command), "a transfer begins with a command"
        begun = first.transfer
        assert begun is not None, first.id
        for _ in ("out", "in"):  # the second is there when the first is proved
            legs = settled_all(transferring.legs_of(begun), args.wait)
        finished = Transfer.get_by_id(begun.id).finished_at is not None
        return tell_all({"transfer": begun.id, "finished": finished}, legs, args)


def aim(args: argparse.Namespace) -> int:
    """Credit in clearing to a meter, where nothing is said the one that was meant; or the list."""
    with opened(args) as config:
        if args.transfer is None:
            return _list_clearing(args)
        serial = args.serial or _meant(args.transfer)
        by, approver = person(args), second(args)
        aimed = transferring.aim(args.transfer, serial, by, money=config.money, approver=approver)
        legs = settled_all(transferring.legs_of(aimed), args.wait)
        finished = Transfer.get_by_id(aimed.id).finished_at is not None
        return tell_all({"transfer": aimed.id, "finished": finished}, legs[-1:], args)


def _meant(transfer_id: int) -> str:
    """The meter it was to go to; "" where none was named."""
    known = Transfer.get_or_none(Transfer.id == transfer_id)
    return known.target.serial if known is not None and known.target is not None else ""


def _list_clearing(args: argparse.Namespace) -> int:
    found = clearing.in_clearing()
    if args.json:
        print_json([asdict(each) for each in found])
    for each in found if not args.json else ():
        amount = yuan_text(each.amount_fen)
        ways = {"source": each.source or "-", "target": each.target or "-"}
        print(t("cli.in_clearing", transfer=each.transfer, amount=amount, **ways))
    return 0


def switch(args: argparse.Namespace) -> int:
    """Trip, hold or give back to its credit: once, and soon."""
    with opened(args):
        kind = CommandKind(args.verb)
        command = switching.request(
            args.serial, kind, args.reason, person(args), args.request_id or uuid4().hex
        )
        return tell(settled(command, args.wait), args)


def download(args: argparse.Namespace) -> int:
    """The price and thresholds desired of a meter, written and read back."""
    with opened(args) as config:
        command = downloads.request(
            args.serial, person(args), args.request_id or uuid4().hex, config=config
        )
        return tell(settled(command, args.wait), args)


def _amount(text: str) -> int | None:
    """None for `all`."""
    return None if text.casefold() == WHOLE else parse_yuan(text)
