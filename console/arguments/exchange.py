"""Meter exchanges and conversions."""

from pathlib import Path

from console.arguments.options import Verb, add_approver, add_ask, add_verb_options
from engine.i18n import t


def add(verb: Verb) -> None:
    exchange = verb("exchange", "exchange:exchange")
    exchange.add_argument("old", nargs="?", metavar="OLD", help=t("cli.option.serial"))
    exchange.add_argument("new", nargs="?", metavar="NEW", help=t("cli.option.new_meter"))
    exchange.add_argument("--line", metavar="LINE", help=t("cli.option.new_line"))
    exchange.add_argument("--address", type=int, metavar="N", help=t("cli.option.new_address"))
    exchange.add_argument("--model", metavar="MODEL", help=t("cli.option.new_model"))
    exchange.add_argument("--final-energy", metavar="KWH", help=t("cli.option.final_energy"))
    exchange.add_argument("--final-balance", metavar="YUAN", help=t("cli.option.final_balance"))
    exchange.add_argument("--evidence", metavar="TEXT", help=t("cli.option.evidence"))
    exchange.add_argument("--reason", metavar="TEXT", help=t("cli.option.reason"))
    exchange.add_argument("--resume", type=int, metavar="ID", help=t("cli.option.exchange_resume"))
    exchange.add_argument("--cancel", type=int, metavar="ID", help=t("cli.option.exchange_cancel"))
    add_ask(exchange)
    convert = verb("convert", "exchange:convert")
    convert.add_argument("path", type=Path, metavar="FILE", help=t("cli.option.amounts"))
    convert.add_argument("--total", required=True, metavar="YUAN", help=t("cli.option.total"))
    convert.add_argument("--dry-run", action="store_true", help=t("cli.option.dry_run"))
    for each in (exchange, convert):
        add_approver(each)
        add_verb_options(each)
