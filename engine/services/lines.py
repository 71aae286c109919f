"""What the engine saw of its lines: health by line, and one row a finished sweep."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from engine.services import newest
from models.base import next_rev, readings_transaction
from models.enums import LineState
from models.metering import LineHealth, Sweep


@dataclass(frozen=True, slots=True)
class Health:
    """A row of LineHealth, without its revision."""

    state: LineState = LineState.UNKNOWN
    message: str = ""
    requests: int = 0
    timeouts: int = 0
    crc_errors: int = 0
    foreign_frames: int = 0
    load_pct: int = 0
    last_good_at: dt.datetime | None = None


def store_health(changed: Mapping[int, Health], *, epoch: int) -> None:
    """The lines, by id, whose health is another than before. Raises StaleEngine."""
    with readings_transaction():
        newest.require_owner(epoch)
        rev = next_rev(LineHealth)
        for line_id, health in changed.items():
            row = {"rev": rev, **asdict(health)}
            LineHealth.insert(line_id=line_id, **row).on_conflict(
                conflict_target=(LineHealth.line_id,), update=row
            ).execute()


def store_sweep(
    *, started_at: dt.datetime, finished_at: dt.datetime, wire_s: float, read: int, failed: int,
    epoch: int,
) -> None:  # fmt: skip
    """A finished pass over the due meters; `wire_s` is the busiest line's. Raises StaleEngine."""
    with readings_transaction():
        newest.require_owner(epoch)
        Sweep.create(
            started_at=started_at,
            finished_at=finished_at,
            wire_ms=round(1000 * wire_s),
            read=read,
            failed=failed,
        )
