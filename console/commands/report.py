"""report: one of the registry's tables, as text, JSON or CSV, on the terminal or in a file."""

import argparse
import csv
import datetime as dt
import io
import json

from console import report_cells, words
from console.commands.site import local_now, opened
from console.commands.text_table import print_table
from console.failures import NotUsable, Status
from engine.i18n import t
from engine.reports.period import Period
from engine.reports.registry import REPORTS
from engine.reports.table import Cell, Table
from engine.tables import guarded

DAYS_MAX = 366  # of one report


def report(args: argparse.Namespace) -> int:
    """Both days are included; without them it is today."""
    args.json = args.json or args.format == "json"
    wanted = args.format or ("json" if args.json else "table")
    if wanted == "xlsx":
        raise NotUsable("no_xlsx")
    with opened(args) as config:
        now = local_now(config)
        table = REPORTS[args.name].make(_period(args, now))
    zone = now.tzinfo
    assert zone is not None
    if wanted == "table" and args.file is None:
        _print(table, zone)
        return Status.DONE
    text = {"json": as_json, "csv": as_csv, "table": as_text}[wanted](table, zone)
    if args.file is None:
        print(text, end="")
    else:
        marked = "utf-8-sig" if wanted == "csv" else "utf-8"  # a spreadsheet asks for the mark
        args.file.write_text(text, encoding=marked, newline="")
    return Status.DONE


def _period(args: argparse.Namespace, now: dt.datetime) -> Period:
    last = args.last or args.first or now.date()
    first = args.first or last
    if first > last:
        raise NotUsable("period_backwards", first=str(first), last=str(last))
    if (last - first).days >= DAYS_MAX:
        raise NotUsable("period_too_long", days=DAYS_MAX)
    return Period(first, last, now)


def as_json(table: Table, zone: dt.tzinfo) -> str:
    """Title and columns are the program's names: a script's document knows no language."""
    document = {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [[_plain(cell, zone) for cell in row] for row in table.rows],
        "totals": table.totals,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _plain(cell: Cell, zone: dt.tzinfo) -> str | int | None:
    return cell.astimezone(zone).isoformat() if isinstance(cell, dt.datetime) else cell


def as_csv(table: Table, zone: dt.tzinfo) -> str:
    """Money in yuan. A text that a spreadsheet would run as a formula gets a leading '."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_header(table))
    for row in table.rows:
        pairs = zip(table.columns, row, strict=True)
        writer.writerow([_csv_cell(name, cell, zone) for name, cell in pairs])
    if table.totals:
        writer.writerow(_totals(table, zone))
    return out.getvalue()


def _csv_cell(name: str, cell: Cell, zone: dt.tzinfo) -> str:
    if cell is None:
        return ""
    return guarded(cell) if isinstance(cell, str) else report_cells.text(name, cell, zone)


def as_text(table: Table, zone: dt.tzinfo) -> str:
    """Tab-separated, as little as a text file needs."""
    lines = [_header(table), *_lines(table, zone)]
    if table.totals:
        lines.append(_totals(table, zone))
    return "".join("\t".join(line) + "\n" for line in lines)


def _print(table: Table, zone: dt.tzinfo) -> None:
    print(t(f"report.title.{table.title}"))
    lines = _lines(table, zone)
    if table.totals:
        lines.append(_totals(table, zone))
    print_table(_header(table), lines)


def _header(table: Table) -> list[str]:
    return [t(f"report.column.{name}") for name in table.columns]


def _lines(table: Table, zone: dt.tzinfo) -> list[list[str]]:
    return [
        [words.one_line(report_cells.text(name, cell, zone)) for name, cell in pairs]
        for pairs in (zip(table.columns, row, strict=True) for row in table.rows)
    ]


def _totals(table: Table, zone: dt.tzinfo) -> list[str]:
    """Under the rows: the word for it in the first column, then what is summed.

    Where rows are of several days the totals are those of the last.
    """
    label = t("report.total")
    if table.rows and table.columns[0] == "day":
        label = f"{label} {table.rows[-1][0]}"
    summed = table.totals
    texts = (
        report_cells.text(name, summed[name], zone) if name in summed else ""
        for name in table.columns[1:]
    )
    return [label, *texts]
