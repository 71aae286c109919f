"""batch VERB, list, show, pause, cancel, retry: a verb over many meters, without a screen."""

import argparse
import contextlib
import datetime as dt
import sys
import time
from pathlib import Path
from uuid import uuid4

from console import words
from console.commands.approvals import attempted, tell_approval
from console.commands.batch_json import batch_json, document, plan_json
from console.commands.outcome import LOOK_S
from console.commands.site import local_now, opened, person, second
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import clock, exports, serial_files
from engine.config import Config
from engine.domain.batch_rules import HARMLESS
from engine.domain.errors import BadBatch, ConfirmNumber
from engine.exports import reason_text, values_text
from engine.i18n import t
from engine.services import batches
from engine.services.batch_rows import Plan, PlanRow
from engine.views import batches as views
from engine.views import status as status_views
from engine.views.batches import BatchRow, Progress
from models.cases import Approval
from models.control import Batch
from models.enums import BatchState, BatchVerb, ItemState, Planned
from models.people import Operator

COLUMNS = ("batch", "verb", "state", "number", "done", "failed", "unknown", "waiting", "created",
           "by")  # fmt: skip


def verb(args: argparse.Namespace) -> int:
    """Plan; with --confirm carry it out and wait; with --resume go on with one that is paused."""
    with opened(args) as config:
        if args.resume is not None:
            return _go_on(args, config)
        plan = _plan(args, config)
        return _planned(plan, args, config)


def retry(args: argparse.Namespace) -> int:
    """Once more over those that failed; the unknown ones are named and left to their read-back."""
    with opened(args) as config:
        plan = batches.plan_retry(args.batch, config=config, now=clock.now())
        left = [item.serial for item in views.items(args.batch) if item.state is ItemState.UNKNOWN]
        if left and not args.json:
            named = ", ".join(left)
            print(t("plan.said.unknown_left", number=len(left), serials=named), file=sys.stderr)
        return _planned(plan, args, config, retries=batches.get(args.batch), unknown=left)


def _plan(args: argparse.Namespace, config: Config) -> Plan:
    names = ("names", "fresh", "unopened", "override")
    options = {name: getattr(args, name, None) for name in names}
    given = {name: int(v) if isinstance(v, bool) else v for name, v in options.items() if v}
    if getattr(args, "until", None):
        given["until"] = _instant(args.until, config)
    wanted = serial_files.selection_of(args.select)
    return batches.plan(BatchVerb(args.verb), wanted, given, config=config, now=clock.now())


