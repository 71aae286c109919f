"""open, close, release, move, handover: a meter comes to a tenant, or leaves it."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from console.commands.approvals import tell_approval
from console.commands.outcome import LOOK_S, settled_all, tell_all, tell_of_no_engine
from console.commands.site import opened, person, second
from console.commands.tenants import details, yuan
from console.failures import NotUsable, Status, print_json
from engine.config import Config
from engine.domain.errors import ApprovalNeeded, NotOpened
from engine.domain.units import parse_yuan
from engine.i18n import t
from engine.services import (
    accounts,
    approvals,
    closing,
    closing_approval,
    commands,
    meters,
    moving,
    opening,
    refunding,
)
from engine.services.closing_steps import MeterPlan, Step, Terms
from models.accounts import Account
from models.cases import Approval
from models.commands import Command
from models.enums import CommandState, PayKind
from models.people import Operator

TRIES = 2  # of a step that the meter refuses or does not answer
STUCK = (Step.BLOCKED, Step.PAY_ARREARS)
Plans = Callable[[], Sequence[MeterPlan]]


def open_meters(args: argparse.Namespace) -> int:
    """开户: meters for a tenant, who is registered first where he is new and --name is given."""
    limits = {
        "alarm1_fen": _fen(args.alarm1),
        "alarm2_fen": _fen(args.alarm2),
        "overload_w": _watts(args.overload),
    }
    if args.amount is not None and args.pay is None:
        raise NotUsable("pay_needed")
    with opened(args) as config:
        new = None
        if args.name is not None:
            new = {"name": args.name, **{k: v or "" for k, v in details(args).items()}}
        done = opening.open_account(
            args.tenant,
            args.serials,
            person(args),
            args.request_id or uuid4().hex,
            config=config,
            tariff=args.tariff,
            amount_fen=parse_yuan(args.amount) if args.amount is not None else 0,
            pay=PayKind(args.pay) if args.pay else None,
            amount_to=args.amount_to,
            new=new,
            **limits,
        )
        found = settled_all(done.commands, args.wait)
        if not args.json:
            serials = ", ".join(done.serials)
            name = done.account.name
            print(t("account.opened", number=args.tenant, name=name, serials=serials))
            for serial in done.serials:
                if meters.living(serial).protected:
                    print(t("control.protect.opened", serial=serial))
        return tell_all({"tenant": args.tenant, "opened": list(done.serials)}, found, args)


def close(args: argparse.Namespace) -> int:
    """销户: every meter read, emptied, tripped and released, then the account closed."""
    with opened(args) as config:
        by, terms = person(args), _terms(args, config)
        terms["return_deposit"] = args.return_deposit
        try:
            _driven(lambda: closing.advance(args.number, by, **terms).meters, args.wait)
        except ApprovalNeeded:
            asked = _asked_to_close(by, terms, args.number) if args.ask else None
            if asked is None:
                raise
            return tell_approval(asked, args, config)
        plan = closing.plan(args.number)
        status = Status.DONE if plan.closed else _status(plan.meters)
        payable_fen = sum(refunding.payable_fen(each) for each in plan.payable)
        shown = {
            "tenant": args.number,
            "closed": plan.closed,
            "deposit_fen": plan.deposit_fen,
            "payable_fen": payable_fen,
            "meters": [asdict(each) for each in plan.meters],
        }
        found = closing.commands_of(plan.account)
        _tell(shown, plan.meters, found, args)
        if not args.json:
            done = "closed" if plan.closed else "closing"
            print(t(f"account.{done}", number=args.number, name=plan.account.name))
            if plan.deposit_fen:
                print(t("account.deposit_held", amount=yuan(plan.deposit_fen)))
        return status


def _asked_to_close(by: Operator, terms: dict[str, Any], number: str) -> Approval | None:
    """The step that needs a second person is left to one; then `close` goes on. None: no step."""
    asked = closing_approval.of(number, Terms(**terms))
    if asked is None:
        return None
    return approvals.ask(asked.verb, asked.given, by, asked.request_id)


def release(args: argparse.Namespace) -> int:
    """One meter of a tenant who keeps others."""
    with opened(args) as config:
        by, terms = person(args), _terms(args, config)
        account = _tenant_of(args.serial)
        return _one(lambda: closing.release(args.serial, by, **terms), account, args)


def move(args: argparse.Namespace) -> int:
    """A tenant goes on with another meter, its credit with it."""
    with opened(args) as config:
        by, approver = person(args), second(args)
        account = _tenant_of(args.old)
        id_ = args.request_id or uuid4().hex
        return _one(
            lambda: moving.move(
                args.old, args.new, by, id_, config=config, why=args.reason,
                write_off=args.write_off, approver=approver,
            ),
            account,
            args,
        )  # fmt: skip


def hand_over(args: argparse.Namespace) -> int:
    """A meter goes to another tenant at one reading."""
    with opened(args) as config:
        by, terms = person(args), _terms(args, config)
        account = _tenant_of(args.serial)
        return _one(
            lambda: moving.hand_over(args.serial, args.to, by, keep=args.keep, **terms),
            account,
            args,
        )


def _one(step: Callable[[], MeterPlan], account: Account, args: argparse.Namespace) -> int:
    """Drive one meter to its release; the refund it made waits to be paid out."""
    plan = _driven(lambda: [step()], args.wait)[0]
    still = {each.serial: each for each in closing.plan(account.number).meters}
    if plan.step is not Step.DONE and plan.serial in still:
        plan = replace(plan, reason=still[plan.serial].reason)
    found = closing.commands_of(account)
    payable = closing.payable_of(account)
    shown = {
        "tenant": account.number,
        "payable_fen": sum(refunding.payable_fen(each) for each in payable),
        "meters": [asdict(plan)],
    }
    _tell(shown, [plan], found, args)
    if not args.json:
        for each in payable:
            amount = yuan(refunding.payable_fen(each))
            print(t("account.payable", command=each.id, amount=amount))
    return _status([plan])


def _driven(step: Plans, wait_s: float) -> Sequence[MeterPlan]:
    """Step on until every meter is done, nothing more can be done, or `wait_s` is over."""
    deadline = time.monotonic() + wait_s
    tried: dict[str, int] = {}
    while True:
        plans = step()
        open_ones = [each for each in plans if each.step is not Step.DONE]
        if not open_ones or all(each.step in STUCK for each in open_ones):
            return plans
        numbers = [each.command for each in open_ones if each.step is Step.WAIT and each.command]
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return plans
        ended = settled_all([commands.get(number) for number in numbers], left_s)
        for each in ended:
            if each.state is CommandState.REFUSED and each.reason != "too_little":
                tried[each.serial] = tried.get(each.serial, 0) + 1
        if time.monotonic() >= deadline or max(tried.values(), default=0) >= TRIES:
            return step() if not tried else plans
        if not numbers:
            time.sleep(LOOK_S)


def _status(plans: Sequence[MeterPlan]) -> Status:
    steps = {each.step for each in plans}
    if steps == {Step.DONE}:
        return Status.DONE
    waits_for = [commands.get(each.command) for each in plans if each.command]
    if Step.BLOCKED in steps or any(each.state is CommandState.UNKNOWN for each in waits_for):
        return Status.UNKNOWN
    if Step.PAY_ARREARS in steps or any(each.reason for each in plans):
        return Status.REFUSED
    return Status.ACCEPTED


def _tell(
    shown: dict[str, object],
    plans: Sequence[MeterPlan],
    found: Sequence[Command],
    args: argparse.Namespace,
) -> None:
    if args.json:
        print_json({**shown, "commands": [commands.outcome_of(each) for each in found]})
        return
    for plan in plans:
        why = t(f"error.reason.{plan.reason}") if plan.reason else ""
        text = t(f"account.step.{plan.step}", serial=plan.serial, balance=yuan(plan.balance_fen))
        print(f"{text} ({why})" if why else text)
        if plan.protected:
            print(t("control.protect.not_tripped", serial=plan.serial))
    tell_of_no_engine(found)


def _terms(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    return {
        "money": config.money,
        "zone": config.site.zone,
        "pay": PayKind(args.pay),
        "why": args.reason,
        "transfer_to": args.transfer_to,
        "write_off": args.write_off,
        "approver": second(args),
    }


def _tenant_of(serial: str) -> Account:
    installation = meters.installation_of(meters.living(serial))
    if installation is None:
        raise NotOpened(serial=serial)
    return accounts.get(installation.account.number)


def _fen(text: str | None) -> int | None:
    """Of an alarm, which may be at 0."""
    if text is None:
        return None
    return 0 if text.strip() in ("0", "0.0", "0.00") else parse_yuan(text)


def _watts(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise NotUsable("bad_watts", text=text)
    return int(text)
