"""read, sell, void: what is asked of one meter, and what the engine made of it."""

import argparse
import contextlib
import sys
import time
from uuid import uuid4

from console.commands.site import default_prices, local_now, opened, person
from console.failures import Status, print_json
from engine.domain.units import parse_yuan, yuan_text
from engine.i18n import t
from engine.services import commands, selling
from engine.views import meters as meter_views
from engine.views import status as status_views
from models.commands import Command
from models.enums import CommandKind, CommandState, PayKind

LOOK_S = 0.1  # between two looks at a command's row

STATUSES = {
    CommandState.QUEUED: Status.ACCEPTED,
    CommandState.SENT: Status.ACCEPTED,
    CommandState.UNKNOWN: Status.UNKNOWN,
    CommandState.APPLIED: Status.DONE,
    CommandState.REFUSED: Status.REFUSED,
    CommandState.VOIDED: Status.REFUSED,
    CommandState.SUSPENSE: Status.UNKNOWN,
}


def sell(args: argparse.Namespace) -> int:
    """Take YUAN for credit, and wait for the meter to prove it."""
    paid_fen = parse_yuan(args.yuan)
    with opened(args) as config:
        command = selling.sell(
            args.serial,
            paid_fen,
            PayKind(args.pay),
            person(args),
            args.request_id or uuid4().hex,
            money=config.money,
        )
        command = _settled(command, args.wait)
        return _tell(command, args)


def void(args: argparse.Namespace) -> int:
    """Take back a sale that has not left; exit 0 where it is voided."""
    with opened(args) as config:
        command = selling.void(args.command, person(args), undo_s=config.money.undo_s)
        status = _tell(command, args)
        return Status.DONE if command.state is CommandState.VOIDED else status


def read(args: argparse.Namespace) -> int:
    """A fresh read now; prints the meter as `meters` does."""
    with opened(args) as config:
        asked = commands.request_read(
            args.serial, uuid4().hex, expires_s=max(1, round(args.wait) + 1)
        )
        command = _settled(asked, args.wait)
        if command.state is not CommandState.APPLIED:
            _tell(command, args)
            return Status.ACCEPTED if command.state.open else Status.ENVIRONMENT
        now = local_now(config)
        row = meter_views.one(args.serial, now, default_prices=default_prices(config))
    shown = row.as_json(now)
    if args.json:
        print_json(shown)
    else:
        print("\n".join(f"{name}: {value}" for name, value in shown.items()))
    return Status.DONE


def _settled(command: Command, wait_s: float) -> Command:
    """The command when it is decided, or as it stands after `wait_s` or Ctrl-C."""
    deadline = time.monotonic() + wait_s
    with contextlib.suppress(KeyboardInterrupt):  # who will not wait is told how it stands
        while command.state.open and time.monotonic() < deadline:
            time.sleep(LOOK_S)
            command = commands.get(command.id)
    return command


def _tell(command: Command, args: argparse.Namespace) -> int:
    outcome = commands.outcome_of(command)
    if args.json:
        print_json(outcome)
    else:
        params = {
            **outcome,
            "amount": yuan_text(command.amount_fen),
            "why": t(f"error.reason.{command.reason}") if command.reason else "",
        }
        texts = "cli.read" if command.kind is CommandKind.READ else "cli.outcome"
        print(t(f"{texts}.{command.state}", **params))
        if command.state.open and status_views.engine_state() == status_views.STOPPED:
            print(t("cli.no_engine"), file=sys.stderr)
    return STATUSES[command.state]
