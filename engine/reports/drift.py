"""Meters by what their balance cannot explain, and who was not held to the books for a day."""

from dataclasses import replace

from engine.reports.period import Period
from engine.reports.table import Cell, Table, summed
from engine.views import drift as views
from engine.views.drift import DriftRow

COLUMNS = (
    "serial", "shop", "tenant", "drift_fen", "balance_fen", "expected_fen", "count_expected",
    "count_found", "asserted_s", "overdue", "foreign_at", "foreign_since_at", "foreign_fen",
)  # fmt: skip


def drift(period: Period) -> Table:
    """As it stands now, whatever the days asked for: largest drift first, not known last.

    Under the ages stands that of the oldest comparison.
    """
    found = views.rows()
    table = summed("drift", COLUMNS, [_row(row, period) for row in found], "drift_fen")
    ages = [age for row in found if (age := row.asserted_age_s(period.now)) is not None]
    return replace(table, totals=table.totals | ({"asserted_s": max(ages)} if ages else {}))


def _row(row: DriftRow, period: Period) -> tuple[Cell, ...]:
    foreign = row.foreign
    return (
        row.serial,
        row.shop,
        row.tenant,
        row.drift_fen,
        row.balance_fen,
        row.expected_fen,
        row.count_expected,
        row.count_found,
        row.asserted_age_s(period.now),
        row.is_overdue(period.now),
        foreign.at if foreign else None,
        foreign.since if foreign else None,
        foreign.amount_fen if foreign else None,
    )
