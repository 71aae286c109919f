"""exchange, convert: one meter for another, and the amounts of a whole project's old meters."""

import argparse
import contextlib
import datetime as dt
import time
from dataclasses import asdict
from uuid import uuid4

from console.commands import problems
from console.commands.approvals import tell_approval
from console.commands.outcome import LOOK_S, tell_of_no_engine
from console.commands.site import opened, person, second
from console.commands.text_table import print_table
from console.exchange_words import step_word, waits_for
from console.failures import NotUsable, Status, print_json
from engine import tables
from engine.bus.registers import load_maps
from engine.config import Config
from engine.domain.errors import ApprovalNeeded, DomainError
from engine.domain.units import parse_kwh, parse_signed_yuan, yuan_text
from engine.i18n import t
from engine.services import approvals, commands, conversion, exchanges
from engine.services.exchanges import Naming, Progress
from engine.views import exchanges as views
from models.cases import Approval, Exchange
from models.enums import Outcome
from models.people import Operator

COLUMNS = ("exchange", "old", "new", "shop", "tenant", "step")
IN_DOUBT = ("unknown", "suspense")  # only a read-back or two persons decide


def exchange(args: argparse.Namespace) -> int:
    """Take OLD out for NEW, as far as it goes now; without either: the list of open ones."""
    with opened(args) as config:
        if args.cancel is not None:
            ended = exchanges.cancel(args.cancel, person(args))
            return _tell(Progress(ended, exchanges.Waits("cancelled")), args)
        if args.old is None and args.resume is None:
            return _list(args)
        by = person(args)
        begun = _gone_on_with(args, by) if args.resume is not None else _begun(args, by)
        try:
            _read_by_hand(begun, args, by, config.site.zone)
        except ApprovalNeeded:
            if not args.ask:
                raise
            return tell_approval(_asked_elsewhere(begun, args, by), args, config)
        return _tell(_advanced(begun, args, by, config), args)


def _asked_elsewhere(begun: Exchange, args: argparse.Namespace, by: Operator) -> Approval:
    """The hand reading waits for a second person; the exchange stays and is resumed after it."""
    energy_wh, balance_fen = _final_values(args) or (0, 0)
    given = {
        "exchange_id": begun.id,
        "energy_wh": energy_wh,
        "balance_fen": balance_fen,
        "why": args.evidence,
    }
    return approvals.ask("hand_reading", given, by, f"exchange {begun.id} by hand {uuid4().hex}")


def _begun(args: argparse.Namespace, by: Operator) -> Exchange:
    if args.new is None:
        raise NotUsable("exchange_needs_new")
    if args.reason is None:
        raise NotUsable("reason_needed")
    _final_values(args)
    return exchanges.begin(
        args.old,
        args.reason,
        by,
        args.request_id or uuid4().hex,
        new=_naming(args, args.new),
        models=load_maps(args.site / "maps").keys(),
    )


def _gone_on_with(args: argparse.Namespace, by: Operator) -> Exchange:
    """With a NEW named in its place (`--resume ID NEW`): another than was said before."""
    found = exchanges.get(args.resume)
    serial = args.new or args.old
    if serial is None or serial == found.old.serial:
        return found
    models = load_maps(args.site / "maps").keys()
    return exchanges.name_new(found.id, _naming(args, serial), by, models=models)


def _naming(args: argparse.Namespace, serial: str) -> Naming:
    return Naming(serial, model=args.model, line=args.line, address=args.address)


def _final_values(args: argparse.Namespace) -> tuple[int, int] | None:
    """(Wh, fen) read by hand; None where the meter is to be asked. Raises NotUsable."""
    given = (args.final_energy, args.final_balance, args.evidence)
    if not any(given):
        return None
    if not all(given):
        raise NotUsable("hand_reading_whole")
    return parse_kwh(args.final_energy), parse_signed_yuan(args.final_balance)


def _read_by_hand(begun: Exchange, args: argparse.Namespace, by: Operator, zone: dt.tzinfo) -> None:
    """What is refused leaves nothing behind: an exchange begun for it is given up again."""
    values = _final_values(args)
    if values is None or begun.by_hand:
        return
    try:
        approver = second(args)
        exchanges.by_hand(begun.id, *values, args.evidence, by, zone=zone, approver=approver)
    except (DomainError, NotUsable) as error:
        if isinstance(error, ApprovalNeeded) and args.ask:
            raise
        if args.resume is None:
            exchanges.cancel(begun.id, by)
        raise


