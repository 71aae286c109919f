"""lock, unlock, locks, protect: who works behind a meter, and which ones must not go dark."""

import argparse

from console import words
from console.commands.site import local_now, opened, person, second
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine.i18n import t
from engine.services import commands, locking, protecting
from engine.views import orders as views
from models.commands import Command

COLUMNS = ("serial", "shop", "tenant", "holder", "placed_at", "why")


def lock(args: argparse.Namespace) -> int:
    """Nothing closes the meter any more; says what may still be on its way to it."""
    with opened(args) as config:
        placed = locking.place(args.serial, args.reason, person(args))
        row = views.locks(placed.lock.meter.id)[0]
        shown = {
            **row.as_json(local_now(config)),
            "under_way": [commands.outcome_of(each) for each in placed.under_way],
            "stopped": [commands.outcome_of(each) for each in placed.stopped],
        }
    if args.json:
        print_json(shown)
        return Status.DONE
    print(t("control.lock.placed", serial=row.serial, holder=row.holder, why=row.why))
    for each in placed.under_way:
        print(t("control.lock.under_way", kind=_kind(each), command=each.id))
    for each in placed.stopped:
        print(t("control.lock.stopped", kind=_kind(each), command=each.id))
    print(t("control.lock.still_live"))
    return Status.DONE


def _kind(command: Command) -> str:
    return t(f"state.kind.{command.kind}")


def unlock(args: argparse.Namespace) -> int:
    with opened(args):
        freed = locking.release(args.serial, person(args), second(args))
        by, approver = freed.released_by, freed.second
        shown = {
            "lock": freed.id,
            "serial": args.serial,
            "holder": freed.holder.name,
            "released_by": by.name if by else None,
            "second": approver.name if approver else None,
        }
    if args.json:
        print_json(shown)
    else:
        print(t("control.lock.released", serial=args.serial))
    return Status.DONE


def listed(args: argparse.Namespace) -> int:
    """The locks that hang now, the oldest first."""
    with opened(args) as config:
        now = local_now(config)
        found = views.locks()
    if args.json:
        print_json([each.as_json(now) for each in found])
    elif not found:
        print(t("control.lock.none"))
    else:
        lines = [
            [
                each.serial,
                each.shop,
                each.tenant or words.NOTHING,
                each.holder,
                words.moment(each.placed_at, config.site.zone),
                each.why,
            ]
            for each in found
        ]
        print_table([t(f"control.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def protect(args: argparse.Namespace) -> int:
    """A meter that is never tripped from here, or with --off one like the others."""
    with opened(args):
        meter = protecting.protect(args.serial, args.reason, person(args), on=not args.off)
    if args.json:
        print_json({"serial": meter.serial, "protected": meter.protected})
    else:
        key = "on" if meter.protected else "off"
        print(t(f"control.protect.{key}", serial=meter.serial))
    return Status.DONE
