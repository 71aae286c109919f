"""guard: who will run out before the office opens again, and one go to hold them."""

import argparse
from uuid import uuid4

from console import guard_words, order_words, words
from console.commands.outcome import settled_all, tell_all
from console.commands.site import local_now, opened, person, second
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import guarding, i18n
from engine.domain.errors import BadUntil
from engine.i18n import t
from engine.services import commands
from engine.services import guard as service
from models.commands import Command

COLUMNS = ("shop", "serial", "balance", "out_at", "sure", "age", "tenant")


def show(args: argparse.Namespace) -> int:
    """Who will run out, protected ones first; who is dark already stands apart."""
    with opened(args) as config:
        watch = guarding.watch(config)
        if getattr(args, "json", False):
            print_json(watch.as_json())
            return Status.DONE
        print(guard_words.headline(watch), guard_words.rest(watch))
        zone = config.site.zone
        now = local_now(config)
        lines = [
            [
                risk.row.shop,
                risk.row.serial,
                words.yuan(risk.row.balance_fen),
                order_words.short_moment(risk.out_at, zone),
                guard_words.sureness(sure=risk.sure, protected=risk.protected),
                words.age(risk.row.read_at, now),
                risk.row.tenant or words.NOTHING,
            ]
            for risk in watch.risks
        ]
        if lines:
            print_table([t(f"control.column.{name}") for name in COLUMNS], lines)
        for row in watch.arrears:
            balance = words.yuan(row.balance_fen)
            dark = {"shop": row.shop, "serial": row.serial, "tenant": row.tenant or ""}
            print(t("control.guard.dark", balance=balance, **dark))
    return Status.DONE


def hold(args: argparse.Namespace) -> int:
    """Hold all that are on the list now, or some of them, until the office opens."""
    with opened(args) as config:
        by, approver = person(args), second(args)
        watch = guarding.watch(config)
        if watch.opens_at is None:
            raise BadUntil(why="never")
        listed = [risk.row.serial for risk in watch.risks]
        wanted = listed if args.serials is None else args.serials.split(",")
        kept = service.hold_all(
            wanted, watch.opens_at, args.reason or t("control.guard.why"), by,
            args.request_id or uuid4().hex, confirm=args.confirm, config=config,
            approver=approver,
        )  # fmt: skip
        begun: list[Command] = [
            commands.get(each.begin.id) for each in kept.holds if each.begin is not None
        ]
        codes = {serial: error.code for serial, error in kept.left_out.items()}
        about = {"until": watch.opens_at.isoformat(), "left_out": codes}
        if not args.json:
            for error in kept.left_out.values():
                print(i18n.error_text(error.code, error.params))
        return tell_all(about, settled_all(begun, args.wait), args)
