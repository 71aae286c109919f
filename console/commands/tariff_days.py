"""tariff days: holidays and weekend days that are worked instead, set, cleared, imported."""

import argparse

from console.commands import problems
from console.commands.site import opened, person
from console.commands.tariff import typed_day
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import tables
from engine.i18n import t
from engine.services import calendars
from models.enums import SpecialDayKind
from models.tariffs import SpecialDay


def list_days(args: argparse.Namespace) -> int:
    """All days that are set; from a day on."""
    since = typed_day(args.since) if getattr(args, "since", None) else None
    with opened(args):
        found = calendars.list_days(since)
        lines = [[row.day, t(f"tariff.kind.{row.kind}"), row.name] for row in found]
        document = [_document(row) for row in found]
    if getattr(args, "json", False):
        print_json(document)
    else:
        print_table([t(f"tariff.column.{name}") for name in ("day", "kind", "name")], lines)
    return Status.DONE


def set_day(args: argparse.Namespace) -> int:
    day = typed_day(args.day)
    with opened(args):
        changed = calendars.set_days([(day, SpecialDayKind(args.kind), args.name)], person(args))
    return _tell(changed, args)


def clear(args: argparse.Namespace) -> int:
    """It is again what the week says."""
    day = typed_day(args.day)
    with opened(args):
        calendars.clear_day(day, person(args))
    return _tell(1, args)


def import_days(args: argparse.Namespace) -> int:
    """A table with columns day, kind, name; all or nothing."""
    with opened(args):
        by = person(args)
        days, wrong = calendars.days_in(tables.read(args.path))
        if wrong:
            if args.json:
                print_json({"changed": 0, "errors": problems.as_json(wrong)})
            else:
                problems.print_all(wrong, [])
            return Status.REFUSED
        changed = calendars.set_days(days, by)
    return _tell(changed, args)


def _tell(changed: int, args: argparse.Namespace) -> int:
    if args.json:
        print_json({"changed": changed, "errors": []})
    else:
        print(t("tariff.days_changed", number=changed))
    return Status.DONE


def _document(row: SpecialDay) -> dict[str, object]:
    return {"day": row.day, "kind": row.kind.value, "name": row.name}
