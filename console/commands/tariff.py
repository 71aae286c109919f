"""tariff: versions published and withdrawn, which meters have which, price changes settled."""

import argparse
import datetime as dt
import sys
from decimal import Decimal, InvalidOperation

from console import tariff_words
from console.commands.site import local_now, opened, person
from console.commands.text_table import print_table
from console.failures import NotUsable, Status, print_json
from engine.config import Config
from engine.domain.errors import BadTariff, PriceAsked
from engine.domain.measurement import RATES
from engine.domain.tariffs import Question
from engine.domain.units import HALF_WIDTH, kwh_text
from engine.i18n import t
from engine.services import price_changes, tariffs
from engine.views import price_changes as change_views
from engine.views import tariffs as views
from engine.views.price_changes import ChangeRow
from engine.views.tariffs import VersionRow

LOCAL = "%Y-%m-%d %H:%M"


def list_tariffs(args: argparse.Namespace) -> int:
    """Every tariff with what holds today and what comes next."""
    with opened(args) as config:
        found = views.overviews(local_now(config).date())
    if getattr(args, "json", False):
        print_json([row.as_json() for row in found])
        return Status.DONE
    lines = [
        [
            row.name,
            row.in_force.valid_from if row.in_force else "-",
            tariff_words.prices(row.in_force.prices) if row.in_force else "-",
            row.next.valid_from if row.next else "-",
            str(row.meters),
        ]
        for row in found
    ]
    print_table(_header("tariff", "valid_from", "prices", "next", "meters"), lines)
    return Status.DONE


def show(args: argparse.Namespace) -> int:
    """All versions of one tariff, and the meters that have it."""
    with opened(args) as config:
        tariffs.require_tariff(args.tariff)
        rows = views.versions(local_now(config).date(), args.tariff)
        serials = views.meters_of(args.tariff)
    if args.json:
        document = {"tariff": args.tariff, "versions": [row.as_json() for row in rows]}
        print_json({**document, "meters": serials})
        return Status.DONE
    for row in rows:
        _print_version(row, config)
    print(t("tariff.meters", number=len(serials)))
    return Status.DONE


def publish(args: argparse.Namespace) -> int:
    """A version, published once; prices out of the ordinary are typed again with --yes-price."""
    prices, day = typed_prices(args.prices), typed_day(args.valid_from)
    with opened(args) as config:
        by = person(args)
        try:
            made = tariffs.publish(
                args.tariff, day, prices, args.schedule, args.steps, args.cycle, args.note, by,
                config=config, asked=args.yes_price,
            )  # fmt: skip
        except PriceAsked as asked:
            if not args.json:
                _print_questions(asked)
            raise
        today = local_now(config).date()
        row = next(
            each
            for each in views.versions(today, args.tariff)
            if each.valid_from == made.valid_from and each.withdrawn_at is None
        )
    if args.json:
        print_json(row.as_json())
    else:
        _print_version(row, config)
    return Status.DONE


def withdraw(args: argparse.Namespace) -> int:
    """Before its day."""
    day = typed_day(args.valid_from)
    with opened(args) as config:
        tariffs.withdraw(args.tariff, day, args.reason, person(args), config=config)
    document = {"tariff": args.tariff, "valid_from": day.isoformat(), "state": "withdrawn"}
    if args.json:
        print_json(document)
    else:
        print(t("tariff.withdrawn", tariff=args.tariff, day=day.isoformat()))
    return Status.DONE


def assign(args: argparse.Namespace) -> int:
    """Which tariff meters have; nothing is sent."""
    name = None if args.tariff == "none" else args.tariff
    with opened(args):
        changed = tariffs.assign(args.serials, name, person(args))
    if args.json:
        print_json({"tariff": name, "meters": len(set(args.serials)), "changed": changed})
    else:
        print(t("tariff.assigned", number=changed, tariff=name or t("tariff.site_prices")))
    return Status.DONE


def changes(args: argparse.Namespace) -> int:
    """What the engine changed at boundaries, the newest first."""
    with opened(args) as config:
        rows = change_views.changes(serial=args.serial, only_open=args.open)
    if args.json:
        print_json([row.as_json() for row in rows])
        return Status.DONE
    header = _header("id", "meter", "cause", "due", "prices", "state", "late", "difference")
    print_table(header, [_change_cells(row, config) for row in rows])
    return Status.DONE


def settle(args: argparse.Namespace) -> int:
    """A person has put a difference right."""
    with opened(args):
        made = price_changes.settle(args.change, args.note, person(args))
        row = next(each for each in change_views.changes(serial=made.serial) if each.id == made.id)
    if args.json:
        print_json(row.as_json())
    else:
        late = tariff_words.difference(row.late_fen, estimated=row.estimated)
        print(t("tariff.settled", change=row.id, serial=row.serial, late=late))
    return Status.DONE


def typed_prices(text: str) -> tuple[Decimal, ...]:
    """`1.2/1.0/0.7/0.4` by RATES, or one price for all four. Raises BadTariff."""
    plain = text.translate(HALF_WIDTH).strip()
    pieces = [piece.strip() for piece in plain.split("/")]
    if len(pieces) == 1:
        pieces *= len(RATES)
    if len(pieces) != len(RATES):
        raise BadTariff(where="prices", why="not_a_price", number=1, found=plain[:40])
    try:
        return tuple(Decimal(piece) for piece in pieces)
    except InvalidOperation:
        raise BadTariff(where="prices", why="not_a_price", number=1, found=plain[:40]) from None


def typed_day(text: str) -> dt.date:
    """Raises NotUsable."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise NotUsable("bad_day", text=text[:20]) from None


def _print_questions(asked: PriceAsked) -> None:
    questions = asked.params["questions"]
    assert isinstance(questions, list)
    for code, rate, step, found in questions:
        print(tariff_words.question(Question(code, rate, step, found)), file=sys.stderr)


def _print_version(row: VersionRow, config: Config) -> None:
    state = t(f"tariff.state.{row.state}")
    print(t("tariff.version", tariff=row.tariff, day=row.valid_from, state=state))
    for name, text in (
        ("prices", tariff_words.prices(row.prices)),
        ("schedule", tariff_words.as_typed(row.schedule)),
        ("steps", row.steps),
        ("cycle", tariff_words.as_typed(row.cycle)),
        ("note", row.note),
        ("published", _who(row.published_by, row.published_at, config)),
        ("withdrawn", _who(row.withdrawn_by, row.withdrawn_at, config)),
    ):
        if text:
            print(f"  {t(f'tariff.line.{name}')}: {text}")


def _who(name: str, at: dt.datetime | None, config: Config) -> str:
    if at is None:
        return ""
    return f"{name or t('tariff.by_import')} {at.astimezone(config.site.zone):{LOCAL}}"


def _change_cells(row: ChangeRow, config: Config) -> list[str]:
    state = t(f"tariff.change_state.{row.state}")
    if row.settled_at is not None:
        state = t("tariff.change_state.settled", name=row.settled_by)
    was, now = (tariff_words.held_prices(values) or "?" for values in (row.former, row.wanted))
    return [
        str(row.id),
        row.serial,
        t(f"tariff.cause.{row.cause}"),
        f"{row.due_at.astimezone(config.site.zone):{LOCAL}}",
        now if was == now else f"{was} -> {now}",
        state,
        "-" if row.late_wh is None else f"{kwh_text(row.late_wh)} kWh",
        tariff_words.difference(row.late_fen, estimated=row.estimated),
    ]


def _header(*names: str) -> list[str]:
    return [t(f"tariff.column.{name}") for name in names]
