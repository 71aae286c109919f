"""The parser, and the options that many commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from engine.i18n import t
from models.enums import PayKind

WAIT_S = 30.0  # how long a command waits for its outcome, unless --wait says otherwise


class Misuse(Exception):
    """What was typed is no command; the message is argparse's own."""


class Parser(argparse.ArgumentParser):
    """Reports misuse as an exception, so that it can be JSON where JSON was asked for."""

    def error(self, message: str) -> NoReturn:
        raise Misuse(message)


Verb = Callable[[str, str], Parser]  # name, and which function it runs: `module:function`


def family(
    verb: Verb, name: str, run: str, anywhere: Parser, *, help_prefix: str | None = None
) -> Verb:
    """Commands below a command, as in `voltill tenant add`; without one of them `run` is run.

    The help of each is `cli.help.<prefix>_<name>`, the prefix being the family's name.
    """
    below = verb(name, run).add_subparsers(metavar=t("cli.command"), parser_class=Parser)
    prefix = help_prefix or name.replace("-", "_")

    def member(name: str, run: str) -> Parser:
        text = t(f"cli.help.{prefix}_{name.replace('-', '_')}")
        made: Parser = below.add_parser(
            name, help=text, description=text, parents=[anywhere], allow_abbrev=False
        )
        made.set_defaults(run=run)
        return made

    return member


def add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help=t("cli.option.json"))


def add_wait(parser: Parser) -> None:
    parser.add_argument(
        "--wait", type=float, default=WAIT_S, metavar="S", help=t("cli.option.wait")
    )


def add_password_file(parser: Parser) -> None:
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help=t("cli.option.password_file")
    )


def add_person(parser: Parser) -> None:
    parser.add_argument("--as", dest="person", metavar="NAME", help=t("cli.option.as"))
    add_password_file(parser)


def add_approver(parser: Parser) -> None:
    """The second person, who is in the same room."""
    parser.add_argument("--approve", metavar="NAME", help=t("cli.option.approve"))
    parser.add_argument(
        "--approve-password-file", type=Path, metavar="FILE", help=t("cli.option.password_file")
    )


def add_ask(parser: Parser) -> None:
    """Leave it to a second person in a session of his own."""
    parser.add_argument("--ask", action="store_true", help=t("cli.option.ask"))


def add_pay(parser: Parser, *, required: bool = True) -> None:
    kinds = [kind.value for kind in PayKind]
    parser.add_argument("--pay", choices=kinds, required=required, help=t("cli.option.pay"))


def add_request_id(parser: Parser) -> None:
    parser.add_argument("--request-id", metavar="ID", help=t("cli.option.request_id"))


def add_verb_options(parser: Parser) -> None:
    """Of a verb that moves money or a relay: who, how long to wait, how to print, its id."""
    add_request_id(parser)
    add_person(parser)
    add_wait(parser)
    add_json(parser)
