"""emergency, limit: what a meter is told for a time, and what became of it."""

import argparse
import datetime as dt
import time
from uuid import uuid4

from console import order_input, order_words, words
from console.commands.outcome import STATUSES, said, settled, tell_of_no_engine
from console.commands.site import local_now, opened, person
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import clock
from engine.config import Config
from engine.i18n import t
from engine.services import commands, temporary
from engine.views import orders as views
from models.control import Temporary
from models.enums import TemporaryPurpose

COLUMNS = ("order", "purpose", "state", "serial", "shop", "until", "operator", "result", "why")
LOOK_S = 0.1


def hold(args: argparse.Namespace) -> int:
    """应急保电: on whatever the credit says, for a capped time, then back to the credit."""
    with opened(args) as config:
        by = person(args)
        until = _until(args.hours, config)
        made = temporary.hold(
            args.serial, until, TemporaryPurpose.EMERGENCY, args.reason, by,
            args.request_id or uuid4().hex, config=config,
        )  # fmt: skip
        return tell_begun(made, args, config)


def limit(args: argparse.Namespace) -> int:
    """限电: at most so many watts for a time, then what is desired by then."""
    with opened(args) as config:
        by = person(args)
        made = temporary.limit(
            args.serial, order_input.watts(args.watts), _until(args.hours, config), args.reason, by,
            args.request_id or uuid4().hex, config=config,
        )  # fmt: skip
        return tell_begun(made, args, config)


def end(args: argparse.Namespace) -> int:
    """Take an order back before its time; exit 4 while the engine has not done it yet."""
    with opened(args) as config:
        temporary.end_now(args.order, person(args))
        order = _waited(args.order, args.wait, config)
        if args.json:
            print_json(order.as_json(local_now(config)))
        else:
            print(order_words.line(order, config.site.zone))
        return Status.ACCEPTED if order.open else Status.DONE


def listed(args: argparse.Namespace) -> int:
    """Open orders, stuck ones first, and those that ended in the last days with their debt."""
    with opened(args) as config:
        now = local_now(config)
        found = views.orders(now)
    if getattr(args, "json", False):
        print_json([each.as_json(now) for each in found])
    elif not found:
        print(t("control.order.none"))
    else:
        zone = config.site.zone
        lines = [
            [
                str(each.temporary),
                order_words.purpose(each),
                order_words.state(each),
                each.serial,
                each.shop,
                order_words.short_moment(each.until, zone),
                each.operator,
                order_words.result(each) or words.NOTHING,
                each.why,
            ]
            for each in found
        ]
        print_table([t(f"control.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def tell_begun(made: Temporary, args: argparse.Namespace, config: Config) -> int:
    """The command that begins it, waited for; the order stands beside it."""
    assert made.begin is not None, made.id
    command = settled(commands.get(made.begin.id), args.wait)
    now = local_now(config)
    order = _order(made.id, now)
    if args.json:
        print_json({**commands.outcome_of(command), "order": order.as_json(now)})
    else:
        print(said(command))
        print(order_words.line(order, config.site.zone))
        tell_of_no_engine([command])
    return STATUSES[command.state]


def _order(number: int, now: dt.datetime) -> views.Order:
    return next(each for each in views.orders(now) if each.temporary == number)


def _waited(number: int, wait_s: float, config: Config) -> views.Order:
    """The order when it is over, or as it stands after `wait_s`."""
    deadline = time.monotonic() + wait_s
    order = _order(number, local_now(config))
    while order.open and time.monotonic() < deadline:
        time.sleep(LOOK_S)
        order = _order(number, local_now(config))
    return order


def _until(text: str, config: Config) -> dt.datetime:
    """`2`, `0.5`: hours from now on. Raises BadUntil."""
    return clock.now() + order_input.hours(text, config.control.emergency_max_h)
