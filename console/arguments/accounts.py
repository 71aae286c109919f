"""Tenants and their accounts: registered, opened, closed, moved."""

from console.arguments.options import (
    Parser,
    Verb,
    add_approver,
    add_ask,
    add_json,
    add_pay,
    add_person,
    add_request_id,
    add_wait,
    family,
)
from engine.i18n import t

WIDTHS = (32, 48, 80)
DETAILS = ("id-number", "lease-from", "lease-to", "fee-pct", "note")


def add(verb: Verb, anywhere: Parser) -> None:
    _add_tenants(verb, anywhere)
    _add_open(verb)
    _add_close(verb)
    _add_moves(verb)


def _add_tenants(verb: Verb, anywhere: Parser) -> None:
    tenant = family(verb, "tenant", "tenants:list_tenants", anywhere)
    new, change = tenant("add", "tenants:add"), tenant("edit", "tenants:edit")
    for each in (new, change):
        _add_number(each)
        each.add_argument("--name", required=each is new, metavar="NAME", help=t("cli.option.name"))
        _add_details(each)
        each.add_argument("--planned", metavar="SERIALS", help=t("cli.option.planned"))
        add_person(each)
        add_json(each)
    found = tenant("list", "tenants:list_tenants")
    found.add_argument("--search", metavar="TEXT", help=t("cli.option.search_tenant"))
    found.add_argument("--closed", action="store_true", help=t("cli.option.closed"))
    add_json(found)
    show = tenant("show", "tenants:show")
    _add_number(show)
    add_json(show)
    paper = tenant("statement", "tenants:statement")
    _add_number(paper)
    paper.add_argument(
        "--width", type=int, choices=WIDTHS, default=WIDTHS[1], help=t("cli.option.width")
    )
    add_json(paper)
    add_json(tenant("vacant", "tenants:vacant"))


def _add_number(parser: Parser) -> None:
    parser.add_argument("number", metavar="NUMBER", help=t("cli.option.tenant_number"))


def _add_details(parser: Parser) -> None:
    parser.add_argument("--phone", metavar="PHONES", help=t("cli.option.phones"))
    for name in DETAILS:
        key = name.replace("-", "_")
        parser.add_argument(f"--{name}", metavar="TEXT", help=t(f"cli.option.{key}"))


def _add_open(verb: Verb) -> None:
    begin = verb("open", "accounts:open_meters")
    begin.add_argument("serials", nargs="*", metavar="SERIAL", help=t("cli.option.open_serials"))
    begin.add_argument(
        "--tenant", required=True, metavar="NUMBER", help=t("cli.option.tenant_number")
    )
    begin.add_argument("--name", metavar="NAME", help=t("cli.option.new_name"))
    _add_details(begin)
    for name in ("tariff", "alarm1", "alarm2", "overload"):
        begin.add_argument(f"--{name}", metavar="TEXT", help=t(f"cli.option.{name}"))
    begin.add_argument("--amount", metavar="YUAN", help=t("cli.option.opening_amount"))
    add_pay(begin, required=False)
    begin.add_argument("--amount-to", metavar="SERIAL", help=t("cli.option.amount_to"))
    add_request_id(begin)
    _add_who(begin)


def _add_close(verb: Verb) -> None:
    close = verb("close", "accounts:close")
    _add_number(close)
    close.add_argument("--return-deposit", action="store_true", help=t("cli.option.return_deposit"))
    add_ask(close)
    release = verb("release", "accounts:release")
    release.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    for each in (close, release):
        _add_ending(each)
        _add_who(each)


def _add_moves(verb: Verb) -> None:
    move = verb("move", "accounts:move")
    move.add_argument("old", metavar="OLD", help=t("cli.option.serial"))
    move.add_argument("new", metavar="NEW", help=t("cli.option.move_to"))
    move.add_argument("--reason", default="", metavar="TEXT", help=t("cli.option.reason"))
    move.add_argument("--write-off", action="store_true", help=t("cli.option.write_off"))
    add_approver(move)
    add_request_id(move)
    over = verb("handover", "accounts:hand_over")
    over.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    over.add_argument("--to", required=True, metavar="NUMBER", help=t("cli.option.heir"))
    over.add_argument("--keep", action="store_true", help=t("cli.option.keep"))
    _add_ending(over)
    for each in (move, over):
        _add_who(each)


def _add_ending(parser: Parser) -> None:
    """What becomes of the credit, and why."""
    add_pay(parser, required=False)
    parser.set_defaults(pay="cash")
    parser.add_argument("--reason", default="", metavar="TEXT", help=t("cli.option.reason"))
    parser.add_argument("--transfer-to", metavar="SERIAL", help=t("cli.option.transfer_to"))
    parser.add_argument("--write-off", action="store_true", help=t("cli.option.write_off"))
    add_approver(parser)


def _add_who(parser: Parser) -> None:
    add_person(parser)
    add_wait(parser)
    add_json(parser)
