"""What the books say of a meter at one moment, in one look: asked for with every reading."""

import datetime as dt
from dataclasses import dataclass

from models import base
from models.accounts import Installation
from models.enums import AccountKind, CommandState, EntryKind
from models.site import Meter

MADE_FROM_A_BALANCE = (EntryKind.REVENUE, EntryKind.TAKE_OVER)  # these explain none
KINDS = ", ".join(f"'{kind}'" for kind in EntryKind if kind not in MADE_FROM_A_BALANCE)
EXPLAINED = f"""
    (SELECT COALESCE(SUM(e.amount_fen), 0)
     FROM ledgeraccount a JOIN ledgerentry e ON e.{{side}}_id = a.id
     WHERE a.kind = '{AccountKind.METER_CREDIT}' AND a."key" = m.serial
     AND e.kind IN ({KINDS}))
"""  # noqa: S608 (nothing but our own enums is put in)
# One statement, written out: to have it composed for each reading costs more than to run it.
STANDING = f"""
SELECT m.mirror_count, m.frozen, i.id, i.taken_over, i.opened_at,
    EXISTS (
        SELECT 1 FROM command c WHERE c.meter_id = m.id AND c.counted
        AND (c.state IN ({", ".join(f"'{state}'" for state in CommandState if state.open)})
             OR c.finished_at >= :at)
    ),
    {EXPLAINED.format(side="credit")} - {EXPLAINED.format(side="debit")},
    (SELECT MAX(f.day) FROM dayfreeze f WHERE f.installation_id = i.id)
FROM meter m LEFT JOIN installation i ON i.meter_id = m.id AND i.closed_at IS NULL
WHERE m.id = :meter
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a meter and, where a tenant has it, of its installation."""

    expected_count: int | None  # None: never seen
    frozen: bool
    installation: int | None
    taken_over: bool
    opened_at: dt.datetime | None
    busy: bool  # a counted command is open, or ended at the moment asked for or later
    explained_fen: int  # all that was put into its credit less what was taken out, use apart
    last_day: str | None  # that was closed

    @property
    def is_new(self) -> bool:
        """Its credit is still to be taken over."""
        return self.installation is not None and not self.taken_over


def of(meter: Meter, at: dt.datetime) -> Standing:
    """As stored now, for a reading that was taken at `at`."""
    asked = {"meter": meter.id, "at": Installation.opened_at.db_value(at)}
    row = base.core.execute_sql(STANDING, asked).fetchone()
    count, frozen, installation, taken_over, opened_at, busy, explained_fen, last_day = row
    return Standing(
        count,
        bool(frozen),
        installation,
        bool(taken_over),
        Installation.opened_at.python_value(opened_at),
        bool(busy),
        int(explained_fen),
        last_day,
    )
