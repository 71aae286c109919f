"""Every meter that a tenant has, held to the books: drift, counts, purchases of others, ages."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import peewee as pw

from engine.domain.measurement import MeterReading
from models.accounts import Account, Installation
from models.base import tuples
from models.enums import EventKind, MeterKind
from models.metering import Latest, MeterEvent
from models.site import Meter

ASSERTED_WITHIN_S = 86_400  # each meter is held to the books once a day at least

Warned = tuple[str, dict[str, object]]  # code and params of `error.verify.<code>`


@dataclass(frozen=True, slots=True)
class Foreign:
    """The last purchase that was not ours; `amount_fen` is likely, between `since` and `at`."""

    at: dt.datetime
    since: dt.datetime | None
    expected: int
    found: int
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class DriftRow:
    """None: not known, which is not 0."""

    meter_id: int
    serial: str
    shop: str
    tenant_number: str
    tenant: str
    frozen: bool
    opened_at: dt.datetime
    drift_fen: int | None
    balance_fen: int | None  # as last read
    count_expected: int | None
    count_found: int | None
    asserted_at: dt.datetime | None
    foreign: Foreign | None

    @property
    def expected_fen(self) -> int | None:
        if self.drift_fen is None or self.balance_fen is None:
            return None
        return self.balance_fen - self.drift_fen

    def asserted_age_s(self, now: dt.datetime) -> int | None:
        """How long ago balance and count were compared and both were known; None: never."""
        if self.asserted_at is None:
            return None
        return max(0, int((now - self.asserted_at).total_seconds()))

    def is_overdue(self, now: dt.datetime) -> bool:
        """Not compared for a day; one never compared has had a day since its tenant came."""
        since = self.asserted_at or self.opened_at
        return (now - since).total_seconds() > ASSERTED_WITHIN_S


def rows() -> list[DriftRow]:
    """Largest drift first, whatever its sign; what is not known comes last."""
    known = {
        latest.meter_id: latest
        for latest in Latest.select(
            Latest.meter_id, Latest.reading, Latest.drift_fen, Latest.asserted_at
        )
    }
    foreign = _last_foreign()
    found = [
        _row(place, known.get(place[0]), foreign.get(place[0])) for place in _prepaid_with_tenant()
    ]
    found.sort(key=lambda row: (row.drift_fen is None, -abs(row.drift_fen or 0), row.serial))
    return found


def oldest_assertion_s(now: dt.datetime) -> int | None:
    """Age of the oldest; None where nothing was asserted yet."""
    ours = {place[0] for place in _prepaid_with_tenant()}
    query = Latest.select(Latest.meter_id, Latest.asserted_at)
    asserted = [at for meter_id, at in tuples(query) if at is not None and meter_id in ours]
    return max(0, int((now - min(asserted)).total_seconds())) if asserted else None


def warnings(now: dt.datetime, limit_fen: int) -> list[Warned]:
    """Meters beyond the limit, and those not held to the books for a day."""
    return list(_warnings(now, limit_fen))


def _warnings(now: dt.datetime, limit_fen: int) -> Iterator[Warned]:
    for row in rows():
        if row.drift_fen is not None and abs(row.drift_fen) > limit_fen:
            params = {"drift_fen": row.drift_fen, "limit_fen": limit_fen}
            yield "drift", {"serial": row.serial, **params}
        if not row.is_overdue(now):
            continue
        age_s = row.asserted_age_s(now)
        if age_s is None:
            yield "never_asserted", {"serial": row.serial}
        else:
            yield "not_asserted", {"serial": row.serial, "hours": age_s // 3600}


def _row(place: Any, latest: Latest | None, foreign: Foreign | None) -> DriftRow:
    meter_id, serial, shop, number, tenant, frozen, mirror_count, opened_at = place
    reading = MeterReading.from_json(latest.reading) if latest and latest.reading else None
    return DriftRow(
        meter_id,
        serial,
        shop,
        number,
        tenant,
        frozen,
        opened_at,
        latest.drift_fen if latest else None,
        reading.balance_fen if reading else None,
        mirror_count,
        reading.purchase_count if reading else None,
        latest.asserted_at if latest else None,
        foreign,
    )


def _prepaid_with_tenant() -> list[Any]:
    query = (
        Meter.select(
            Meter.id, Meter.serial, Meter.shop, Account.number, Account.name, Meter.frozen,
            Meter.mirror_count, Installation.opened_at,
        )
        .join(Installation)
        .join(Account)
        .where(
            Installation.closed_at.is_null(),
            Meter.retired_at.is_null(),
            Meter.kind == MeterKind.PREPAID,
        )
    )  # fmt: skip
    return tuples(query)


def _last_foreign() -> dict[int, Foreign]:
    newest = (
        MeterEvent.select(pw.fn.MAX(MeterEvent.id))
        .where(MeterEvent.kind == EventKind.FOREIGN_PURCHASE)
        .group_by(MeterEvent.meter_id)
    )
    query = MeterEvent.select(MeterEvent.meter_id, MeterEvent.at, MeterEvent.detail).where(
        MeterEvent.id.in_(newest)
    )
    return {meter_id: _foreign(at, json.loads(detail)) for meter_id, at, detail in tuples(query)}


def _foreign(at: dt.datetime, detail: dict[str, Any]) -> Foreign:
    since = detail.get("since")
    return Foreign(
        at,
        dt.datetime.fromisoformat(since) if since else None,
        detail["expected"],
        detail["found"],
        detail.get("amount_fen"),
    )
