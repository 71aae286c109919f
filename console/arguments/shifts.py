"""Shifts and deposits: what lies in the till, and whose it is."""

from console.arguments.options import (
    Parser,
    Verb,
    add_approver,
    add_ask,
    add_json,
    add_pay,
    add_person,
    add_request_id,
    family,
)
from engine.i18n import t

WIDTHS = (32, 48, 80)


def add(verb: Verb, anywhere: Parser) -> None:
    _add_shift(verb, anywhere)
    _add_deposit(verb, anywhere)


def _add_shift(verb: Verb, anywhere: Parser) -> None:
    shift = family(verb, "shift", "shifts:list_shifts", anywhere)
    begin = shift("open", "shifts:open_shift")
    begin.add_argument("--float", metavar="YUAN", default="0", help=t("cli.option.float"))
    show = shift("show", "shifts:show")
    close = shift("close", "shifts:close")
    close.add_argument(
        "--counted", metavar="KIND=YUAN,…", required=True, help=t("cli.option.counted")
    )
    close.add_argument("--explain", metavar="TEXT", default="", help=t("cli.option.explain"))
    close.add_argument("--hand-over", metavar="NAME", help=t("cli.option.hand_over"))
    for each in (show, close):
        each.add_argument("--of", metavar="NAME", help=t("cli.option.of"))
    for each in (begin, show, close):
        add_person(each)
        add_json(each)
    report = shift("report", "shifts:report")
    report.add_argument("number", metavar="NUMBER", help=t("cli.option.shift_number"))
    for each in (close, report):
        each.add_argument(
            "--width", type=int, choices=WIDTHS, default=WIDTHS[1], help=t("cli.option.width")
        )
    add_json(report)
    add_json(shift("list", "shifts:list_shifts"))


def _add_deposit(verb: Verb, anywhere: Parser) -> None:
    deposit = family(verb, "deposit", "deposits:list_deposits", anywhere)
    take = deposit("take", "deposits:take")
    back = deposit("return", "deposits:give_back")
    for each in (take, back):
        each.add_argument("number", metavar="NUMBER", help=t("cli.option.tenant_number"))
        each.add_argument("yuan", metavar="YUAN", help=t("cli.option.deposit_yuan"))
        add_pay(each)
        add_request_id(each)
        add_person(each)
        add_json(each)
    back.add_argument("--reason", metavar="TEXT", default="", help=t("cli.option.why"))
    add_approver(back)
    add_ask(back)
    add_json(deposit("list", "deposits:list_deposits"))
