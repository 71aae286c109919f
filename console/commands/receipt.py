"""receipt show, print, check, list."""

import argparse
import datetime as dt
import os
import sys
from pathlib import Path

from console import words
from console.commands.site import opened, person
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import clock, printing, security, site
from engine.config import Config
from engine.domain import receipt_code
from engine.domain.receipt_code import Facts
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import printing as outbox
from engine.services import receipt_page, receipt_text, receipts
from engine.services.receipt_page import Mark
from engine.views import receipts as receipt_views
from engine.views.receipts import Paper, ReceiptRow

LIST_MAX = 100
ON_PAPER = "\x1b[0;30;107m{}\x1b[0m"  # black on white, whatever the terminal's own colours


def show_one(args: argparse.Namespace) -> int:
    """Draw a receipt, marked as a copy: paper for the tenant comes from the engine."""
    with opened(args) as config:
        receipt = receipts.find(args.named)
        page = printing.page(config, Mark("copy", clock.now()))
        page = receipt_page.adapted(page, args.paper, args.language)
        text, code = receipt_text.draw(receipt, page), receipts.code(receipt)
    if args.json:
        print_json({"receipt": receipt.number, "code": code, "text": text})
    elif sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        print("\n".join(ON_PAPER.format(line) for line in receipt_text.filled(text, page.width)))
    else:
        print(text, end="")
    return Status.DONE


def print_one(args: argparse.Namespace) -> int:
    """Queue a reprint; the engine prints it."""
    with opened(args):
        receipt = receipts.find(args.named)
        job = outbox.reprint(receipt, person(args))
        number = outbox.reprint_number(job)
    if args.json:
        print_json({"receipt": receipt.number, "job": job.id, "reprint": number})
    else:
        print(t("print.queued", number=receipt.number))
    return Status.ACCEPTED


def check(args: argparse.Namespace) -> int:
    """What a code vouches for. Needs the site's key only, no database."""
    key = security.read_chain_key(args.key or security.chain_key_path(args.site))
    facts = receipt_code.read(" ".join(args.code), security.receipt_key(key))
    shown = _facts(facts, _zone(args.site))
    if args.json:
        print_json({"genuine": True, **shown})
    else:
        print(t("cli.genuine"))
        for name, value in _said(facts, shown):
            print(f"  {words.pad(t(f'cli.genuine_{name}'), 12)}  {value}")
    return Status.DONE


def _zone(directory: Path) -> dt.tzinfo:
    """The site's, or UTC where there is no site but a key."""
    if not (directory / site.CONFIG).exists():
        return dt.UTC
    config: Config = site.load_config(directory)
    return config.site.zone


def _facts(facts: Facts, zone: dt.tzinfo) -> dict[str, object]:
    return {
        "receipt": facts.number,
        "kind": facts.kind,
        "serial": facts.serial,
        "meters": facts.meters,
        "amount_fen": facts.amount_fen,
        "fee_fen": facts.fee_fen,
        "count_after": facts.count_after,
        "issued_at": facts.issued_at.astimezone(zone).isoformat(),
    }


def _said(facts: Facts, shown: dict[str, object]) -> list[tuple[str, object]]:
    lines = [
        ("receipt", facts.number),
        ("kind", t(f"cli.receipt_kind.{facts.kind}")),
        ("serial", facts.serial),
        ("meters", facts.meters),
        ("amount", f"{yuan_text(facts.amount_fen)} {t('receipt.unit')}"),
        ("fee", f"{yuan_text(facts.fee_fen)} {t('receipt.unit')}"),
        ("count", words.NOTHING if facts.count_after is None else facts.count_after),
        ("time", shown["issued_at"]),
    ]
    return [line for line in lines if line[0] != "meters" or facts.meters > 1]


def latest(args: argparse.Namespace) -> int:
    """The latest receipts, and whether their paper came out."""
    with opened(args) as config:
        rows = receipt_views.latest(getattr(args, "last", LIST_MAX))
    if getattr(args, "json", False):
        print_json([_row(row, config.site.zone) for row in rows])
    else:
        header = [t(f"cli.receipt_column.{name}") for name in COLUMNS]
        print_table(header, [_cells(row, config.site.zone) for row in rows])
    return Status.DONE


COLUMNS = ("receipt", "time", "kind", "commands", "serial", "tenant", "amount", "printed")


def _cells(row: ReceiptRow, zone: dt.tzinfo) -> list[str]:
    more = f" +{len(row.serials) - 1}" if len(row.serials) > 1 else ""
    return [
        row.number,
        words.moment(row.issued_at, zone),
        t(f"cli.receipt_kind.{row.kind}"),
        ",".join(map(str, row.commands)),
        row.serials[0] + more,
        row.tenant or words.NOTHING,
        yuan_text(row.amount_fen + row.fee_fen),
        _printed(row.paper),
    ]


def _printed(paper: Paper | None) -> str:
    if paper is None:
        return t("print.none")
    said = [t(f"print.state.{paper.state}")]
    if paper.reprints:
        said.append(t("print.reprints", number=paper.reprints))
    if paper.error:
        said.append(words.print_error(paper.error))
    return ", ".join(said)


def _row(row: ReceiptRow, zone: dt.tzinfo) -> dict[str, object]:
    paper = row.paper
    return {
        "receipt": row.number,
        "issued_at": row.issued_at.astimezone(zone).isoformat(),
        "kind": row.kind,
        "commands": list(row.commands),
        "serials": list(row.serials),
        "tenant": row.tenant,
        "amount_fen": row.amount_fen,
        "fee_fen": row.fee_fen,
        "printed": str(paper.state) if paper else None,
        "tries": paper.tries if paper else 0,
        "reason": (paper.error or None) if paper else None,
        "reprints": paper.reprints if paper else 0,
    }
