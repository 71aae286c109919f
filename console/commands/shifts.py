"""shift open, show, close, report, list: the till of an operator."""

import argparse
from collections.abc import Sequence

from console import words
from console.commands.site import opened, person
from console.commands.text_table import print_table
from console.failures import NotUsable, Status, print_json
from engine import i18n, shift_report
from engine.config import Config
from engine.domain.counting import parse_counted
from engine.domain.errors import NoOpenShift, NoSuchShift
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import operators, shifts
from engine.views import shifts as shift_views
from engine.views.shifts import ShiftRow, ShiftView
from models.commands import Command
from models.enums import PayKind, Right
from models.people import Operator


def open_shift(args: argparse.Namespace) -> int:
    with opened(args) as config:
        by = person(args)
        shifts.open_shift(by, parse_counted(args.float, PayKind.CASH))
        shift = _open_view(by)
        if args.json:
            print_json(_document(shift, [], config))
        else:
            print(t("shift.opened", operator=by.name, float=yuan_text(shift.float_fen)))
    return Status.DONE


def show(args: argparse.Namespace) -> int:
    """Mine as it stands, or another's for who may see it."""
    with opened(args) as config:
        by = person(args)
        owner = by if args.of is None else shifts.named(args.of)
        if owner.id != by.id:
            operators.require(by, Right.SHIFTS)
        shift = _open_view(owner)
        waiting = _waiting(owner)
        if args.json:
            print_json(_document(shift, waiting, config))
        else:
            _show(shift, waiting, config)
    return Status.DONE


def close(args: argparse.Namespace) -> int:
    """The report of the close is what is printed."""
    counted = _counted(args.counted)
    with opened(args) as config:
        by = person(args)
        closed = shifts.close_shift(
            by,
            counted,
            args.explain,
            shifts.named(args.hand_over) if args.hand_over is not None else None,
            zone=config.site.zone,
            of=shifts.named(args.of) if args.of is not None else None,
        )
        shift = _numbered(closed.number or "")
        _print_report(shift, args, config)
    return Status.DONE


def report(args: argparse.Namespace) -> int:
    """The same again, marked as a reprint."""
    with opened(args) as config:
        _print_report(_numbered(args.number), args, config, reprint=True)
    return Status.DONE


def list_shifts(args: argparse.Namespace) -> int:
    """Newest first."""
    with opened(args) as config:
        found = shift_views.latest()
    if getattr(args, "json", False):
        print_json([row.as_json(config.site.zone) for row in found])
    elif found:
        names = ("number", "operator", "opened", "closed", "difference", "explanation")
        header = [t(f"shift.column.{name}") for name in names]
        print_table(header, [_cells(row, config) for row in found])
    else:
        print(t("shift.no_shifts"))
    return Status.DONE


def _cells(row: ShiftRow, config: Config) -> list[str]:
    zone = config.site.zone
    return [
        row.number or words.NOTHING,
        row.operator,
        words.moment(row.opened_at, zone),
        words.moment(row.closed_at, zone) if row.closed_at else t("shift.is_open"),
        words.yuan(row.difference_fen),
        row.explanation,
    ]


def _counted(text: str) -> dict[PayKind, int]:
    """`cash=123.00,card=0` by kind. Raises NotUsable, BadAmount."""
    known = ", ".join(PayKind)
    found: dict[PayKind, int] = {}
    for part in text.split(","):
        name, sign, yuan = part.partition("=")
        kind = name.strip().lower()
        if not sign or kind not in list(PayKind) or PayKind(kind) in found:
            raise NotUsable("bad_counted", text=text, known=known)
        found[PayKind(kind)] = parse_counted(yuan, PayKind(kind))
    return found


def _open_view(owner: Operator) -> ShiftView:
    found = shift_views.open_of(owner.id)
    if found is None:
        raise NoOpenShift(operator=owner.name)
    return found


def _numbered(number: str) -> ShiftView:
    found = shift_views.numbered(number)
    if found is None:
        raise NoSuchShift(number=number)
    return found


def _waiting(owner: Operator) -> list[Command]:
    shift = shifts.open_of(owner)
    return [] if shift is None else shifts.to_hand_over(shift)


def _document(shift: ShiftView, waiting: Sequence[Command], config: Config) -> dict[str, object]:
    return shift.as_json(config.site.zone) | {"to_hand_over": [each.id for each in waiting]}


def _print_report(
    shift: ShiftView, args: argparse.Namespace, config: Config, *, reprint: bool = False
) -> None:
    if args.json:
        print_json(_document(shift, [], config))
    else:
        language = i18n.current()
        text = shift_report.text(shift, language, args.width, site=config.site, reprint=reprint)
        print(text, end="")


def _show(shift: ShiftView, waiting: Sequence[Command], config: Config) -> None:
    since = words.moment(shift.opened_at, config.site.zone)
    closed = t("shift.is_open")
    number = shift.number or words.NOTHING
    print(t("shift.shown", number=number, operator=shift.operator, opened=since, closed=closed))
    names = ("pay", "float", "sales", "returned", "paid_out", "deposits", "expected")
    lines = [
        [
            t(f"screen.pay.{line.pay}"),
            yuan_text(line.float_fen),
            yuan_text(line.sales_fen),
            yuan_text(line.returned_fen),
            yuan_text(line.paid_out_fen),
            yuan_text(line.deposits_fen - line.deposits_returned_fen),
            yuan_text(line.expected_fen),
        ]
        for line in shift.kinds
    ]
    print_table([t(f"shift.column.{name}") for name in names], lines)
    if waiting:
        print(t("shift.waiting", commands=", ".join(str(each.id) for each in waiting)))
