"""What every command on a site begins with: its settings, its databases, and who asks."""

import argparse
import contextlib
import datetime as dt
import getpass
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from console.failures import NotUsable
from engine import clock, i18n
from engine.config import Config
from engine.i18n import t
from engine.services import operators
from engine.site import load_config
from models import store
from models.people import Operator


@contextlib.contextmanager
def opened(args: argparse.Namespace) -> Iterator[Config]:
    """The site's settings, its databases open for this thread, its language spoken."""
    config = load_config(args.site)
    if args.lang is None:
        i18n.use(config.console.language)
    with store.opened(args.site):
        yield config


def local_now(config: Config) -> dt.datetime:
    return clock.now().astimezone(config.site.zone)


def default_prices(config: Config) -> tuple[Decimal, ...]:
    """By rate, as RATES has them."""
    return config.defaults.prices


def person(args: argparse.Namespace) -> Operator:
    """Who asks, proved by a password. Raises BadLogin, LockedOut, NotUsable."""
    if args.person is None:
        raise NotUsable("person_needed")
    return operators.sign_in(args.person, password(args.password_file, who=args.person))


def second(args: argparse.Namespace) -> Operator | None:
    """The second person (--approve), proved by a password too; None where none is named."""
    if args.approve is None:
        return None
    return operators.sign_in(args.approve, password(args.approve_password_file, who=args.approve))


def password(file: Path | None, *, who: str) -> str:
    """One line of `file`, its newline stripped, or what is typed on a terminal."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise NotUsable("password_file", path=str(file), text=why) from None
    if not sys.stdin.isatty():
        raise NotUsable("password_needed", name=who)
    return getpass.getpass(t("cli.ask_password", name=who))


def new_password(file: Path | None, *, who: str) -> str:
    """Like `password`, asked twice on a terminal: it is seen by nobody."""
    first = password(file, who=who)
    if file is None and getpass.getpass(t("cli.ask_again")) != first:
        raise NotUsable("passwords_differ")
    return first
