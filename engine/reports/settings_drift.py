"""Where meters hold something else than is desired of them, as the engine wrote it down last."""

from engine.domain.resolving import Value
from engine.domain.units import yuan_text
from engine.reports.period import Period
from engine.reports.table import Cell, Table
from engine.views import settings as views
from engine.views.settings import DriftRow

COLUMNS = (
    "serial", "shop", "tenant", "setting", "wanted", "held", "differs_since_at", "held_at",
    "accepted",
)  # fmt: skip


def settings_drift(period: Period) -> Table:
    """As it stands now, whatever the days asked for: oldest first, what was accepted last."""
    del period
    found = sorted(views.noted(), key=lambda row: row.accepted)
    return Table("settings-drift", COLUMNS, [_row(row) for row in found])


def _row(row: DriftRow) -> tuple[Cell, ...]:
    return (
        row.serial,
        row.shop,
        row.tenant,
        row.name,
        _text(row.name, row.wanted),
        _text(row.name, row.held),
        row.since,
        row.held_at,
        row.accepted,
    )


def _text(name: str, value: Value) -> str:
    """Money in yuan: one column holds thresholds, watts and times of day."""
    return yuan_text(int(value)) if name.endswith("_fen") else str(value)
