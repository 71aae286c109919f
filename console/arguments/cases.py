"""What waits for somebody: the tray, its evidence, decisions, approvals."""

from console.arguments.options import (
    Parser,
    Verb,
    add_approver,
    add_ask,
    add_json,
    add_person,
    add_request_id,
    add_wait,
    family,
)
from engine.i18n import t
from models.enums import Verdict


def add(verb: Verb, anywhere: Parser) -> None:
    add_json(verb("tray", "cases:tray"))
    evidence = verb("evidence", "cases:show_evidence")
    evidence.add_argument("subject", metavar="COMMAND", help=t("cli.option.command_or_meter"))
    add_json(evidence)
    decide = verb("decide", "cases:decide")
    decide.add_argument("command", type=int, metavar="COMMAND", help=t("cli.option.command"))
    verdicts = [verdict.value.replace("_", "-") for verdict in Verdict]
    decide.add_argument("verdict", choices=verdicts, help=t("cli.option.verdict"))
    free = verb("free", "cases:free")
    free.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    for each in (decide, free):
        add_reason(each)
        add_approver(each)
        add_ask(each)
        add_request_id(each)
        add_person(each)
        add_json(each)
    approval = family(verb, "approval", "approvals:listed", anywhere)
    add_json(approval("list", "approvals:listed"))
    approve = approval("approve", "approvals:approve")
    add_wait(approve)
    decline = approval("decline", "approvals:decline")
    add_reason(decline)
    for each in (approve, decline):
        each.add_argument("approval", type=int, metavar="ID", help=t("cli.option.approval"))
        add_person(each)
        add_json(each)


def add_reason(parser: Parser) -> None:
    parser.add_argument("--reason", required=True, metavar="T", help=t("cli.option.reason"))