def _advanced(begun: Exchange, args: argparse.Namespace, by: Operator, config: Config) -> Progress:
    """On and on, until it waits for a person, or `--wait` is over, or Ctrl-C."""
    deadline = time.monotonic() + args.wait
    again = args.resume is not None
    progress = exchanges.advance(begun.id, by, config=config, again=again)
    with contextlib.suppress(KeyboardInterrupt):  # who will not wait is told how it stands
        while progress.waits.for_engine and time.monotonic() < deadline:
            time.sleep(LOOK_S)
            progress = exchanges.advance(begun.id, by, config=config)
    return progress


def _tell(progress: Progress, args: argparse.Namespace) -> int:
    row = views.one(progress.exchange.id)
    leg = views.second_leg(row.exchange)
    if args.json:
        outcome = commands.outcome_of(leg) if leg else _without_leg(progress)
        shown = {**row.as_json(), "waits": progress.waits.code}
        print_json({**outcome, "exchange": shown})
    else:
        print(
            t(
                "cli.exchange_at",
                exchange=row.exchange,
                old=row.old,
                new=row.new or "-",
                step=step_word(row.step),
                waits=waits_for(progress.waits),
                receipt=row.receipt or "-",
            )
        )
        if progress.waits.for_engine:
            tell_of_no_engine([progress.exchange.command] if progress.exchange.command else [])
    if progress.waits.code in ("done", "cancelled"):
        return Status.DONE
    return Status.UNKNOWN if progress.waits.code in IN_DOUBT else Status.ACCEPTED


def _without_leg(progress: Progress) -> dict[str, object]:
    """The contract's words where nothing had to be moved, or nothing has moved yet."""
    outcomes = {"done": Outcome.APPLIED, "cancelled": Outcome.REFUSED}
    outcomes |= dict.fromkeys(IN_DOUBT, Outcome.UNKNOWN)
    exchange = progress.exchange
    nothing = ("count_before", "count_after", "balance_before_fen", "balance_after_fen", "receipt")
    return {
        "command": None,
        "request_id": exchange.request_id,
        "outcome": outcomes.get(progress.waits.code, Outcome.QUEUED).value,
        "reason": None,
        "serial": (exchange.new or exchange.old).serial,
        "amount_fen": 0,
        "fee_fen": 0,
        **dict.fromkeys(nothing),
    }


def _list(args: argparse.Namespace) -> int:
    rows = views.open_ones()
    if args.json:
        print_json([row.as_json() for row in rows])
        return Status.DONE
    lines = [
        (str(row.exchange), row.old, row.new or "", row.shop, row.tenant or "", step_word(row.step))
        for row in rows
    ]
    if lines:
        print_table([t(f"cli.column.{name}") for name in COLUMNS], lines)
    else:
        print(t("cli.no_exchanges"))
    return Status.DONE


def convert(args: argparse.Namespace) -> int:
    """Transfer what old meters held into the new ones, each row of FILE once."""
    total_fen = parse_signed_yuan(args.total)
    with opened(args) as config:
        report = conversion.convert(
            tables.read(args.path),
            total_fen,
            person(args),
            money=config.money,
            source=args.path.name,
            approver=second(args),
            dry_run=args.dry_run,
        )
        progress = _carried(report.transfers, args.wait)
    if args.json:
        numbers = ("rows", "total_fen", "converted", "known", "empty")
        print_json(
            {
                **{name: getattr(report, name) for name in numbers},
                "progress": asdict(progress),
                "errors": problems.as_json(report.errors),
                "warnings": problems.as_json(report.warnings),
            }
        )
    else:
        _print(report, progress, dry_run=args.dry_run)
    return _status(report, progress)


def _carried(transfers: list[int], wait_s: float) -> conversion.Progress:
    deadline = time.monotonic() + wait_s
    progress = conversion.progress(transfers)
    with contextlib.suppress(KeyboardInterrupt):
        while progress.waiting and time.monotonic() < deadline:
            time.sleep(LOOK_S)
            progress = conversion.progress(transfers)
    return progress


def _print(report: conversion.Report, progress: conversion.Progress, *, dry_run: bool) -> None:
    problems.print_all(report.errors, report.warnings)
    if report.errors:
        print(t("cli.import_refused", errors=len(report.errors)))
        return
    counts = {name: getattr(report, name) for name in ("rows", "converted", "known", "empty")}
    text = "cli.convert_would" if dry_run else "cli.convert_done"
    print(t(text, total=yuan_text(report.total_fen), **counts))
    if progress.total:
        print(t("cli.convert_progress", done_yuan=yuan_text(progress.done_fen), **asdict(progress)))


def _status(report: conversion.Report, progress: conversion.Progress) -> int:
    if report.errors:
        return Status.REFUSED
    if progress.unknown:
        return Status.UNKNOWN
    if progress.refused:
        return Status.REFUSED
    return Status.ACCEPTED if progress.waiting else Status.DONE