def _instant(text: str, config: Config) -> str:
    """Local time where no offset is given; what it is not the plan says."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=config.site.zone)).isoformat()


def _planned(
    plan: Plan,
    args: argparse.Namespace,
    config: Config,
    *,
    retries: Batch | None = None,
    unknown: list[str] | None = None,
) -> int:
    number = len(plan.change)
    if args.dry_run:
        _show_plan(plan, args, unknown)
        return Status.DONE
    confirm = number if args.confirm is None and plan.verb in HARMLESS else args.confirm
    if confirm is None:
        if not args.json:
            _show_plan(plan, args, unknown)
        raise ConfirmNumber(confirm="-", number=number, why="missing")
    by = person(args)
    asked = _start(plan, confirm, by, args, config, retries)
    if isinstance(asked, Approval):
        return tell_approval(asked, args, config)
    return _followed(asked, args, config)


def _start(
    plan: Plan,
    confirm: int,
    by: Operator,
    args: argparse.Namespace,
    config: Config,
    retries: Batch | None,
) -> Batch | Approval:
    args.request_id = args.request_id or uuid4().hex
    if not args.ask:
        return batches.start(
            plan, confirm, args.reason, by, args.request_id,
            config=config, approver=second(args), retries=retries,
        )  # fmt: skip
    given = batches.wish(plan, confirm, args.reason, retries=retries)
    asked = attempted("batch", given, by, args, config)
    return asked if isinstance(asked, Approval) else batches.of_request(args.request_id)


def _go_on(args: argparse.Namespace, config: Config) -> int:
    batch = batches.get(args.resume)
    if batch.verb.value != args.verb:
        raise BadBatch(why="other_verb", verb=batch.verb.value, option=args.verb)
    left = views.progress(batch.id).batch.waiting
    if args.confirm is None and batch.verb not in HARMLESS:
        raise ConfirmNumber(confirm="-", number=left, why="missing")
    confirm = left if args.confirm is None else args.confirm
    by = person(args)
    if not args.ask:
        batch = batches.resume(batch.id, confirm, by, config=config, approver=second(args))
        return _followed(batch, args, config)
    given = {"batch_id": batch.id, "confirm": confirm, "why": args.reason}
    asked = attempted("batch_resume", given, by, args, config)
    if isinstance(asked, Approval):
        return tell_approval(asked, args, config)
    return _followed(batch, args, config)


def pause(args: argparse.Namespace) -> int:
    """What has not left stays here; --resume goes on."""
    with opened(args) as config:
        return _told(batches.pause(args.batch, person(args)).id, args, config, None)


def cancel(args: argparse.Namespace) -> int:
    """What has not left never will."""
    with opened(args) as config:
        return _told(batches.cancel(args.batch, person(args)).id, args, config, None)


def show(args: argparse.Namespace) -> int:
    """One batch, line by line and meter by meter; --result writes its workbook."""
    with opened(args) as config:
        progress = views.progress(args.batch)
        written = _written(progress.batch, args, config)
        _tell(progress, args, config, written)
    return Status.DONE


def listed(args: argparse.Namespace) -> int:
    """Newest first."""
    with opened(args) as config:
        found, now = views.list_batches(), local_now(config)
    if getattr(args, "json", False):
        print_json([batch_json(each, config) for each in found])
    elif not found:
        print(t("plan.said.none"))
    else:
        lines = [
            [
                str(each.batch), t(f"plan.verb.{each.verb}"), t(f"plan.state.{each.state}"),
                *(str(getattr(each, name)) for name in
                  ("total", "done", "failed", "unknown", "waiting")),
                words.age(each.created_at, now), each.operator,
            ]
            for each in found
        ]  # fmt: skip
        print_table([t(f"plan.column.{name}") for name in COLUMNS], lines)
    return Status.DONE


def _followed(batch: Batch, args: argparse.Namespace, config: Config) -> int:
    """Wait for its end, then say how it ended."""
    deadline = time.monotonic() + args.wait
    with contextlib.suppress(KeyboardInterrupt):  # who will not wait is told how it stands
        while _is_at_work(batch.id) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
    progress = views.progress(batch.id)
    written = None
    if progress.batch.state is BatchState.DONE:
        written = _written(progress.batch, args, config)
    return _told(batch.id, args, config, written)


def _is_at_work(batch_id: int) -> bool:
    return batches.get(batch_id).state is BatchState.RUNNING


def _written(batch: BatchRow, args: argparse.Namespace, config: Config) -> Path | None:
    """Its workbook, where one is asked for: an export always is."""
    starts = getattr(args, "verb", None) == BatchVerb.EXPORT.value
    if args.result is None and not starts:
        return None
    return exports.write(batch.batch, config, args.site, path=args.result)


def _told(batch_id: int, args: argparse.Namespace, config: Config, written: Path | None) -> int:
    progress = views.progress(batch_id)
    _tell(progress, args, config, written)
    return _status(progress.batch)


def _status(batch: BatchRow) -> Status:
    """The worst of its meters; those that the plan left alone do not count."""
    if batch.unknown:
        return Status.UNKNOWN
    if batch.state in (BatchState.RUNNING, BatchState.PAUSED):
        return Status.ACCEPTED
    if batch.failed and batch.state is BatchState.DONE:
        return Status.REFUSED
    return Status.DONE


def _tell(
    progress: Progress, args: argparse.Namespace, config: Config, written: Path | None
) -> None:
    batch = progress.batch
    if args.json:
        print_json(document(progress, config, written))
        return
    print(_said(batch))
    for line in progress.lines:
        down = t("plan.said.down") if line.down else ""
        print("  " + t("plan.said.line", line=line.line, total=line.total, done=line.done,
                       failed=line.failed, unknown=line.unknown, down=down))  # fmt: skip
    for item in views.items(batch.batch):
        if item.planned is Planned.CHANGE and item.state is not ItemState.APPLIED:
            print(f"  {item.serial}  {t(f'plan.item.{item.state}')}  {reason_text(item.reason)}")
    if written is not None:
        print(t("plan.said.written", path=written))
    waits = batch.state is BatchState.RUNNING
    if waits and status_views.engine_state() == status_views.STOPPED:
        print(t("cli.no_engine"), file=sys.stderr)


def _said(batch: BatchRow) -> str:
    state = t(f"plan.stopped.{batch.stopped}") if batch.stopped else t(f"plan.state.{batch.state}")
    return t(
        "plan.said.state", batch=batch.batch, verb=t(f"plan.verb.{batch.verb}"), state=state,
        done=batch.done, failed=batch.failed, unknown=batch.unknown, waiting=batch.waiting,
    )  # fmt: skip


def _show_plan(plan: Plan, args: argparse.Namespace, unknown: list[str] | None) -> None:
    if args.json:
        print_json(plan_json(plan) | ({"unknown": unknown} if unknown is not None else {}))
        return
    counts = {
        name: len(getattr(plan, name))
        for name in ("change", "same", "unreachable", "locked", "refused")
    }
    verb, dark = t(f"plan.verb.{plan.verb}"), len(plan.loses_power)
    print(t("plan.said.plan", verb=verb, dark=dark, line_s=plan.line_s, **counts))
    for row in plan.rows:
        mark = "!" if row.loses_power else " "
        print(f"{mark} {row.serial}  {t(f'plan.planned.{row.planned}')}  {_told_of(row)}".rstrip())
    print(t("plan.said.confirm", number=len(plan.change)))


def _told_of(row: PlanRow) -> str:
    if row.planned is not Planned.CHANGE:
        return reason_text(row.reason)
    pairs = row.changes
    before = values_text({name: pair[0] for name, pair in pairs.items()})
    after = values_text({name: pair[1] for name, pair in pairs.items()})
    return f"{before} -> {after}" if pairs else ""
