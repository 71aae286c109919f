"""tray, evidence, decide, free: what no read-back could decide."""

import argparse

from console import evidence_text, words
from console.commands.approvals import attempted, tell_approval
from console.commands.outcome import said
from console.commands.site import local_now, opened, person
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine.i18n import t
from engine.services import commands, evidence, meters
from engine.views import cases as views
from models.cases import Approval
from models.commands import Command

COLUMNS = ("kind", "command", "waiting", "amount", "tenant", "serial", "next_check", "why")
SERIAL_DIGITS = 12  # a meter's number; a command's is shorter


def tray(args: argparse.Namespace) -> int:
    """Everything that waits: for a meter's answer, for two persons, to be paid out."""
    with opened(args) as config:
        now = local_now(config)
        found = views.tray()
    if args.json:
        print_json([case.as_json(now) for case in found])
    elif not found:
        print(t("cases.tray.empty"))
    else:
        lines = [
            [
                t(f"state.kind.{case.verb}") if case.verb else t(f"cases.kind.{case.kind}"),
                words.NOTHING if case.command is None else str(case.command),
                words.age(case.since, now),
                words.yuan(case.amount_fen if case.command else None),
                case.tenant or words.NOTHING,
                case.serial,
                words.moment(case.next_check_at, config.site.zone),
                case_reason(case),
            ]
            for case in found
        ]
        print_table([t(f"cases.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def case_reason(case: views.Case) -> str:
    """Why it lies in the tray."""
    if case.kind is views.CaseKind.PAYABLE:
        return t("cases.kind.payable")
    return words.reason(case.reason) or t(f"state.command.{case.state}")


def show_evidence(args: argparse.Namespace) -> int:
    """What is known of a command, or of a meter whose sales are stopped."""
    with opened(args) as config:
        zone = config.site.zone
        command = None
        if len(args.subject) == SERIAL_DIGITS:
            seen = evidence.of_meter(meters.living(args.subject))
        else:
            command = commands.get(_number(args.subject))
            seen = evidence.of_command(command)
        shown = seen.as_json(zone)
        if command is not None:
            shown |= {"outcome": commands.outcome_of(command)}
        lines = evidence_text.lines(seen, command, zone)
        head = evidence_text.summary(command, zone) if command else []
    if args.json:
        print_json(shown)
    else:
        print("\n".join(cell.text for cell in (*head, *lines)))
    return Status.DONE


def _number(text: str) -> int:
    """Of a command; 0, which no command has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() else 0


def decide(args: argparse.Namespace) -> int:
    """Two persons say what became of a command; exit 0 where it is decided."""
    verdict = args.verdict.replace("-", "_")
    given = {"command_id": args.command, "verdict": verdict, "why": args.reason}
    with opened(args) as config:
        done = attempted("decide", given, person(args), args, config)
        if isinstance(done, Approval):
            return tell_approval(done, args, config)
        assert isinstance(done, Command), "a decision is about a command"
        if args.json:
            print_json(commands.outcome_of(done))
        else:
            print(said(done))
    return Status.DONE


def free(args: argparse.Namespace) -> int:
    """Two persons let sales to a stopped meter go on."""
    given = {"serial": args.serial, "why": args.reason}
    with opened(args) as config:
        done = attempted("free", given, person(args), args, config)
        if isinstance(done, Approval):
            return tell_approval(done, args, config)
        meter = meters.living(args.serial)
    if args.json:
        count = meter.mirror_count
        print_json({"serial": meter.serial, "frozen": meter.frozen, "purchase_count": count})
    else:
        print(t("cases.free.done", serial=meter.serial, count=meter.mirror_count))
    return Status.DONE
