"""Reports: which one, of which days, and how it is to be written."""

import argparse
import datetime as dt
from pathlib import Path

from console.arguments.options import Verb, add_json
from engine.i18n import t
from engine.reports.registry import REPORTS

FORMATS = ("table", "json", "csv", "xlsx")


def add(verb: Verb) -> None:
    report = verb("report", "report:report")
    report.add_argument("name", choices=sorted(REPORTS), metavar="NAME", help=_names())
    for option, name in (("--from", "first"), ("--to", "last")):
        report.add_argument(
            option, dest=name, type=day, metavar="D", help=t(f"cli.option.report_{name}")
        )
    report.add_argument("--format", choices=FORMATS, help=t("cli.option.report_format"))
    report.add_argument(
        "-o", dest="file", type=Path, metavar="FILE", help=t("cli.option.report_file")
    )
    add_json(report)


def day(text: str) -> dt.date:
    """A local day, `2026-11-25`."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(t("cli.bad_day", text=text[:40])) from None


def _names() -> str:
    return t("cli.option.report_name", names=" ".join(sorted(REPORTS)))
