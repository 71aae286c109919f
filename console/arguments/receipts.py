"""Receipts: shown, printed again, checked, listed."""

from pathlib import Path

from console.arguments.options import Parser, Verb, add_json, add_person, family
from engine.i18n import LANGUAGES, t

LIST_MAX = 100


def add(verb: Verb, anywhere: Parser) -> None:
    receipt = family(verb, "receipt", "receipt:latest", anywhere)
    for name in ("show", "print"):
        each = receipt(name, f"receipt:{name}_one")
        each.add_argument("named", metavar="NUMBER|COMMAND", help=t("cli.option.receipt"))
        if name == "show":
            each.add_argument("--paper", choices=("58", "80", "A4"), help=t("cli.option.paper"))
            each.add_argument("--language", choices=LANGUAGES, help=t("cli.option.paper_language"))
        else:
            add_person(each)
        add_json(each)
    check = receipt("check", "receipt:check")
    check.add_argument("code", nargs="+", metavar="CODE", help=t("cli.option.code"))
    check.add_argument("--key", type=Path, metavar="FILE", help=t("cli.option.key"))
    add_json(check)
    every = receipt("list", "receipt:latest")
    every.add_argument(
        "--last", type=int, default=LIST_MAX, metavar="N", help=t("cli.option.last_receipts")
    )
    add_json(every)
