"""init, import, export-config: how a site comes to be."""

import argparse

from console.commands import problems
from console.commands.site import local_now, new_password, opened
from console.failures import Status, print_json
from engine import tables
from engine.bus.registers import load_maps
from engine.i18n import t
from engine.services import site_export, site_import
from engine.site import init_site


def init(args: argparse.Namespace) -> int:
    """A new site in a directory that is absent or empty."""
    init_site(args.directory, args.admin, new_password(args.password_file, who=args.admin))
    print(t("cli.init_done", path=args.directory))
    return Status.DONE


def import_config(args: argparse.Namespace) -> int:
    """All or nothing; exit 1 names every error with its place."""
    with opened(args) as config:
        today = local_now(config).date()
        models = load_maps(args.site / "maps").keys()
        report = site_import.import_tables(
            tables.read(args.path),
            models=models,
            dry_run=args.dry_run,
            source=args.path.name,
            today=today,
        )
    if args.json:
        print_json(_document(report))
    else:
        _print(report, dry_run=args.dry_run)
    return Status.REFUSED if report.errors else Status.DONE


def export_config(args: argparse.Namespace) -> int:
    """The tables that import reads."""
    with opened(args):
        counts = site_export.export_config(args.path)
    if args.json:
        print_json({"path": str(args.path), "rows": counts})
    else:
        print(t("cli.exported", path=args.path, rows=sum(counts.values())))
    return Status.DONE


def _document(report: site_import.Report) -> dict[str, object]:
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "errors": problems.as_json(report.errors),
        "warnings": problems.as_json(report.warnings),
    }


def _print(report: site_import.Report, *, dry_run: bool) -> None:
    problems.print_all(report.errors, report.warnings)
    if report.errors:
        print(t("cli.import_refused", errors=len(report.errors)))
        return
    counts = {name: getattr(report, name) for name in ("added", "changed", "unchanged")}
    print(t("cli.import_would" if dry_run else "cli.import_done", **counts))
