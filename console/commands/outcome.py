"""What became of a command: waited for, told in words or JSON, and the exit status it has."""

import argparse
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence

from console.failures import Status, print_json
from engine.domain.units import yuan_text
from engine.i18n import has, t
from engine.services import commands
from engine.views import status as status_views
from models.commands import Command
from models.enums import CommandState

LOOK_S = 0.1  # between two looks at a command's row
WORST_FIRST = (Status.UNKNOWN, Status.REFUSED, Status.ACCEPTED)

STATUSES = {
    CommandState.QUEUED: Status.ACCEPTED,
    CommandState.SENT: Status.ACCEPTED,
    CommandState.UNKNOWN: Status.UNKNOWN,
    CommandState.APPLIED: Status.DONE,
    CommandState.REFUSED: Status.REFUSED,
    CommandState.VOIDED: Status.REFUSED,
    CommandState.SUSPENSE: Status.UNKNOWN,
}


def settled(command: Command, wait_s: float) -> Command:
    """The command when it is decided, or as it stands after `wait_s` or Ctrl-C."""
    return settled_all([command], wait_s)[0]


def settled_all(asked: Sequence[Command], wait_s: float) -> list[Command]:
    """All of them when all are decided, or as they stand after `wait_s` or Ctrl-C."""
    found = list(asked)
    deadline = time.monotonic() + wait_s
    with contextlib.suppress(KeyboardInterrupt):  # who will not wait is told how it stands
        while any(each.state.open for each in found) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
            found = [commands.get(each.id) for each in found]
    return found


def tell_all(
    about: Mapping[str, object], found: Sequence[Command], args: argparse.Namespace
) -> int:
    """Several commands of one wish, as `{..., "commands": [...]}`; the worst of their statuses."""
    if args.json:
        print_json({**about, "commands": [commands.outcome_of(each) for each in found]})
    else:
        for each in found:
            print(said(each))
        tell_of_no_engine(found)
    statuses = {STATUSES[each.state] for each in found}
    return next((status for status in WORST_FIRST if status in statuses), Status.DONE)


def tell(command: Command, args: argparse.Namespace) -> int:
    if args.json:
        print_json(commands.outcome_of(command))
    else:
        print(said(command))
        tell_of_no_engine([command])
    return STATUSES[command.state]


def said(command: Command) -> str:
    """What became of it: the text `cli.outcome.<kind>_<state>`, else `cli.outcome.<state>`."""
    params = {
        **commands.outcome_of(command),
        "amount": yuan_text(command.amount_fen),
        "kind": t(f"state.kind.{command.kind}"),
        "why": t(f"error.reason.{command.reason}") if command.reason else "",
    }
    own = f"cli.outcome.{command.kind}_{command.state}"
    return t(own if has(own) else f"cli.outcome.{command.state}", **params)


def tell_of_no_engine(found: Sequence[Command]) -> None:
    waits = any(each.state.open for each in found)
    if waits and status_views.engine_state() == status_views.STOPPED:
        print(t("cli.no_engine"), file=sys.stderr)
