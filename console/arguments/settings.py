"""Settings of meters: what is desired of them, what they hold, where the two differ."""

from console.arguments.options import (
    Parser,
    Verb,
    add_json,
    add_person,
    add_verb_options,
    family,
)
from engine.i18n import t


def add(verb: Verb, anywhere: Parser) -> None:
    settings = family(verb, "settings", "settings:show_defaults", anywhere)
    show = settings("show", "settings:show")
    show.add_argument("serial", nargs="?", metavar="SERIAL", help=t("cli.option.serial"))
    show.add_argument("--building", metavar="CODE", help=t("cli.option.building"))
    show.add_argument("--model", metavar="MODEL", help=t("cli.option.model"))
    change = settings("set", "settings:set_meter")
    change.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    default = settings("default", "settings:set_default")
    default.add_argument("scope", metavar="SCOPE=KEY", help=t("cli.option.scope"))
    for each in (change, default):
        each.add_argument("values", nargs="+", metavar="NAME=VALUE", help=t("cli.option.setting"))
        each.add_argument("--sure", action="store_true", help=t("cli.option.sure"))
        add_person(each)
    push = settings("push", "settings:push")
    accept = settings("accept", "settings:accept")
    for each, least in ((push, "*"), (accept, "+")):
        each.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
        each.add_argument("names", nargs=least, metavar="NAME", help=t("cli.option.setting_name"))
    add_verb_options(push)
    accept.add_argument("--reason", required=True, metavar="TEXT", help=t("cli.option.reason"))
    add_person(accept)
    drift = settings("drift", "settings:drift")
    for each in (show, change, default, accept, drift):
        add_json(each)
