"""The command line: what may be typed, and which function each command is.

A command's module is imported when it is run, so that each starts as quickly as it can.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from console import failures
from engine import i18n
from engine.i18n import t
from models.enums import MeterState, PayKind, Role

Run = Callable[[argparse.Namespace], int]
WAIT_S = 30.0  # how long a command waits for its outcome, unless --wait says otherwise


class Misuse(Exception):
    """What was typed is no command; the message is argparse's own."""


class Parser(argparse.ArgumentParser):
    """Reports misuse as an exception, so that it can be JSON where JSON was asked for."""

    def error(self, message: str) -> NoReturn:
        raise Misuse(message)


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
    verbs = top.add_subparsers(metavar=t("cli.command"), parser_class=Parser)

    def verb(name: str, run: str) -> Parser:
        """A command whose help is `cli.help.<name>`."""
        text = t(f"cli.help.{name.replace('-', '_')}")
        made: Parser = verbs.add_parser(
            name, help=text, description=text, parents=[anywhere], allow_abbrev=False
        )
        made.set_defaults(run=run)
        return made

    _add_site_verbs(verb)
    _add_meter_verbs(verb)
    _add_practice_verbs(verb)
    people = verb("operator", "people:list_operators").add_subparsers(metavar=t("cli.command"))
    _add_people_verbs(people, anywhere)
    return top


def _add_global_options(parser: Parser, default: object) -> None:
    site = Path(os.environ.get("VOLTILL_SITE", "site")) if default is None else default
    parser.add_argument("--site", type=Path, default=site, metavar="DIR", help=t("cli.option.site"))
    parser.add_argument(
        "--lang", choices=("auto", *i18n.LANGUAGES), default=default, help=t("cli.option.lang")
    )


Verb = Callable[[str, str], Parser]


def _add_site_verbs(verb: Verb) -> None:
    verb("console", "screens:console")
    init = verb("init", "setup:init")
    init.add_argument("directory", type=Path, metavar="DIR")
    init.add_argument("--admin", required=True, metavar="NAME", help=t("cli.option.admin"))
    _add_password_file(init)
    _add_json(verb("check", "check:check"))
    load = verb("import", "setup:import_config")
    load.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.tables"))
    load.add_argument("--dry-run", action="store_true", help=t("cli.option.dry_run"))
    _add_json(load)
    save = verb("export-config", "setup:export_config")
    save.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.export"))
    _add_json(save)
    engine = verb("engine", "headless:engine")
    engine.add_argument("--for", type=float, dest="for_s", metavar="S", help=t("cli.option.for"))
    _add_json(verb("status", "show:status"))
    _add_json(verb("verify", "show:verify"))


def _add_meter_verbs(verb: Verb) -> None:
    meters = verb("meters", "show:meters")
    states = [state.value for state in MeterState]
    meters.add_argument("--state", choices=states, help=t("cli.option.state"))
    meters.add_argument("--line", metavar="LINE", help=t("cli.option.line"))
    meters.add_argument("--search", metavar="TEXT", help=t("cli.option.search"))
    _add_json(meters)
    read = verb("read", "meter:read")
    read.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    _add_wait(read)
    _add_json(read)
    sell = verb("sell", "meter:sell")
    sell.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    sell.add_argument("yuan", metavar="YUAN", help=t("cli.option.yuan"))
    kinds = [kind.value for kind in PayKind]
    sell.add_argument("--pay", choices=kinds, required=True, help=t("cli.option.pay"))
    sell.add_argument("--request-id", metavar="ID", help=t("cli.option.request_id"))
    void = verb("void", "meter:void")
    void.add_argument("command", type=int, metavar="COMMAND", help=t("cli.option.command"))
    for each in (sell, void):
        _add_person(each)
        _add_wait(each)
        _add_json(each)


def _add_practice_verbs(verb: Verb) -> None:
    simulate = verb("simulate", "practice:simulate")
    simulate.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.tables"))
    simulate.add_argument("--base-port", type=int, metavar="P", help=t("cli.option.base_port"))
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help=t("cli.option.seed"))
    simulate.add_argument("--faults", default="", metavar="SPEC", help=t("cli.option.faults"))
    simulate.add_argument("--no-pacing", action="store_true", help=t("cli.option.no_pacing"))
    simulate.add_argument("--state", type=Path, metavar="FILE", help=t("cli.option.state_file"))
    simulate.add_argument("--control-port", type=int, default=0, metavar="P")
    simulate.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)
    fault = verb("fault", "practice:fault")
    fault.add_argument("--control", type=int, required=True, metavar="P", dest="control_port")
    fault.add_argument("target", metavar="TARGET", help=t("cli.option.target"))
    fault.add_argument("fault", metavar="FAULT", help=t("cli.option.fault"))
    fault.add_argument("options", nargs="*", metavar="OPTION=VALUE")
    demo = verb("demo", "demo:demo")
    demo.add_argument("--headless", action="store_true", help=t("cli.option.headless"))
    demo.add_argument("--for", type=float, dest="for_s", metavar="S", help=t("cli.option.for"))
    demo.add_argument("--dir", type=Path, metavar="DIR", help=t("cli.option.demo_dir"))
    for each in (simulate, demo):
        each.add_argument(
            "--speed", type=_speed, default=1.0, metavar="N", help=t("cli.option.speed")
        )
    files = verb("practice-files", "practice:files")
    files.add_argument("directory", type=Path, metavar="DIR")
    files.add_argument("--base-port", type=int, default=15_001, metavar="P")


def _add_people_verbs(people: "argparse._SubParsersAction[Parser]", anywhere: Parser) -> None:
    def verb(name: str, run: str) -> Parser:
        text = t(f"cli.help.operator_{name}")
        made = people.add_parser(
            name, help=text, description=text, parents=[anywhere], allow_abbrev=False
        )
        made.set_defaults(run=run)
        return made

    _add_json(verb("list", "people:list_operators"))
    add = verb("add", "people:add_operator")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    password = verb("password", "people:set_password")
    password.add_argument("name", metavar="NAME")
    for each in (add, password):
        each.add_argument(
            "--new-password-file", type=Path, metavar="FILE", help=t("cli.option.new_password")
        )
        _add_person(each)
        _add_json(each)


def _speed(text: str) -> float:
    value = float(Decimal(text)) if text.replace(".", "", 1).isdigit() else 0.0
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f"0 < N <= 10000: {text!r}")
    return value


def _add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help=t("cli.option.json"))


def _add_wait(parser: Parser) -> None:
    parser.add_argument(
        "--wait", type=float, default=WAIT_S, metavar="S", help=t("cli.option.wait")
    )


def _add_password_file(parser: Parser) -> None:
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help=t("cli.option.password_file")
    )


def _add_person(parser: Parser) -> None:
    parser.add_argument("--as", dest="person", metavar="NAME", help=t("cli.option.as"))
    _add_password_file(parser)
