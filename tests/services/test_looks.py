"""What is looked for twice a second is sought by an index, however many rows have ended."""

import pytest

from engine.config import Config
from engine.services import batches, temporary_keeping
from models import base

EPOCH = 7


@pytest.mark.parametrize("step", [batches.feed, temporary_keeping.keep])
def test_no_look_of_the_agenda_reads_what_has_ended(step, lease, monkeypatch):
    """A batch names up to ten thousand meters in its row; the guard holds hundreds a night."""
    run, scanned = base.core.obj.execute_sql, []

    def explained(sql, params=None):
        if sql.lstrip().upper().startswith("SELECT"):
            plan = run(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
            scanned.extend(row[3] for row in plan if row[3].startswith("SCAN t"))
        return run(sql, params)

    monkeypatch.setattr(base.core.obj, "execute_sql", explained)

    step(Config(), EPOCH)

    assert scanned == []
