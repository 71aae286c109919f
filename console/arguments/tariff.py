"""Tariffs: versions, special days, which meters have which, and the engine's price changes."""

from pathlib import Path

from console.arguments.options import Parser, Verb, add_json, add_person, family
from engine.i18n import t

NOTATION = ("schedule", "steps", "cycle")


def add(verb: Verb, anywhere: Parser) -> None:
    tariff = family(verb, "tariff", "tariff:list_tariffs", anywhere)
    add_json(tariff("list", "tariff:list_tariffs"))
    show = tariff("show", "tariff:show")
    show.add_argument("tariff", metavar="TARIFF", help=t("cli.option.tariff_name"))
    add_json(show)
    _add_publish(tariff)
    withdraw = tariff("withdraw", "tariff:withdraw")
    withdraw.add_argument("tariff", metavar="TARIFF", help=t("cli.option.tariff_name"))
    withdraw.add_argument("--from", dest="valid_from", required=True, metavar="DAY",
                          help=t("cli.option.valid_from"))  # fmt: skip
    withdraw.add_argument("--reason", required=True, metavar="TEXT", help=t("cli.option.reason"))
    assign = tariff("assign", "tariff:assign")
    assign.add_argument("tariff", metavar="TARIFF|none", help=t("cli.option.tariff_or_none"))
    assign.add_argument("serials", nargs="+", metavar="SERIAL", help=t("cli.option.serial"))
    for each in (withdraw, assign):
        add_person(each)
        add_json(each)
    _add_days(tariff, anywhere)
    _add_changes(tariff)
    check = tariff("check", "tariff_check:check")
    _add_notation(check)
    check.add_argument("--day", metavar="DAY", help=t("cli.option.day"))
    check.add_argument("--kind", choices=("workday", "weekend", "holiday"),
                       help=t("cli.option.day_kind"))  # fmt: skip
    add_json(check)


def _add_publish(tariff: Verb) -> None:
    publish = tariff("publish", "tariff:publish")
    publish.add_argument("tariff", metavar="TARIFF", help=t("cli.option.tariff_name"))
    publish.add_argument("--from", dest="valid_from", required=True, metavar="DAY",
                         help=t("cli.option.valid_from"))  # fmt: skip
    _add_notation(publish)
    publish.add_argument("--note", default="", metavar="TEXT", help=t("cli.option.note"))
    publish.add_argument("--yes-price", action="append", default=[], metavar="YUAN",
                         help=t("cli.option.yes_price"))  # fmt: skip
    add_person(publish)
    add_json(publish)


def _add_notation(parser: Parser) -> None:
    parser.add_argument("--prices", required=True, metavar="A/B/C/D", help=t("cli.option.prices"))
    for name in NOTATION:
        parser.add_argument(f"--{name}", default="", metavar="TEXT", help=t(f"cli.option.{name}"))


def _add_days(tariff: Verb, anywhere: Parser) -> None:
    days = family(tariff, "days", "tariff_days:list_days", anywhere, help_prefix="tariff_days")
    listed = days("list", "tariff_days:list_days")
    listed.add_argument("--from", dest="since", metavar="DAY", help=t("cli.option.from_day"))
    make = days("set", "tariff_days:set_day")
    make.add_argument("day", metavar="DAY", help=t("cli.option.day"))
    make.add_argument("kind", choices=("holiday", "workday"), help=t("cli.option.special_kind"))
    make.add_argument("--name", default="", metavar="TEXT", help=t("cli.option.day_name"))
    clear = days("clear", "tariff_days:clear")
    clear.add_argument("day", metavar="DAY", help=t("cli.option.day"))
    load = days("import", "tariff_days:import_days")
    load.add_argument("path", type=Path, metavar="FILE", help=t("cli.option.days_file"))
    for each in (make, clear, load):
        add_person(each)
    for each in (listed, make, clear, load):
        add_json(each)


def _add_changes(tariff: Verb) -> None:
    changes = tariff("changes", "tariff:changes")
    changes.add_argument("serial", nargs="?", metavar="SERIAL", help=t("cli.option.serial"))
    changes.add_argument("--open", action="store_true", help=t("cli.option.changes_open"))
    add_json(changes)
    settle = tariff("settle", "tariff:settle")
    settle.add_argument("change", type=int, metavar="ID", help=t("cli.option.change"))
    settle.add_argument("--note", required=True, metavar="TEXT", help=t("cli.option.settle_note"))
    add_person(settle)
    add_json(settle)
