"""What hangs on what: gateway -> line, each with the state of its link and its last good frame."""

import datetime as dt
from dataclasses import dataclass

from models.base import highest_rev
from models.enums import LineState
from models.metering import LineHealth
from models.site import Building, Gateway, Line


@dataclass(frozen=True, slots=True)
class LineRow:
    line: str
    gateway: str
    building: str
    location: str
    where: str  # host:port, or the device of a local port
    state: LineState
    message: str
    load_pct: int
    requests: int
    timeouts: int
    crc_errors: int
    foreign_frames: int
    last_good_at: dt.datetime | None


def lines() -> list[LineRow]:
    """Living lines by gateway and name; a line the engine has not met yet is `unknown`."""
    health = {row.line_id: row for row in LineHealth.select()}
    query = (
        Line.select(Line, Gateway, Building)
        .join(Gateway)
        .join(Building)
        .where(Line.retired_at.is_null())
        .order_by(Gateway.name, Line.name)
    )
    return [_row(line, health.get(line.id)) for line in query]


def last_rev() -> int:
    return highest_rev(LineHealth)


def _row(line: Line, health: LineHealth | None) -> LineRow:
    return LineRow(
        line=line.name,
        gateway=line.gateway.name,
        building=line.gateway.building.name,
        location=line.gateway.location,
        where=line.device or f"{line.host}:{line.port}",
        state=health.state if health else LineState.UNKNOWN,
        message=health.message if health else "",
        load_pct=health.load_pct if health else 0,
        requests=health.requests if health else 0,
        timeouts=health.timeouts if health else 0,
        crc_errors=health.crc_errors if health else 0,
        foreign_frames=health.foreign_frames if health else 0,
        last_good_at=health.last_good_at if health else None,
    )
