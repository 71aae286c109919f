"""status, meters, verify: what is known, without changing anything."""

import argparse

from console import words
from console.commands import status_text
from console.commands.site import default_prices, local_now, opened
from console.commands.text_table import print_table
from console.failures import JSON_LANGUAGE, Status, print_json
from engine import i18n
from engine.i18n import t
from engine.services import verify as books
from engine.views import drift as drift_views
from engine.views import meters as meter_views
from engine.views import status as status_views
from engine.views.meters import MeterRow


def status(args: argparse.Namespace) -> int:
    """The site at a glance."""
    with opened(args) as config:
        found = status_views.status(local_now(config))
    if args.json:
        print_json(found)
    else:
        status_text.show(found)
    return Status.DONE


def meters(args: argparse.Namespace) -> int:
    """All meters, or those that fit state, line and text."""
    with opened(args) as config:
        now = local_now(config)
        _, rows = meter_views.rows(now=now, default_prices=default_prices(config))
    rows = [row for row in rows if _fits(row, args)]
    if args.json:
        print_json([row.as_json(now) for row in rows])
    else:
        lines = [_cells(row, row.age_s(now)) for row in rows]
        print_table([t(f"cli.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def _fits(row: MeterRow, args: argparse.Namespace) -> bool:
    if args.state and row.state != args.state:
        return False
    if args.line and row.line != args.line:
        return False
    return not args.search or row.matches(args.search)


COLUMNS = ("serial", "line", "shop", "tenant", "state", "balance", "power", "age")


def _cells(row: MeterRow, age_s: int | None) -> list[str]:
    return [
        row.serial,
        f"{row.line}/{row.address}",
        row.shop,
        row.tenant or words.NOTHING,
        words.state_word(row.state),
        words.yuan(row.balance_fen),
        words.kw(row.power_w),
        words.NOTHING if age_s is None else str(age_s),
    ]


def verify(args: argparse.Namespace) -> int:
    """Recompute the books; exit 1 on a fault, drift against the meters is a warning."""
    with opened(args) as config:
        now = local_now(config)
        faults, warnings = books.faults(), books.warnings()
        drifts = drift_views.warnings(now, config.money.drift_limit_fen)
        warnings += [books.Fault(*each) for each in drifts]
        oldest_s = drift_views.oldest_assertion_s(now)
    if args.json:
        shown = {"faults": faults, "warnings": warnings}
        print_json(
            {"ok": not faults, "oldest_assertion_s": oldest_s}
            | {
                name: [_fault(each, JSON_LANGUAGE) for each in found]
                for name, found in shown.items()
            }
        )
    else:
        for each in (*faults, *warnings):
            print(_fault(each, i18n.current())["message"])
        if oldest_s is not None:
            print(t("cli.oldest_assertion", age=words.lasted(oldest_s)))
        print(t("cli.verify_faults" if faults else "cli.verify_good", faults=len(faults)))
    return Status.REFUSED if faults else Status.DONE


def _fault(fault: books.Fault, language: str) -> dict[str, object]:
    text = i18n.catalog(language)[f"error.verify.{fault.code}"].format(**fault.params)
    return {"code": fault.code, "message": text, "params": fault.params}
