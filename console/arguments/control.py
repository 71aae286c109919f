"""Locks, protected meters, orders for a time, the guard."""

from console.arguments.options import (
    Parser,
    Verb,
    add_approver,
    add_json,
    add_person,
    add_verb_options,
    add_wait,
    family,
)
from engine.i18n import t


def add(verb: Verb, anywhere: Parser) -> None:
    _add_locks(verb)
    _add_orders(verb, anywhere)
    guard = family(verb, "guard", "guard:show", anywhere)
    add_json(guard("list", "guard:show"))
    hold = guard("hold", "guard:hold")
    hold.add_argument(
        "--confirm", type=int, required=True, metavar="N", help=t("cli.option.confirm_meters")
    )
    hold.add_argument("--serials", metavar="A,B", help=t("cli.option.serials_only"))
    hold.add_argument("--reason", metavar="T", default="", help=t("cli.option.reason"))
    add_approver(hold)
    add_verb_options(hold)


def _add_locks(verb: Verb) -> None:
    lock, unlock, protect = (
        verb("lock", "locks:lock"),
        verb("unlock", "locks:unlock"),
        verb("protect", "locks:protect"),
    )
    for each in (lock, unlock, protect):
        each.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
        add_person(each)
        add_json(each)
    for each in (lock, protect):
        _add_reason(each)
    add_approver(unlock)
    protect.add_argument("--off", action="store_true", help=t("cli.option.off"))
    add_json(verb("locks", "locks:listed"))


def _add_orders(verb: Verb, anywhere: Parser) -> None:
    emergency = family(verb, "emergency", "orders:listed", anywhere)
    hold = emergency("hold", "orders:hold")
    limit = family(verb, "limit", "orders:listed", anywhere)
    put = limit("set", "orders:limit")
    for each in (hold, put):
        each.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    put.add_argument("watts", metavar="WATTS", help=t("cli.option.watts"))
    for each in (hold, put):
        each.add_argument("--hours", required=True, metavar="H", help=t("cli.option.hours"))
        _add_reason(each)
        add_verb_options(each)
    for member in (emergency, limit):
        add_json(member("list", "orders:listed"))
        end = member("end", "orders:end")
        end.add_argument("order", type=int, metavar="ID", help=t("cli.option.order"))
        add_person(end)
        add_wait(end)
        add_json(end)


def _add_reason(parser: Parser) -> None:
    parser.add_argument("--reason", required=True, metavar="T", help=t("cli.option.reason"))
