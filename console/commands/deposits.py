"""deposit take, return, list: what tenants have deposited, apart from credit."""

import argparse
from uuid import uuid4

from console.commands.approvals import tell_approval
from console.commands.site import opened, person, second
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine.domain.errors import ApprovalNeeded
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.services import approvals, deposits
from engine.views import deposits as deposit_views
from models.deposits import Deposit
from models.enums import PayKind


def take(args: argparse.Namespace) -> int:
    """Take YUAN; the same request id twice is one deposit."""
    amount_fen = parse_yuan(args.yuan)
    with opened(args) as config:
        made = deposits.take_deposit(
            args.number,
            amount_fen,
            PayKind(args.pay),
            person(args),
            args.request_id or uuid4().hex,
            money=config.money,
        )
        _tell(made, json=args.json)
    return Status.DONE


def give_back(args: argparse.Namespace) -> int:
    """Give YUAN back, from the limit on with a second person."""
    amount_fen = parse_yuan(args.yuan)
    with opened(args) as config:
        by, request_id = person(args), args.request_id or uuid4().hex
        try:
            made = deposits.return_deposit(
                args.number,
                amount_fen,
                PayKind(args.pay),
                args.reason,
                by,
                request_id,
                money=config.money,
                approver=second(args),
            )
        except ApprovalNeeded:
            if not args.ask:
                raise
            given = {
                "number": args.number,
                "amount_fen": amount_fen,
                "pay": args.pay,
                "why": args.reason,
            }
            asked = approvals.ask("return_deposit", given, by, request_id)
            return tell_approval(asked, args, config)
        _tell(made, json=args.json)
    return Status.DONE


def list_deposits(args: argparse.Namespace) -> int:
    """Tenants with a deposit, by number."""
    with opened(args):
        held = deposit_views.held()
    if getattr(args, "json", False):
        print_json([row.as_json() for row in held])
    else:
        header = [t(f"shift.column.{name}") for name in ("number", "tenant", "held")]
        print_table(header, [[row.number, row.name, yuan_text(row.held_fen)] for row in held])
    return Status.DONE


def _tell(made: Deposit, *, json: bool) -> None:
    held_fen = deposits.held_fen(made.account.number)
    if json:
        print_json(deposit_views.move_of(made).as_json() | {"held_fen": held_fen})
        return
    texts = {
        "tenant": made.account.number,
        "amount": yuan_text(made.amount_fen),
        "pay": t(f"screen.pay.{made.pay}"),
        "held": yuan_text(held_fen),
    }
    print(t(f"shift.deposit.{made.kind}", **texts))
