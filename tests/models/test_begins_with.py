"""What begins with a text is found by an index, whatever stands behind it."""

from models import base
from models.commands import Command


def test_what_begins_with_a_text_is_sought_not_scanned(db):
    query = Command.select(Command.id).where(
        base.begins_with(Command.request_id, "temporary:1:end:")
    )
    sql, values = query.sql()

    plan = base.core.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()

    assert [row[3].split()[0] for row in plan] == ["SEARCH"]


def test_its_own_beginning_is_not_anothers(meter):
    wanted = ["t:1:end:0", "t:1:end:9", "t:1:end:一"]
    with base.write_transaction():
        for number in (*wanted, "t:1:enc:0", "t:1:end", "t:1:ene", "T:1:end:0", "t:11:end:0"):
            Command.create(
                request_id=number, kind="read", counted=False, meter=meter, meter_epoch=1,
                serial=meter.serial, created_at=base.EPOCH,
            )  # fmt: skip

    found = Command.select().where(base.begins_with(Command.request_id, "t:1:end:"))

    assert sorted(each.request_id for each in found) == sorted(wanted)
