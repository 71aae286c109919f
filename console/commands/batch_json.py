"""Batches and their plans as `--json` prints them: the contract's own words."""

from pathlib import Path

from engine.config import Config
from engine.services.batch_rows import Plan
from engine.views import batches as views
from engine.views.batches import BatchRow, Item, Progress


def document(progress: Progress, config: Config, written: Path | None) -> dict[str, object]:
    batch = progress.batch
    return {
        **batch_json(batch, config),
        "left_alone": {planned.value: number for planned, number in progress.left_alone.items()},
        "lines": [
            {
                "line": line.line, "total": line.total, "done": line.done, "failed": line.failed,
                "unknown": line.unknown, "waiting": line.waiting, "serial": line.current,
                "down": line.down,
            }
            for line in progress.lines
        ],
        "items": [item_json(item, config) for item in views.items(batch.batch)],
        "result": str(written) if written else None,
    }  # fmt: skip


def batch_json(batch: BatchRow, config: Config) -> dict[str, object]:
    zone = config.site.zone
    return {
        "batch": batch.batch,
        "verb": batch.verb,
        "state": batch.state,
        "stopped": batch.stopped or None,
        "reason": batch.why or None,
        "operator": batch.operator,
        "approver": batch.approver,
        "created_at": batch.created_at.astimezone(zone).isoformat(),
        "expires_at": batch.expires_at and batch.expires_at.astimezone(zone).isoformat(),
        "finished_at": batch.finished_at and batch.finished_at.astimezone(zone).isoformat(),
        "line_s": batch.line_s,
        "retries": batch.retries,
        **{name: getattr(batch, name) for name in
           ("total", "done", "failed", "unknown", "waiting")},
    }  # fmt: skip


def item_json(item: Item, config: Config) -> dict[str, object]:
    return {
        "serial": item.serial,
        "line": item.line,
        "planned": item.planned,
        "from": dict(item.was),
        "to": dict(item.wanted),
        "loses_power": item.loses_power,
        "state": item.state,
        "reason": item.reason,
        "command": item.command,
        "finished_at": item.finished_at
        and item.finished_at.astimezone(config.site.zone).isoformat(),
    }


def plan_json(plan: Plan) -> dict[str, object]:
    """The contract's own words; `refused` and `why` beside them."""
    return {
        "verb": plan.verb,
        "change": [
            {
                "serial": row.serial,
                "from": {name: pair[0] for name, pair in row.changes.items()},
                "to": {name: pair[1] for name, pair in row.changes.items()},
            }
            for row in plan.change
        ],
        "same": [row.serial for row in plan.same],
        "unreachable": [row.serial for row in plan.unreachable],
        "locked": [row.serial for row in plan.locked],
        "refused": [row.serial for row in plan.refused],
        "loses_power": [row.serial for row in plan.loses_power],
        "why": {row.serial: row.reason for row in plan.rows if row.reason},
        "seen_at": {row.serial: row.seen_at.isoformat() for row in plan.same if row.seen_at},
        "line_s": plan.line_s,
    }
