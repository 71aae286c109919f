"""Meters: looked at, read, sold to."""

from console.arguments.options import Verb, add_json, add_pay, add_person, add_request_id, add_wait
from engine.i18n import t
from models.enums import MeterState


def add(verb: Verb) -> None:
    meters = verb("meters", "show:meters")
    states = [state.value for state in MeterState]
    meters.add_argument("--state", choices=states, help=t("cli.option.state"))
    meters.add_argument("--line", metavar="LINE", help=t("cli.option.line"))
    meters.add_argument("--search", metavar="TEXT", help=t("cli.option.search"))
    add_json(meters)
    read = verb("read", "meter:read")
    read.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    add_wait(read)
    add_json(read)
    sell = verb("sell", "meter:sell")
    sell.add_argument("serial", nargs="?", metavar="SERIAL", help=t("cli.option.serial"))
    sell.add_argument("yuan", metavar="YUAN", help=t("cli.option.yuan"))
    sell.add_argument("--tenant", metavar="NUMBER", help=t("cli.option.tenant"))
    sell.add_argument("--split", nargs="+", metavar="PART", help=t("cli.option.split"))
    add_pay(sell)
    add_request_id(sell)
    void = verb("void", "meter:void")
    void.add_argument("command", type=int, metavar="COMMAND", help=t("cli.option.command"))
    for each in (sell, void):
        add_person(each)
        add_wait(each)
        add_json(each)
