"""What a person should know of a meter: one row an event, with its evidence."""

import datetime as dt
import json

from models.enums import EventKind
from models.metering import MeterEvent

Detail = str | int | None


def add(meter_id: int, kind: EventKind, at: dt.datetime, **detail: Detail) -> None:
    """Inside a readings_transaction."""
    MeterEvent.create(meter_id=meter_id, kind=kind, at=at, detail=_text(detail))


def add_once(meter_id: int, kind: EventKind, at: dt.datetime, **detail: Detail) -> None:
    """The same, unless the newest event of this kind already says just that."""
    newest = (
        MeterEvent.select(MeterEvent.detail)
        .where(MeterEvent.meter_id == meter_id, MeterEvent.kind == kind)
        .order_by(MeterEvent.id.desc())
        .first()
    )
    if newest is None or newest.detail != _text(detail):
        add(meter_id, kind, at, **detail)


def _text(detail: dict[str, Detail]) -> str:
    return json.dumps(detail, sort_keys=True)
