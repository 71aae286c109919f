"""The command line: what may be typed, and which function each command is.

A command's module is imported when it is run, so that each starts as quickly as it can.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from console import failures
from console.arguments import (
    accounts,
    batches,
    cases,
    control,
    exchange,
    meters,
    people,
    practice,
    receipts,
    reports,
    settings,
    shifts,
    site,
    tariff,
    verbs,
)
from console.arguments.options import WAIT_S, Misuse, Parser
from engine import i18n
from engine.i18n import t

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status as the contract lists them, 0 to 5."""
    typed = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    i18n.use(_language(typed))
    try:
        args = parser().parse_args(typed)
    except Misuse as error:
        return failures.misused(str(error), json="--json" in typed)
    try:
        return _load(args.run)(args)
    except BrokenPipeError:  # whoever read our output has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        status = failures.report(error, json=getattr(args, "json", False))
        if status is None:
            raise
        return status


def _load(place: str) -> Run:
    module, _, name = place.partition(":")
    run: Run = getattr(import_module(f"console.commands.{module}"), name)
    return run


def _language(typed: Sequence[str]) -> str:
    early = Parser(add_help=False, allow_abbrev=False)
    early.add_argument("--lang", choices=("auto", *i18n.LANGUAGES), default="auto")
    try:
        return str(early.parse_known_args(typed)[0].lang)
    except Misuse:  # a language nobody speaks: the real parser says so
        return "auto"


def parser() -> Parser:
    """Every command with its options; `run` names the function in console/commands."""
    anywhere = Parser(add_help=False)
    _add_global_options(anywhere, default=argparse.SUPPRESS)
    top = Parser(prog="voltill", description=t("cli.about"), allow_abbrev=False)
    _add_global_options(top, default=None)
    top.set_defaults(run="screens:console", wait=WAIT_S)
    commands = top.add_subparsers(metavar=t("cli.command"), parser_class=Parser)

    def verb(name: str, run: str) -> Parser:
        """A command whose help is `cli.help.<name>`."""
        text = t(f"cli.help.{name.replace('-', '_')}")
        made: Parser = commands.add_parser(
            name, help=text, description=text, parents=[anywhere], allow_abbrev=False
        )
        made.set_defaults(run=run)
        return made

    site.add(verb)
    meters.add(verb)
    verbs.add(verb)
    exchange.add(verb)
    practice.add(verb)
    reports.add(verb)
    people.add(verb, anywhere)
    shifts.add(verb, anywhere)
    receipts.add(verb, anywhere)
    accounts.add(verb, anywhere)
    cases.add(verb, anywhere)
    settings.add(verb, anywhere)
    tariff.add(verb, anywhere)
    batches.add(verb, anywhere)
    control.add(verb, anywhere)
    return top


def _add_global_options(parser: Parser, default: object) -> None:
    site = Path(os.environ.get("VOLTILL_SITE", "site")) if default is None else default
    parser.add_argument("--site", type=Path, default=site, metavar="DIR", help=t("cli.option.site"))
    parser.add_argument(
        "--lang", choices=("auto", *i18n.LANGUAGES), default=default, help=t("cli.option.lang")
    )
