"""approval list, approve, decline: what waits for a second person; and asking for one."""

import argparse
from collections.abc import Mapping
from uuid import uuid4

from console import words
from console.commands.outcome import settled, tell
from console.commands.site import local_now, opened, person, second
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine.config import Config
from engine.i18n import t
from engine.services import approvals
from engine.views import approvals as views
from models.cases import Approval
from models.commands import Command
from models.people import Operator

COLUMNS = ("number", "verb", "waiting", "amount", "tenant", "serial", "operator", "why")


def listed(args: argparse.Namespace) -> int:
    """What waits for a second person, oldest first."""
    with opened(args) as config:
        now = local_now(config)
        found = views.waiting(now)
    if getattr(args, "json", False):
        print_json([each.as_json(now) for each in found])
    elif not found:
        print(t("cases.approvals.empty"))
    else:
        lines = [
            [
                str(each.approval),
                t(f"cases.verb.{each.verb}"),
                words.age(each.asked_at, now),
                words.yuan(each.amount_fen),
                each.tenant or words.NOTHING,
                each.serial,
                each.asked_by,
                each.why,
            ]
            for each in found
        ]
        print_table([t(f"cases.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def approve(args: argparse.Namespace) -> int:
    """Have it done as the second person, and wait for the outcome."""
    with opened(args) as config:
        approved = approvals.approve(args.approval, person(args), config=config)
        if approved.command is None or not approved.command.state.open:
            return _tell_done(approved, args, config)
        return tell(settled(approved.command, args.wait), args)


def _tell_done(approved: Approval, args: argparse.Namespace, config: Config) -> int:
    """What was approved is done already: a decision, or a command that has ended since."""
    if approved.command is not None and args.json:
        tell(approved.command, args)
    else:
        tell_approval(approved, args, config, "approved")
    return Status.DONE


def decline(args: argparse.Namespace) -> int:
    """Say no to a request, or take one's own back."""
    with opened(args) as config:
        declined = approvals.decline(args.approval, person(args), args.reason)
        tell_approval(declined, args, config, "declined")
    return Status.DONE


def attempted(
    verb: str,
    given: Mapping[str, str | int | None],
    by: Operator,
    args: argparse.Namespace,
    config: Config,
) -> Command | Approval | None:
    """Do it, with the second person of --approve; with --ask, leave it to one elsewhere."""
    approver = second(args)
    request_id = args.request_id or uuid4().hex
    if args.ask:
        return approvals.attempt(verb, given, by, request_id, config=config, approver=approver)
    return approvals.at_once(verb, given, by, request_id, config=config, approver=approver)


def tell_approval(
    approval: Approval, args: argparse.Namespace, config: Config, said: str = "asked"
) -> int:
    """The request itself: JSON as the list has it, or a line."""
    now = local_now(config)
    shown = views.request(approval.id, now)
    assert shown is not None, approval.id
    if args.json:
        print_json(shown.as_json(now))
    else:
        print(t(f"cases.approval.{said}", approval=approval.id))
    return Status.ACCEPTED
